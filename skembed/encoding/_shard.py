"""One shard of the feature cache: features of many texts in one immutable file.

A file of the safetensors layout (https://github.com/huggingface/safetensors): the
length of a JSON header in 8 bytes, the header, the arrays. The first array holds the
digests of the texts, the others a row for each of them. The header carries a checksum
of each array, and the name of the file is a digest of the header; so every byte is
accounted for, and only what is asked for has to be read to be checked.
"""

import errno
import json
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from hashlib import blake2b
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import IO, Any
from zlib import crc32

import numpy as np
import numpy.typing as npt

from skembed._atomic import atomic_path
from skembed.encoding._cache_files import SUFFIX
from skembed.encoding._digest import N_BYTES
from skembed.formats import FormatError

FORMAT = "skembed.features"
VERSION = "1"
DIGESTS = "digests"

_LENGTH_BYTES = 8
# Holds the header and the digests of most shards, so that these are read at once.
_BUFFER_BYTES = 1 << 16
# How often a shard in use tells other processes so, by the file's time.
_TOUCH_SECONDS = 60.0


class ForeignShardError(Exception):
    """A file is of another format or version, which is not read."""


class Shard:
    """What the header of a shard says, and the way to the rows.

    Parameters
    ----------
    path : Path
    header : dict
        As it stands in the file.
    start : int
        Where the arrays begin, in bytes.

    Attributes
    ----------
    path : Path
    n_texts : int
    n_bytes : int
        Size of the file.
    names : frozenset of str
        The arrays, other than the digests.
    """

    def __init__(self, path: Path, header: Mapping[str, Any], start: int) -> None:
        checksums = header["__metadata__"]["checksums"].split()
        entries = [(k, entry) for k, entry in header.items() if k != "__metadata__"]
        self.path = path
        self.n_texts: int = header[DIGESTS]["shape"][0]
        self.n_bytes = start + max(x["data_offsets"][1] for _, x in entries)
        # Of each array: where it begins, its length in bytes, width, and checksum.
        self._arrays = {
            name: (
                start + entry["data_offsets"][0],
                entry["data_offsets"][1] - entry["data_offsets"][0],
                entry["shape"][1],
                int(checksum, 16),
            )
            for (name, entry), checksum in zip(entries, checksums, strict=True)
        }
        self.names = frozenset(self._arrays) - {DIGESTS}
        self._checked: set[str] = set()
        self._map: npt.NDArray[np.uint8] | None = None
        self._touched = float("-inf")

    def rows(self, name: str) -> npt.NDArray[np.float32]:
        """Map one array, which is checked the first time.

        Returns
        -------
        rows : ndarray of shape (n_texts, width), float32

        Raises
        ------
        OSError
            If the file cannot be opened, or is not there any more.
        FormatError
            If the file, or this array, is not what was written.
        """
        if self._map is None:
            self._map = self._open()
        start, n_bytes, width, checksum = self._arrays[name]
        data = self._map[start : start + n_bytes]
        if name not in self._checked:
            self._check(name, data, checksum)
            self._checked.add(name)
        self._touch()
        return data.view("<f4").reshape(self.n_texts, width)

    def unmap(self) -> None:
        """Let the file go, as a process may hold only so many; `rows` opens it again.

        Rows that were handed out stay readable.
        """
        self._map = None

    def _open(self) -> npt.NDArray[np.uint8]:
        with self.path.open("rb") as file:
            found = os.fstat(file.fileno()).st_size
            if found != self.n_bytes:
                raise _wrong_size(self.path, self.n_bytes, found)
            mapped = mmap(file.fileno(), self.n_bytes, access=ACCESS_READ)
        return np.frombuffer(mapped, dtype=np.uint8)

    def _check(self, name: str, data: Any, checksum: int) -> None:
        found = crc32(data)
        if found != checksum:
            expected = f"the array {name!r} with checksum {checksum:08x}"
            raise FormatError(self.path, expected=expected, found=f"{found:08x}")

    def _touch(self) -> None:
        now = time.monotonic()
        if now - self._touched > _TOUCH_SECONDS:
            self._touched = now
            # It may be somebody else's, or removed while it is mapped.
            with suppress(OSError):
                os.utime(self.path)

    def read_digests(self, file: IO[bytes]) -> npt.NDArray[np.uint8]:
        """Read and check the digests from the file, which stands where they begin.

        Returns
        -------
        digests : ndarray of shape (n_texts, 16), uint8

        Raises
        ------
        FormatError
            If they are not what was written.
        """
        *_, checksum = self._arrays[DIGESTS]
        data = file.read(self.n_texts * N_BYTES)
        self._check(DIGESTS, data, checksum)
        return np.frombuffer(data, dtype=np.uint8).reshape(-1, N_BYTES)


