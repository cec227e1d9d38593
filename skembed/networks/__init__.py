"""Frozen networks: windows of token ids to layers of states.

A network of any kind is a `Network`: it says how wide its layers are and how long a
window may be, and runs. What it runs on are the `Windows` that its tokenizer makes of
texts. Importing this package loads no torch.
"""

from skembed.networks._lexicon import Lexicon
from skembed.networks._windows import Windows
from skembed.networks._word_windows import WordReader, joined_spans

__all__ = ["Lexicon", "Windows", "WordReader", "joined_spans"]
