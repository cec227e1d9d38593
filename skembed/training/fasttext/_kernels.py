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
def spread_changes(
    words, touches, composition, vectors, before, table, pulls, pull, change, part,
    n_parts,
):  # fmt: skip
    """Let the rows that words are made of take the words' steps, in place.

    A row that one word alone is made of takes its change as it is. Where several words
    share a row, the sum of their changes is scaled as that of the changes of several
    spans is; see `skembed.training.skipgram._kernels.replica`. As the row is 1 / n of
    a word of n rows, a touch of the word counts as much of a touch of the row.

    Parameters
    ----------
    words : ndarray of shape (n,), int64
    touches : ndarray of shape (>= n,), float32
        How often each word was touched.
    composition : Composition
    vectors : ndarray of shape (n_words + 1, n_columns), float32
        The words' vectors after the round.
    before : ndarray of shape (>= n, n_columns), float32
        Those of `words` before it.
    table : ndarray of shape (n_rows + 1, n_columns), float32
        What words are made of. Updated in place.
    pulls : ndarray of shape (n_rows, 2), float32, zeros
        Scratch space, zeros again at the end.
    pull : float
        The part a of its way that a vector goes in one touch.
    change : ndarray of shape (>= 1, n_columns), float32
        Scratch space, overwritten.
    part, n_parts : int
        Only the rows of this part, of up to 8, are updated.
    """
    rows, offsets = composition.rows, composition.offsets
    for k in range(len(words)):
        way = np.float32(pull * touches[k] * composition.share[words[k]])
        for i in range(offsets[words[k]], offsets[words[k] + 1]):
            if part_of(rows[i], n_parts) == part:
                pulls[rows[i], 0] += way
                pulls[rows[i], 1] += way / (np.float32(1.0) + way)
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
                scale = composition.step[words[k]] * _scale(pulls, rows[i])
                _add_change(table, rows[i], splat(scale), change)
    for k in range(len(words)):
        for i in range(offsets[words[k]], offsets[words[k] + 1]):
            if part_of(rows[i], n_parts) == part:
                pulls[rows[i], 0] = pulls[rows[i], 1] = np.float32(0.0)


@numba.njit(inline="always")
def _scale(pulls, row):
    total, parts = pulls[row, 0], pulls[row, 1]
    one = np.float32(1.0)
    # Both are 0 where the step size is as good as 0.
    return total / (one + total) / parts if parts > np.float32(0.0) else one


@numba.njit(inline="always")
def _add_change(table, row, scale, change):
    for d in range(0, table.shape[1], LANES):
        store(table, row, d, fma(scale, load(change, 0, d), load(table, row, d)))
