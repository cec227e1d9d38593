"""Co-occurrence counts: how often words stand near one another, weighted by distance.

The counts are what GloVe and the factorisation of PMI are trained on.
"""

from collections.abc import Iterator, Sequence
from os import PathLike

import numpy as np
import numpy.typing as npt

from skembed._processes import Map
from skembed._ragged import Ragged
from skembed.training.cooccurrence._count import (
    Places,
    Sums,
    count_blocks,
    row_blocks,
    word_counts,
)
from skembed.training.cooccurrence._entries import (
    Cooccurrences,
    EntryStore,
    PartialCounts,
)
from skembed.training.cooccurrence._kernels import merge_sorted
from skembed.training.cooccurrence._subsample import subsample
from skembed.training.cooccurrence._units import whole_steps
from skembed.training.cooccurrence._windows import Windows

__all__ = [
    "Cooccurrences",
    "PartialCounts",
    "count_cooccurrences",
    "count_part",
    "merge_counts",
]

_MERGED_AT_ONCE = 1 << 20


def count_cooccurrences(
    corpus: Ragged,
    n_words: int,
    *,
    window: int,
    weighting: str = "harmonic",
    symmetric: bool = True,
    document_weight: npt.NDArray[np.float64] | None = None,
    sample: float = 0.0,
    seed: int = 0,
    n_threads: int = 1,
    max_memory: float = 2.0**32,
    directory: str | PathLike[str] | None = None,
    processes: Map | None = None,
) -> Cooccurrences:
    """Count the words around each word.

    Parameters
    ----------
    corpus : Ragged of int32
        Ids of words. Windows never cross a document's end.
    n_words : int
    window : int
        Largest distance, in words, between a word and its context.
    weighting : {"harmonic", "uniform"}
        Whether a word at distance d counts 1 / d, as in GloVe, or 1.
    symmetric : bool
        Whether the context lies on both sides, or to the left only.
    document_weight : ndarray of shape (n_documents,), float64, or None
        How much each document counts, finite and not negative.
    sample : float
        Relative frequency above which occurrences of a word are randomly left out, of
        a copy of the corpus; see `skembed.counts.keep_probability`. 0 keeps all.
    seed : int
        Fixes which.
    n_threads : int
        The counts do not depend on it.
    max_memory : float
        Bytes to use beside the corpus and a number of arrays of length n_words. If
        the counts take more than half of it, they are in temporary files.
    directory : path or None
        Where these files are made. None: the default folder of `tempfile`.
    processes : callable or None
        From `skembed._processes.process_map`: other processes, which then count in
        place of threads. The counts do not depend on it.

    Returns
    -------
    counts : Cooccurrences
        The sums are exact, and then rounded to float32. With document weights, or
        windows far above 20, what a word adds is rounded to a fine unit before.

    Raises
    ------
    ValueError
        If an id is not below n_words.
    OSError
        If a temporary file cannot grow.

    Notes
    -----
    Pennington et al. (2014), "GloVe: Global Vectors for Word Representation", section
    3.1: the value in row i and column j is how often word j occurs in the context of
    word i. Stanford's `cooccur` counts the same for both sides; for the left side only
    it has rows and columns the other way round.

    Examples
    --------
    >>> corpus = Ragged.from_lengths(np.array([0, 1, 0, 1], dtype=np.int32), [3, 1])
    >>> count_cooccurrences(corpus, 2, window=2)
    Cooccurrences(rows=array([0, 0, 1], dtype=int32),
                  columns=array([0, 1, 0], dtype=int32),
                  values=array([1., 2., 2.], dtype=float32))
    """
    _check_ids(corpus, n_words)
    if sample:
        corpus = subsample(corpus, n_words, sample, seed)
    weight = np.empty(0) if document_weight is None else document_weight
    largest = float(weight.max(initial=0.0)) or 1.0
    windows, unit = _windows(
        len(corpus.values), window, weighting, symmetric, weight / largest
    )
    with EntryStore(np.float32, max_memory / 2, directory) as store:
        for entries in _counted(
            corpus, n_words, windows, n_threads, max_memory, processes
        ):
            store.append(*_rounded(entries, unit / largest))
        return Cooccurrences(*store.collect())


