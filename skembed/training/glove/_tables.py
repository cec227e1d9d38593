"""The tables that the kernels work on: vectors, biases and AdaGrad's sums, in rows."""

import numpy as np

from skembed.training._aligned import aligned_zeros
from skembed.training.glove._config import GloVeTables, Matrix

FastTables = tuple[Matrix, Matrix, Matrix, Matrix]


def random_tables(
    n_words: int, vector_size: int, rng: np.random.Generator
) -> GloVeTables:
    """Draw the tables to start from, as the published program does.

    Parameters
    ----------
    n_words, vector_size : int
    rng : numpy.random.Generator

    Returns
    -------
    tables : GloVeTables
        Vectors and biases uniform between -0.5 and 0.5, divided by vector_size + 1: the
        program's vectors hold their bias.
    """

    def draw(*shape: int) -> Matrix:
        values = rng.random(shape, dtype=np.float32)
        values -= np.float32(0.5)
        values /= np.float32(vector_size + 1)
        return values

    vectors = draw(n_words, vector_size), draw(n_words, vector_size)
    return GloVeTables(*vectors, draw(n_words), draw(n_words))


def pack_tables(tables: GloVeTables) -> FastTables:
    """Lay vectors, biases and ones side by side, with sums of 1 for AdaGrad.

    Parameters
    ----------
    tables : GloVeTables
        Copied.

    Returns
    -------
    words, contexts : ndarray of shape (n_words, n_columns), float32
        [vector, bias, 1, 0 ...] and [vector, 1, bias, 0 ...].
    word_squares, context_squares : ndarray of the same shape, float32
    """
    n_words, size = tables.input.shape
    words, contexts = (aligned_zeros(n_words, size + 2) for _ in range(2))
    words[:, :size], contexts[:, :size] = tables.input, tables.output
    words[:, size], contexts[:, size + 1] = tables.input_bias, tables.output_bias
    words[:, size + 1] = contexts[:, size] = 1.0
    squares = aligned_zeros(n_words, size + 2), aligned_zeros(n_words, size + 2)
    for table in squares:
        table[:] = 1.0
    return words, contexts, *squares


def unpack_tables(tables: FastTables, vector_size: int) -> GloVeTables:
    """Undo `pack_tables`, in arrays of their own."""
    words, contexts = tables[:2]
    return GloVeTables(
        words[:, :vector_size].copy(),
        contexts[:, :vector_size].copy(),
        words[:, vector_size].copy(),
        contexts[:, vector_size + 1].copy(),
    )
