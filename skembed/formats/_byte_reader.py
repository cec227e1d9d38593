"""A cursor over the bytes of a binary file, which never goes beyond their end."""

import os
import struct
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from skembed.formats._errors import FormatError
from skembed.formats._source import BLOCK_BYTES, open_source


class ByteReader:
    """Reads numbers and arrays one after another, little-endian.

    Parameters
    ----------
    path : str or path-like
        Left on the disk and mapped, unless it is compressed.

    Attributes
    ----------
    data : ndarray of shape (n_bytes,), uint8
        Read-only.
    position : int
        Where the next number begins.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.data = _map_or_read(self.path)
        self.position = 0

    @property
    def n_left(self) -> int:
        """Number of bytes from here to the end."""
        return len(self.data) - self.position

    def unpack(self, layout: str, what: str) -> tuple[Any, ...]:
        """Read numbers in the notation of `struct`, without its byte order.

        Raises
        ------
        FormatError
            If the file ends before.
        """
        size = struct.calcsize("<" + layout)
        self.expect(size, what)
        values = struct.unpack_from("<" + layout, self.data.data, self.position)
        self.position += size
        return values

    def flag(self, what: str) -> bool:
        """Read a byte that is 0 or 1."""
        (value,) = self.unpack("B", what)
        if value > 1:
            self.position -= 1
            self.fail(f"{what}, 0 or 1", str(value))
        return bool(value)

    def array(self, dtype: str, shape: tuple[int, ...], what: str) -> npt.NDArray[Any]:
        """View the next bytes as an array, read-only and not always aligned."""
        kind = np.dtype(dtype)
        # Python's integers, which do not overflow as those of numpy do.
        n_bytes = kind.itemsize
        for size in shape:
            n_bytes *= int(size)
        self.expect(n_bytes, what)
        data = self.data[self.position : self.position + n_bytes]
        self.position += n_bytes
        return data.view(kind).reshape(shape)

    def expect(self, n_bytes: int, what: str) -> None:
        """Raise a FormatError unless so many bytes are left."""
        if n_bytes > self.n_left:
            self.fail(f"{n_bytes} bytes of {what}", f"{self.n_left}")

    def fail(self, expected: str, found: str) -> NoReturn:
        """Raise a FormatError about what stands here."""
        raise FormatError(self.path, expected=expected, found=found, byte=self.position)


def _map_or_read(path: Path) -> npt.NDArray[np.uint8]:
    with open_source(path) as source:
        if source.size:
            return np.asarray(np.memmap(path, np.uint8, "r"))
        content = bytearray()
        while source.size is None and (block := source.read(BLOCK_BYTES)):
            content += block
    data = np.frombuffer(content, dtype=np.uint8)
    data.flags.writeable = False
    return data
