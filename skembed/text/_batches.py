"""A stream of documents, scanned in other processes."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from skembed._processes import Map
from skembed._ragged import Ragged
from skembed.text._analysis import TextAnalysis
from skembed.text._chunks import read_chunks
from skembed.text._word_table import WordTable

# Large enough for sending it to cost little, small enough for every worker to get one.
_MAX_CHARS = 1 << 22


class Batch(NamedTuple):
    """Consecutive documents that have been scanned.

    Parameters
    ----------
    words : list of str
        Distinct words, in order of first appearance.
    counts : ndarray of shape (n_words,), int64
    ids : Ragged of int32
        For each document, the places of its words in `words`.
    """

    words: list[str]
    counts: npt.NDArray[np.int64]
    ids: Ragged


def scan_batches(
    documents: Iterable[Any], analysis: TextAnalysis, processes: Map
) -> Iterator[Batch]:
    """Split documents into words in other processes.

    Parameters
    ----------
    documents : iterable of documents
        Read once, in this process.
    analysis : TextAnalysis
    processes : callable
        See `skembed._processes.process_map`.

    Yields
    ------
    batch : Batch
        All documents in their order.
    """
    yield from processes(_scan, _divide(documents), analysis)


def _divide(documents: Iterable[Any]) -> Iterator[tuple[int, list[Any]]]:
    """Cut a stream into lists, each with the number of documents before it."""
    batch: list[Any] = []
    position = n_chars = 0
    for document in documents:
        batch.append(document)
        n_chars += 1 + (len(document) if hasattr(document, "__len__") else 0)
        if n_chars >= _MAX_CHARS:
            yield position, batch
            position += len(batch)
            batch, n_chars = [], 0
    if batch:
        yield position, batch


def _scan(analysis: TextAnalysis, batch: tuple[int, list[Any]]) -> Batch:
    position, documents = batch
    table = WordTable()
    parts = [
        table.add(chunk, analysis.min_chars)
        for chunk in read_chunks(documents, analysis, position)
    ]
    ids = Ragged.from_lengths(
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.lengths for part in parts]),
    )
    return Batch(table.words(np.arange(len(table))), table.counts.copy(), ids)
