"""What the readers make: words and a matrix, grown block by block."""

import os
import warnings
from collections.abc import Collection
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from skembed._stacklevel import stacklevel_outside
from skembed.formats._errors import FormatError


class WordTable(NamedTuple):
    """Words with their vectors, as a file holds them.

    Parameters
    ----------
    words : list of str
        All different.
    vectors : ndarray of shape (n_words, vector_size), float32
        All finite.
    counts : ndarray of shape (n_words,), int64, or None
        How often the words occurred, if the file says so.
    """

    words: list[str]
    vectors: npt.NDArray[np.float32]
    counts: npt.NDArray[np.int64] | None = None


class TableBuilder:
    """Collects the rows of a file that are wanted, the first of each word.

    Parameters
    ----------
    path : str or path-like
        For messages.
    vector_size : int
    n_rows : int
        How many rows to have room for at the beginning. Nothing that a file merely
        claims: this much memory is taken.
    limit : int or None
        How many rows of the file to look at.
    vocabulary : collection of str, or None
        The words that are wanted; None for all.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        vector_size: int,
        *,
        n_rows: int,
        limit: int | None,
        vocabulary: Collection[str] | None,
    ) -> None:
        self.path = path
        self.vector_size = vector_size
        self.n_seen = 0
        self._limit = limit
        self._wanted = None if vocabulary is None else frozenset(vocabulary)
        if self._wanted is not None:
            n_rows = min(n_rows, len(self._wanted))
        self._words: list[str] = []
        self._known: set[str] = set()
        self._n_duplicates = 0
        self._vectors = np.empty((n_rows, vector_size), dtype=np.float32)

    @property
    def n_open(self) -> int | None:
        """How many more rows of the file to look at; None for all of them."""
        if self._wanted is not None and len(self._known) == len(self._wanted):
            return 0
        return None if self._limit is None else self._limit - self.n_seen

    def select(self, words: list[str]) -> npt.NDArray[np.int64]:
        """Take the words of the next rows; return which of these rows to keep."""
        self.n_seen += len(words)
        kept = []
        for i, word in enumerate(words):
            if self._wanted is not None and word not in self._wanted:
                continue
            if word in self._known:
                self._n_duplicates += 1
                continue
            self._known.add(word)
            self._words.append(word)
            kept.append(i)
        return np.array(kept, dtype=np.int64)

    def rows(self, n_rows: int) -> npt.NDArray[np.float32]:
        """Room for the vectors of the words that were last selected, to be filled."""
        stop = len(self._words)
        if stop > len(self._vectors):
            capacity = max(stop, len(self._vectors) * 3 // 2)
            self._resize(capacity)
        return self._vectors[stop - n_rows : stop]

    def finish(self) -> WordTable:
        """Return what was collected, and warn if words came twice."""
        if self._n_duplicates:
            msg = (
                f"{os.fspath(self.path)}: {self._n_duplicates} rows repeat a word; the "
                "first row of each word is kept."
            )
            warnings.warn(msg, UserWarning, stacklevel=stacklevel_outside())
        self._resize(len(self._words))
        return WordTable(self._words, self._vectors)

    def _resize(self, n_rows: int) -> None:
        # In place, as a copy would double the memory; no view of it is in use.
        self._vectors.resize((n_rows, self._vectors.shape[1]), refcheck=False)


def check_limit(limit: int | None) -> None:
    """Raise a ValueError for a limit that is no number of rows."""
    if limit is not None and limit < 0:
        msg = f"limit must be None or an int >= 0, got {limit!r}."
        raise ValueError(msg)


def expect_finite(
    path: str | os.PathLike[str],
    vectors: npt.NDArray[np.float32],
    words: list[str],
    rows: npt.NDArray[np.int64],
) -> None:
    """Raise a FormatError that names the first of the `rows` with NaN or infinity."""
    finite = np.isfinite(vectors)
    if not finite.all():
        row = int(np.argmin(finite.all(axis=1)))
        column = int(np.argmin(finite[row]))
        raise FormatError(
            path,
            expected="finite numbers",
            found=f"{vectors[row, column]} in row {rows[row]} ({words[row]!r})",
        )
