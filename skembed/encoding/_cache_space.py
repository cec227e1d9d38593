"""The part of a feature cache that belongs to one model."""

import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from filelock import FileLock, Timeout

from skembed.encoding._cache_files import keep_within
from skembed.encoding._cache_warnings import describe, warn_not_kept
from skembed.encoding._digest import N_BYTES
from skembed.encoding._shard import DIGESTS, write_shard
from skembed.encoding._shard_index import MISSING, ShardIndex


class FeatureSpace:
    """The features of texts under one model, as `FeatureCache.space` gives them.

    What a process knows of the files is shared by all spaces of the same folder.

    Parameters
    ----------
    root : Path
        Folder of the cache.
    key : str
        Name of the folder in it.
    max_bytes : int or None
        Bound of the whole cache.
    """

    def __init__(self, root: Path, key: str, max_bytes: int | None) -> None:
        self._root = root
        self._max_bytes = max_bytes
        self._folder = root / key
        self._index = _index_of(self._folder, os.getpid())

    @contextmanager
    def claim(self, part: int, *, wait: bool) -> Iterator[bool]:
        """Ask other processes to leave a part of the texts to this one.

        Writing needs no claim: it only spares two processes the same work. Where
        nothing can be written, everything is granted.

        Parameters
        ----------
        part : int
            What is claimed.
        wait : bool
            Whether to wait for another process that has claimed it.

        Yields
        ------
        is_granted : bool
        """
        lock = FileLock(self._folder / f".claim-{part}")
        is_granted = True
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=-1 if wait else 0)
        except Timeout:
            is_granted = False
        except OSError as error:
            warn_not_kept(self._root, describe(error))
        try:
            yield is_granted
        finally:
            lock.release()

    def find(
        self, digests: npt.NDArray[np.uint8], names: Collection[str] = ()
    ) -> npt.NDArray[np.int64]:
        """Look texts up, among all that any process has written by now.

        Parameters
        ----------
        digests : ndarray of shape (n_texts, 16), uint8
            From `digest_texts`.
        names : collection of str
            The arrays that are needed. A text counts as missing that has not all of
            them in one file.

        Returns
        -------
        places : ndarray of shape (n_texts,), int64
            To be given to `read`, in this process. -1 where the text is missing.
        """
        _check_digests(digests)
        self._index.refresh()
        return self._index.find(digests, names)

    def read(
        self,
        places: npt.NDArray[np.int64],
        name: str,
        *,
        out: npt.NDArray[np.float32] | None = None,
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
        """Copy the rows of one array, in any order.

        A text that was found can be missing here, if its file has been removed since,
        or proves to be damaged. Its row is as if it had not been found.

        Parameters
        ----------
        places : ndarray of shape (n_texts,), int64
            From `find`, with this name, or `write`.
        name : str
        out : ndarray of shape (n_texts, width), float32, or None
            Where to write the rows. None: a new array.

        Returns
        -------
        rows : ndarray of shape (n_texts, width), float32
            `out`, or a new array. Rows that could not be read are left as they are, or
            zero; the width of a new array is 0 if none could be.
        is_read : ndarray of shape (n_texts,), bool
            Which rows could be read.

        Raises
        ------
        ValueError
            If one of the places has no array of this name, or `out` another shape.
        """
        rows, is_read = self._index.read(places, name, out)
        if rows is None:
            rows = np.zeros((len(places), 0), dtype=np.float32)
        return rows, is_read

    def write(
        self,
        digests: npt.NDArray[np.uint8],
        arrays: Mapping[str, npt.NDArray[np.float32]],
    ) -> npt.NDArray[np.int64]:
        """Keep the features of some texts, in one file.

        The fewer and larger the files, the faster they are found: a batch at once. A
        text that is there already does no harm. When this returns, the features are on
        the disk, and the cache is within its bound.

        Parameters
        ----------
        digests : ndarray of shape (n_texts, 16), uint8
        arrays : mapping of str to ndarray of shape (n_texts, width), float32

        Returns
        -------
        places : ndarray of shape (n_texts,), int64
            To be given to `read`. All are -1 if nothing could be kept: because of the
            disk, or as the file would alone be larger than the bound. A warning says so
            once.

        Raises
        ------
        ValueError
            If shapes or dtypes do not agree with the above.
        """
        _check_digests(digests)
        _check_arrays(len(digests), arrays)
        nothing = np.full(len(digests), MISSING)
        if not len(digests):
            return nothing
        try:
            shard = write_shard(self._folder, digests, arrays, self._max_bytes)
        except OSError as error:
            warn_not_kept(self._root, describe(error))
            return nothing
        places = self._index.add(shard, digests)
        keep_within(self._root, self._max_bytes, shard.path, shard.n_bytes)
        return places


@lru_cache(maxsize=16)
def _index_of(folder: Path, pid: int) -> ShardIndex:  # noqa: ARG001
    # By process, as a lock that another thread holds stays locked after a fork.
    return ShardIndex(folder)


def _check_digests(digests: npt.NDArray[Any]) -> None:
    if digests.dtype != np.uint8 or digests.shape[1:] != (N_BYTES,):
        msg = (
            f"digests must be uint8 of shape (n_texts, {N_BYTES}), as `digest_texts` "
            f"gives, got {digests.dtype} of shape {digests.shape}."
        )
        raise ValueError(msg)


def _check_arrays(n_texts: int, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    for name, array in arrays.items():
        if name in {"", DIGESTS, "__metadata__"}:
            msg = f"An array cannot have the name {name!r}. Choose another."
            raise ValueError(msg)
        if array.dtype != np.float32 or array.ndim != 2 or len(array) != n_texts:
            msg = (
                f"The array {name!r} must be float32 of shape ({n_texts}, width), one "
                f"row for each digest, got {array.dtype} of shape {array.shape}."
            )
            raise ValueError(msg)
