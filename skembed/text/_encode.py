"""Documents to ids."""

import os
from collections.abc import Iterable, Iterator
from itertools import repeat
from operator import itemgetter
from typing import Any

import numpy as np
import numpy.typing as npt

from skembed._processes import Map
from skembed._ragged import Ragged
from skembed.text._analysis import TextAnalysis
from skembed.text._batches import scan_batches
from skembed.text._chunks import Chunk, read_chunks
from skembed.text._spool import Spool
from skembed.text._vocabulary import Vocabulary
from skembed.text._word_table import WordTable


def encode_corpus(
    documents: Iterable[Any],
    analysis: TextAnalysis,
    *,
    min_count: int = 1,
    max_vocab_size: int | None = None,
    allow_empty: bool = False,
    spool_dir: str | os.PathLike[str] | None = None,
    processes: Map | None = None,
) -> tuple[Vocabulary, Ragged]:
    """Find the words of a corpus, and replace them by ids.

    Parameters
    ----------
    documents : iterable of documents
        `str`, lists of words, or what ``analysis.prepare`` makes `str` of. Read once
        and never held in memory as a whole, so that it may be a generator.
    analysis : TextAnalysis
        How a document becomes words.
    min_count : int
        Leave out words that occur less often in the corpus.
    max_vocab_size : int or None
        Of the words left, keep only so many, the most frequent.
    allow_empty : bool
        Whether a corpus of which no word is left gives an empty vocabulary, and no
        error.
    spool_dir : path or None
        Where ids are put that are too many for memory. None: the default folder for
        temporary files.
    processes : callable or None
        From `skembed._processes.process_map`: other processes, which then split the
        documents into words, to the same result.

    Returns
    -------
    vocabulary : Vocabulary
        Most frequent word first; of equally frequent ones, that which appeared first.
    corpus : Ragged of int32
        The ids of each document's words, without those left out. Every document is
        there, even if nothing is left of it. From about 270 million words on the values
        are mapped from a temporary file, which disappears with them.

    Raises
    ------
    TypeError
        If a document is neither text nor a list of words.
    ValueError
        If no word is left, unless `allow_empty`.

    Examples
    --------
    >>> vocabulary, corpus = encode_corpus(["a b, b.", "", "b c a"], TextAnalysis())
    >>> vocabulary.words
    ('b', 'a', 'c')
    >>> [document.tolist() for document in corpus]
    [[1, 0, 0], [], [0, 2, 1]]
    """
    table = WordTable()
    with Spool(spool_dir) as spool:
        for ids in _added(table, documents, analysis, processes):
            spool.append(ids)
        counts = table.counts.copy()
        counts[_known(analysis.stop_words, table)] = 0
        kept = _most_frequent(counts, min_count)[:max_vocab_size]
        if not len(kept) and not allow_empty:
            raise _no_words(counts, min_count)
        new_ids = np.full(len(table), -1, dtype=np.int32)
        new_ids[kept] = np.arange(len(kept))
        corpus = spool.collect(new_ids)
    return Vocabulary(tuple(table.words(kept)), counts[kept]), corpus


def encode(
    documents: Iterable[Any],
    analysis: TextAnalysis,
    vocabulary: Vocabulary,
    *,
    spool_dir: str | os.PathLike[str] | None = None,
    processes: Map | None = None,
) -> Ragged:
    """Replace words by their ids in a vocabulary.

    Parameters
    ----------
    documents : iterable of documents
        `str`, lists of words, or what ``analysis.prepare`` makes `str` of. Read once.
    analysis : TextAnalysis
        How a document becomes words.
    vocabulary : Vocabulary
    spool_dir : path or None
        As of `encode_corpus`.
    processes : callable or None
        As of `encode_corpus`.

    Returns
    -------
    corpus : Ragged of int32
        The ids of each document's words. Unknown ones are left out; a document without
        any known word is empty, but there.

    Raises
    ------
    TypeError
        If a document is neither text nor a list of words.

    Examples
    --------
    >>> vocabulary = Vocabulary(("b", "a"), np.array([2, 1]))
    >>> encode(["a new b", ""], TextAnalysis(), vocabulary)
    Ragged(values=array([1, 0], dtype=int32), offsets=array([0, 2, 2]))
    """
    table = vocabulary.table
    stop_ids = _known(analysis.stop_words, table)
    new_ids = None
    if len(stop_ids):
        new_ids = np.arange(len(table), dtype=np.int32)
        new_ids[stop_ids] = -1
    with Spool(spool_dir) as spool:
        for ids in _found(vocabulary, documents, analysis, processes):
            spool.append(ids)
        return spool.collect(new_ids)


