"""What words are made of, before and after training."""

import numba
import numpy as np

from skembed._kernels.compiling import compiled
from skembed._kernels.simd import LANES, fma, load, splat, store
from skembed.training.skipgram._kernels.center import (
    ask_for,
    ask_for_center,
    read_center,
)
from skembed.training.skipgram._kernels.replica import part_of
from skembed.training.skipgram._kernels.span import sample_span

# How many words ahead of their use their rows are asked for.
AHEAD = 2


@compiled()
def add_own_rows(ngrams, offsets, rows):
    """Write the rows of each word: its own, then those of its n-grams.

    Parameters
    ----------
    ngrams : ndarray of shape (n,), int32
    offsets : ndarray of shape (n_words + 1,), int64
    rows : ndarray of shape (n_words + n,), int32
        Overwritten. Word w has row w, n-gram g has row n_words + g.
    """
    n_words = len(offsets) - 1
    for word in range(n_words):
        rows[offsets[word] + word] = word
        for i in range(offsets[word], offsets[word + 1]):
            rows[i + word + 1] = n_words + ngrams[i]


@compiled()
def number_by_first_use(ngrams, places):
    """Number n-grams in the order in which they are first met.

    Parameters
    ----------
    ngrams : ndarray of shape (n,), int32
    places : ndarray of shape (n_ngrams,), int64, all -1
        Overwritten. Those that are never met come last.
    """
    n = 0
    for i in range(len(ngrams)):
        if places[ngrams[i]] < 0:
            places[ngrams[i]] = n
            n += 1
    for ngram in range(len(places)):
        if places[ngram] < 0:
            places[ngram] = n
            n += 1


@compiled()
def count_squares(rows, offsets, n_rows, squares):
    """Sum the squares of how often each word has each of its rows.

    Parameters
    ----------
    rows : ndarray of shape (n,), int32
    offsets : ndarray of shape (n_words + 1,), int64
    n_rows : int
    squares : ndarray of shape (n_words,), int64
        Overwritten.
    """
    last_word = np.full(n_rows, -1, dtype=np.int64)
    times = np.zeros(n_rows, dtype=np.int64)
    for word in range(len(squares)):
        squares[word] = 0
        for i in range(offsets[word], offsets[word + 1]):
            row = rows[i]
            if last_word[row] != word:
                last_word[row] = word
                times[row] = 0
            # The square of m + 1 is that of m and so much more.
            squares[word] += 2 * times[row] + 1
            times[row] += 1


@compiled()
def write_means(table, composition, vectors):
    """Write the vectors of all words.

    Parameters
    ----------
    table : ndarray of shape (n_rows + 1, n_columns), float32
    composition : Composition
    vectors : ndarray of shape (n_words, n_columns), float32
        Overwritten.
    """
    for word in range(len(vectors)):
        read_center(table, word, composition, vectors, word)


@compiled()
def mark_words(corpus, spans, part, n_parts, n_spans, windows, marks):
    """Mark the words of a round's spans and their windows.

    Parameters
    ----------
    corpus : Corpus
    spans : Round
    part, n_parts : int
        Take the spans `part`, `part` + `n_parts`, ...
    n_spans : int
        Spans of the round.
    windows : Windows of capacity length + 2 * window
        Scratch space, overwritten.
    marks : ndarray of shape (n_words,), bool
        Set, in place.
    """
    for number in range(part, n_spans, n_parts):
        n, _, _ = sample_span(corpus, spans, number, windows)
        for i in range(n):
            marks[windows.words[i]] = True


@compiled()
def compose_words(words, table, composition, vectors, before, part, n_parts):
    """Write the vectors of some words to two tables.

    Parameters
    ----------
    words : ndarray of shape (n,), int64
    table : ndarray of shape (n_rows + 1, n_columns), float32
        What words are made of.
    composition : Composition
    vectors : ndarray of shape (n_words + 1, n_columns), float32
        The rows of the words are overwritten.
    before : ndarray of shape (>= n, n_columns), float32
        The first n rows are overwritten, with the same vectors.
    part, n_parts : int
        Take a part of the words.
    """
    first, last = _part_of_words(len(words), part, n_parts)
    for k in range(first, last):
        ask_for_center(table, words[min(k + AHEAD, last - 1)], composition)
        read_center(table, words[k], composition, vectors, words[k])
        for d in range(0, table.shape[1], LANES):
            store(before, k, d, load(vectors, words[k], d))


@numba.njit
def _part_of_words(n, part, n_parts):
    return n * part // n_parts, n * (part + 1) // n_parts


@compiled()
def count_touches(words, replicas, touches):
    """Count how often spans have touched the input vectors of words.

    Parameters
    ----------
    words : ndarray of shape (n,), int64
    replicas : Replicas
    touches : ndarray of shape (>= n,), float32
        The first n are overwritten.
    """
    for k in range(len(words)):
        touches[k] = np.float32(0.0)
        for span in range(replicas.row_of.shape[1]):
            copy = replicas.row_of[words[k], span]
            if 0 <= copy < replicas.n_copies[0, span]:
                touches[k] += replicas.touches[0, span, copy]


