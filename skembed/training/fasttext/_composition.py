"""Which rows of the input table make up each word."""

import numpy as np
import numpy.typing as npt

from skembed._ragged import Ragged
from skembed.training.fasttext._kernels import add_own_rows, count_squares, write_means
from skembed.training.skipgram._kernels.center import Composition
from skembed.training.skipgram._tables import aligned_zeros


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
    >>> composition.share.round(2), composition.step.round(2)
    (array([0.5 , 0.33], dtype=float32), array([1. , 0.6], dtype=float32))
    """
    n_words = len(ngrams)
    rows = np.empty(n_words + len(ngrams.values), dtype=np.int32)
    add_own_rows(np.asarray(ngrams.values, dtype=np.int32), ngrams.offsets, rows)
    offsets = ngrams.offsets + np.arange(n_words + 1)
    n_rows = np.diff(offsets)
    squares = np.empty(n_words, dtype=np.int64)
    count_squares(rows, offsets, int(rows.max(initial=-1)) + 1, squares)
    share, step = 1.0 / n_rows, n_rows / squares
    return Composition(rows, offsets, share.astype(np.float32), step.astype(np.float32))


def most_rows(composition: Composition, n_words: int) -> int:
    """Count the rows of the `n_words` words that have the most."""
    longest_first = np.sort(np.diff(composition.offsets))[::-1]
    return int(longest_first[:n_words].sum())


def scratch(n_words: int, n_rows: int) -> Composition:
    """Make room for words that are made of `n_rows` rows together."""
    return Composition(
        np.empty(n_rows, dtype=np.int32),
        np.empty(n_words + 1, dtype=np.int64),
        np.empty(n_words, dtype=np.float32),
        np.empty(n_words, dtype=np.float32),
    )


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
    vectors = aligned_zeros(len(composition.share), table.shape[1])
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
    counts = np.repeat(weight * composition.share, lengths)
    return float(counts @ moves[composition.rows])
