"""Count the words around each word: row by row, in whole numbers.

A row of the matrix is the sum over the places where its word stands. With a list of
these places, one row is counted after the other into an array that stays in the
processor's cache; nothing has to be sorted but the places, and the rows come in their
order. Sums of whole numbers are exact, in whatever order they are made.
"""

import numba
import numpy as np

from skembed._kernels.compiling import compiled
from skembed._kernels.simd import prefetch

# How many places ahead of its use a window is asked for.
AHEAD = 8
_NONE = np.uint64(0)
_ONE = np.uint64(1)
# Multiplied by a power of 2, the upper 6 bits tell which one it was.
_DE_BRUIJN = np.uint64(0x03F79D71B4CB0A89)
_BIT = np.empty(64, dtype=np.int64)
for _i in range(64):
    _BIT[((0x03F79D71B4CB0A89 << _i) & 0xFFFFFFFFFFFFFFFF) >> 58] = _i
_njit = compiled()
_inline = numba.njit(inline="always")


@_njit
def list_places(
    ids, offsets, document, start, stop, first, last, cursor, positions, documents
):
    """Add the tokens from `start` to `stop` - 1 to the lists of their words' places.

    Parameters
    ----------
    ids : ndarray of shape (n_tokens,), int32
    offsets : ndarray of shape (n_documents + 1,), int64
    document : int
        That of the token `start`.
    start, stop : int
    first, last : int
        Only the words from `first` to `last` - 1 are looked at.
    cursor : ndarray of shape (n_words,), int64
        Where the next place of each word is written to; moved on in place.
    positions, documents : ndarray of shape (n_places,), int64 and int32
        Written to.
    """
    for position in range(start, stop):
        while position >= offsets[document + 1]:
            document += 1
        word = ids[position]
        if first <= word < last:
            k = cursor[word]
            positions[k] = position
            documents[k] = document
            cursor[word] = k + 1


@_inline
def _add(sums, bits, ids, position, amount):
    """Add to the sum of the word at a position, and note that it is not 0."""
    # Without a sign, there is no negative index to look out for. Without a branch,
    # there is nothing to foresee: most rows are of words that meet few others.
    column = np.uint32(ids[position, 0])
    bits[column >> np.uint32(6)] |= _ONE << np.uint64(column & np.uint32(63))
    sums[column] += amount


@_inline
def _write_row(sums, bits, word, rows, columns, values, n):
    """Append the sums that are not 0 to the entries, and make them 0 again."""
    for b in range(len(bits)):
        left = bits[b]
        bits[b] = _NONE
        while left != _NONE:
            lowest = left & (~left + _ONE)
            left ^= lowest
            column = (b << 6) + _BIT[(lowest * _DE_BRUIJN) >> np.uint64(58)]
            rows[n], columns[n], values[n] = word, column, sums[column]
            # Of a document with hardly any weight, nothing may be left.
            n += sums[column] > 0
            sums[column] = 0
    return n


@_njit
def count_rows(
    ids, offsets, positions, documents, starts, first, steps, symmetric,
    document_weight, sums, bits, rows, columns, values,
):  # fmt: skip
    """Count the words around some words.

    Parameters
    ----------
    ids : ndarray of shape (n_tokens, 1), int32
    offsets : ndarray of shape (n_documents + 1,), int64
    positions, documents : ndarray of shape (n_places,), int64 and int32
        From `list_places`.
    starts : ndarray of shape (n_rows + 1,), int64
        The places of word ``first + i`` are those from ``starts[i]`` on.
    first : int
    steps : ndarray of shape (window + 1,), int64
        What a word at each distance adds to the sum.
    symmetric : bool
        Whether to count the words to the right as well as those to the left.
    document_weight : ndarray of shape (n_documents,) or (0,), float64
        Factor of the steps in each document; empty for 1.
    sums : ndarray of shape (n_words,), int64
        Zeros, and zeros again afterwards.
    bits : ndarray of shape (n_words // 64 + 1,), uint64
        Zeros, and zeros again afterwards.
    rows, columns, values : ndarray of shape (capacity,), int32, int32, int64
        Overwritten with the entries, sorted by row and column. One longer than there
        can be entries.

    Returns
    -------
    n : int
        How many entries there are.
    """
    window = len(steps) - 1
    own = steps.copy()
    n_places = len(positions)
    n = 0
    for row in range(len(starts) - 1):
        for k in range(starts[row], starts[row + 1]):
            ahead = positions[min(k + AHEAD, n_places - 1)]
            prefetch(ids, max(ahead - window, 0), 0)
            prefetch(ids, ahead, 0)
            position, document = positions[k], documents[k]
            if len(document_weight):
                for d in range(1, window + 1):
                    own[d] = np.int64(document_weight[document] * steps[d] + 0.5)
            for p in range(max(offsets[document], position - window), position):
                _add(sums, bits, ids, p, own[position - p])
            if symmetric:
                end = min(offsets[document + 1], position + window + 1)
                for p in range(position + 1, end):
                    _add(sums, bits, ids, p, own[p - position])
        n = _write_row(sums, bits, first + row, rows, columns, values, n)
    return n


@_njit
def merge_sorted(rows, columns, sums, heads, ends, out_rows, out_columns, out_sums):
    """Merge sorted runs of entries, and add up those of the same cell.

    Parameters
    ----------
    rows, columns, sums : ndarray of shape (n,), int32, int32, int64
        The runs, one after the other.
    heads, ends : ndarray of shape (n_runs,), int64
        The part of each run that is left; `heads` is moved on in place.
    out_rows, out_columns, out_sums : ndarray of shape (capacity,)
        Overwritten.

    Returns
    -------
    n : int
        How many entries were written. Fewer than `capacity`: nothing is left.
    """
    none = np.int64(0x7FFFFFFFFFFFFFFF)
    for n in range(len(out_rows)):
        smallest = none
        for run in range(len(heads)):
            head = heads[run]
            if head < ends[run]:
                key = (np.int64(rows[head]) << 32) | np.int64(columns[head])
                smallest = min(smallest, key)
        if smallest == none:
            return n
        out_rows[n] = smallest >> 32
        out_columns[n] = smallest & 0xFFFFFFFF
        out_sums[n] = 0
        for run in range(len(heads)):
            head = heads[run]
            if head < ends[run]:
                key = (np.int64(rows[head]) << 32) | np.int64(columns[head])
                if key == smallest:
                    out_sums[n] += sums[head]
                    heads[run] = head + 1
    return len(out_rows)
