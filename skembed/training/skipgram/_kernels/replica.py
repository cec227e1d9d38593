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


class Copies(NamedTuple):
    """The private copies of rows of one table, for each span of a round.

    Parameters
    ----------
    rows : ndarray of shape (n_spans * (capacity + 1), n_columns), float32
        The copies; each span's end with a row of zeros.
    row_of : ndarray of shape (n_rows, n_spans), int32
        The copy of each row of the table, counted within its span, or -1.
    item_of : ndarray of shape (n_spans, capacity), int32
        The row of the table that each copy is of.
    touches : ndarray of shape (n_spans, capacity), float32
        How often each copy is touched.
    n : ndarray of shape (n_spans,), int64
        How many copies there are.
    """

    rows: np.ndarray
    row_of: np.ndarray
    item_of: np.ndarray
    touches: np.ndarray
    n: np.ndarray


class Replicas(NamedTuple):
    """The copies of rows of both tables.

    In skip-gram over words, both tables' copies have the same `row_of` and `item_of`:
    first come the words of the span, which have rows in both, then noise words, of
    which only the output matters.

    Parameters
    ----------
    input, output : Copies
    """

    input: Copies
    output: Copies


class Tables(NamedTuple):
    """What is trained: the tables of all rows, and the copies that spans work on.

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
def clear(copies, span):
    """Forget the copies of a span, in place."""
    for k in range(copies.n[span]):
        copies.row_of[copies.item_of[span, k], span] = -1
    copies.n[span] = 0


@numba.njit(inline="always")
def copy_of(copies, span, item, touches):
    """Return the copy of a row of the table, a new one where needed, and touch it.

    Its values are not copied; see `gather`.
    """
    row = copies.row_of[item, span]
    if row < 0:
        row = np.int32(copies.n[span])
        copies.n[span] += 1
        copies.row_of[item, span] = row
        copies.item_of[span, row] = item
        copies.touches[span, row] = np.float32(0.0)
    copies.touches[span, row] += touches
    return row


@_njit
def localize(copies, span, items, n):
    """Replace rows of the table by their copies, new ones where needed, in place.

    Parameters
    ----------
    copies : Copies
        Each item counts as a touch.
    span : int
    items : ndarray of shape (>= n,), int32
        The first n are overwritten.
    n : int
    """
    for i in range(n):
        items[i] = copy_of(copies, span, items[i], np.float32(1.0))


@_njit
def gather(table, copies, span):
    """Copy the rows of a table that a span has copies of, and return them.

    Parameters
    ----------
    table : ndarray of shape (n_rows + 1, n_columns), float32
    copies : Copies
        The rows of the span are overwritten, and a row of zeros is added.
    span : int

    Returns
    -------
    rows : ndarray of shape (n + 1, n_columns), float32
        A part of ``copies.rows``.
    """
    item_of, n = copies.item_of[span], copies.n[span]
    first = span * (len(item_of) + 1)
    rows = copies.rows[first : first + n + 1]
    for k in range(n):
        ahead = item_of[min(k + AHEAD, n - 1)]
        for d in range(0, table.shape[1], LANES):
            prefetch(table, ahead, d)
            store(rows, k, d, load(table, item_of[k], d))
    for d in range(0, table.shape[1], LANES):
        store(rows, n, d, splat(np.float32(0.0)))
    return rows


@_njit
def merge(tables, pull, part, n_parts):
    """Add to the tables what a round of spans has changed in its copies, in place.

    Parameters
    ----------
    tables : Tables
    pull : float
        The part a of its way that a row goes in one touch.
    part, n_parts : int
        Only the rows of this part, of up to 8, are merged. Rows do not depend on one
        another, so each part can be done by another thread.
    """
    _merge_table(tables.input, tables.replicas.input, pull, part, n_parts)
    _merge_table(tables.output, tables.replicas.output, pull, part, n_parts)


@_njit
def _merge_table(table, copies, pull, part, n_parts):
    """Do what `merge` does for one table."""
    row_of, item_of, touches = copies.row_of, copies.item_of, copies.touches
    n_spans, capacity = item_of.shape
    rows = np.empty(n_spans, dtype=np.int64)
    for span in range(n_spans):
        last = copies.n[span] - 1
        for k in range(copies.n[span]):
            prefetch(row_of, item_of[span, min(k + 2 * AHEAD, last)], 0)
            ahead = item_of[span, min(k + AHEAD, last)]
            if _part_of(ahead, n_parts) == part:
                for d in range(0, table.shape[1], LANES):
                    prefetch(table, ahead, d)
            item = item_of[span, k]
            if _part_of(item, n_parts) != part:
                continue
            n = _copies_of(row_of, item, span, copies.n, capacity, rows)
            if n == 1:
                for d in range(0, table.shape[1], LANES):
                    store(table, item, d, load(copies.rows, rows[0], d))
            elif n > 1:
                scale = splat(_scale(touches, rows, n, capacity, pull))
                for d in range(0, table.shape[1], LANES):
                    old = load(table, item, d)
                    change = splat(np.float32(0.0))
                    for i in range(n):
                        new = load(copies.rows, rows[i], d)
                        change = add(change, fma(splat(np.float32(-1.0)), old, new))
                    store(table, item, d, fma(scale, change, old))


@numba.njit(inline="always")
def _part_of(item, n_parts):
    """Deal rows out to up to 8 parts, without a slow division."""
    return ((item & 7) * n_parts) >> 3


@numba.njit(inline="always")
def _copies_of(row_of, item, span, n_copies, capacity, rows):
    """List the copies of a row, or none where an earlier span has one too."""
    n = 0
    for s in range(row_of.shape[1]):
        row = row_of[item, s]
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
