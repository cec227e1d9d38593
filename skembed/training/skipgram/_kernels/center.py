"""What the vector of a centre word is: a row of its own, or the mean of several rows.

A kernel that is given a `Composition` trains fastText, one that is given None trains
skip-gram: numba compiles it for each, and leaves the other's branches out.
"""

from typing import NamedTuple

import numba
import numpy as np

from skembed._kernels.simd import LANES, add, fma, load, prefetch, splat, store

# Not inline: pruning sees the types of arguments, after which the compiler may inline.
_njit = numba.njit


class Composition(NamedTuple):
    """The rows whose mean is the vector of a word.

    Parameters
    ----------
    rows : ndarray of shape (n,), int32
        Rows of the input table, word by word. A row may be there several times.
    offsets : ndarray of shape (n_words + 1,), int64
        Word w has ``rows[offsets[w]:offsets[w + 1]]``, at least one.
    share : ndarray of shape (n_words,), float32
        1 / n for a word of n rows.
    step : ndarray of shape (n_words,), float32
        What part of its word's step each row takes; see `move_center`.
    """

    rows: np.ndarray
    offsets: np.ndarray
    share: np.ndarray
    step: np.ndarray


@_njit
def ask_for(table, row):
    """Have a row of a table fetched into the cache."""
    for d in range(0, table.shape[1], LANES):
        prefetch(table, row, d)


@_njit
def ask_for_center(w_in, word, composition):
    """Have all that `read_center` reads fetched into the cache."""
    if composition is None:
        ask_for(w_in, word)
    else:
        for i in range(composition.offsets[word], composition.offsets[word + 1]):
            ask_for(w_in, composition.rows[i])


@_njit
def read_center(w_in, word, composition, hidden, c):
    """Write the vector of a word to row c of the hidden vectors.

    Parameters
    ----------
    w_in : ndarray of shape (n_rows + 1, n_columns), float32
    word : int
    composition : Composition or None
        None: word w has row w.
    hidden : ndarray of shape (TILE, n_columns), float32
        Row c is overwritten.
    c : int
    """
    if composition is None:
        for d in range(0, w_in.shape[1], LANES):
            store(hidden, c, d, load(w_in, word, d))
    else:
        rows = composition.rows
        start, stop = composition.offsets[word], composition.offsets[word + 1]
        share = splat(composition.share[word])
        for d in range(0, w_in.shape[1], LANES):
            # Two sums, so that one's addition need not wait for the other's.
            a = b = splat(np.float32(0.0))
            for i in range(start, stop - 1, 2):
                a = add(a, load(w_in, rows[i], d))
                b = add(b, load(w_in, rows[i + 1], d))
            if (stop - start) & 1:
                a = add(a, load(w_in, rows[stop - 1], d))
            store(hidden, c, d, fma(share, add(a, b), splat(np.float32(0.0))))


@_njit
def move_center(w_in, word, composition, gradient, c):
    """Let the vector of a word take a step, in place.

    As in fastText (``Model::update``), each row takes the whole step, not its share: as
    the rows' mean, the vector then takes it, too. A row that a word has m times would
    take m steps and count m times: the part `step` = n / sum(m ** 2) keeps the step of
    the vector what it is. It is 1 where a word's rows differ.

    Parameters
    ----------
    w_in : ndarray of shape (n_rows + 1, n_columns), float32
        Updated in place.
    word : int
    composition : Composition or None
    gradient : ndarray of shape (TILE, n_columns), float32
        Row c is what to add.
    c : int
    """
    if composition is None:
        for d in range(0, w_in.shape[1], LANES):
            store(w_in, word, d, add(load(w_in, word, d), load(gradient, c, d)))
    else:
        step = splat(composition.step[word])
        for i in range(composition.offsets[word], composition.offsets[word + 1]):
            row = composition.rows[i]
            for d in range(0, w_in.shape[1], LANES):
                moved = fma(step, load(gradient, c, d), load(w_in, row, d))
                store(w_in, row, d, moved)
