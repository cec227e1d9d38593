"""The tables to start from, and to go on from."""

import numpy as np
import numpy.typing as npt

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
    tables: FastTextTables,
    n_words: int,
    known: npt.NDArray[np.int64],
    n_ngrams: int,
    seed: int,
) -> FastTextTables:
    """Add rows of new words and n-grams.

    Parameters
    ----------
    tables : FastTextTables
    n_words : int
        How many words there are to be. New ones come after those that are there.
    known : ndarray of shape (n_known,), int64
        Where the n-grams that are there go to.
    n_ngrams : int
        How many there are to be.
    seed : int
        Fixes the new inputs; new outputs are zeros.

    Returns
    -------
    tables : FastTextTables
    """
    rng, size = np.random.default_rng(seed), tables.words.shape[1]
    words = np.empty((n_words - len(tables.words), size), dtype=np.float32)
    ngrams = np.empty((n_ngrams, size), dtype=np.float32)
    draw_rows(words, rng)
    draw_rows(ngrams, rng)
    ngrams[known] = tables.ngrams
    return FastTextTables(
        np.concatenate([tables.words, words]),
        ngrams,
        np.concatenate([tables.output, np.zeros_like(words)]),
    )
