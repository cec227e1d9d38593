"""The files of a feature cache: which there are, and which have to go.

``root/<key of a space>/<name>.safetensors`` are shards. Processes add and remove them
at any time without a lock: each is made whole by one renaming, is never changed, and is
gone for those only who have not opened it.
"""

import math
import os
import time
from contextlib import suppress
from pathlib import Path

SUFFIX = ".safetensors"
# Longer than anybody takes between two writes to one temporary file.
_STALE_SECONDS = 3600.0
# So many processes may write before they look at the folder again, together filling at
# most the room that each of them saw.
_N_WRITERS = 16

_room: dict[tuple[Path, float], float] = {}


def shard_files(folder: Path) -> list[os.DirEntry[str]]:
    """List the shards in the folder of a space; none if there is no such folder."""
    return [entry for entry in _files(folder) if _is_shard(entry.name)]


def space_folders(root: Path) -> list[Path]:
    """List the folders of the spaces in a cache, sorted."""
    return sorted(Path(entry.path) for entry in _files(root) if entry.is_dir())


def remove_shards(folder: Path) -> None:
    """Remove all shards of a space, and what interrupted writers left."""
    for entry in shard_files(folder):
        Path(entry.path).unlink(missing_ok=True)
    sweep(folder)


def sweep(folder: Path) -> None:
    """Remove the temporary files whose writers must be dead."""
    limit = time.time() - _STALE_SECONDS
    for entry in _files(folder):
        if entry.name.startswith(".") and entry.name.endswith(".tmp"):
            with suppress(OSError):
                if entry.stat(follow_symlinks=False).st_mtime < limit:
                    Path(entry.path).unlink()


def keep_within(root: Path, max_bytes: int | None, new: Path, n_bytes: int) -> None:
    """Remove the least recently used shards if there are more bytes than allowed.

    Parameters
    ----------
    root : Path
    max_bytes : int or None
        Bound of the shards of all spaces together. None: no bound.
    new : Path
        The shard just written, which stays.
    n_bytes : int
        Its size.
    """
    limit = math.inf if max_bytes is None else max_bytes
    room = _room.get((root, limit), -1.0) - n_bytes
    if room < 0:
        room = (limit - _evict(root, limit, new)) / _N_WRITERS
    _room[root, limit] = room


def _evict(root: Path, limit: float, new: Path) -> float:
    """Remove shards, oldest use first, until they fit; return the bytes that remain."""
    shards = []
    for folder in space_folders(root):
        sweep(folder)
        for entry in shard_files(folder):
            # Another process may have removed it since it was listed.
            with suppress(OSError):
                stat = entry.stat(follow_symlinks=False)
                shards.append((stat.st_mtime_ns, entry.path, stat.st_size))
    total = sum(size for *_, size in shards)
    for _, path, size in sorted(shards):
        if total <= limit:
            break
        if path != os.fspath(new) and _is_gone(Path(path)):
            total -= size
    return total


def _is_gone(path: Path) -> bool:
    """Remove a file; whether it is away, whoever did it."""
    try:
        path.unlink(missing_ok=True)
    except OSError:
        # Somebody else's, or in use on a system that then forbids it.
        return False
    return True


def _files(folder: Path) -> list[os.DirEntry[str]]:
    """List a folder; what is not there, or not ours to look at, is empty."""
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []


def _is_shard(name: str) -> bool:
    return name.endswith(SUFFIX) and not name.startswith(".")
