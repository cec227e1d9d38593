"""Which rows of the input table make up each word."""

import numpy as np
import numpy.typing as npt

from skembed._ragged import Ragged
from skembed.training._aligned import aligned_zeros
from skembed.training.fasttext._kernels.rows import (
    add_own_rows,
    count_squares,
    write_means,
)
from skembed.training.fasttext._kernels.words import N_EIGHTHS, deal_rows
from skembed.training.skipgram._kernels.center import Composition


def compose(ngrams: Ragged) -> Composition:
    """Make each word of a row of its own and the rows of its n-grams.

    Parameters
    ----------
    ngrams : Ragged of int32
        For each word its n-grams, from 0.

    Returns
    -------
    composition : Composition
        Word w has row w, n-gram g has row n_words + g.

    Examples
    --------
    >>> composition = compose(Ragged.from_lengths(np.array([0, 1, 1]), [1, 2]))
    >>> composition.rows, composition.offsets
    (array([0, 2, 1, 3, 3], dtype=int32), array([0, 2, 5]))
    >>> composition.weight.round(2)
    array([0.5 , 0.5 , 0.33, 0.33, 0.33], dtype=float32)
    >>> composition.step.round(2)
    array([1. , 0.6], dtype=float32)
    """
    n_words = len(ngrams)
    rows = np.empty(n_words + len(ngrams.values), dtype=np.int32)
    add_own_rows(np.asarray(ngrams.values, dtype=np.int32), ngrams.offsets, rows)
    offsets = ngrams.offsets + np.arange(n_words + 1)
    n_rows = np.diff(offsets)
    squares = np.empty(n_words, dtype=np.int64)
    count_squares(rows, offsets, int(rows.max(initial=-1)) + 1, squares)
    weight, step = np.repeat(1.0 / n_rows, n_rows), n_rows / squares
    return Composition(
        rows, offsets, weight.astype(np.float32), step.astype(np.float32)
    )


def dealt(composition: Composition) -> tuple[Composition, npt.NDArray[np.int64]]:
    """Sort the rows of each word such that several threads can deal them out.

    Parameters
    ----------
    composition : Composition

    Returns
    -------
    composition : Composition
        With the same rows, in another order.
    splits : ndarray of shape (8 * n_words + 1,), int64
        Where each eighth of a word's rows begins; see `deal_rows`.

    Examples
    --------
    >>> composition = compose(Ragged.from_lengths(np.array([9, 4, 3]), [3]))
    >>> composition, splits = dealt(composition)
    >>> composition.rows, splits
    (array([ 0,  5,  4, 10], dtype=int32), array([0, 1, 3, 4, 4, 4, 4, 4, 4]))
    """
    order = np.empty(len(composition.rows), dtype=np.int64)
    splits = np.empty(N_EIGHTHS * len(composition.step) + 1, dtype=np.int64)
    deal_rows(composition.rows, composition.offsets, order, splits)
    rows, weight = composition.rows[order], composition.weight[order]
    return composition._replace(rows=rows, weight=weight), splits


def word_vectors(
    table: npt.NDArray[np.float32], composition: Composition, vector_size: int
) -> npt.NDArray[np.float32]:
    """Average the rows of each word.

    Parameters
    ----------
    table : ndarray of shape (n_rows + 1, n_columns), float32
    composition : Composition
    vector_size : int

    Returns
    -------
    vectors : ndarray of shape (n_words, vector_size), float32
    """
    vectors = aligned_zeros(len(composition.step), table.shape[1])
    write_means(table, composition, vectors)
    return np.ascontiguousarray(vectors[:, :vector_size])


def overlap(composition: Composition, weight: npt.NDArray[np.float64]) -> float:
    """Tell how far a word moves when another takes a step, on average.

    Parameters
    ----------
    composition : Composition
    weight : ndarray of shape (n_words,), float64
        How often each word is met; sums to 1.

    Returns
    -------
    overlap : float
        Between 0, where words share nothing, and 1, where all are the same rows.
    """
    lengths = np.diff(composition.offsets)
    moves = np.bincount(
        composition.rows, weights=np.repeat(weight * composition.step, lengths)
    )
    counts = np.repeat(weight, lengths) * composition.weight
    return float(counts @ moves[composition.rows])
