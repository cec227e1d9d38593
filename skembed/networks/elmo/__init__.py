"""Bidirectional language models over the characters of words (ELMo).

Importing this package loads no torch.
"""

from skembed.networks.elmo._model import ElmoModel, named_elmo, packed_elmo

__all__ = ["ElmoModel", "named_elmo", "packed_elmo"]
