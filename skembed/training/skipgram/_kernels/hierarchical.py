"""Skip-gram with hierarchical softmax over one span of the corpus.

The probability of a context o is that of its way down a binary tree, through the inner
nodes n_1, n_2, ... with turns t_j (1 to the right, 0 to the left). So the loss of a
pair (c, o), Mikolov et al. (2013), "Distributed Representations of Words and Phrases
and their Compositionality", equation 3, is

    L = - sum over j of log s((1 - 2 t_j) w_out[n_j] . w_in[c])

A centre's contexts are taken one after the other, its own vector is moved at the end.
"""

import numba
import numpy as np

from skembed._kernels.compiling import compiled
from skembed._kernels.simd import LANES, add, load, splat, store
from skembed.training._kernels import errors_and_loss
from skembed.training.skipgram._kernels.span import sample_span
from skembed.training.skipgram._kernels.step import (
    GROUP,
    move_contexts,
    score_contexts,
)


@numba.njit(inline="always")
def path_step(hidden, gradient, w_out, nodes, word, n_steps, signs, rates, scores):
    """Move a hidden vector and the nodes on the way to a word; return the loss * rate.

    Parameters
    ----------
    hidden, gradient : ndarray of shape (1, n_columns), float32
        What to add to the hidden vector is added to `gradient`, in place.
    w_out : ndarray of shape (n_rows + 1, n_columns), float32
        Updated in place. The last row pads groups, and stays as it is.
    nodes : ndarray of shape (n, depth), int32
        Rows of the nodes on the way to each word; `word` is the one to take.
    n_steps : int
        Length of the way; what follows in `nodes` is the padding row.
    signs, rates, scores : ndarray of shape (depth,), float32
        For each node, -1 where the way turns to the left, else 1; the step size, 0 for
        padding; scratch space.
    """
    for k in range(0, n_steps, GROUP):
        score_contexts(hidden, 0, w_out, nodes, word, k, scores, k)
    loss = errors_and_loss(scores, signs, rates)
    for k in range(0, n_steps, GROUP):
        move_contexts(hidden, gradient, 0, w_out, nodes, word, k, scores, k)
    return loss


@compiled(error_model="numpy")
def _train_centers(
    w_in,
    w_out,
    windows,
    n_words,
    first,
    last,
    document_weight,
    tree,
    nodes,
    rate,
    vectors,
):
    """Train on the centre words of a span, in place; return its loss and weight."""
    n_columns = w_in.shape[1]
    hidden, gradient = vectors[:1], vectors[1:2]
    signs = np.ones(nodes.shape[1], dtype=np.float32)
    rates = np.zeros(nodes.shape[1], dtype=np.float32)
    scores = np.zeros(nodes.shape[1], dtype=np.float32)
    loss, total_weight = 0.0, 0.0
    for i in range(first, last):
        center = windows.words[i]
        weight = np.float32(1.0)
        if len(document_weight):
            weight = document_weight[windows.document[i]]
        for d in range(0, n_columns, LANES):
            store(gradient, 0, d, splat(np.float32(0.0)))
            store(hidden, 0, d, load(w_in, center, d))
        reach = windows.reach[i]
        for j in range(max(0, i - reach), min(n_words, i + reach + 1)):
            if j == i or windows.document[j] != windows.document[i]:
                continue
            begin = tree.offsets[windows.words[j]]
            n_steps = tree.offsets[windows.words[j] + 1] - begin
            for k in range(nodes.shape[1]):
                rates[k] = rate * weight if k < n_steps else np.float32(0.0)
                if k < n_steps:
                    signs[k] = np.float32(2.0 * tree.codes[begin + k] - 1.0)
            loss += path_step(
                hidden, gradient, w_out, nodes, j, n_steps, signs, rates, scores
            )
            total_weight += weight
        for d in range(0, n_columns, LANES):
            store(w_in, center, d, add(load(w_in, center, d), load(gradient, 0, d)))
    return loss / rate, total_weight


@compiled()
def train_round(
    tables, corpus, spans, part, n_parts, windows, vectors, results, tree, nodes
):
    """Train on every n_parts-th span of a round, in place.

    Parameters
    ----------
    tables, corpus, spans, part, n_parts, windows, vectors, results
        As for `skembed.training.skipgram._kernels.negative.train_round`; there are no
        replicas.
    tree : HuffmanTree
    nodes : ndarray of shape (capacity, depth), int32
        Scratch space, overwritten with the nodes above each word, and the row that pads
        groups; depth is a multiple of `GROUP`.
    """
    w_in, w_out = tables.input, tables.output
    for number in range(part, len(results), n_parts):
        n_words, first, last = sample_span(corpus, spans, number, windows)
        for i in range(n_words):
            begin = tree.offsets[windows.words[i]]
            n_steps = tree.offsets[windows.words[i] + 1] - begin
            for k in range(nodes.shape[1]):
                nodes[i, k] = tree.nodes[begin + k] if k < n_steps else len(w_out) - 1
        results[number, 0], results[number, 1] = _train_centers(
            w_in, w_out, windows, n_words, first, last, corpus.document_weight, tree,
            nodes, spans.rate, vectors,
        )  # fmt: skip
