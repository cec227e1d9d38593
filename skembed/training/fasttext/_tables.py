"""The tables to start from, and to go on from."""

import numpy as np
import numpy.typing as npt

from skembed._ragged import Ragged
from skembed.training.fasttext._composition import compose, word_vectors
from skembed.training.fasttext._config import FastTextTables, Matrix
from skembed.training.skipgram._tables import draw_input, padded_table


def draw_rows(rows: Matrix, rng: np.random.Generator) -> None:
    """Draw input rows as fastText does, uniform between -1 and 1 / vector_size.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, vector_size), float32
        Overwritten.
    rng : numpy.random.Generator
    """
    draw_input(rows, rng)
    # word2vec's range is half of it.
    rows *= np.float32(2.0)


def own_rows(
    vectors: npt.NDArray[np.float32], ngram_vectors: Matrix, ngrams: Ragged
) -> Matrix:
    """Find the words' own rows, with which they have given vectors.

    Parameters
    ----------
    vectors : ndarray of shape (n_words, vector_size), float32
        What the means of the words' rows are to be.
    ngram_vectors : ndarray of shape (n_ngrams, vector_size), float32
    ngrams : Ragged of int32
        For each word its n-grams, from 0 to n_ngrams - 1.

    Returns
    -------
    rows : ndarray of shape (n_words, vector_size), float32

    Examples
    --------
    >>> ngrams = Ragged.from_lengths(np.array([0, 1, 1], np.int32), [2, 1])
    >>> vectors, of_ngrams = np.float32([[3], [2]]), np.float32([[1], [4]])
    >>> own_rows(vectors, of_ngrams, ngrams).round(3)
    array([[4.],
           [0.]], dtype=float32)
    """
    n_words, size = vectors.shape
    composition = compose(ngrams)
    table = padded_table(n_words + len(ngram_vectors), size)
    table[n_words:-1, :size] = ngram_vectors
    without = word_vectors(table, composition, size)
    share = composition.weight[composition.offsets[:-1], None]
    rows: Matrix = (vectors - without) / share
    return rows


def padded_tables(tables: FastTextTables) -> tuple[Matrix, Matrix]:
    """Copy tables to go on from into those that kernels work on.

    Parameters
    ----------
    tables : FastTextTables

    Returns
    -------
    rows : ndarray of shape (n_words + n_ngrams + 1, padded vector_size), float32
    output : ndarray of shape (n_words + 1, padded vector_size), float32
    """
    n_words, size = tables.words.shape
    rows = padded_table(n_words + len(tables.ngrams), size)
    rows[:n_words, :size], rows[n_words:-1, :size] = tables.words, tables.ngrams
    return rows, padded_table(n_words, size, tables.output)