@compiled()
def sum_ways(words, touches, composition, ways, pull, part, n_parts):
    """Sum, for each row, how far the words that have it went in a round.

    Parameters
    ----------
    words : ndarray of shape (n,), int64
    touches : ndarray of shape (>= n,), float32
        How often each word was touched.
    composition : Composition
    ways : ndarray of shape (n_rows, 4), float32, zeros
        Of the words' rows, the first two columns are overwritten: the sums of a n and
        of a n / (1 + a n) of words that were touched n times.
    pull : float
        The part a of its way that a vector goes in one touch.
    part, n_parts : int
        Only the rows of this part, of up to 8, are summed.
    """
    rows, offsets = composition.rows, composition.offsets
    for k in range(len(words)):
        way = np.float32(pull * touches[k])
        step = composition.step[words[k]]
        for i in range(offsets[words[k]], offsets[words[k] + 1]):
            if part_of(rows[i], n_parts) == part:
                ways[rows[i], 0] += step * way
                ways[rows[i], 1] += step * way / (np.float32(1.0) + way)


@compiled()
def scale_words(words, composition, ways, scales, part, n_parts):
    """Tell what part of all changes lets each word go as far as step after step.

    Parameters
    ----------
    words : ndarray of shape (n,), int64
    composition : Composition
    ways : ndarray of shape (n_rows, 4), float32
        From `sum_ways`.
    scales : ndarray of shape (>= n,), float32
        The first n are overwritten.
    part, n_parts : int
        Take a part of the words.
    """
    rows, offsets = composition.rows, composition.offsets
    first, last = _part_of_words(len(words), part, n_parts)
    one = np.float32(1.0)
    for k in range(first, last):
        total = parts = np.float32(0.0)
        for i in range(offsets[words[k]], offsets[words[k] + 1]):
            total += ways[rows[i], 0]
            parts += ways[rows[i], 1]
        share = composition.share[words[k]]
        # Both are 0 where the step size is as good as 0. Rows of very different ways
        # could make it more than 1.
        if parts > np.float32(0.0):
            scales[k] = min(total / (one + share * total) / parts, one)
        else:
            scales[k] = one


@compiled()
def spread_changes(
    words, touches, scales, composition, vectors, before, table, ways, pull, change,
    part, n_parts,
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
    words : ndarray of shape (n,), int64
    touches, scales : ndarray of shape (>= n,), float32
        How often each word was touched, and what `scale_words` wrote.
    composition : Composition
    vectors : ndarray of shape (n_words + 1, n_columns), float32
        The words' vectors after the round.
    before : ndarray of shape (>= n, n_columns), float32
        Those of `words` before it.
    table : ndarray of shape (n_rows + 1, n_columns), float32
        What words are made of. Updated in place.
    ways : ndarray of shape (n_rows, 4), float32
        From `sum_ways`; zeros at the end.
    pull : float
        The part a of its way that a vector goes in one touch.
    change : ndarray of shape (>= 1, n_columns), float32
        Scratch space, overwritten.
    part, n_parts : int
        Only the rows of this part, of up to 8, are updated.
    """
    rows, offsets = composition.rows, composition.offsets
    for k in range(len(words)):
        way = composition.step[words[k]] * np.float32(pull * touches[k])
        for i in range(offsets[words[k]], offsets[words[k] + 1]):
            if part_of(rows[i], n_parts) == part:
                ways[rows[i], 2] += way * scales[k]
    for k in range(len(words)):
        ahead = words[min(k + AHEAD, len(words) - 1)]
        for i in range(offsets[ahead], offsets[ahead + 1]):
            if part_of(rows[i], n_parts) == part:
                ask_for(table, rows[i])
        for d in range(0, table.shape[1], LANES):
            old, new = load(before, k, d), load(vectors, words[k], d)
            store(change, 0, d, fma(splat(np.float32(-1.0)), old, new))
        for i in range(offsets[words[k]], offsets[words[k] + 1]):
            if part_of(rows[i], n_parts) == part:
                scale = composition.step[words[k]] * _mean_scale(ways, rows[i])
                _add_change(table, rows[i], splat(scale), change)
    for k in range(len(words)):
        for i in range(offsets[words[k]], offsets[words[k] + 1]):
            if part_of(rows[i], n_parts) == part:
                for column in range(3):
                    ways[rows[i], column] = np.float32(0.0)


@numba.njit(inline="always")
def _mean_scale(ways, row):
    """Average the scales of the words that have a row, by how far they went."""
    way = ways[row, 0]
    return ways[row, 2] / way if way > np.float32(0.0) else np.float32(1.0)


@numba.njit(inline="always")
def _add_change(table, row, scale, change):
    for d in range(0, table.shape[1], LANES):
        store(table, row, d, fma(scale, load(change, 0, d), load(table, row, d)))
