"""What a trained biLM says of words: how surprising they are, and what else fits."""

from typing import Any

import numpy as np
import numpy.typing as npt

from skembed._devices import resolve_devices
from skembed._ragged import Ragged
from skembed.training.bilm._batches import frame
from skembed.training.bilm._model import N_SPECIAL, BiLMModel
from skembed.training.bilm._result import Perplexity

Int64Array = npt.NDArray[np.int64]


def measure_perplexity(
    model: BiLMModel,
    corpus: Ragged,
    characters: npt.NDArray[Any],
    rows: Int64Array,
    device: Any = "cpu",
) -> Perplexity:
    """Measure how well a model predicts each word from those before, and after, it.

    Parameters
    ----------
    model : BiLMModel
        With a softmax.
    corpus : Ragged of int32
        The word ids of each sentence, which may be others than in training.
    characters : ndarray of shape (n_words, max_characters), int
        The character ids of each word of `corpus`.
    rows : ndarray of shape (n_words,), int64
        The row of the softmax that each word has: 3 plus its id in training, or 2 if it
        was unknown there. See `output_rows`.
    device : str or torch.device

    Returns
    -------
    perplexity : Perplexity

    Raises
    ------
    ValueError
        If there is no sentence, or the model has no softmax.
    """
    if not len(corpus):
        msg = "There is no text to measure the perplexity of."
        raise ValueError(msg)
    from skembed.training.bilm._torch_score import load_model, network_perplexity
    from skembed.training.bilm._torch_step import Words

    network, table = load_model(model, resolve_devices(device)[0])
    words = Words(characters, rows, model.architecture)
    framed = frame(corpus, len(characters), len(characters) + 1)
    return network_perplexity(network, table, framed, words)


def place_probabilities(
    model: BiLMModel,
    sentence: npt.NDArray[np.int32],
    place: int,
    characters: npt.NDArray[Any],
    frequencies: npt.NDArray[Any],
    device: Any = "cpu",
) -> npt.NDArray[np.float64]:
    """How likely each word is at one place of a sentence, given all the others.

    With l and r what precedes and follows the place, it is

        p(w | l, r)  proportional to  p(w | l) p(w | r) / p(w)

    which holds if l and r are independent for a given w: then the word is all that
    connects them.

    Parameters
    ----------
    model : BiLMModel
        With a softmax.
    sentence : ndarray of shape (n,), int32
        Word ids. What stands at `place` does not matter.
    place : int
        From 0 to n - 1.
    characters : ndarray of shape (n_words, max_characters), int
        The character ids of each word that `sentence` names.
    frequencies : ndarray of shape (n_outputs,), int or float
        How frequent the words of the softmax are, all positive.
    device : str or torch.device

    Returns
    -------
    probabilities : ndarray of shape (n_outputs,), float64
        Of the words that the model knows from training, by their ids there. The sum
        is 1.

    Raises
    ------
    ValueError
        If the sentence has no such place, or the model has no softmax.
    """
    if not 0 <= place < len(sentence):
        msg = f"place must be from 0 to {len(sentence) - 1}, got {place}."
        raise ValueError(msg)
    from skembed.training.bilm._torch_score import load_model, log_probabilities
    from skembed.training.bilm._torch_step import Words

    network, table = load_model(model, resolve_devices(device)[0])
    n_words = len(characters)
    unknown = np.zeros(n_words, dtype=np.int64)
    words = Words(characters, unknown, model.architecture)
    framed = frame(Ragged.from_lengths(sentence, [len(sentence)]), n_words, n_words + 1)
    both = log_probabilities(network, table, framed, words, place)[:, N_SPECIAL:]
    scores = both.sum(axis=0) - np.log(frequencies)
    shares: npt.NDArray[np.float64] = np.exp(scores - scores.max())
    shares /= shares.sum()
    return shares
