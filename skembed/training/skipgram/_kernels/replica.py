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
    """The private copies of rows of both tables, for each span of a round.

    Copy k of a span is of the same word in both tables. First come the words of the
    span, which have rows in both, then noise words, of which only the output matters.

    Parameters
    ----------
    input, output : ndarray of shape (n_spans * (capacity + 1), n_columns), float32
        The copies; each span's end with a row of zeros.
    row_of : ndarray of shape (n_words, n_spans), int32
        The copy of each word, counted within its span, or -1.
    word_of : ndarray of shape (n_spans, capacity), int32
        The word of each copy.
    touches : ndarray of shape (2, n_spans, capacity), float32
        How often each copy of an input row, and of an output row, is touched.
    n_copies : ndarray of shape (2, n_spans), int64
        How many copies there are of input rows, and of output rows.
    """

    input: np.ndarray
    output: np.ndarray
    row_of: np.ndarray
    word_of: np.ndarray
    touches: np.ndarray
    n_copies: np.ndarray


class Tables(NamedTuple):
    """What is trained: the tables of all words, and the copies that spans work on.

    Parameters
    ----------
    input, output : ndarray of shape (n_rows + 1, n_columns), float32, C order
        The vectors of words as centres and as contexts, padded with zeros to whole
        vectors of the processor. The last row stands in for rows that are not there.
    replicas : Replicas
        Of no spans where spans work on the tables themselves.
    """

    input: np.ndarray
    output: np.ndarray
    replicas: Replicas


@_njit
def clear(replicas, span):
    """Forget the copies of a span, in place."""
    for k in range(replicas.n_copies[1, span]):
        replicas.row_of[replicas.word_of[span, k], span] = -1
    replicas.n_copies[0, span] = replicas.n_copies[1, span] = 0


@_njit
def localize(replicas, span, words, n):
    """Replace words by the rows of their copies, new ones where needed, in place.

    Parameters
    ----------
    replicas : Replicas
        Each word counts as a touch of the output row.
    span : int
    words : ndarray of shape (>= n,), int32
        The first n are overwritten.
    n : int
    """
    row_of, word_of, touches = replicas.row_of, replicas.word_of, replicas.touches
    n_copies = replicas.n_copies[1, span]
    for i in range(n):
        word = words[i]
        row = row_of[word, span]
        if row < 0:
            row = n_copies
            n_copies += 1
            row_of[word, span] = row
            word_of[span, row] = word
            touches[1, span, row] = np.float32(0.0)
        touches[1, span, row] += np.float32(1.0)
        words[i] = row
    replicas.n_copies[1, span] = n_copies


@_njit
def localize_span(replicas, span, words, n_words, noise, n_noise):
    """Replace the words and the noise words of a span by the rows of their copies.

    Parameters as for `localize`; each word counts as a touch of the input row, too.
    """
    clear(replicas, span)
    localize(replicas, span, words, n_words)
    n_copies = replicas.n_copies[1, span]
    replicas.n_copies[0, span] = n_copies
    for k in range(n_copies):
        replicas.touches[0, span, k] = replicas.touches[1, span, k]
    localize(replicas, span, noise, n_noise)


@_njit
def gather(table, word_of, n, first, copies):
    """Copy rows of a table, add a row of zeros, and return both.

    Parameters
    ----------
    table : ndarray of shape (n_rows + 1, n_columns), float32
    word_of : ndarray of shape (>= n,), int32
        The rows to copy.
    n : int
    first : int
        Where they go to in `copies`.
    copies : ndarray of shape (n_spans * (capacity + 1), n_columns), float32
        ``copies[first : first + n + 1]`` is overwritten, and returned.
    """
    for k in range(n):
        ahead = word_of[min(k + AHEAD, n - 1)]
        for d in range(0, table.shape[1], LANES):
            prefetch(table, ahead, d)
            store(copies, first + k, d, load(table, word_of[k], d))
    for d in range(0, table.shape[1], LANES):
        store(copies, first + n, d, splat(np.float32(0.0)))
    return copies[first : first + n + 1]


@_njit
def merge(tables, pull, part, n_parts):
    """Add to the tables what a round of spans has changed in its copies, in place.

    Parameters
    ----------
    tables : Tables
    pull : float
        The part a of its way that a row goes in one touch.
    part, n_parts : int
        Only the words are merged that a span `part`, `part` + `n_parts`, ... is the
        first to have. Rows do not depend on one another, so each part can be done by
        another thread.
    """
    row_of, word_of = tables.replicas.row_of, tables.replicas.word_of
    touches, n_copies = tables.replicas.touches, tables.replicas.n_copies
    _merge_table(
        tables.input, tables.replicas.input, row_of, word_of, touches[0], n_copies[0],
        pull, part, n_parts,
    )  # fmt: skip
    _merge_table(
        tables.output, tables.replicas.output, row_of, word_of, touches[1], n_copies[1],
        pull, part, n_parts,
    )  # fmt: skip


@_njit
def _merge_table(
    table, copies, row_of, word_of, touches, n_copies, pull, part, n_parts
):
    """Do what `merge` does for one table."""
    n_spans, capacity = word_of.shape
    rows = np.empty(n_spans, dtype=np.int64)
    for span in range(part, n_spans, n_parts):
        last = n_copies[span] - 1
        for k in range(n_copies[span]):
            prefetch(row_of, word_of[span, min(k + 2 * AHEAD, last)], 0)
            ahead = word_of[span, min(k + AHEAD, last)]
            for d in range(0, table.shape[1], LANES):
                prefetch(table, ahead, d)
            word = word_of[span, k]
            n = _copies_of(row_of, word, span, n_copies, capacity, rows)
            if n == 1:
                for d in range(0, table.shape[1], LANES):
                    store(table, word, d, load(copies, rows[0], d))
            elif n > 1:
                scale = splat(_scale(touches, rows, n, capacity, pull))
                for d in range(0, table.shape[1], LANES):
                    old = load(table, word, d)
                    change = splat(np.float32(0.0))
                    for i in range(n):
                        new = load(copies, rows[i], d)
                        change = add(change, fma(splat(np.float32(-1.0)), old, new))
                    store(table, word, d, fma(scale, change, old))


@numba.njit(inline="always")
def _copies_of(row_of, word, span, n_copies, capacity, rows):
    """List the copies of a word's row, or none where an earlier span has one too."""
    n = 0
    for s in range(row_of.shape[1]):
        row = row_of[word, s]
        # A noise word has a copy of its output row only.
        if 0 <= row < n_copies[s]:
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
