"""Which tokens make which word of a text."""

import re
from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from skembed.networks._word_windows import joined_spans

Spans = npt.NDArray[np.int64]
Int32Array = npt.NDArray[np.int32]

# The ideographic space is the last.
_BEYOND_SPACES = 0x3001


def align_words(
    text: str | Sequence[str],
    joined: str,
    offsets: Int32Array,
    numbers: Sequence[int] | None,
) -> tuple[npt.NDArray[np.int64], Spans]:
    """Find the words of one text and the word of each of its tokens.

    Parameters
    ----------
    text : str or sequence of str
        A text, or its words, which are then what counts as words.
    joined : str
        The text, its words joined by spaces.
    offsets : ndarray of shape (n_tokens, 2), int32
        Where each token begins and ends in `joined`.
    numbers : sequence of int, or None
        The tokenizer's own number of each token's word. None if it does not split text
        into words; words are then what whitespace separates.

    Returns
    -------
    word : ndarray of shape (n_tokens,), int64
        The number of each token's word; -1 for whitespace between words.
    spans : ndarray of shape (n_words, 2), int64
        Where each word begins and ends in `joined`, whitespace around it left out.

    Examples
    --------
    >>> word, spans = align_words("a  bc", "a  bc", np.array([[0, 1], [2, 5]]), None)
    >>> word.tolist(), spans.tolist()
    ([0, 1], [[0, 1], [3, 5]])
    """
    if not isinstance(text, str):
        spans = joined_spans(text)
        filled = [i for i, word in enumerate(text) if word.strip()]
        return _word_at(offsets, spans[filled], np.array(filled, np.int64)), spans
    if numbers is None:
        spans = _as_spans([match.span() for match in re.finditer(r"\S+", text)])
        return _word_at(offsets, spans, np.arange(len(spans))), spans
    return _tokenizer_words(joined, offsets, np.array(numbers, np.int64))


def _word_at(
    offsets: Int32Array, spans: Spans, names: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    # The first word that ends after the token has begun: a token that holds the space
    # before a word, or is nothing else, is a part of that word.
    place = np.searchsorted(spans[:, 1], offsets[:, 0], side="right")
    word: npt.NDArray[np.int64] = np.append(names, -1)[place]
    return word


def _tokenizer_words(
    text: str, offsets: Int32Array, numbers: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], Spans]:
    if not len(numbers):
        return numbers, _as_spans([])
    is_new = np.append(True, numbers[1:] != numbers[:-1])
    first = np.flatnonzero(is_new)
    starts = np.minimum.reduceat(offsets[:, 0], first)
    stops = np.maximum.reduceat(offsets[:, 1], first)
    # Ink is what is not whitespace. What the tokenizer calls a word, but has none, is
    # none; the others begin and end with it.
    ink = np.flatnonzero(~_is_space(text))
    ink_before = np.searchsorted(ink, np.stack([starts, stops], axis=1))
    is_word = ink_before[:, 0] < ink_before[:, 1]
    names = np.where(is_word, np.cumsum(is_word) - 1, -1)
    spans = ink[ink_before[is_word] - [0, 1]] + [0, 1]
    return names[np.cumsum(is_new) - 1], spans


def _is_space(text: str) -> npt.NDArray[np.bool_]:
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")
    is_space: npt.NDArray[np.bool_] = _space_table()[np.minimum(codes, _BEYOND_SPACES)]
    return is_space


@cache
def _space_table() -> npt.NDArray[np.bool_]:
    return np.array([chr(code).isspace() for code in range(_BEYOND_SPACES + 1)])


def _as_spans(spans: Sequence[tuple[int, int]]) -> Spans:
    return np.array(spans, np.int64).reshape(-1, 2)
