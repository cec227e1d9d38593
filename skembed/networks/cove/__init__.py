"""The encoder of CoVe: word vectors through a bidirectional LSTM.

Importing this package loads no torch.
"""
