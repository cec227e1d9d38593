"""Which shard holds which text: what one process knows of the shards of a space."""

import threading
from collections import OrderedDict
from collections.abc import Collection, Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from skembed.encoding._cache_files import shard_files
from skembed.encoding._cache_warnings import warn_damaged
from skembed.encoding._digest import N_BYTES
from skembed.encoding._shard import ForeignShardError, Shard, open_shard
from skembed.formats import FormatError

MISSING = -1
# A place is the number of a shard, counted in this process, and a row.
_ROW_BITS = 32
_ROW_MASK = (1 << _ROW_BITS) - 1
# Each mapped file takes one of the files that a process may open: often 1,024, or 256.
_MAX_MAPPED = 64


class _Table:
    """The places of digests, in all shards that hold arrays of the same names."""

    def __init__(self) -> None:
        self._keys = np.empty(0, dtype=f"S{N_BYTES}")
        self._places = np.empty(0, dtype=np.int64)
        self._new: list[tuple[npt.NDArray[np.bytes_], npt.NDArray[np.int64]]] = []

    def add(self, keys: npt.NDArray[np.bytes_], places: npt.NDArray[np.int64]) -> None:
        """Note where digests are; sorting them waits until somebody looks for one."""
        self._new.append((keys, places))

    def drop(self, numbers: list[int]) -> None:
        """Forget these shards."""
        self.merge()
        kept = ~np.isin(self._places >> _ROW_BITS, numbers)
        self._keys, self._places = self._keys[kept], self._places[kept]

    def find(self, keys: npt.NDArray[np.bytes_]) -> npt.NDArray[np.int64]:
        """Return the place of each digest, or `MISSING`."""
        self.merge()
        if not len(self._keys):
            return np.full(len(keys), MISSING)
        at = np.searchsorted(self._keys, keys)
        at[at == len(self._keys)] = 0
        return np.where(self._keys[at] == keys, self._places[at], MISSING)

    def merge(self) -> npt.NDArray[np.bytes_]:
        """Sort what was added into the rest; return all digests."""
        if self._new:
            keys, places = zip((self._keys, self._places), *self._new, strict=True)
            self._keys, self._places = np.concatenate(keys), np.concatenate(places)
            order = np.argsort(self._keys, kind="stable")
            self._keys, self._places = self._keys[order], self._places[order]
            self._new = []
        return self._keys


