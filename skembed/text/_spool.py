"""Collecting an encoded corpus, on disk if it has become too large for memory."""

import os
from contextlib import suppress
from mmap import mmap
from tempfile import TemporaryFile, gettempdir
from typing import IO, Self

import numpy as np
import numpy.typing as npt

from skembed._ragged import Ragged
from skembed.text._kernels import renumber

_MAX_TOKENS_IN_MEMORY = 1 << 28


class Spool:
    """Encoded documents, appended batch by batch.

    A context: `collect` what was appended before it ends.

    Parameters
    ----------
    directory : path or None
        Where the temporary file is made, once there are more than `max_in_memory`
        tokens. None: the default folder of `tempfile`.
    max_in_memory : int

    Notes
    -----
    The file has no name (on Windows: is deleted when closed). So it is gone as soon as
    the process, or the last array that shows it, is.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str] | None = None,
        max_in_memory: int = _MAX_TOKENS_IN_MEMORY,
    ) -> None:
        self._directory = directory
        self._max_in_memory = max_in_memory
        self._lengths = [np.zeros(1, dtype=np.int64)]
        self._n_tokens = 0
        self._ids = np.empty(0, dtype=np.int32)
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._file is not None:
            # What a full disk did not take has been reported when it was written.
            with suppress(OSError):
                self._file.close()

    def append(self, corpus: Ragged) -> None:
        """Copy documents, a Ragged of int32, to the end."""
        self._lengths.append(corpus.lengths)
        start, stop = self._n_tokens, self._n_tokens + len(corpus.values)
        if self._file is None and stop > self._max_in_memory:
            self._file = TemporaryFile(dir=self._directory)  # noqa: SIM115
            self._write(self._ids[:start], self._file)
            self._ids = np.empty(0, dtype=np.int32)
        if self._file is not None:
            self._write(corpus.values, self._file)
        else:
            if stop > len(self._ids):
                # The system moves large arrays without copying them.
                self._ids.resize(max(stop, start + start // 8), refcheck=False)
            self._ids[start:stop] = corpus.values
        self._n_tokens = stop

    def _write(self, ids: npt.NDArray[np.int32], file: IO[bytes]) -> None:
        try:
            file.write(ids.data)
            file.flush()
        except OSError as error:
            folder = self._directory or gettempdir()
            mend = (
                "Pass a spool_dir"
                if self._directory
                else "Start Python with the environment variable TMPDIR set to a folder"
            )
            msg = (
                f"{error.strerror}: the temporary file for {self._n_tokens} token ids "
                f"could not grow in {folder}. {mend} with more room."
            )
            raise OSError(error.errno, msg) from error

    def collect(self, new_ids: npt.NDArray[np.int32] | None = None) -> Ragged:
        """Give the documents back; the spool is of no more use then.

        Parameters
        ----------
        new_ids : ndarray of shape (n_words,), int32, or None
            What replaces each id, -1 to drop it. None: the ids stay as they are.

        Returns
        -------
        corpus : Ragged of int32
            Its values are mapped from the file, if there is one.
        """
        lengths = np.concatenate(self._lengths)
        offsets = np.cumsum(lengths, out=lengths)
        ids = self._ids
        if self._file is not None:
            # Not a numpy.memmap: joblib hands those on by the name of their file.
            ids = np.frombuffer(mmap(self._file.fileno(), 0), dtype=np.int32)
        if new_ids is not None:
            renumber(ids, offsets, new_ids)
        if self._file is None:
            ids.resize(int(offsets[-1]), refcheck=False)
        return Ragged(ids[: offsets[-1]], offsets)