def _added(
    table: WordTable,
    documents: Iterable[Any],
    analysis: TextAnalysis,
    processes: Map | None,
) -> Iterator[Ragged]:
    """Number the words of documents, and add them to the table."""
    if processes is None:
        for chunk in read_chunks(documents, analysis):
            yield table.add(chunk, analysis.min_chars)
        return
    for words, counts, ids in scan_batches(documents, analysis, processes):
        yield Ragged(table.merge(words, counts)[ids.values], ids.offsets)


def _found(
    vocabulary: Vocabulary,
    documents: Iterable[Any],
    analysis: TextAnalysis,
    processes: Map | None,
) -> Iterator[Ragged]:
    """Look up the words of documents, and leave out unknown ones."""
    if processes is None:
        for chunk in read_chunks(documents, analysis):
            if chunk.n_words is None:
                yield vocabulary.table.find(chunk, analysis.min_chars)
            else:
                yield _look_up(chunk, vocabulary.index)
        return
    for words, _, ids in scan_batches(documents, analysis, processes):
        row_of = map(vocabulary.index.get, words, repeat(-1))
        known = np.fromiter(row_of, np.int32, len(words))
        yield _known_only(known[ids.values], ids.offsets)


def _look_up(chunk: Chunk, index: dict[str, int]) -> Ragged:
    """Replace given words by ids, and leave out unknown ones.

    Python has the hashes of its str at hand, which the scanner would have to make.
    """
    n_words = len(chunk.texts)
    try:
        ids = np.fromiter(map(index.get, chunk.texts, repeat(-1)), np.int32, n_words)
    except TypeError:
        chunk.check()
        raise
    is_known = ids >= 0
    unknown = itemgetter(*np.flatnonzero(~is_known).tolist(), 0, 0)
    if n_words and not {str}.issuperset(map(type, unknown(chunk.texts))):
        chunk.check()
    return _known_only(ids, chunk.document_bounds())


def _known_only(ids: npt.NDArray[np.int32], offsets: npt.NDArray[np.int64]) -> Ragged:
    """Drop the ids that are -1."""
    is_known = ids >= 0
    n_known = np.zeros(len(ids) + 1, dtype=np.int64)
    np.cumsum(is_known, out=n_known[1:])
    return Ragged(ids[is_known], n_known[offsets])


def _known(words: frozenset[str], table: WordTable) -> npt.NDArray[np.int32]:
    """Give the ids of those words that are in the table, shape (n_known,)."""
    chunk = Chunk(list(words), n_words=[len(words)])
    ids: npt.NDArray[np.int32] = table.find(chunk, min_chars=1).values
    return ids


def _most_frequent(
    counts: npt.NDArray[np.int64], min_count: int
) -> npt.NDArray[np.intp]:
    """Order words by count, those under `min_count` left out, ties as they come."""
    order = np.argsort(-counts, kind="stable")
    return order[counts[order] >= max(min_count, 1)]


def _no_words(counts: npt.NDArray[np.int64], min_count: int) -> ValueError:
    largest = counts.max(initial=0)
    if largest == 0:
        msg = (
            "The documents hold no words, or only stop words. Check what token_pattern "
            "matches, and stop_words."
        )
        return ValueError(msg)
    msg = (
        f"No word occurs at least min_count={min_count} times: the most frequent "
        f"of {np.count_nonzero(counts)} distinct words occurs {largest} times. "
        "Lower min_count, or pass more documents."
    )
    return ValueError(msg)
