"""Vectors of tokens to vectors of words."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from skembed._ragged import Ragged
from skembed.features._pooling import pool
from skembed.features._tokens import TokenFeatures

if TYPE_CHECKING:
    from skembed.networks import Windows

Text = str | Sequence[str]
Float32Array = npt.NDArray[np.float32]
Int64Array = npt.NDArray[np.int64]

AGGREGATIONS = ("mean", "first", "last")
"""The names that `aggregate_words` knows."""


def aggregate_words(
    windows: "Windows",
    texts: Sequence[Text],
    vectors: Float32Array,
    *,
    aggregation: str = "mean",
) -> TokenFeatures:
    """Reduce the vectors of each word's tokens to one.

    Parameters
    ----------
    windows : Windows
        The tokens of `texts`, with their words.
    texts : sequence of str or of sequences of str
        Texts, or their words.
    vectors : ndarray of shape (n_own_tokens, n_features), float32
        Of the tokens that are `own` and not `special`, in the order of the windows.
    aggregation : {"mean", "first", "last"}
        The mean of the tokens' vectors, or the vector of the first or last of them.

    Returns
    -------
    features : TokenFeatures
        One row per word, its characters, and where it is in its text; in the words
        joined by spaces for a text that came as words. Such a text has a row for each
        of them, of zeros for a word without tokens. Of any other text, words without
        tokens are left out: those behind the place where it was cut off.

    Raises
    ------
    ValueError
        If `aggregation` is no such name, there are no words in `windows`, or the
        vectors are not as many as the tokens.

    Examples
    --------
    >>> from skembed._ragged import Ragged
    >>> from skembed.networks import Windows
    >>> windows = Windows(
    ...     ids=Ragged.from_lengths(np.array([5, 6, 7], np.int32), [3]),
    ...     text=np.array([0]),
    ...     own=np.ones(3, bool),
    ...     special=np.zeros(3, bool),
    ...     word=np.array([0, 1, 1], np.int32),
    ...     word_spans=Ragged.from_lengths(np.array([[0, 1], [2, 4]]), [2]),
    ... )
    >>> vectors = np.array([[1], [2], [4]], np.float32)
    >>> words = aggregate_words(windows, ["a bc"], vectors)
    >>> words.tokens, words[0].ravel().tolist()
    ([['a', 'bc']], [1.0, 3.0])
    """
    if aggregation not in AGGREGATIONS:
        msg = f"aggregation must be one of {AGGREGATIONS}, got {aggregation!r}."
        raise ValueError(msg)
    numbers, spans = windows.word, windows.word_spans
    if numbers is None or spans is None:
        msg = "windows must hold words, got none. Tokenize with with_words=True."
        raise ValueError(msg)
    tokens = _tokens_of_words(windows, numbers, spans, len(vectors))
    rows = _reduce(tokens, vectors, aggregation)
    given = np.array([not isinstance(text, str) for text in texts], bool)
    kept = (tokens.lengths > 0) | np.repeat(given, spans.lengths)
    row_splits = np.concatenate([[0], np.cumsum(kept)])[spans.offsets]
    offsets = np.split(spans.values[kept], row_splits[1:-1]) if len(texts) else []
    return TokenFeatures(
        vectors=rows[kept],
        row_splits=row_splits,
        tokens=[_words_of(*pair) for pair in zip(texts, offsets, strict=True)],
        offsets=offsets,
    )


def _tokens_of_words(
    windows: "Windows", numbers: npt.NDArray[np.int32], spans: Ragged, n_vectors: int
) -> Ragged:
    """Return which vectors are those of each word's tokens, one row for each word."""
    chosen = windows.own & ~windows.special
    if chosen.sum() != n_vectors:
        msg = (
            f"vectors must have one row for each of the {chosen.sum()} tokens that are "
            f"own and not special, got {n_vectors}."
        )
        raise ValueError(msg)
    text = np.repeat(windows.text, windows.ids.lengths)[chosen]
    word = numbers[chosen] + spans.offsets[text]
    # Whitespace between words is left out.
    token = np.flatnonzero(numbers[chosen] >= 0)
    # They come in the order of the words, unless a tokenizer reorders characters.
    token = token[np.argsort(word[token], kind="stable")]
    counts = np.bincount(word[token], minlength=len(spans.values))
    return Ragged.from_lengths(token.astype(np.int32), counts)


def _reduce(tokens: Ragged, vectors: Float32Array, aggregation: str) -> Float32Array:
    if aggregation == "mean":
        return pool(tokens, vectors, "mean")
    rows = np.zeros((len(tokens), vectors.shape[1]), np.float32)
    filled = np.flatnonzero(tokens.lengths)
    ends = tokens.offsets[:-1] if aggregation == "first" else tokens.offsets[1:] - 1
    rows[filled] = vectors[tokens.values[ends[filled]]]
    return rows


def _words_of(text: Text, spans: Int64Array) -> list[str]:
    if not isinstance(text, str):
        return list(text)
    return [text[start:stop] for start, stop in spans.tolist()]
