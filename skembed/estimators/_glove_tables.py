"""The tables of GloVe: what training begins with if vectors are published."""

import numpy as np
import numpy.typing as npt

from skembed.training.glove import GloVeTables, random_tables

Float32Array = npt.NDArray[np.float32]


def starting_tables(published: Float32Array, kept: str) -> GloVeTables:
    """Make tables of which published vectors are what is kept.

    Parameters
    ----------
    published : ndarray of shape (n_words, vector_size), float32
    kept : {"input", "output", "input+output"}
        The parameter `vectors` of the estimator.

    Returns
    -------
    tables : GloVeTables
        Files hold no biases: they are zeros. Of a sum, both tables have one half.

    Examples
    --------
    >>> starting_tables(np.ones((1, 2), dtype=np.float32), "input+output").output
    array([[0.5, 0.5]], dtype=float32)
    """
    n_words = len(published)
    unknown = np.zeros_like(published)
    biases = np.zeros(n_words, np.float32), np.zeros(n_words, np.float32)
    if kept == "input":
        return GloVeTables(published, unknown, *biases)
    if kept == "output":
        return GloVeTables(unknown, published, *biases)
    half = published * np.float32(0.5)
    return GloVeTables(half, half, *biases)


def extended_tables(
    tables: tuple[Float32Array, ...], n_words: int, seed: int
) -> GloVeTables:
    """Add the rows of new words, as untrained tables have them.

    Parameters
    ----------
    tables : tuple of ndarray, float32
        Those of the first words.
    n_words : int
        With the new ones.
    seed : int

    Returns
    -------
    tables : GloVeTables
    """
    n_new, size = n_words - len(tables[0]), tables[0].shape[1]
    new_rows = random_tables(n_new, size, np.random.default_rng(seed))
    return GloVeTables(*map(np.concatenate, zip(tables, new_rows, strict=True)))


def chosen_vectors(tables: tuple[Float32Array, ...], kept: str) -> Float32Array:
    """Return the table that the parameter `vectors` asks for, or the sum of both."""
    w_in, w_out = tables
    if kept == "input":
        return w_in
    if kept == "output":
        return w_out
    return w_in + w_out
