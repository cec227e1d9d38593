"""A stream of documents, many at a time."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt

from skembed.text._analysis import TextAnalysis

# Small enough for the code points to stay in the processor's cache, large enough for
# what is done once per chunk to cost nothing.
_MAX_CHARS = 1 << 18
_MAX_WORDS = 1 << 15


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive documents, either all still to be split or all split into words.

    Parameters
    ----------
    texts : list of str
        The documents; or the words of all documents, end to end.
    n_words : list of int or None
        The number of words of each document; None if `texts` are the documents.
    position : int
        How many documents were before.
    """

    texts: list[str]
    n_words: list[int] | None = None
    position: int = 0

    def codes(self) -> npt.NDArray[np.uint32]:
        """Lay the code points of all texts end to end, shape (n_chars,)."""
        try:
            text = "".join(self.texts)
        except TypeError:
            self.check()
            raise
        # A str may hold lone surrogates, which no encoding has.
        return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)

    def text_bounds(self) -> npt.NDArray[np.int64]:
        """Where each text begins in `codes`, and where the last one ends."""
        return _bounds(map(len, self.texts), len(self.texts))

    def document_bounds(self) -> npt.NDArray[np.int64]:
        """Where each document begins in `texts`, and where the last one ends."""
        if self.n_words is None:
            return np.arange(len(self.texts) + 1)
        return _bounds(self.n_words, len(self.n_words))

    def check(self) -> None:
        """Raise a TypeError that names the first word that is no str, if one is not."""
        texts: list[Any] = self.texts
        # Looking at the types takes no loop in Python; nearly always, all are str.
        if {str}.issuperset(map(type, texts)):
            return
        for i, text in enumerate(texts):
            if not isinstance(text, str):
                bounds = self.document_bounds()
                document = np.searchsorted(bounds, i, side="right") - 1 + self.position
                msg = (
                    f"The words of document {document} must be str, got {text!r} of "
                    f"type {type(text).__name__}."
                )
                raise TypeError(msg)


def _bounds(lengths: Iterable[int], n: int) -> npt.NDArray[np.int64]:
    bounds = np.zeros(n + 1, dtype=np.int64)
    bounds[1:] = np.fromiter(lengths, dtype=np.int64, count=n)
    return np.cumsum(bounds, out=bounds)


def read_chunks(
    documents: Iterable[Any], analysis: TextAnalysis, position: int = 0
) -> Iterator[Chunk]:
    """Prepare documents, and split them if the analysis brings its own way to.

    Parameters
    ----------
    documents : iterable of documents
        Read once, and never further ahead than one chunk.
    analysis : TextAnalysis
    position : int
        How many documents were before these.

    Yields
    ------
    chunk : Chunk
        All documents in their order. Whether given words are `str` is not looked at.

    Raises
    ------
    TypeError
        If a document is neither text nor a list.
    """
    # A list is passed on without a call: there may be millions of short ones.
    pieces: Iterator[Any] = (
        document if type(document) is list else _read(document, i, analysis)
        for i, document in enumerate(documents, position)
    )
    for kind, run in groupby(pieces, type):
        batches = _text_batches if issubclass(kind, str) else _word_batches
        for texts, n_words in batches(run):
            yield Chunk(texts, n_words, position)
            position += len(texts if n_words is None else n_words)


def _text_batches(run: Iterator[str]) -> Iterator[tuple[list[str], None]]:
    texts: list[str] = []
    n_chars = 0
    for text in run:
        texts.append(text)
        # An empty text takes memory, too.
        n_chars += 1 + len(text)
        if n_chars >= _MAX_CHARS:
            yield texts, None
            texts, n_chars = [], 0
    if texts:
        yield texts, None


def _word_batches(run: Iterator[list[str]]) -> Iterator[tuple[list[str], list[int]]]:
    words: list[str] = []
    n_words: list[int] = []
    for document in run:
        words += document
        n_words.append(len(document))
        if len(words) + len(n_words) >= _MAX_WORDS:
            yield words, n_words
            words, n_words = [], []
    if n_words:
        yield words, n_words


def _read(document: Any, position: int, analysis: TextAnalysis) -> Any:
    """Turn one document into the text to scan, or into a list or tuple of words."""
    if isinstance(document, list | tuple):
        return document
    text = document if analysis.prepare is None else analysis.prepare(document)
    if not isinstance(text, str):
        msg = (
            f"Document {position} must be a str or a list of str, got {text!r} of type "
            f"{type(text).__name__}."
        )
        raise TypeError(msg)
    if analysis.split is None:
        return text
    words: Any = analysis.split(text)
    # Going through a str would silently make words of its characters.
    if isinstance(words, str):
        msg = (
            f"The words of document {position} must be a list of str, got the str "
            f"{words!r}. The tokenizer or analyzer must return a list."
        )
        raise TypeError(msg)
    return list(words)
