"""What the vector of a centre word is: a row of its own, or a mean of several rows.

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
    """The rows whose weighted mean is the vector of a word.

    Parameters
    ----------
    rows : ndarray of shape (n,), int32
        Rows of the input table, word by word. A row may be there several times.
    offsets : ndarray of shape (n_words + 1,), int64
        Word w has ``rows[offsets[w]:offsets[w + 1]]``, at least one.
    weight : ndarray of shape (n,), float32
        What part each row is of the vector; those of a word sum to 1.
    step : ndarray of shape (n_words,), float32
        What part of its word's step each row takes; see `move_center`.
    """

    rows: np.ndarray
    offsets: np.ndarray
    weight: np.ndarray
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
        rows, weight = composition.rows, composition.weight
        start, stop = composition.offsets[word], composition.offsets[word + 1]
        # Four sums at a time: of lines that lie side by side, and need not wait.
        n_columns = w_in.shape[1]
        whole = n_columns - n_columns % (4 * LANES)
        for d in range(0, whole, 4 * LANES):
            s0 = s1 = s2 = s3 = splat(np.float32(0.0))
            for i in range(start, stop):
                row, w = rows[i], splat(weight[i])
                s0 = fma(w, load(w_in, row, d), s0)
                s1 = fma(w, load(w_in, row, d + LANES), s1)
                s2 = fma(w, load(w_in, row, d + 2 * LANES), s2)
                s3 = fma(w, load(w_in, row, d + 3 * LANES), s3)
            store(hidden, c, d, s0)
            store(hidden, c, d + LANES, s1)
            store(hidden, c, d + 2 * LANES, s2)
            store(hidden, c, d + 3 * LANES, s3)
        for d in range(whole, n_columns, LANES):
            total = splat(np.float32(0.0))
            for i in range(start, stop):
                total = fma(splat(weight[i]), load(w_in, rows[i], d), total)
            store(hidden, c, d, total)


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
