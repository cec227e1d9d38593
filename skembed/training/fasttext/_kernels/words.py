"""What happens to the words of a round: made of rows before it, moving them after."""

import numba
import numpy as np

from skembed._kernels.compiling import compiled
from skembed._kernels.simd import LANES, fma, load, splat, store
from skembed.training.skipgram._kernels.center import (
    ask_for,
    ask_for_center,
    read_center,
)

# How many words ahead of their use their rows are asked for.
AHEAD = 2
# Rows are dealt out in eighths: a part takes some of them.
N_EIGHTHS = 8


@compiled()
def deal_rows(rows, offsets, order, splits):
    """Sort the rows of each word by the eighth of all rows that they belong to.

    So a part of the rows is, of each word, a run of them: a branch for each row, which
    no processor foresees, would cost as much as what is done with the row. Four rows
    that follow one another are of the same eighth: what two threads write lies in
    different lines of the cache.

    Parameters
    ----------
    rows : ndarray of shape (n,), int32
    offsets : ndarray of shape (n_words + 1,), int64
    order : ndarray of shape (n,), int64
        Overwritten. The sorted ones are ``rows[order]``.
    splits : ndarray of shape (8 * n_words + 1,), int64
        Overwritten. Word w has the sorted ones from ``splits[8 * w + e]`` to
        ``splits[8 * w + e + 1]`` of eighth e.
    """
    splits[0] = 0
    for word in range(len(offsets) - 1):
        n = offsets[word]
        for eighth in range(N_EIGHTHS):
            for i in range(offsets[word], offsets[word + 1]):
                if (rows[i] >> 2) & (N_EIGHTHS - 1) == eighth:
                    order[n] = i
                    n += 1
            splits[N_EIGHTHS * word + eighth + 1] = n


@compiled()
def list_words(replicas, words, touches):
    """List the words that spans have, in the order in which they were first met.

    Parameters
    ----------
    replicas : Replicas
    words : ndarray of shape (capacity,), int32
        The first n are overwritten.
    touches : ndarray of shape (capacity,), float32
        The first n are overwritten: how often spans touch the words' input vectors.

    Returns
    -------
    n : int
    """
    n_spans = replicas.row_of.shape[1]
    n = 0
    for span in range(n_spans):
        for k in range(replicas.n_copies[0, span]):
            word = replicas.word_of[span, k]
            times = np.float32(0.0)
            for other in range(n_spans):
                copy = replicas.row_of[word, other]
                # Copies of noise words have no input row.
                if 0 <= copy < replicas.n_copies[0, other]:
                    if other < span:
                        times = np.float32(-1.0)
                        break
                    times += replicas.touches[0, other, copy]
            if times > np.float32(0.0):
                words[n] = word
                touches[n] = times
                n += 1
    return n


@compiled()
def compose_words(words, table, composition, vectors, before, part, n_parts):
    """Write the vectors of some words to two tables.

    Parameters
    ----------
    words : ndarray of shape (n,), int32
    table : ndarray of shape (n_rows + 1, n_columns), float32
        What words are made of.
    composition : Composition
    vectors : ndarray of shape (n_words + 1, n_columns), float32
        The rows of the words are overwritten.
    before : ndarray of shape (>= n, n_columns), float32
        The first n rows are overwritten, with the same vectors.
    part, n_parts : int
        Take the words `part`, `part` + `n_parts`, ...
    """
    for k in range(part, len(words), n_parts):
        ahead = min(k + AHEAD * n_parts, len(words) - 1)
        ask_for_center(table, words[ahead], composition)
        read_center(table, words[k], composition, vectors, words[k])
        for d in range(0, table.shape[1], LANES):
            store(before, k, d, load(vectors, words[k], d))