def count_part(
    corpus: Ragged,
    n_words: int,
    *,
    n_tokens: int,
    window: int,
    weighting: str = "harmonic",
    symmetric: bool = True,
    n_threads: int = 1,
    max_memory: float = 2.0**32,
    directory: str | PathLike[str] | None = None,
) -> PartialCounts:
    """Count the words around each word of a part of a corpus, for `merge_counts`.

    Parameters
    ----------
    corpus : Ragged of int32
        Some of the documents.
    n_words : int
    n_tokens : int
        The number of tokens of the whole corpus, or more: the same for all parts.
    window, weighting, symmetric, n_threads, max_memory, directory
        As of `count_cooccurrences`.

    Returns
    -------
    counts : PartialCounts

    Raises
    ------
    ValueError
        If an id is not below n_words, or the part is larger than `n_tokens`.
    OSError
        If a temporary file cannot grow.

    Examples
    --------
    >>> part = Ragged.from_lengths(np.array([0, 1, 1], dtype=np.int32), [3])
    >>> count_part(part, 2, n_tokens=3, window=2)
    PartialCounts(rows=array([0, 1, 1], dtype=int32),
                  columns=array([1, 0, 1], dtype=int32),
                  sums=array([3, 3, 4]), unit=2.0)
    """
    if len(corpus.values) > n_tokens:
        msg = (
            f"n_tokens must be that of the whole corpus, got {n_tokens} for a part of "
            f"{len(corpus.values)}."
        )
        raise ValueError(msg)
    _check_ids(corpus, n_words)
    windows, unit = _windows(n_tokens, window, weighting, symmetric, np.empty(0))
    with EntryStore(np.int64, max_memory / 2, directory) as store:
        for entries in _counted(corpus, n_words, windows, n_threads, max_memory):
            store.append(*entries)
        rows, columns, sums = store.collect()
        return PartialCounts(rows, columns, sums, unit)


def merge_counts(
    parts: Sequence[PartialCounts],
    *,
    max_memory: float = 2.0**32,
    directory: str | PathLike[str] | None = None,
) -> Cooccurrences:
    """Add up the counts of several parts of a corpus.

    Parameters
    ----------
    parts : sequence of PartialCounts
        Counted with the same ids of words, by other processes for example.
    max_memory : float
        If the sum takes more bytes, it is in temporary files.
    directory : path or None
        Where these files are made. None: the default folder of `tempfile`.

    Returns
    -------
    counts : Cooccurrences
        Those of the whole corpus, to the last bit: sums are exact, and rounded once.

    Raises
    ------
    ValueError
        If the parts are in different units.
    OSError
        If a temporary file cannot grow.

    Examples
    --------
    >>> one = PartialCounts(
    ...     *np.array([[0, 1], [1, 0]], np.int32), np.array([3, 1]), 2.0
    ... )
    >>> merge_counts([one, one]).values
    array([3., 1.], dtype=float32)
    """
    units = {part.unit for part in parts}
    if len(units) > 1:
        msg = (
            f"Parts must be counted in one unit, got {sorted(units)}. Count them all "
            "with the same window, weighting and n_tokens."
        )
        raise ValueError(msg)
    unit = units.pop() if units else 1.0
    none = Sums(np.empty(0, "i4"), np.empty(0, "i4"), np.empty(0, "i8"))
    columns = [
        np.concatenate(column)
        for column in zip(none, *(part[:3] for part in parts), strict=True)
    ]
    ends = np.cumsum([len(part.rows) for part in parts], dtype=np.int64)
    heads = np.concatenate([[0], ends])[:-1]
    merged = [np.empty(_MERGED_AT_ONCE, column.dtype) for column in columns]
    with EntryStore(np.float32, max_memory, directory) as store:
        n = _MERGED_AT_ONCE
        while n == _MERGED_AT_ONCE:
            n = merge_sorted(*columns, heads, ends, *merged)
            entries = Sums(*(column[:n] for column in merged))
            store.append(*_rounded(entries, unit))
        return Cooccurrences(*store.collect())


def _windows(
    n_tokens: int,
    window: int,
    weighting: str,
    symmetric: bool,
    weight: npt.NDArray[np.float64],
) -> tuple[Windows, float]:
    """Return what the kernels are told, and the sum that stands for 1."""
    steps, unit = whole_steps(window, weighting, n_tokens, has_weights=len(weight) > 0)
    return Windows(steps, symmetric, weight), unit


def _counted(
    corpus: Ragged,
    n_words: int,
    windows: Windows,
    n_threads: int,
    max_memory: float,
    processes: Map | None = None,
) -> Iterator[Sums]:
    """Count run after run of rows."""
    counts = word_counts(corpus, n_words)
    # A half is for the entries, and what is left for what the system does not get back.
    for first, last in row_blocks(counts, max_memory / 4):
        places = Places.of_words(corpus, counts, first, last, n_threads)
        yield from count_blocks(
            corpus, places, windows, counts, n_threads, max_memory, processes
        )


def _rounded(entries: Sums, unit: float) -> Cooccurrences:
    """Turn sums of whole units into counts."""
    values = (entries.values / unit).astype(np.float32)
    return Cooccurrences(entries.rows, entries.columns, values)


def _check_ids(corpus: Ragged, n_words: int) -> None:
    if not len(corpus.values):
        return
    low, high = int(corpus.values.min()), int(corpus.values.max())
    if low < 0 or high >= n_words:
        msg = (
            f"Ids of words must be from 0 to n_words - 1 = {n_words - 1}, got ids from "
            f"{low} to {high}. Raise n_words, or encode the corpus again."
        )
        raise ValueError(msg)
