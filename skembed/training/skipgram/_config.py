"""What skip-gram is asked to do."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class SkipGramConfig:
    """The hyperparameters of skip-gram, with the defaults of word2vec C.

    They mean what they mean in `skembed.SkipGramVectorizer`.

    Parameters
    ----------
    vector_size : int
        Length of the word vectors.
    window : int
        Largest distance, in words, between a word and the context it predicts.
    negative : int
        Noise words for each observed pair.
    ns_exponent : float
        Noise words are drawn with probability proportional to count ** ns_exponent.
    sample : float
        Threshold of the frequency of words, of which those far above it are randomly
        dropped by `skembed.counts.keep_probability`; 0 keeps all.
    shrink_windows : bool
        Whether each window's reach is drawn uniformly from 1 to `window`.
    loss : {"negative_sampling", "softmax", "hierarchical_softmax"}
        What a word is to tell about the words around it.
    epochs : int
        Passes over the corpus.
    learning_rate, min_learning_rate : float
        The step size falls linearly from the first to the second.
    tol : float or None
        Stop when the loss of `n_iter_no_change` epochs is not better than the best so
        far by more than this. None: never.
    n_iter_no_change : int
    parallel : {"reproducible", "hogwild"}
        Whether threads work on private copies, merged in a fixed order, or race on
        shared tables.
    """

    vector_size: int = 100
    window: int = 5
    negative: int = 5
    ns_exponent: float = 0.75
    sample: float = 1e-3
    shrink_windows: bool = True
    loss: Literal["negative_sampling", "softmax", "hierarchical_softmax"] = (
        "negative_sampling"
    )
    epochs: int = 5
    learning_rate: float = 0.025
    min_learning_rate: float = 2.5e-6
    tol: float | None = None
    n_iter_no_change: int = 2
    parallel: Literal["reproducible", "hogwild"] = "reproducible"

    @property
    def n_pairs(self) -> float:
        """Pairs of a word with words that are observed or noise, on average."""
        reach = (1 + self.window) / 2 if self.shrink_windows else self.window
        return 2 * reach * (1 + self.negative)


class SkipGramResult(NamedTuple):
    """What skip-gram has learned.

    Parameters
    ----------
    input : ndarray of shape (n_words, vector_size), float32
        The vectors of words as centres.
    output : ndarray of shape (n_outputs, vector_size), float32
        The vectors of words as contexts; with hierarchical softmax those of the
        n_words - 1 inner nodes of its tree.
    losses : ndarray of shape (n_epochs,), float64
        Mean loss of a pair of words, in nats, over each epoch; NaN if it had no pair.
    """

    input: Matrix
    output: Matrix
    losses: npt.NDArray[np.float64]
