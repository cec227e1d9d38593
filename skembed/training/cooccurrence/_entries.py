"""The entries of a sparse matrix, and where they are collected."""

import os
from contextlib import suppress
from mmap import mmap
from tempfile import TemporaryFile, gettempdir
from typing import IO, Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

# Entries of which each column is mapped by itself, and not cut from a heap that keeps
# what it has grown to. Memory that is not written to is not taken.
_MAPPED = 1 << 23


class Cooccurrences(NamedTuple):
    """How often words stand near one another: the cells that are not 0.

    Parameters
    ----------
    rows, columns : ndarray of shape (n_entries,), int32
        A word, and the word in its context; sorted by row, then by column, no cell
        twice.
    values : ndarray of shape (n_entries,), float32
        The weighted counts, all positive.
    """

    rows: npt.NDArray[np.int32]
    columns: npt.NDArray[np.int32]
    values: npt.NDArray[np.float32]


class PartialCounts(NamedTuple):
    """Exact co-occurrence counts of a part of a corpus, for `merge_counts`.

    Parameters
    ----------
    rows, columns : ndarray of shape (n_entries,), int32
        As of `Cooccurrences`.
    sums : ndarray of shape (n_entries,), int64
        The weighted counts in whole units, all positive.
    unit : float
        The sum that counts as 1.
    """

    rows: npt.NDArray[np.int32]
    columns: npt.NDArray[np.int32]
    sums: npt.NDArray[np.int64]
    unit: float


class EntryStore:
    """Collects entries in memory, and on disk once there are too many.

    A context: `collect` what was appended before it ends.

    Parameters
    ----------
    dtype : type
        That of the entries' values.
    max_memory : float
        What takes more bytes goes to temporary files.
    directory : path or None
        Where the files are made. None: the default folder of `tempfile`.

    Notes
    -----
    The files have no name (on Windows: are deleted when closed). So they are gone as
    soon as the process, or the last array that shows them, is.
    """

    def __init__(
        self,
        dtype: type[np.generic],
        max_memory: float,
        directory: str | os.PathLike[str] | None = None,
    ) -> None:
        self._directory = directory
        self._n = 0
        kinds = np.dtype(np.int32), np.dtype(np.int32), np.dtype(dtype)
        self._max_in_memory = int(max_memory) // sum(kind.itemsize for kind in kinds)
        room = min(_MAPPED, self._max_in_memory)
        self._columns: list[npt.NDArray[Any]] = [np.empty(room, kind) for kind in kinds]
        self._files: list[IO[bytes]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        for file in self._files:
            # What a full disk did not take has been reported when it was written.
            with suppress(OSError):
                file.close()

    def append(self, *columns: npt.NDArray[Any]) -> None:
        """Copy the rows, columns and values of entries to the end."""
        start, stop = self._n, self._n + len(columns[0])
        if not self._files and stop > self._max_in_memory:
            self._move_to_files()
        if self._files:
            self._write(columns)
        else:
            self._copy(columns, start, stop)
        self._n = stop

    def _copy(
        self, columns: tuple[npt.NDArray[Any], ...], start: int, stop: int
    ) -> None:
        for have, new in zip(self._columns, columns, strict=True):
            if stop > len(have):
                # The system moves mapped arrays without copying them.
                have.resize(max(stop, start + start // 8), refcheck=False)
            have[start:stop] = new

    def _move_to_files(self) -> None:
        for _ in self._columns:
            # The list is the context's to close.
            self._files.append(TemporaryFile(dir=self._directory))  # noqa: SIM115
        self._write(tuple(column[: self._n] for column in self._columns))
        self._columns = [np.empty(0, column.dtype) for column in self._columns]

    def _write(self, columns: tuple[npt.NDArray[Any], ...]) -> None:
        try:
            for file, column in zip(self._files, columns, strict=True):
                file.write(np.ascontiguousarray(column).data)
                file.flush()
        except OSError as error:
            folder = self._directory or gettempdir()
            msg = (
                f"{error.strerror}: the temporary files for co-occurrence counts, "
                f"{self._n} so far, could not grow in {folder}. Raise max_memory, or "
                "start Python with the environment variable TMPDIR set to a folder "
                "with more room."
            )
            raise OSError(error.errno, msg) from error

    def collect(self) -> list[npt.NDArray[Any]]:
        """Give the entries back; the store is of no more use then.

        Returns
        -------
        rows, columns, values : ndarray of shape (n_entries,)
            Mapped from the files, if there are any.
        """
        if not self._files:
            for column in self._columns:
                column.resize(self._n, refcheck=False)
            return self._columns
        # Not a numpy.memmap: joblib hands those on by the name of their file.
        return [
            np.frombuffer(mmap(file.fileno(), 0), dtype=column.dtype)
            for file, column in zip(self._files, self._columns, strict=True)
        ]
