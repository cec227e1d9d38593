"""Replicas: the rows that a span of the corpus touches, copied, trained and merged.

Threads that share tables race, and give other vectors at every run. Here each span is
trained on a private copy of the rows that it touches. When a round of spans is done,
what they have changed is added up in the order of the spans, so that the result does
not depend on the number of threads, or on which was faster.

A row that one span alone has touched takes its change as it is. Where several have
moved it towards the same goal, the sum would overshoot. If each touch closes the part a
of what is left of the way, a span that touches a row n times goes about the part a n /
(1 + a n) of it, and all spans one after the other would have gone as far with the sum
of their n. So the sum of the changes is scaled by

    [a sum(n) / (1 + a sum(n))] / sum[a n / (1 + a n)]

which is nearly 1 for rare words (a sum) and 1 / n_spans for frequent ones (a mean).
"""

from typing import NamedTuple

import numba
import numpy as np

from skembed._kernels.compiling import compiled
from skembed._kernels.simd import LANES, add, fma, load, prefetch, splat, store

# How many rows ahead of its use a row is asked for.
AHEAD = 12
_njit = compiled()


class Replicas(NamedTuple):
    """The private copies of one table's rows, for each span of a round.

    Parameters
    ----------
    rows : ndarray of shape (n_spans * (capacity + 1), n_columns), float32
        The copies; each span's end with a row of zeros.
    row_of : ndarray of shape (n_rows, n_spans), int32
        The copy of each row of the table, counted within its span, or -1.
    touched : ndarray of shape (n_spans, capacity), int32
        The row of the table of each copy.
    touches : ndarray of shape (n_spans, capacity), float32
        How often each is touched.
    n_touched : ndarray of shape (n_spans,), int64
        How many copies there are.
    """

    rows: np.ndarray
    row_of: np.ndarray
    touched: np.ndarray
    touches: np.ndarray
    n_touched: np.ndarray


class Tables(NamedTuple):
    """What is trained: the tables of all words, and the copies that spans work on.

    Parameters
    ----------
    input, output : ndarray of shape (n_rows + 1, n_columns), float32, C order
        The vectors of words as centres and as contexts, padded with zeros to whole
        vectors of the processor. The last row stands in for rows that are not there.
    input_replicas, output_replicas : Replicas
        Without rows where spans work on the tables themselves.
    """

    input: np.ndarray
    output: np.ndarray
    input_replicas: Replicas
    output_replicas: Replicas


@_njit
def clear(replicas, span):
    """Forget the copies of a span, in place."""
    for k in range(replicas.n_touched[span]):
        replicas.row_of[replicas.touched[span, k], span] = -1
    replicas.n_touched[span] = 0


@_njit
def localize(replicas, span, words, n):
    """Replace rows of the table by rows of a span's replica, both in place.

    Parameters
    ----------
    replicas : Replicas
    span : int
    words : ndarray of shape (>= n,), int32
        The first n are overwritten; each counts as a touch.
    n : int
    """
    row_of, touched, touches = replicas.row_of, replicas.touched, replicas.touches
    n_touched = replicas.n_touched[span]
    for i in range(n):
        word = words[i]
        row = row_of[word, span]
        if row < 0:
            row = n_touched
            n_touched += 1
            row_of[word, span] = row
            touched[span, row] = word
            touches[span, row] = np.float32(0.0)
        touches[span, row] += np.float32(1.0)
        words[i] = row
    replicas.n_touched[span] = n_touched


@_njit
def gather(replicas, span, table):
    """Copy the touched rows of a table, and return the copies.

    Returns
    -------
    copies : ndarray of shape (n_touched + 1, n_columns), float32
        The last row is zero.
    """
    touched, rows = replicas.touched, replicas.rows
    n = replicas.n_touched[span]
    first = span * (touched.shape[1] + 1)
    for k in range(n):
        ahead = touched[span, min(k + AHEAD, n - 1)]
        word = touched[span, k]
        for d in range(0, table.shape[1], LANES):
            prefetch(table, ahead, d)
            store(rows, first + k, d, load(table, word, d))
    for d in range(0, table.shape[1], LANES):
        store(rows, first + n, d, splat(np.float32(0.0)))
    return rows[first : first + n + 1]


@_njit
def merge(table, replicas, pull, part, n_parts):
    """Add to a table what a round of spans has changed in its replicas, in place.

    Parameters
    ----------
    table : ndarray of shape (n_rows + 1, n_columns), float32
    replicas : Replicas
    pull : float
        The part a of its way that a row goes in one touch.
    part, n_parts : int
        Only the rows of this part, of up to 8, are merged. Rows do not depend on one
        another, so each part can be done by another thread.
    """
    touched, row_of, copies = replicas.touched, replicas.row_of, replicas.rows
    n_spans, capacity = touched.shape
    rows = np.empty(n_spans, dtype=np.int64)
    for span in range(n_spans):
        n_touched = replicas.n_touched[span]
        for k in range(n_touched):
            prefetch(row_of, touched[span, min(k + 2 * AHEAD, n_touched - 1)], 0)
            ahead = touched[span, min(k + AHEAD, n_touched - 1)]
            word = touched[span, k]
            if _part_of(ahead, n_parts) == part:
                for d in range(0, table.shape[1], LANES):
                    prefetch(table, ahead, d)
            if _part_of(word, n_parts) != part:
                continue
            n = _copies_of(row_of, word, span, capacity, rows)
            if n == 1:
                for d in range(0, table.shape[1], LANES):
                    store(table, word, d, load(copies, rows[0], d))
            elif n > 1:
                scale = splat(_scale(replicas.touches, rows, n, capacity, pull))
                for d in range(0, table.shape[1], LANES):
                    old = load(table, word, d)
                    change = splat(np.float32(0.0))
                    for i in range(n):
                        new = load(copies, rows[i], d)
                        change = add(change, fma(splat(np.float32(-1.0)), old, new))
                    store(table, word, d, fma(scale, change, old))


@numba.njit(inline="always")
def _part_of(row, n_parts):
    """Deal rows out to up to 8 parts, without a slow division."""
    return ((row & 7) * n_parts) >> 3


@numba.njit(inline="always")
def _copies_of(row_of, word, span, capacity, rows):
    """List the copies of a word's row, or none where an earlier span has one too."""
    n = 0
    for s in range(row_of.shape[1]):
        row = row_of[word, s]
        if row >= 0:
            if s < span:
                return 0
            rows[n] = s * (capacity + 1) + row
            n += 1
    return n


@numba.njit(inline="always")
def _scale(touches, rows, n, capacity, pull):
    """Evaluate the factor of the changes' sum, see the module's docstring."""
    total, parts = 0.0, 0.0
    for i in range(n):
        span = rows[i] // (capacity + 1)
        times = pull * touches[span, rows[i] - span * (capacity + 1)]
        total += times
        parts += times / (1.0 + times)
    return np.float32(total / (1.0 + total) / parts)
