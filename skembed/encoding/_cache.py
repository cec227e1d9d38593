"""Features kept on disk by what they are a function of: the model and the text."""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from skembed.encoding._cache_files import remove_shards, shard_files, space_folders
from skembed.encoding._cache_space import FeatureSpace
from skembed.encoding._shard_index import ShardIndex

_FOLDER = "skembed-features"
_KEY = re.compile(r"[0-9a-f]{1,128}")
_SIZE = re.compile(r"\s*(\d+(?:\.\d*)?)\s*([kmgt]?)(i?)b?\s*", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


@dataclass(frozen=True)
class CacheInfo:
    """What a feature cache, or one space of it, holds.

    Parameters
    ----------
    n_texts : int
        Number of different texts; the same text counts again in another space.
    n_shards : int
        Number of files that can be read.
    n_bytes : int
        Size of all files.
    n_ignored : int
        Number of files that are damaged, or were written by another version.
    spaces : dict of str to CacheInfo
        The same for each space of a cache, by its key.
    """

    n_texts: int = 0
    n_shards: int = 0
    n_bytes: int = 0
    n_ignored: int = 0
    spaces: dict[str, "CacheInfo"] = field(default_factory=dict)


@dataclass(frozen=True)
class FeatureCache:
    """Features of texts, kept in a folder for all processes that use it.

    A cache has a space for each model. A space has, for each text, arrays of features
    with names. They are kept in immutable files, each of many texts. Files that have
    not been read for longest are removed when all spaces together grow too large.

    Making a `FeatureCache` does not look at the folder, and pickling it keeps its
    parameters alone.

    Parameters
    ----------
    location : str or path-like
        A folder, made when something is written. Its subfolder ``skembed-features`` is
        the cache's own.
    max_size : int, str or None, default="10 GB"
        Bound of the size of all files, in bytes or as ``"500 MB"``; GB are powers of
        1,000, GiB of 1,024. None: no bound.

    Raises
    ------
    ValueError
        If `max_size` is no size.

    Notes
    -----
    Any number of processes may write, read and clear at once, and be killed at any
    moment: a file appears under its name when it is whole. What cannot be written (the
    disk is full, the folder read-only) is not kept, which is said once, and goes on
    without an error.

    Each array of a file is read whole and compared with its checksum when a process
    first asks for a row of it. That is one read, at the speed of CRC-32: 1 to 8 GB/s.
    Damaged files and those of another version are ignored, the former with one warning,
    until they are the oldest.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> from skembed.encoding import digest_texts
    >>> digests = digest_texts(["one text", "another"])
    >>> with TemporaryDirectory() as folder:
    ...     space = FeatureCache(folder, max_size="500 MB").space("0123abcd")
    ...     _ = space.write(digests, {"mean.1": np.eye(2, dtype=np.float32)})
    ...     places = space.find(digests[::-1], ["mean.1"])
    ...     rows, is_read = space.read(places, "mean.1")
    >>> rows
    array([[0., 1.],
           [1., 0.]], dtype=float32)
    """

    location: str | os.PathLike[str]
    max_size: int | str | None = "10 GB"

    def __post_init__(self) -> None:
        _n_bytes(self.max_size)

    @property
    def _root(self) -> Path:
        return Path(self.location).expanduser().absolute() / _FOLDER

    def space(self, key: str) -> FeatureSpace:
        """Return the part of the cache for one model and its settings.

        Parameters
        ----------
        key : str
            A digest, in hexadecimal, of all that the features depend on but the text.

        Returns
        -------
        space : FeatureSpace

        Raises
        ------
        ValueError
            If `key` is not hexadecimal, in lower case.
        """
        return FeatureSpace(self._root, _checked_key(key), _n_bytes(self.max_size))

    def info(self) -> CacheInfo:
        """Count what is kept now.

        Returns
        -------
        info : CacheInfo

        Examples
        --------
        >>> FeatureCache("a folder that is not there").info()
        CacheInfo(n_texts=0, n_shards=0, n_bytes=0, n_ignored=0, spaces={})
        """
        spaces = {path.name: _info(path) for path in space_folders(self._root)}
        counts = ("n_texts", "n_shards", "n_bytes", "n_ignored")
        totals = {k: sum(getattr(x, k) for x in spaces.values()) for k in counts}
        return CacheInfo(**totals, spaces=spaces)

    def clear(self, key: str | None = None) -> None:
        """Remove what is kept, of one space or of all.

        Processes that have opened a file go on reading it; for others, its texts are
        missing from now on.

        Parameters
        ----------
        key : str or None
            Of the space. None: all of them.

        Raises
        ------
        ValueError
            If `key` is not hexadecimal, in lower case.
        OSError
            If a file cannot be removed.
        """
        if key is None:
            folders = space_folders(self._root)
        else:
            folders = [self._root / _checked_key(key)]
        for folder in folders:
            remove_shards(folder)


def _info(folder: Path) -> CacheInfo:
    index = ShardIndex(folder)
    index.refresh()
    # One that is removed meanwhile has no size.
    sizes = [_size(Path(entry.path)) for entry in shard_files(folder)]
    return CacheInfo(index.n_texts(), index.n_shards, sum(sizes), index.n_ignored)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _checked_key(key: str) -> str:
    if not _KEY.fullmatch(key):
        msg = f"key must be a digest in hexadecimal, such as '09af', got {key!r}."
        raise ValueError(msg)
    return key


def _n_bytes(max_size: int | str | None) -> int | None:
    if max_size is None or (type(max_size) is int and max_size > 0):
        return max_size
    match = _SIZE.fullmatch(max_size) if isinstance(max_size, str) else None
    if match is None:
        msg = (
            "max_size must be a number of bytes above 0, a str such as '500 MB' or "
            f"'10 GB', or None, got {max_size!r}."
        )
        raise ValueError(msg)
    number, unit, binary = match.groups()
    return int(float(number) * (1024 if binary else 1000) ** _POWERS[unit.lower()])