class ShardIndex:
    """The shards of one folder, followed while other processes add and remove some.

    Several threads may use one. Each process has its own: see `FeatureSpace`.

    Parameters
    ----------
    folder : Path

    Attributes
    ----------
    n_ignored : int
        Number of files that are damaged or of another version.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.RLock()
        self._shards: dict[int, Shard] = {}
        self._numbers: dict[str, int] = {}
        self._n_numbered = 0
        self._tables: dict[frozenset[str], _Table] = {}
        self._mapped: OrderedDict[int, Shard] = OrderedDict()
        # The number that the file system gives to a file, so that another of the same
        # name, which replaces it, is looked at again.
        self._ignored: dict[str, int] = {}

    @property
    def n_ignored(self) -> int:
        return len(self._ignored)

    @property
    def n_shards(self) -> int:
        """Number of shards that can be read."""
        return len(self._shards)

    def n_texts(self) -> int:
        """Count the different texts of all shards."""
        with self._lock:
            keys = [table.merge() for table in self._tables.values()]
        return len(np.unique(np.concatenate(keys))) if keys else 0

    def refresh(self) -> None:
        """Look which shards there are now."""
        with self._lock:
            files = {entry.name: entry.inode() for entry in shard_files(self._folder)}
            self._drop([name for name in self._numbers if name not in files])
            self._ignored = {k: v for k, v in self._ignored.items() if k in files}
            for name in sorted(files.keys() - self._numbers.keys()):
                if self._ignored.get(name) != files[name]:
                    self._open(name, files[name])

    def _open(self, name: str, inode: int) -> None:
        path = self._folder / name
        try:
            self._add(*open_shard(path))
        except FormatError as error:
            self._ignored[name] = inode
            warn_damaged(path, str(error))
        except ForeignShardError:
            self._ignored[name] = inode
        except OSError:
            # Removed since it was listed, or not to be read just now: next time.
            return

    def add(
        self, shard: Shard, digests: npt.NDArray[np.uint8]
    ) -> npt.NDArray[np.int64]:
        """Take in a shard that this process has written; return where its texts are.

        Parameters
        ----------
        shard : Shard
        digests : ndarray of shape (n_texts, 16), uint8

        Returns
        -------
        places : ndarray of shape (n_texts,), int64
        """
        with self._lock:
            # The same content has the same name: what was there, if anything was, has
            # been replaced by itself, or by something better if it was damaged.
            self._drop([shard.path.name])
            return self._add(shard, digests)

    def _add(
        self, shard: Shard, digests: npt.NDArray[np.uint8]
    ) -> npt.NDArray[np.int64]:
        number = self._n_numbered
        self._n_numbered += 1
        self._shards[number] = shard
        self._numbers[shard.path.name] = number
        places = (number << _ROW_BITS) + np.arange(shard.n_texts)
        self._tables.setdefault(shard.names, _Table()).add(as_keys(digests), places)
        return places

    def _drop(self, names: list[str]) -> None:
        numbers = [self._numbers.pop(name) for name in names if name in self._numbers]
        if not numbers:
            return
        for number in numbers:
            del self._shards[number]
            self._mapped.pop(number, None)
        for table in self._tables.values():
            table.drop(numbers)

    def find(
        self, digests: npt.NDArray[np.uint8], names: Collection[str]
    ) -> npt.NDArray[np.int64]:
        """Look texts up in the shards that have arrays of all these names.

        Parameters
        ----------
        digests : ndarray of shape (n_texts, 16), uint8
        names : collection of str

        Returns
        -------
        places : ndarray of shape (n_texts,), int64
            `MISSING` where there is none.
        """
        keys, wanted = as_keys(digests), frozenset(names)
        places = np.full(len(keys), MISSING)
        with self._lock:
            for held, table in self._tables.items():
                if wanted <= held:
                    rest = np.flatnonzero(places == MISSING)
                    places[rest] = table.find(keys[rest])
        return places

    def read(
        self,
        places: npt.NDArray[np.int64],
        name: str,
        out: npt.NDArray[np.float32] | None,
    ) -> tuple[npt.NDArray[np.float32] | None, npt.NDArray[np.bool_]]:
        """Copy rows of one array to `out`, or to a new array of zeros.

        Returns
        -------
        out : ndarray of shape (n_places, width), float32, or None
            None if it was None, and no row could be read.
        is_read : ndarray of shape (n_places,), bool
        """
        is_read = np.zeros(len(places), dtype=np.bool_)
        for number, chosen in _by_shard(places):
            values = self._rows(number, name)
            if values is not None:
                if out is None:
                    shape = len(places), values.shape[1]
                    out = np.zeros(shape, dtype=np.float32)
                out[chosen] = values[places[chosen] & _ROW_MASK]
                is_read[chosen] = True
        return out, is_read

    def _rows(self, number: int, name: str) -> npt.NDArray[np.float32] | None:
        """Map an array of a shard, or None if the shard is not to be had any more."""
        with self._lock:
            shard = self._shards.get(number)
            if shard is None:
                return None
            if name not in shard.names:
                msg = (
                    f"The places must be of texts with an array {name!r}, got one with "
                    f"{sorted(shard.names)}. Give the names to `find`."
                )
                raise ValueError(msg)
            try:
                rows = shard.rows(name)
            except FormatError as error:
                self._ignore(shard)
                warn_damaged(shard.path, str(error))
                return None
            except OSError:
                # Removed since it was found.
                self._drop([shard.path.name])
                return None
            self._note_use(number, shard)
            return rows

    def _ignore(self, shard: Shard) -> None:
        self._drop([shard.path.name])
        with suppress(OSError):
            self._ignored[shard.path.name] = shard.path.stat().st_ino

    def _note_use(self, number: int, shard: Shard) -> None:
        self._mapped[number] = shard
        self._mapped.move_to_end(number)
        if len(self._mapped) > _MAX_MAPPED:
            _, unused = self._mapped.popitem(last=False)
            unused.unmap()


def as_keys(digests: npt.NDArray[np.uint8]) -> npt.NDArray[np.bytes_]:
    """View digests (n, 16) as numpy's strings (n,), which it can sort and compare.

    It leaves zeros at the end of a string out when it shows one, but compares them.
    """
    return np.ascontiguousarray(digests).view(f"S{N_BYTES}").ravel()


def _by_shard(
    places: npt.NDArray[np.int64],
) -> Iterator[tuple[int, npt.NDArray[np.int64]]]:
    """Give the number of each shard, and which of the places are in it, by row."""
    order = np.argsort(places, kind="stable")
    numbers = places[order] >> _ROW_BITS
    changes = np.flatnonzero(numbers[1:] != numbers[:-1]) + 1
    for start, stop in pairwise([0, *changes.tolist(), len(places)]):
        if start < stop and numbers[start] >= 0:
            yield int(numbers[start]), order[start:stop]
