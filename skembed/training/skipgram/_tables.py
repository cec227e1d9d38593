"""The tables that kernels work on: padded, aligned, with a row of zeros at the end."""

import numpy as np
import numpy.typing as npt

from skembed.training._aligned import aligned_zeros

_ROWS = 1000


def padded_table(
    n_rows: int, n_columns: int, values: npt.NDArray[np.float32] | None = None
) -> npt.NDArray[np.float32]:
    """Copy values into a table of n_rows + 1 rows, or start it with zeros.

    Parameters
    ----------
    n_rows, n_columns : int
    values : ndarray of shape (n_rows, n_columns), float32, or None

    Returns
    -------
    table : ndarray of shape (n_rows + 1, padded n_columns), float32
        The row of zeros at the end stands in for rows that are not there.
    """
    table = aligned_zeros(n_rows + 1, n_columns)
    if values is not None:
        table[:n_rows, :n_columns] = values
    return table


def unpadded(table: npt.NDArray[np.float32], n_columns: int) -> npt.NDArray[np.float32]:
    """Take the padding out of a table, in the memory that it has.

    Parameters
    ----------
    table : ndarray of shape (n_rows + 1, padded n_columns), float32
        Overwritten: it cannot be used any more.
    n_columns : int

    Returns
    -------
    values : ndarray of shape (n_rows, n_columns), float32, C order
    """
    n_rows = len(table) - 1
    flat = table.reshape(-1)
    for start in range(0, n_rows, _ROWS):
        # A copy of some rows, which go where they or earlier ones were.
        rows = table[start : min(start + _ROWS, n_rows), :n_columns].copy()
        flat[start * n_columns : start * n_columns + rows.size] = rows.reshape(-1)
    return flat[: n_rows * n_columns].reshape(n_rows, n_columns)


def random_input(
    n_words: int, vector_size: int, rng: np.random.Generator
) -> npt.NDArray[np.float32]:
    """Draw the input vectors to start from, as word2vec.c does in InitNet.

    Parameters
    ----------
    n_words, vector_size : int
    rng : numpy.random.Generator

    Returns
    -------
    vectors : ndarray of shape (n_words, vector_size), float32
        Uniform between -0.5 / vector_size and 0.5 / vector_size.
    """
    vectors = np.empty((n_words, vector_size), dtype=np.float32)
    draw_input(vectors, rng)
    return vectors


def draw_input(vectors: npt.NDArray[np.float32], rng: np.random.Generator) -> None:
    """Do what `random_input` does, in place: in a part of a table, say."""
    # A few rows at a time stay in the cache from draw to table.
    for start in range(0, len(vectors), _ROWS):
        rows = vectors[start : start + _ROWS]
        draws = rng.random(rows.shape, dtype=np.float32)
        draws -= np.float32(0.5)
        np.divide(draws, np.float32(rows.shape[1]), out=rows)
