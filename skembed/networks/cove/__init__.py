"""The encoder of CoVe: word vectors through a bidirectional LSTM.

Importing this package loads no torch.
"""

from skembed.networks.cove._model import CoVeModel, fingerprint_arrays

__all__ = ["CoVeModel", "fingerprint_arrays"]
