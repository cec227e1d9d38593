"""Token ids to statistics of the corpus."""

from skembed.counts._huffman import HuffmanTree, huffman_tree
from skembed.counts._pmi import positive_pmi
from skembed.counts._sampling import AliasTable, keep_probability, noise_distribution

__all__ = [
    "AliasTable",
    "HuffmanTree",
    "huffman_tree",
    "keep_probability",
    "noise_distribution",
    "positive_pmi",
]
