"""Files of named arrays, as `safetensors` lays them out.

The layout is simple and documented (https://github.com/huggingface/safetensors): the
length of a JSON header in 8 bytes, the header, the arrays. It is read here and not by
the package, because that cannot map an array into memory for numpy.
"""

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from skembed._atomic import atomic_path
from skembed.formats._errors import FormatError

_LENGTH_BYTES = 8
_MAX_HEADER_BYTES = 100_000_000
_NAMES = {"<i8": "I64", "<i4": "I32", "<f4": "F32", "|u1": "U8"}
_DTYPES = {name: np.dtype(code) for code, name in _NAMES.items()}


def write_tensors(
    path: str | os.PathLike[str],
    tensors: Mapping[str, npt.NDArray[Any]],
    metadata: Mapping[str, str],
) -> None:
    """Write arrays in the order given, which must be that of falling item sizes.

    Parameters
    ----------
    path : str or path-like
    tensors : mapping of str to ndarray of int64, int32, float32 or uint8
    metadata : mapping of str to str
    """
    header: dict[str, Any] = {"__metadata__": dict(metadata)}
    position = 0
    for name, tensor in tensors.items():
        header[name] = {
            "dtype": _NAMES[tensor.dtype.newbyteorder("<").str],
            "shape": tensor.shape,
            "data_offsets": [position, position + tensor.nbytes],
        }
        position += tensor.nbytes
    text = json.dumps(header).encode()
    # So that the arrays begin where a number of 8 bytes may begin.
    text += b" " * (-len(text) % 8)
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        file.write(len(text).to_bytes(_LENGTH_BYTES, "little") + text)
        for tensor in tensors.values():
            little = tensor.astype(tensor.dtype.newbyteorder("<"), copy=False)
            np.ascontiguousarray(little).tofile(file)


class TensorFile:
    """The header of a file of arrays, which is checked, and the way to the arrays.

    Parameters
    ----------
    path : str or path-like

    Attributes
    ----------
    metadata : dict of str to str

    Raises
    ------
    FormatError
        If the header is not what it should be, or does not fit the size of the file.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        header = self._read_header()
        metadata = header.pop("__metadata__", {})
        self.metadata: dict[str, str] = metadata if isinstance(metadata, dict) else {}
        self._entries = {name: self._check(name, x) for name, x in header.items()}
        end = max((stop for *_, stop in self._entries.values()), default=0)
        if end != self._n_bytes:
            raise FormatError(
                self.path,
                expected=f"{end} bytes of arrays, as in the header",
                found=f"{self._n_bytes}",
                byte=self._start,
            )

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each array."""
        return {name: shape for name, (_, shape, *_) in self._entries.items()}

    def read(
        self, name: str, dtype: str, ndim: int, *, mmap: bool = False
    ) -> npt.NDArray[Any]:
        """Read or map one array, which must have this dtype and number of dimensions.

        Raises
        ------
        FormatError
            If it is not there, or of another kind.
        """
        if name not in self._entries:
            found = f"only {sorted(self._entries)}"
            raise FormatError(self.path, expected=f"an array {name!r}", found=found)
        stored, shape, start, stop = self._entries[name]
        if stored != dtype or len(shape) != ndim:
            raise FormatError(
                self.path,
                expected=f"{name!r} as {dtype} in {ndim} dimensions",
                found=f"{stored} of shape {shape}",
            )
        offset = self._start + start
        kind = _DTYPES[dtype]
        # An empty array cannot be mapped, and an unaligned one is slow to work with.
        if mmap and stop > start and offset % kind.itemsize == 0:
            return np.memmap(self.path, kind, "r", offset, shape)
        n_items = (stop - start) // kind.itemsize
        return np.fromfile(self.path, kind, n_items, offset=offset).reshape(shape)

    def _read_header(self) -> dict[str, Any]:
        size = self.path.stat().st_size
        with self.path.open("rb") as file:
            length = int.from_bytes(file.read(_LENGTH_BYTES), "little")
            if not 0 < length <= min(size - _LENGTH_BYTES, _MAX_HEADER_BYTES):
                expected = "the length of a safetensors header"
                found = f"{length} in a file of {size} bytes"
                raise FormatError(self.path, expected=expected, found=found, byte=0)
            text = file.read(length)
        self._start = _LENGTH_BYTES + length
        self._n_bytes = size - self._start
        try:
            header = json.loads(text)
        # Nesting deeper than Python's stack is the third way to be no header.
        except (ValueError, RecursionError) as error:
            raise self._bad_header(text) from error
        if not isinstance(header, dict):
            raise self._bad_header(text)
        return header

    def _bad_header(self, text: bytes) -> FormatError:
        found = repr(text[:40])
        return FormatError(
            self.path, expected="a JSON object", found=found, byte=_LENGTH_BYTES
        )

    def _check(self, name: str, entry: Any) -> tuple[str, tuple[int, ...], int, int]:
        """Return dtype, shape, and where the array begins and ends."""
        try:
            dtype, shape = entry["dtype"], tuple(entry["shape"])
            start, stop = entry["data_offsets"]
            sizes = (*shape, start, stop)
            valid = all(type(size) is int and size >= 0 for size in sizes)
            n_bytes = math.prod(shape) * _DTYPES[dtype].itemsize if valid else -1
        except (KeyError, TypeError, ValueError):
            n_bytes, start, stop = -1, 0, 0
        if n_bytes < 0 or n_bytes != stop - start or stop > self._n_bytes:
            raise FormatError(
                self.path,
                expected=f"dtype, shape and place of the array {name!r}",
                found=repr(entry)[:100],
                byte=_LENGTH_BYTES,
            )
        return dtype, shape, start, stop
