"""What GloVe is asked to do, and what it gives."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class GloVeConfig:
    """The hyperparameters of GloVe, with the defaults of its published demo.

    They mean what they mean in `skembed.GloVeVectorizer`.

    Parameters
    ----------
    vector_size : int
        Length of the word vectors.
    x_max : float
        Count from which on all counts weigh the same.
    alpha : float
        Smaller counts x weigh (x / x_max) ** alpha.
    epochs : int
        Passes over the counts.
    learning_rate : float
        AdaGrad's.
    tol : float or None
        Training ends after an epoch whose loss is not less by this part of the loss of
        the epoch before; None never ends it early.
    """

    vector_size: int = 50
    x_max: float = 10.0
    alpha: float = 0.75
    epochs: int = 15
    learning_rate: float = 0.05
    tol: float | None = None


class GloVeTables(NamedTuple):
    """What GloVe learns: two vectors and two biases for each word.

    Parameters
    ----------
    input, output : ndarray of shape (n_words, vector_size), float32
        Of words as rows and as columns of the counts: W and W~ of the paper.
    input_bias, output_bias : ndarray of shape (n_words,), float32
    """

    input: Matrix
    output: Matrix
    input_bias: Matrix
    output_bias: Matrix


class GloVeResult(NamedTuple):
    """What GloVe has learned, and how.

    Parameters
    ----------
    tables : GloVeTables
    losses : ndarray of shape (n_epochs,), float64
        Mean weighted squared error of an entry, over each epoch, taken before its step.
    """

    tables: GloVeTables
    losses: npt.NDArray[np.float64]
