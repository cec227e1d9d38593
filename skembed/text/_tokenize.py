"""Documents to words."""

import re
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from skembed.text._analysis import TextAnalysis
from skembed.text._chunks import Chunk, read_chunks


def tokenize(documents: Iterable[Any], analysis: TextAnalysis) -> list[list[str]]:
    """Split documents into words.

    Parameters
    ----------
    documents : iterable of documents
        `str`, lists of words, or what ``analysis.prepare`` makes `str` of.
    analysis : TextAnalysis

    Returns
    -------
    words : list of list of str
        All words of each document, known to a vocabulary or not. A document without
        words gives an empty list.

    Raises
    ------
    TypeError
        If a document is neither text nor a list of words.

    Examples
    --------
    >>> from skembed.text import TextAnalysis, tokenize
    >>> tokenize(["to be, or not", ["to", "be"], ""], TextAnalysis())
    [['to', 'be', 'or', 'not'], ['to', 'be'], []]
    """
    stop_words = analysis.stop_words
    tokenized: list[list[str]] = []
    for chunk in read_chunks(documents, analysis):
        chunk.check()
        tokenized += _split(chunk, analysis.min_chars)
    if not stop_words:
        return tokenized
    return [[word for word in words if word not in stop_words] for words in tokenized]


def _split(chunk: Chunk, min_chars: int) -> Iterable[list[str]]:
    if chunk.n_words is None:
        # Greedy, and so the same words as the scanner's: maximal runs.
        return map(re.compile(rf"\w{{{min_chars},}}").findall, chunk.texts)
    bounds = chunk.document_bounds().tolist()
    return (chunk.texts[start:stop] for start, stop in pairwise(bounds))
