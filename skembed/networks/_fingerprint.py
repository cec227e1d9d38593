"""A short name for the content of a model, by which its features can be kept."""

import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from pathlib import Path

_DIGEST_BYTES = 16
# Parts are digested by several threads; their size is part of what is digested.
_PART_BYTES = 1 << 24
_READ_BYTES = 1 << 20
_MOST_THREADS = 4
_START = b"skembed model files 1"

# Two changes of a file within one tick of its clock leave the same time behind.
_CLOCK_TICK_NS = 1_000_000_000
_MOST_REMEMBERED = 256

_Stamp = tuple[str, str, int, int, int, int]
_remembered: dict[tuple[_Stamp, ...], str] = {}


def fingerprint_files(files: Mapping[str, Path]) -> str:
    """Digest the content of files, under names of their own.

    Where the files are does not matter. They are read once in a process, and again when
    their sizes or times change.

    Parameters
    ----------
    files : mapping of str to Path

    Returns
    -------
    digest : str
        32 hexadecimal digits.

    Raises
    ------
    FileNotFoundError
        If a file has gone.
    """
    named = sorted((name, path.absolute()) for name, path in files.items())
    stamps = tuple((name, *_stamp(path)) for name, path in named)
    if stamps in _remembered:
        return _remembered[stamps]
    with ThreadPoolExecutor(_MOST_THREADS) as threads:
        parts = [
            (name, start, threads.submit(_digest_part, path, start))
            for (name, path), (_, _, size, *_) in zip(named, stamps, strict=True)
            for start in _starts(size)
        ]
    digest = _combine((name, start, part.result()) for name, start, part in parts)
    if _is_old(stamps):
        if len(_remembered) >= _MOST_REMEMBERED:
            _remembered.clear()
        _remembered[stamps] = digest
    return digest


def fingerprint_packed(files: Mapping[str, bytes]) -> str:
    """Digest files in memory; the same as `fingerprint_files` gives for them.

    Parameters
    ----------
    files : mapping of str to bytes

    Returns
    -------
    digest : str
        32 hexadecimal digits.
    """
    return _combine(
        (name, start, _short(memoryview(files[name])[start : start + _PART_BYTES]))
        for name in sorted(files)
        for start in _starts(len(files[name]))
    )


def _starts(size: int) -> range:
    """Return where the parts of a file begin; an empty one has a part, too."""
    return range(0, max(size, 1), _PART_BYTES)


def _combine(parts: Iterable[tuple[str, int, bytes]]) -> str:
    whole = blake2b(_START, digest_size=_DIGEST_BYTES)
    for name, start, digest in parts:
        whole.update(f"{name}\0{start}\0".encode() + digest)
    return whole.hexdigest()


def _short(content: memoryview) -> bytes:
    return blake2b(content, digest_size=_DIGEST_BYTES).digest()


def _stamp(path: Path) -> tuple[str, int, int, int, int]:
    state = path.stat()
    # The second time cannot be set back by who copies files with their times.
    times = state.st_mtime_ns, state.st_ctime_ns
    return (str(path), state.st_size, *times, state.st_ino)


def _is_old(stamps: tuple[_Stamp, ...]) -> bool:
    """Whether a change from now on would show in the stamps."""
    newest = max(max(stamp[3:5]) for stamp in stamps)
    return abs(time.time_ns() - newest) > _CLOCK_TICK_NS


def _digest_part(path: Path, start: int) -> bytes:
    """Digest one part of a file: read, not mapped, as a file may be cut off meanwhile.

    hashlib lets other threads run while it works on a buffer.
    """
    part = blake2b(digest_size=_DIGEST_BYTES)
    buffer = memoryview(bytearray(_READ_BYTES))
    left = _PART_BYTES
    with path.open("rb", buffering=0) as file:
        file.seek(start)
        while left and (n_bytes := file.readinto(buffer[:left])):
            part.update(buffer[:n_bytes])
            left -= n_bytes
    return part.digest()
