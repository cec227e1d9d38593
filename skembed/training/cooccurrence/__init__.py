"""Co-occurrence counts: how often words stand near one another, weighted by distance.

The counts are what GloVe and the factorisation of PMI are trained on.
"""

from collections.abc import Sequence
from os import PathLike

import numpy as np
import numpy.typing as npt

from skembed._ragged import Ragged
from skembed.training.cooccurrence._count import (
    Places,
    count_blocks,
    row_blocks,
    word_counts,
)
from skembed.training.cooccurrence._entries import Cooccurrences, EntryStore
from skembed.training.cooccurrence._kernels import merge_sorted
from skembed.training.cooccurrence._units import whole_steps
from skembed.training.cooccurrence._windows import Windows

__all__ = ["Cooccurrences", "count_cooccurrences", "merge_counts"]

_BYTES_PER_ENTRY = 12
_MERGED_AT_ONCE = 1 << 20


def count_cooccurrences(
    corpus: Ragged,
    n_words: int,
    *,
    window: int,
    weighting: str = "harmonic",
    symmetric: bool = True,
    document_weight: npt.NDArray[np.float64] | None = None,
    n_threads: int = 1,
    max_memory: float = 2.0**32,
    directory: str | PathLike[str] | None = None,
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
    n_threads : int
        The counts do not depend on it.
    max_memory : float
        Bytes to use beside the corpus and a number of arrays of length n_words. If
        the counts take more than half of it, they are in temporary files.
    directory : path or None
        Where these files are made. None: the default folder of `tempfile`.

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
    weight = np.empty(0) if document_weight is None else document_weight
    largest = float(weight.max(initial=0.0)) or 1.0
    steps, unit = whole_steps(
        window, weighting, len(corpus.values), has_weights=len(weight) > 0
    )
    windows = Windows(steps, unit / largest, symmetric, weight / largest)
    counts = word_counts(corpus, n_words)
    blocks = row_blocks(counts, max_memory / 2)
    with EntryStore(int(max_memory / 2) // _BYTES_PER_ENTRY, directory) as store:
        for first, last in blocks:
            places = Places.of_words(corpus, counts, first, last, n_threads)
            for entries in count_blocks(
                corpus, places, windows, counts, n_threads, max_memory
            ):
                store.append(*entries)
        return store.collect()


def merge_counts(
    parts: Sequence[Cooccurrences],
    *,
    max_memory: float = 2.0**32,
    directory: str | PathLike[str] | None = None,
) -> Cooccurrences:
    """Add up the counts of several parts of a corpus.

    Parameters
    ----------
    parts : sequence of Cooccurrences
        Counted with the same ids of words, by other processes for example.
    max_memory : float
        If the sum takes more bytes, it is in temporary files.
    directory : path or None
        Where these files are made. None: the default folder of `tempfile`.

    Returns
    -------
    counts : Cooccurrences
        Sums of float32 values, made in float64 and rounded again: equal to the counts
        of the whole corpus to rounding.

    Examples
    --------
    >>> one = Cooccurrences(*np.array([[0, 1], [1, 0]], np.int32), np.ones(2, "f4"))
    >>> merge_counts([one, one]).values
    array([2., 2.], dtype=float32)
    """
    none = Cooccurrences(np.empty(0, "i4"), np.empty(0, "i4"), np.empty(0, "f4"))
    columns = [np.concatenate(column) for column in zip(none, *parts, strict=True)]
    ends = np.cumsum([len(part.rows) for part in parts], dtype=np.int64)
    heads = np.concatenate([[0], ends])[:-1]
    merged = [np.empty(_MERGED_AT_ONCE, column.dtype) for column in columns]
    with EntryStore(int(max_memory) // _BYTES_PER_ENTRY, directory) as store:
        n = _MERGED_AT_ONCE
        while n == _MERGED_AT_ONCE:
            n = merge_sorted(*columns, heads, ends, *merged)
            store.append(*(column[:n] for column in merged))
        return store.collect()


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
