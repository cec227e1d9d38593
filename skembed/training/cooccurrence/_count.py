"""Count block after block of rows, each in threads, in bounded memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt

from skembed._processes import Map
from skembed._ragged import Ragged
from skembed.training._threads import threads
from skembed.training.cooccurrence._kernels import count_rows, list_places
from skembed.training.cooccurrence._windows import Windows

Counts = npt.NDArray[np.int64]

_BYTES_PER_PLACE = 12
_BYTES_PER_ENTRY = 16
# Tokens that a thread looks at without an interrupt being answered.
_TOKENS_AT_ONCE = 1 << 24
# Entries of one piece of work, at most: small enough for the threads to end together.
_MOST_ENTRIES = 1 << 20


class Sums(NamedTuple):
    """Entries of the matrix, sorted by row and column.

    Parameters
    ----------
    rows, columns : ndarray of shape (n_entries,), int32
    values : ndarray of shape (n_entries,), int64
        In whole units, all positive.
    """

    rows: npt.NDArray[np.int32]
    columns: npt.NDArray[np.int32]
    values: npt.NDArray[np.int64]


class Run(NamedTuple):
    """The places of a few words, to be counted at once.

    Parameters
    ----------
    first : int
        The first of the words.
    starts : ndarray of shape (n_rows + 1,), int64
    positions, documents : ndarray of shape (n_places,), int64 and int32
        As of `Places`.
    capacity : int
        More than there can be entries.
    """

    first: int
    starts: Counts
    positions: Counts
    documents: npt.NDArray[np.int32]
    capacity: int


@dataclass(frozen=True, slots=True)
class Places:
    """Where some words stand in the corpus.

    Parameters
    ----------
    first, last : int
        The words from `first` to `last` - 1.
    starts : ndarray of shape (last - first + 1,), int64
        The places of word ``first + i`` are ``starts[i]`` to ``starts[i + 1] - 1``.
    positions : ndarray of shape (n_places,), int64
        Numbers of tokens, rising for each word.
    documents : ndarray of shape (n_places,), int32
        The document that each is in.
    """

    first: int
    last: int
    starts: Counts
    positions: Counts
    documents: npt.NDArray[np.int32]

    def run(self, start: int, stop: int, capacity: int) -> Run:
        """Take the places of the words ``first + start`` to ``first + stop - 1``."""
        span = slice(self.starts[start], self.starts[stop])
        return Run(
            self.first + start,
            self.starts[start : stop + 1] - self.starts[start],
            self.positions[span],
            self.documents[span],
            capacity,
        )

    @classmethod
    def of_words(
        cls, corpus: Ragged, counts: Counts, first: int, last: int, n_threads: int
    ) -> Self:
        """Look through the corpus; each thread notes the places of its own words."""
        starts = np.concatenate([[0], np.cumsum(counts[first:last])])
        positions = np.empty(starts[-1], dtype=np.int64)
        documents = np.empty(starts[-1], dtype=np.int32)
        cursor = np.zeros(len(counts), dtype=np.int64)
        cursor[first:last] = starts[:-1]
        goals = np.linspace(0, starts[-1], n_threads + 1)[1:-1]
        inner = first + np.searchsorted(starts, goals)
        shares = np.concatenate([[first], inner, [last]])
        with threads(n_threads) as thread_map:
            for start in range(0, len(corpus.values), _TOKENS_AT_ONCE):
                stop = min(start + _TOKENS_AT_ONCE, len(corpus.values))
                before = np.searchsorted(corpus.offsets, start, side="right")
                document = int(before) - 1

                def note(
                    share: int, span: tuple[int, int, int] = (document, start, stop)
                ) -> None:
                    list_places(
                        corpus.values, corpus.offsets, *span, shares[share],
                        shares[share + 1], cursor, positions, documents,
                    )  # fmt: skip

                list(thread_map(note, range(n_threads)))
        return cls(first, last, starts, positions, documents)


def word_counts(corpus: Ragged, n_words: int) -> Counts:
    """Count how often each word occurs; shape (n_words,)."""
    counts = np.zeros(n_words, dtype=np.int64)
    # Numpy makes a larger copy of what it counts.
    for start in range(0, len(corpus.values), _TOKENS_AT_ONCE):
        ids = corpus.values[start : start + _TOKENS_AT_ONCE]
        counts += np.bincount(ids, minlength=n_words)
    return counts


def row_blocks(counts: Counts, max_memory: float) -> Iterator[tuple[int, int]]:
    """Divide the words into runs whose places fit into memory, a word at least.

    Parameters
    ----------
    counts : ndarray of shape (n_words,), int64
    max_memory : float
        In bytes.

    Yields
    ------
    first, last : int

    Examples
    --------
    >>> list(row_blocks(np.array([9, 2, 2, 1]), 48))
    [(0, 1), (1, 3), (3, 4)]
    """
    return _runs(counts, max_memory / _BYTES_PER_PLACE)


def count_blocks(
    corpus: Ragged,
    places: Places,
    windows: Windows,
    counts: Counts,
    n_threads: int,
    max_memory: float,
    processes: Map | None = None,
) -> Iterator[Sums]:
    """Count the words around the words of some places.

    Parameters
    ----------
    corpus : Ragged of int32
    places : Places
    windows : Windows
    counts : ndarray of shape (n_words,), int64
    n_threads : int
    max_memory : float
        In bytes; a sixteenth of it is for what the threads are at.
    processes : callable or None
        From `skembed._processes.process_map`, to count in instead of threads.

    Yields
    ------
    entries : Sums
        Of a run of rows after the other.
    """
    n_words = len(counts)
    reach = (len(windows.steps) - 1) * (2 if windows.symmetric else 1)
    # A row has no more entries than this.
    bounds = np.minimum(counts[places.first : places.last] * reach, n_words)
    most = min(max_memory / (16 * _BYTES_PER_ENTRY * 3 * n_threads), _MOST_ENTRIES)
    runs = (
        places.run(first, last, int(bounds[first:last].sum()) + 1)
        for first, last in _runs(bounds, most)
    )
    shared = (corpus.values.reshape(-1, 1), corpus.offsets, n_words, *windows)
    if processes is not None:
        yield from processes(_count_run, runs, *shared)
        return
    with threads(n_threads) as thread_map:
        yield from thread_map(partial(_count_run, *shared), runs)


def _count_run(
    ids: npt.NDArray[np.int32],
    offsets: Counts,
    n_words: int,
    steps: Counts,
    symmetric: bool,
    document_weight: npt.NDArray[np.float64],
    run: Run,
) -> Sums:
    """Count the words around the words of one run."""
    entries = Sums(
        np.empty(run.capacity, np.int32),
        np.empty(run.capacity, np.int32),
        np.empty(run.capacity, np.int64),
    )
    n = count_rows(
        ids, offsets, run.positions, run.documents, run.starts, run.first, steps,
        symmetric, document_weight, np.zeros(n_words, np.int64),
        np.zeros(n_words // 64 + 1, np.uint64), *entries,
    )  # fmt: skip
    rows, columns, values = entries
    return Sums(rows[:n], columns[:n], values[:n])


def _runs(sizes: Counts, most: float) -> Iterator[tuple[int, int]]:
    """Divide things of these sizes into runs of at most `most`, or of one thing."""
    total = np.concatenate([[0], np.cumsum(sizes)])
    start = 0
    while start < len(sizes):
        stop = int(np.searchsorted(total, total[start] + most, side="right")) - 1
        stop = max(stop, start + 1)
        yield start, stop
        start = stop
