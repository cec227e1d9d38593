"""The two tables of skip-gram: what training goes on from, and what is kept."""

import numpy as np
import numpy.typing as npt

from skembed.estimators._occurring_words import OccurringWords
from skembed.training.skipgram import random_input

Float32Array = npt.NDArray[np.float32]


def starting_tables(
    published: Float32Array, kept: str
) -> tuple[Float32Array, Float32Array]:
    """Make tables of which published vectors are what is kept.

    Parameters
    ----------
    published : ndarray of shape (n_words, vector_size), float32
    kept : {"input", "output", "input+output"}
        The parameter `vectors` of the estimator.

    Returns
    -------
    input, output : ndarray of shape (n_words, vector_size), float32
        One of them is zeros, as nothing is known of it: files have one table.

    Examples
    --------
    >>> starting_tables(np.ones((1, 2), dtype=np.float32), "input+output")
    (array([[2., 2.]], dtype=float32), array([[0., 0.]], dtype=float32))
    """
    unknown = np.zeros_like(published)
    if kept == "input":
        return published, unknown
    if kept == "output":
        return unknown, published
    # The mean of the two is kept.
    return 2 * published, unknown


def extended_tables(
    tables: tuple[Float32Array, ...], n_words: int, seed: int
) -> tuple[Float32Array, ...]:
    """Add the rows of new words, as untrained tables have them.

    Parameters
    ----------
    tables : tuple of ndarray, float32
        Input and output vectors of the first words; or none.
    n_words : int
        With the new ones.
    seed : int

    Returns
    -------
    tables : tuple of ndarray of shape (n_words, vector_size), float32
        None if there were none.

    Raises
    ------
    ValueError
        If the output vectors are not of words, but of a tree.
    """
    if not tables:
        return ()
    w_in, w_out = tables
    if len(w_in) != len(w_out):
        msg = (
            "partial_fit cannot go on from loss='hierarchical_softmax', which has no "
            "output vectors of words, with another loss. Call fit."
        )
        raise ValueError(msg)
    n_new, size = n_words - len(w_in), w_in.shape[1]
    if n_new == 0:
        return tables
    new_rows = random_input(n_new, size, np.random.default_rng(seed))
    return (
        np.concatenate([w_in, new_rows]),
        np.concatenate([w_out, np.zeros_like(new_rows)]),
    )


def initial_tables(
    words: OccurringWords, tables: tuple[Float32Array, ...], loss: str
) -> tuple[Float32Array, Float32Array | None] | None:
    """Return what training on the words that occur begins with, if not at random."""
    if not tables:
        return None
    w_in, w_out = map(words.of_table, tables)
    # The output vectors of a tree are new with it.
    return w_in, None if loss == "hierarchical_softmax" else w_out


def chosen_vectors(tables: tuple[Float32Array, ...], kept: str) -> Float32Array:
    """Return the table that the parameter `vectors` asks for, or the mean of both."""
    w_in, w_out = tables
    if kept == "input":
        return w_in
    if kept == "output":
        return w_out
    return (w_in + w_out) * np.float32(0.5)
