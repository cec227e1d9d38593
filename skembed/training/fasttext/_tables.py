"""The tables to start from, and to go on from."""

import numpy as np

from skembed.training.fasttext._config import FastTextTables, Matrix
from skembed.training.skipgram._tables import draw_input


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


def extended_tables(
    tables: FastTextTables, n_words: int, n_ngrams: int, seed: int
) -> FastTextTables:
    """Add rows of new words and n-grams, which come after those that are there.

    Parameters
    ----------
    tables : FastTextTables
    n_words, n_ngrams : int
        How many there are to be.
    seed : int
        Fixes the new inputs; new outputs are zeros.

    Returns
    -------
    tables : FastTextTables
    """
    rng, size = np.random.default_rng(seed), tables.words.shape[1]
    words = np.empty((n_words - len(tables.words), size), dtype=np.float32)
    ngrams = np.empty((n_ngrams - len(tables.ngrams), size), dtype=np.float32)
    draw_rows(words, rng)
    draw_rows(ngrams, rng)
    return FastTextTables(
        np.concatenate([tables.words, words]),
        np.concatenate([tables.ngrams, ngrams]),
        np.concatenate([tables.output, np.zeros_like(words)]),
    )
