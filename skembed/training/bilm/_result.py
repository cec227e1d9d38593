"""What training gives, and what is measured on a model."""

from typing import NamedTuple

from skembed.training.bilm._model import BiLMModel


class Perplexity(NamedTuple):
    """How many words a model hesitates between, in the mean.

    Parameters
    ----------
    forward, backward : float
        Of each direction: e to the power of the mean negative logarithm of the
        probability of a word, or of a sentence's boundary, over the whole vocabulary.
    mean : float
        Of the mean logarithm of both directions, as bilm-tf reports it.
    """

    forward: float
    backward: float
    mean: float


class Epoch(NamedTuple):
    """What an epoch of training has reached.

    Parameters
    ----------
    loss : float
        Mean loss of a word in training, dropout and sampled softmax included.
    perplexity : Perplexity or None
        Of the held-out words, at the end of the epoch. None without such words.
    """

    loss: float
    perplexity: Perplexity | None


class BiLMResult(NamedTuple):
    """What training gives, and how it went.

    Parameters
    ----------
    model : BiLMModel
        Of the epoch with the lowest perplexity of held-out words; of the last one,
        without such words.
    history : tuple of Epoch
    best_epoch : int or None
        The epoch, from 0, that the model is of. None if there was an interrupt before
        the end of the first one.
    was_interrupted : bool
    """

    model: BiLMModel
    history: tuple[Epoch, ...]
    best_epoch: int | None
    was_interrupted: bool
