"""What fastText is asked to do, and what it gives."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from skembed.training.skipgram import SkipGramConfig

Matrix = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class FastTextConfig(SkipGramConfig):
    """The hyperparameters of fastText's skip-gram, with the defaults of its program.

    They are those of `SkipGramConfig`; its `loss` is always "negative_sampling".
    """

    ns_exponent: float = 0.5
    sample: float = 1e-4
    learning_rate: float = 0.05
    min_learning_rate: float = 0.0


class FastTextTables(NamedTuple):
    """What fastText trains.

    Parameters
    ----------
    words : ndarray of shape (n_words, vector_size), float32
        The words' own part of their vectors.
    ngrams : ndarray of shape (n_ngrams, vector_size), float32
        The vectors of n-grams, or of what buckets they share.
    output : ndarray of shape (n_words, vector_size), float32
        The vectors of words as contexts.
    """

    words: Matrix
    ngrams: Matrix
    output: Matrix


class FastTextResult(NamedTuple):
    """What fastText has learned.

    Parameters
    ----------
    vectors : ndarray of shape (n_words, vector_size), float32
        The mean of each word's own row and those of its n-grams.
    tables : FastTextTables
    losses : ndarray of shape (n_epochs,), float64
        Mean loss of a pair of words, in nats, over each epoch; NaN if it had no pair.
    """

    vectors: Matrix
    tables: FastTextTables
    losses: npt.NDArray[np.float64]
