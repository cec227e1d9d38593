"""A trained biLM as plain arrays, and the ids that it reads and predicts."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from skembed.text import BEGIN_SENTENCE, END_SENTENCE, N_CHARACTERS, character_ids
from skembed.training.bilm._config import BiLMArchitecture

Float32Array = npt.NDArray[np.float32]
Int64Array = npt.NDArray[np.int64]

BEGIN, END, UNKNOWN = 0, 1, 2
"""The first rows of the softmax: the boundaries, and all words that have no row."""
N_SPECIAL = 3

# The id of what follows a word in its row of characters.
_PADDING = N_CHARACTERS


class BiLMModel(NamedTuple):
    """What training gives.

    Parameters
    ----------
    arrays : mapping of str to ndarray, float32
        By the names of the published HDF5 files.
    options : mapping of str to object
        The content of ``options.json``.
    softmax : ndarray of shape (3 + n_words, projection_size), float32, or None
        What states are multiplied by to predict a word. Rows 0, 1 and 2 are for the
        begin and the end of a sentence, and for unknown words. Published files have
        none.
    bias : ndarray of shape (3 + n_words,), float32, or None
    """

    arrays: Mapping[str, Float32Array]
    options: Mapping[str, Any]
    softmax: Float32Array | None = None
    bias: Float32Array | None = None

    @property
    def architecture(self) -> BiLMArchitecture:
        """The sizes that `options` name."""
        return BiLMArchitecture.from_options(self.options)


def with_boundaries(characters: npt.NDArray[Any]) -> Int64Array:
    """Append the rows of the words that stand for the boundaries of a sentence.

    Parameters
    ----------
    characters : ndarray of shape (n_words, max_characters), int
        Character ids of each word.

    Returns
    -------
    characters : ndarray of shape (n_words + 2, max_characters), int64
        The begin's row, then the end's, are the last ones.

    Raises
    ------
    ValueError
        If there are other ids than 1 to 261.

    Examples
    --------
    >>> with_boundaries(np.array([[259, 98, 260, 261]]))
    array([[259,  98, 260, 261],
           [259, 257, 260, 261],
           [259, 258, 260, 261]])
    """
    boundaries = character_ids([BEGIN_SENTENCE, END_SENTENCE], characters.shape[1])
    framed = np.concatenate([characters, boundaries]).astype(np.int64)
    if framed.min() < 1 or framed.max() > _PADDING:
        msg = (
            f"Character ids must be from 1 to {_PADDING}, got {framed.min()} to "
            f"{framed.max()}."
        )
        raise ValueError(msg)
    return framed


def lengths_of(characters: Int64Array) -> Int64Array:
    """How many characters each word has, its boundaries included.

    Examples
    --------
    >>> lengths_of(np.array([[259, 98, 260, 261]]))
    array([3])
    """
    lengths: Int64Array = (characters != _PADDING).sum(axis=1)
    return lengths


def output_rows(n_words: int, n_outputs: int) -> Int64Array:
    """The row of the softmax for each word.

    Parameters
    ----------
    n_words : int
    n_outputs : int
        The first so many words have a row of their own.

    Examples
    --------
    >>> output_rows(3, n_outputs=2)
    array([3, 4, 2])
    """
    rows = np.full(n_words, UNKNOWN, dtype=np.int64)
    rows[:n_outputs] = N_SPECIAL + np.arange(n_outputs)
    return rows
