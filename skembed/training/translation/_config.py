"""What training a translator is asked to do, and what it gives."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from skembed._ragged import Ragged

Arrays = dict[str, npt.NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class TranslationConfig:
    """How large a translator is, and how it is trained.

    Parameters
    ----------
    hidden_size : int
        Cells of each direction of the encoder's layers and of the decoder, and length
        of the vectors of target words.
    n_layers : int
        Of the encoder.
    epochs : int
        Passes over the pairs, at most.
    batch_size : int
        Pairs of a step.
    learning_rate : float
        Adam's; it falls linearly to 0 over all epochs.
    dropout : float
        Share of the inputs of each layer but the first, of the decoder's words and of
        the softmax, that is set to 0.
    clip_norm : float
        Largest norm of the gradient of all parameters together.
    n_iter_no_change : int or None
        Training stops after so many epochs without a better perplexity on held-out
        pairs. None never stops it.
    precision : {"auto", "float32", "bfloat16"}
        Of matrix products. "auto" is bfloat16 where the processor has instructions for
        it.
    checkpoint_seconds : float
        Time between two checkpoints: what a crash can cost.
    """

    hidden_size: int = 300
    n_layers: int = 2
    epochs: int = 10
    batch_size: int = 64
    learning_rate: float = 1e-3
    dropout: float = 0.2
    clip_norm: float = 5.0
    n_iter_no_change: int | None = 2
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    checkpoint_seconds: float = 60.0


class Pairs(NamedTuple):
    """Texts and their translations.

    Parameters
    ----------
    source : Ragged of int32
        Rows of a table of word vectors.
    target : Ragged of int32
        Ids of words, of as many texts. The end of a text has no id among them.
    """

    source: Ragged
    target: Ragged


class EpochScores(NamedTuple):
    """What an epoch has reached.

    Parameters
    ----------
    loss : float
        Mean loss of a target word in training, in nats, with dropout.
    perplexity : float
        Of the words of held-out translations, their ends included; NaN without them.
    """

    loss: float
    perplexity: float


class TranslationResult(NamedTuple):
    """What training gives, and how it went.

    Parameters
    ----------
    encoder : dict of str to ndarray, float32
        Under the names of ``nn.LSTM``, as in CoVe's published file.
    decoder : dict of str to ndarray, float32
        All else that `translate` needs.
    history : tuple of EpochScores
    best_epoch : int or None
        The epoch, from 0, that the weights are of: that of the lowest perplexity, or,
        without held-out pairs, the last one. None if there was an interrupt before the
        end of the first one.
    was_interrupted : bool
    """

    encoder: Arrays
    decoder: Arrays
    history: tuple[EpochScores, ...]
    best_epoch: int | None
    was_interrupted: bool
