"""Words of documents, from the states of their tokens."""

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from skembed.estimators.documents import Document
from skembed.features import TokenFeatures, aggregate_words

if TYPE_CHECKING:
    from skembed.networks import Windows

Float32Array = npt.NDArray[np.float32]
Chunks = Iterable[tuple[npt.NDArray[np.int64], "Windows", Float32Array]]
Span = tuple[int, int]


def word_features(
    documents: Sequence[Document], chunks: Chunks, width: int, aggregation: str
) -> TokenFeatures:
    """Put the words of documents, which come in any order, into theirs.

    Parameters
    ----------
    documents : sequence of documents
    chunks : iterable
        From `skembed.encoding.token_states`.
    width : int
        Features of a token.
    aggregation : str
        As of `aggregate_words`.

    Returns
    -------
    features : TokenFeatures
    """
    n_documents = len(documents)
    vectors = [np.empty((0, width), dtype=np.float32)] * n_documents
    tokens: list[list[str]] = [[]] * n_documents
    offsets = [np.empty((0, 2), dtype=np.int64)] * n_documents
    for rows, windows, states in chunks:
        texts = [documents[row] for row in rows]
        part = aggregate_words(windows, texts, states, aggregation=aggregation)
        for k, row in enumerate(rows):
            vectors[row], tokens[row] = part[k], part.tokens[k]
            if part.offsets is not None:
                offsets[row] = part.offsets[k]
    return TokenFeatures(
        vectors=np.concatenate([np.empty((0, width), dtype=np.float32), *vectors]),
        row_splits=np.cumsum([0, *map(len, vectors)], dtype=np.int64),
        tokens=tokens,
        offsets=offsets,
    )


def marked_words(
    documents: Sequence[Document],
    words: Any,
    chunks: Chunks,
    width: int,
    aggregation: str,
) -> Float32Array:
    """Return the vector of one word of each document.

    Parameters
    ----------
    documents : sequence of documents
    words : str, or sequence of length n_documents
        See `find_word`; one str is looked for in all documents.
    chunks : iterable
        From `skembed.encoding.token_states`.
    width : int
        Features of a token.
    aggregation : {"mean", "first", "last"}

    Returns
    -------
    vectors : ndarray of shape (n_documents, width), float32

    Raises
    ------
    ValueError
        If a document does not hold its word, or its word no token.
    """
    spans = _find_words(documents, words)
    vectors = np.zeros((len(documents), width), dtype=np.float32)
    for rows, windows, states in chunks:
        if windows.offsets is None:
            msg = "windows have no offsets"
            raise TypeError(msg)
        own = windows.own & ~windows.special
        offsets = windows.offsets[own]
        text = np.repeat(windows.text, windows.ids.lengths)[own]
        bounds = np.searchsorted(text, np.arange(len(rows) + 1))
        for k, row in enumerate(rows):
            start, stop = spans[row]
            part = offsets[bounds[k] : bounds[k + 1]]
            inside = np.flatnonzero((part[:, 1] > start) & (part[:, 0] < stop))
            if not len(inside):
                raise _no_token(int(row), (start, stop))
            vectors[row] = _aggregate(states[bounds[k] + inside], aggregation)
    return vectors


def _aggregate(states: Float32Array, aggregation: str) -> Float32Array:
    if aggregation == "mean":
        mean: Float32Array = states.mean(axis=0)
        return mean
    if aggregation in ("first", "last"):
        one: Float32Array = states[0 if aggregation == "first" else -1]
        return one
    msg = f"aggregation must be 'mean', 'first' or 'last', got {aggregation!r}."
    raise ValueError(msg)


def _no_token(row: int, span: Span) -> ValueError:
    msg = (
        f"The characters {span[0]} to {span[1]} of document {row} hold no token: they "
        "are blank, outside of the document, or were cut off. With "
        "overlong='windows' nothing is cut off."
    )
    return ValueError(msg)


def _find_words(documents: Sequence[Document], words: Any) -> list[Span]:
    """Find the characters of one word of each document."""
    each = [words] * len(documents) if isinstance(words, str) else list(words)
    if len(each) != len(documents):
        msg = (
            f"words must be a str, or one for each of the {len(documents)} documents, "
            f"got {len(each)}."
        )
        raise ValueError(msg)
    pairs = zip(documents, each, strict=True)
    return [
        find_word(document, word, row) for row, (document, word) in enumerate(pairs)
    ]


def find_word(document: Document, word: Any, row: int = 0) -> Span:
    """Find the characters that a word of a document stands at.

    Parameters
    ----------
    document : str, or sequence of str
    word : str, tuple of (int, int), or int
        A word, of which the first occurrence counts, in the given case if there is one;
        where it begins and ends; or, in a list of words, its number.
    row : int
        What messages call the document.

    Returns
    -------
    start, stop : int
        In a list of words, joined by spaces.

    Raises
    ------
    TypeError, ValueError
        If `word` is nothing of that, or not there.

    Examples
    --------
    >>> find_word("Bankers bank.", "bank"), find_word(["A", "bank"], 1)
    ((8, 12), (2, 6))
    """
    if isinstance(word, str):
        found = _find_str(document, word)
        if found is None:
            msg = (
                f"Document {row} does not hold the word {word!r}: {document!r:.100}. "
                "Pass a span (start, stop) of characters to mark something else."
            )
            raise ValueError(msg)
        return found
    if isinstance(word, tuple) and len(word) == 2:
        return int(word[0]), int(word[1])
    if isinstance(word, (int, np.integer)) and not isinstance(document, str):
        spans = _word_spans(document)
        if not -len(spans) <= word < len(spans):
            msg = f"Document {row} has {len(spans)} words, got word number {word}."
            raise ValueError(msg)
        return spans[int(word)]
    msg = (
        "words must hold str, spans (start, stop), or for lists of words their "
        f"numbers, got {word!r} for document {row}."
    )
    raise TypeError(msg)


def _find_str(document: Document, word: str) -> Span | None:
    if not isinstance(document, str):
        for same in (str, str.casefold):
            for text, span in zip(document, _word_spans(document), strict=True):
                if same(text) == same(word):
                    return span
        return None
    # A word that begins or ends with another sign has no border of words there.
    pattern = r"(?<!\w)" * word[:1].isalnum() + re.escape(word)
    pattern += r"(?!\w)" * word[-1:].isalnum()
    for flags in (0, re.IGNORECASE):
        match = re.search(pattern, document, flags) if word else None
        if match is not None:
            return match.span()
    return None


def _word_spans(words: Sequence[str]) -> list[Span]:
    """Return where words begin and end once they are joined by spaces."""
    ends = np.cumsum([len(word) + 1 for word in words]).tolist()
    return [
        (end - 1 - len(word), end - 1) for word, end in zip(words, ends, strict=True)
    ]
