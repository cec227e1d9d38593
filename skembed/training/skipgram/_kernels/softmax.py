"""Skip-gram with the full softmax over one span of the corpus.

The loss of a centre word c with the words O around it, Mikolov et al. (2013),
"Distributed Representations of Words and Phrases and their Compositionality",
equations 1 and 2, is

    L = sum over o in O of [ log sum over all words v of exp(w_out[v] . w_in[c])
                             - w_out[o] . w_in[c] ]
"""

import math

import numpy as np

from skembed._kernels.compiling import compiled
from skembed._kernels.simd import LANES, add, load, splat, store
from skembed.training.skipgram._kernels.span import sample_span
from skembed.training.skipgram._kernels.step import (
    GROUP,
    move_contexts,
    score_contexts,
)


@compiled(error_model="numpy")
def softmax_step(hidden, gradient, w_out, rows, targets, n_targets, rate, scores):
    """Move a hidden vector and all output rows, in place; return the loss.

    Parameters
    ----------
    hidden, gradient : ndarray of shape (1, n_columns), float32
        What to add to the hidden vector is added to `gradient`.
    w_out : ndarray of shape (n_rows + 1, n_columns), float32
        The last row pads groups, and stays as it is.
    rows : ndarray of shape (1, n), int32
        All rows of `w_out`, then padding to whole groups.
    targets : ndarray of shape (>= n_targets,), int32
        Rows of the observed words.
    n_targets : int
    rate : float32
    scores : ndarray of shape (n,), float32
        Scratch space, overwritten.
    """
    n_rows = len(w_out) - 1
    for k in range(0, n_rows, GROUP):
        score_contexts(hidden, 0, w_out, rows, 0, k, scores, k)
    highest = scores[:n_rows].max()
    total = 0.0
    loss = 0.0
    for k in range(n_targets):
        loss -= scores[targets[k]]
    for k in range(n_rows):
        scores[k] = math.exp(scores[k] - highest)
        total += scores[k]
    loss += n_targets * (highest + math.log(total))
    for k in range(n_rows):
        scores[k] *= np.float32(-rate * n_targets / total)
    for k in range(n_targets):
        scores[targets[k]] += rate
    for k in range(n_rows, len(scores)):
        scores[k] = np.float32(0.0)
    for k in range(0, n_rows, GROUP):
        move_contexts(hidden, gradient, 0, w_out, rows, 0, k, scores, k)
    return loss


@compiled(error_model="numpy")
def _train_centers(
    w_in, w_out, windows, n_words, first, last, document_weight, rate, vectors
):
    """Train on the centre words of a span, in place; return its loss and weight."""
    n_rows, n_columns = w_out.shape
    hidden, gradient = vectors[:1], vectors[1:2]
    rows = np.full((1, -(-n_rows // GROUP) * GROUP), n_rows - 1, dtype=np.int32)
    for k in range(n_rows):
        rows[0, k] = k
    scores = np.zeros(rows.shape[1], dtype=np.float32)
    targets = np.empty(n_words, dtype=np.int32)
    total_loss, total_weight = 0.0, 0.0
    for i in range(first, last):
        n = 0
        reach = windows.reach[i]
        for j in range(max(0, i - reach), min(n_words, i + reach + 1)):
            if j != i and windows.document[j] == windows.document[i]:
                targets[n] = windows.words[j]
                n += 1
        if n == 0:
            continue
        weight = np.float32(1.0)
        if len(document_weight):
            weight = document_weight[windows.document[i]]
        center = windows.words[i]
        for d in range(0, n_columns, LANES):
            store(gradient, 0, d, splat(np.float32(0.0)))
            store(hidden, 0, d, load(w_in, center, d))
        total_loss += weight * softmax_step(
            hidden, gradient, w_out, rows, targets, n, rate * weight, scores
        )
        total_weight += weight * n
        for d in range(0, n_columns, LANES):
            store(w_in, center, d, add(load(w_in, center, d), load(gradient, 0, d)))
    return total_loss, total_weight


@compiled()
def train_round(tables, corpus, spans, part, n_parts, windows, vectors, results):
    """Train on every n_parts-th span of a round, in place.

    Parameters
    ----------
    tables, corpus, spans, part, n_parts, windows, vectors, results
        As for `skembed.training.skipgram._kernels.negative.train_round`; there are no
        replicas.
    """
    for number in range(part, len(results), n_parts):
        n_words, first, last = sample_span(corpus, spans, number, windows)
        results[number, 0], results[number, 1] = _train_centers(
            tables.input, tables.output, windows, n_words, first, last,
            corpus.document_weight, spans.rate, vectors,
        )  # fmt: skip
