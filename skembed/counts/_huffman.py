"""Huffman's binary tree over the words, for hierarchical softmax."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from skembed.counts._kernels import join_rarest, paths_to_leaves


class HuffmanTree(NamedTuple):
    """The way from the root to each word, through inner nodes.

    Parameters
    ----------
    offsets : ndarray of shape (n_words + 1,), int64
        Word i owns ``nodes[offsets[i]:offsets[i + 1]]``, and the same of `codes`.
    nodes : ndarray of shape (n_steps,), int32
        Inner nodes, from 0 to n_words - 2; the root comes first.
    codes : ndarray of shape (n_steps,), int8
        1 where the way turns to the right, else 0.
    """

    offsets: npt.NDArray[np.int64]
    nodes: npt.NDArray[np.int32]
    codes: npt.NDArray[np.int8]


def huffman_tree(counts: npt.NDArray[np.int64]) -> HuffmanTree:
    """Build the tree in which frequent words are near the root.

    Parameters
    ----------
    counts : ndarray of shape (n_words,), int64
        Occurrences of each word, in falling order.

    Returns
    -------
    tree : HuffmanTree
        A single word has no way to go.

    Examples
    --------
    >>> tree = huffman_tree(np.array([5, 2, 1]))
    >>> [tree.codes[i:j].tolist() for i, j in zip(tree.offsets, tree.offsets[1:])]
    [[1], [0, 1], [0, 0]]
    """
    n_words = len(counts)
    parent = np.zeros(2 * n_words - 1, dtype=np.int64)
    right = np.zeros(2 * n_words - 1, dtype=np.int8)
    depth = np.zeros(2 * n_words - 1, dtype=np.int64)
    join_rarest(np.asarray(counts, dtype=np.int64), parent, right, depth)
    offsets = np.concatenate([[0], np.cumsum(depth[:n_words])])
    nodes = np.empty(offsets[-1], dtype=np.int32)
    codes = np.empty(offsets[-1], dtype=np.int8)
    paths_to_leaves(n_words, parent, right, offsets, nodes, codes)
    return HuffmanTree(offsets, nodes, codes)
