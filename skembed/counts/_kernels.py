"""Compiled construction of sampling tables."""

import numpy as np

from skembed._kernels.compiling import compiled


@compiled()
def build_alias(probabilities, threshold, alias):
    """Fill Walker's alias table, by Vose's method.

    Parameters
    ----------
    probabilities : ndarray of shape (n,), float64
        Sums to 1.
    threshold : ndarray of shape (n,), uint32
        Overwritten: of the 2 ** 32 draws that land on slot i, how many stay there.
    alias : ndarray of shape (n,), int32
        Overwritten: where the others go.
    """
    n = len(probabilities)
    scaled = np.empty(n, dtype=np.float64)
    small = np.empty(n, dtype=np.int32)
    large = np.empty(n, dtype=np.int32)
    n_small = n_large = 0
    for i in range(n):
        # An expression of whole arrays takes longer to compile.
        scaled[i] = probabilities[i] * n
        threshold[i] = np.uint32(0xFFFFFFFF)
        alias[i] = i
        if scaled[i] < 1.0:
            small[n_small] = i
            n_small += 1
        else:
            large[n_large] = i
            n_large += 1
    while n_small and n_large:
        n_small -= 1
        poor, rich = small[n_small], large[n_large - 1]
        threshold[poor] = np.uint32(scaled[poor] * 4294967295.0)
        alias[poor] = rich
        scaled[rich] -= 1.0 - scaled[poor]
        if scaled[rich] < 1.0:
            n_large -= 1
            small[n_small] = rich
            n_small += 1


@compiled()
def join_rarest(counts, parent, right, depth):
    """Build Huffman's tree by joining the two rarest nodes again and again.

    Words are in falling order of count, and inner nodes are made in rising order, so
    that the rarest is at the head of one of two queues (as in word2vec.c).

    Parameters
    ----------
    counts : ndarray of shape (n_words,), int64
        In falling order.
    parent : ndarray of shape (2 * n_words - 1,), int64
        Overwritten: words come first, inner node k is number n_words + k.
    right : ndarray of shape (2 * n_words - 1,), int8
        Overwritten: 1 for right children.
    depth : ndarray of shape (2 * n_words - 1,), int64
        Overwritten with the number of steps from the root.
    """
    n_words = len(counts)
    weight = np.empty(2 * n_words - 1, dtype=np.int64)
    weight[:n_words] = counts
    next_word = n_words - 1
    next_inner = n_words
    for node in range(n_words, 2 * n_words - 1):
        weight[node] = 0
        for turn in range(2):
            if next_word >= 0 and (
                next_inner >= node or weight[next_word] < weight[next_inner]
            ):
                child = next_word
                next_word -= 1
            else:
                child = next_inner
                next_inner += 1
            weight[node] += weight[child]
            parent[child] = node
            right[child] = turn
    # Parents have larger numbers than their children, and the root the largest.
    depth[2 * n_words - 2] = 0
    for node in range(2 * n_words - 3, -1, -1):
        depth[node] = depth[parent[node]] + 1


@compiled()
def paths_to_leaves(n_words, parent, right, offsets, nodes, codes):
    """Write the inner nodes and turns from the root to each word.

    Parameters
    ----------
    n_words : int
    parent, right
        From `join_rarest`.
    offsets : ndarray of shape (n_words + 1,), int64
    nodes, codes : ndarray of shape (offsets[-1],), int32 and int8
        Overwritten; inner nodes are counted from 0.
    """
    for word in range(n_words):
        node = word
        for step in range(offsets[word + 1] - 1, offsets[word] - 1, -1):
            codes[step] = right[node]
            node = parent[node]
            nodes[step] = node - n_words