@numba.njit(inline="always")
def _eighths(part, n_parts):
    """Return the first eighth of a part of the rows, and the first of the next."""
    return -(-N_EIGHTHS * part // n_parts), -(-N_EIGHTHS * (part + 1) // n_parts)


@numba.njit(inline="always")
def _rows_of(word, splits, eighths):
    """Return where the rows of a word begin and end that are in some eighths."""
    place = N_EIGHTHS * word
    return splits[place + eighths[0]], splits[place + eighths[1]]


@compiled()
def sum_ways(words, touches, composition, splits, ways, pull, part, n_parts):
    """Sum, for each row, how far the words that have it went in a round.

    Parameters
    ----------
    words : ndarray of shape (n,), int32
    touches : ndarray of shape (>= n,), float32
        How often each word was touched.
    composition : Composition
        Its rows are sorted by `deal_rows`.
    splits : ndarray of shape (8 * n_words + 1,), int64
        From `deal_rows`.
    ways : ndarray of shape (n_rows, 4), float32
        Of the words' rows, the first two columns are overwritten: the sums of a n and
        of a n / (1 + a n) of words that were touched n times. The others become 0.
    pull : float
        The part a of its way that a vector goes in one touch.
    part, n_parts : int
        Only the rows of this part, of up to 8, are summed.
    """
    rows, eighths = composition.rows, _eighths(part, n_parts)
    for k in range(len(words)):
        first, last = _rows_of(words[k], splits, eighths)
        for i in range(first, last):
            # All of it, which is one store.
            for column in range(4):
                ways[rows[i], column] = np.float32(0.0)
    for k in range(len(words)):
        way = np.float32(pull * touches[k])
        step = composition.step[words[k]]
        whole, part_of_way = step * way, step * way / (np.float32(1.0) + way)
        first, last = _rows_of(words[k], splits, eighths)
        for i in range(first, last):
            ways[rows[i], 0] += whole
            ways[rows[i], 1] += part_of_way


@compiled()
def spread_changes(
    words, touches, composition, splits, vectors, before, table, ways, pull,
    change, part, n_parts,
):  # fmt: skip
    """Let the rows that words are made of take the words' steps, in place.

    A word goes the mean of the ways of its rows, and a row goes the sum of the ways of
    the words that have it. Where these are many, the sum overshoots as that of the
    changes of several spans does; see `skembed.training.skipgram._kernels.replica`. So
    the way of a row is scaled: such that its words, in the mean, go as far as they
    would have gone one after the other. A row that one word alone is made of takes its
    change as it is, if its other rows do.

    Parameters
    ----------
    words : ndarray of shape (n,), int32
    touches : ndarray of shape (>= n,), float32
        How often each word was touched.
    composition : Composition
        Its rows are sorted by `deal_rows`.
    splits : ndarray of shape (8 * n_words + 1,), int64
        From `deal_rows`.
    vectors : ndarray of shape (n_words + 1, n_columns), float32
        The words' vectors after the round.
    before : ndarray of shape (>= n, n_columns), float32
        Those of `words` before it.
    table : ndarray of shape (n_rows + 1, n_columns), float32
        What words are made of. Updated in place.
    ways : ndarray of shape (n_rows, 4), float32
        From `sum_ways`. Of the rows of this part, the third column is added to.
    pull : float
        The part a of its way that a vector goes in one touch.
    change : ndarray of shape (>= 1, n_columns), float32
        Scratch space, overwritten.
    part, n_parts : int
        Only the rows of this part, of up to 8, are updated.
    """
    rows, eighths = composition.rows, _eighths(part, n_parts)
    for k in range(len(words)):
        # Each part scales all words: to wait for those of others would take longer.
        way = composition.step[words[k]] * np.float32(pull * touches[k])
        way *= _scale_of_word(words[k], composition, ways)
        first, last = _rows_of(words[k], splits, eighths)
        for i in range(first, last):
            ways[rows[i], 2] += way
    for k in range(len(words)):
        first, last = _rows_of(words[min(k + AHEAD, len(words) - 1)], splits, eighths)
        for i in range(first, last):
            ask_for(table, rows[i])
        for d in range(0, table.shape[1], LANES):
            old, new = load(before, k, d), load(vectors, words[k], d)
            store(change, 0, d, fma(splat(np.float32(-1.0)), old, new))
        first, last = _rows_of(words[k], splits, eighths)
        for i in range(first, last):
            scale = composition.step[words[k]] * _mean_scale(ways, rows[i])
            _add_change(table, rows[i], splat(scale), change)


@numba.njit(inline="always")
def _scale_of_word(word, composition, ways):
    """Tell what part of all changes lets a word go as far as step after step."""
    total = parts = np.float32(0.0)
    for i in range(composition.offsets[word], composition.offsets[word + 1]):
        total += composition.weight[i] * ways[composition.rows[i], 0]
        parts += composition.weight[i] * ways[composition.rows[i], 1]
    one = np.float32(1.0)
    # Both are 0 where the step size is as good as 0. Rows of very different ways could
    # make it more than 1.
    if parts > np.float32(0.0):
        scale = total / (one + total) / parts
        return min(scale, one)
    return one


@numba.njit(inline="always")
def _mean_scale(ways, row):
    """Average the scales of the words that have a row, by how far they went."""
    way = ways[row, 0]
    return ways[row, 2] / way if way > np.float32(0.0) else np.float32(1.0)


@numba.njit(inline="always")
def _add_change(table, row, scale, change):
    for d in range(0, table.shape[1], LANES):
        store(table, row, d, fma(scale, load(change, 0, d), load(table, row, d)))