def open_shard(path: Path) -> tuple[Shard, npt.NDArray[np.uint8]]:
    """Open a shard, and read the digests of its texts.

    Returns
    -------
    shard : Shard
    digests : ndarray of shape (n_texts, 16), uint8

    Raises
    ------
    OSError
        If the file cannot be opened.
    FormatError
        If its header, size or digests are not what was written.
    ForeignShardError
        If it is of another format or version.
    """
    with path.open("rb", buffering=_BUFFER_BYTES) as file:
        size = os.fstat(file.fileno()).st_size
        head = file.read(_LENGTH_BYTES)
        length = int.from_bytes(head, "little")
        if length > size:
            expected = "the length of a safetensors header"
            found = f"{length} in a file of {size} bytes"
            raise FormatError(path, expected=expected, found=found, byte=0)
        head += file.read(length)
        shard = Shard(path, _parse(path, head), len(head))
        if size != shard.n_bytes:
            raise _wrong_size(path, shard.n_bytes, size)
        return shard, shard.read_digests(file)


def _parse(path: Path, head: bytes) -> dict[str, Any]:
    try:
        header = json.loads(head[_LENGTH_BYTES:])
    # Nesting deeper than Python's stack is another way to be no header.
    except (ValueError, RecursionError) as error:
        raise _bad_header(path) from error
    if not isinstance(header, dict):
        raise _bad_header(path)
    metadata = header.get("__metadata__") or {}
    if (metadata.get("format"), metadata.get("version")) != (FORMAT, VERSION):
        raise ForeignShardError
    # The rest is what this version wrote if the name is right, and need not be doubted.
    if _name(head) != path.name:
        raise _bad_header(path)
    return header


def _bad_header(path: Path) -> FormatError:
    expected = "the header that the name of the file is a digest of"
    return FormatError(path, expected=expected, found="another", byte=_LENGTH_BYTES)


def _wrong_size(path: Path, expected: int, found: int) -> FormatError:
    return FormatError(path, expected=f"{expected} bytes", found=str(found))


def write_shard(
    folder: Path,
    digests: npt.NDArray[np.uint8],
    arrays: Mapping[str, npt.NDArray[np.float32]],
    max_bytes: int | None = None,
) -> Shard:
    """Write a shard, which is whole when it appears.

    Parameters
    ----------
    folder : Path
        Made if it is not there.
    digests : ndarray of shape (n_texts, 16), uint8
    arrays : mapping of str to ndarray of shape (n_texts, width), float32
    max_bytes : int or None
        Largest size of the file.

    Returns
    -------
    shard : Shard

    Raises
    ------
    OSError
        If the file cannot be written, or would be too large.
    """
    payload = {DIGESTS: np.ascontiguousarray(digests)}
    payload |= {k: np.ascontiguousarray(x, dtype="<f4") for k, x in arrays.items()}
    header = _header(payload)
    text = json.dumps(header).encode()
    # So that the arrays begin where a number of 8 bytes may begin.
    text += b" " * (-len(text) % 8)
    head = len(text).to_bytes(_LENGTH_BYTES, "little") + text
    shard = Shard(folder / _name(head), header, len(head))
    if max_bytes is not None and shard.n_bytes > max_bytes:
        message = f"{shard.n_bytes:,} bytes at once exceed max_size={max_bytes:,}"
        raise OSError(errno.EFBIG, message)
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_path(shard.path) as temporary, temporary.open("wb") as file:
        file.write(head)
        for array in payload.values():
            file.write(array.data)
    return shard


def _header(payload: Mapping[str, npt.NDArray[Any]]) -> dict[str, Any]:
    metadata = {
        "format": FORMAT,
        "version": VERSION,
        "checksums": " ".join(f"{crc32(array.data):08x}" for array in payload.values()),
    }
    header: dict[str, Any] = {"__metadata__": metadata}
    position = 0
    for name, array in payload.items():
        header[name] = {
            "dtype": "U8" if name == DIGESTS else "F32",
            "shape": array.shape,
            "data_offsets": [position, position + array.nbytes],
        }
        position += array.nbytes
    return header


def _name(head: bytes) -> str:
    return blake2b(head, digest_size=N_BYTES).hexdigest() + SUFFIX
