"""Bidirectional language models in the files that ELMo is published in.

`options.json` says how large the model is, an HDF5 file holds its arrays. Nothing is
taken into memory before its shape has been compared with the options.
"""

import gzip
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from skembed._optional import require
from skembed.formats._elmo_files import ElmoFiles
from skembed.formats._elmo_options import (
    ElmoOptions,
    Shape,
    array_shapes,
    may_lack,
    parse_elmo_options,
)
from skembed.formats._errors import FormatError

Float32Array = npt.NDArray[np.float32]

# Numbers hardly shrink: a file says that it holds more than this at its own risk.
_MOST_RATIO = 100
_MOST_WORD_BYTES = 1 << 30


@dataclass(frozen=True, eq=False, repr=False)
class ElmoArrays:
    """A bidirectional language model, as its files hold it.

    Parameters
    ----------
    options : ElmoOptions
    arrays : mapping of str to ndarray, float32
        By the names of `array_shapes`.
    words : tuple of str, or None
        The word of each row of ``arrays["embedding"]``, for a model that reads words
        and not characters.
    """

    options: ElmoOptions
    arrays: Mapping[str, Float32Array]
    words: tuple[str, ...] | None = None


def read_elmo_options(files: ElmoFiles) -> ElmoOptions:
    """Read the sizes of a model, and none of its weights.

    Raises
    ------
    FormatError
        If the options are not what they may be.
    """
    with files.opened(files.options) as file:
        return parse_elmo_options(file.read(), files.described(files.options))


def read_elmo(files: ElmoFiles) -> ElmoArrays:
    """Read a model.

    Parameters
    ----------
    files : ElmoFiles
        From `find_elmo`.

    Returns
    -------
    model : ElmoArrays

    Raises
    ------
    FormatError
        If an array is missing, of another shape than the options say, or holds NaN or
        infinity; or if a file is damaged. The message names the file and the array.
    """
    options = read_elmo_options(files)
    words = None if options.characters else _read_words(files)
    shapes = array_shapes(options, n_words=len(words or ()))
    path = files.described(files.weights)
    h5py = require("h5py", needed_by="Reading the weights of ELMo")
    with files.opened(files.weights) as raw:
        n_bytes = raw.seek(0, 2)
        try:
            with h5py.File(raw, "r") as file:
                found = _Datasets(h5py, file, path, n_bytes)
                chosen = {
                    name: found.dataset(name, shape)
                    for name, shape in shapes.items()
                    if name in file or not may_lack(options, name)
                }
                arrays = {name: found.read(name, chosen[name]) for name in chosen}
        except FormatError:
            raise
        # h5py tells of damage by whatever exception is nearest to it.
        except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
            expected = "a whole HDF5 file"
            raise FormatError(path, expected=expected, found=f"{error}") from error
    return ElmoArrays(options, arrays, words)


class _Datasets:
    """The datasets of an open file, checked before they are read."""

    def __init__(self, h5py: Any, file: Any, path: str, n_bytes: int) -> None:
        self._h5py, self._file, self._path = h5py, file, path
        self._n_bytes = n_bytes

    def dataset(self, name: str, shape: Shape) -> Any:
        """Find a dataset, which must lie in this file and be of a shape."""
        parts = name.split("/")
        for k in range(1, len(parts) + 1):
            place = "/".join(parts[:k])
            link = self._file.get(place, getlink=True)
            if not isinstance(link, self._h5py.HardLink):
                self._fail(name, "to be in the file", "nothing" if link is None else
                           "a link to elsewhere")  # fmt: skip
        dataset = self._file[name]
        if not isinstance(dataset, self._h5py.Dataset):
            self._fail(name, "to be an array", "a group")
        if dataset.shape != shape:
            self._fail(name, f"of shape {shape}, as the options say", dataset.shape)
        if dataset.dtype.kind != "f":
            self._fail(name, "of float32", dataset.dtype)
        if dataset.is_virtual or dataset.external:
            self._fail(name, "to be in the file", "data elsewhere")
        if dataset.nbytes > _MOST_RATIO * self._n_bytes:
            self._fail(
                name, "no larger than the file can hold", f"{dataset.nbytes} bytes"
            )
        return dataset

    def read(self, name: str, dataset: Any) -> Float32Array:
        """Read a dataset, whose numbers must be finite."""
        if dataset.chunks is None and dataset.id.get_storage_size() < dataset.nbytes:
            self._fail(name, "to be whole", f"{dataset.id.get_storage_size()} bytes")
        array: Float32Array = np.asarray(dataset[...], dtype=np.float32)
        if not np.isfinite(array).all():
            n_bad = int((~np.isfinite(array)).sum())
            self._fail(name, "of finite numbers", f"{n_bad} that are NaN or infinite")
        return array

    def _fail(self, name: str, expected: str, found: Any) -> None:
        what = f"the dataset {name!r} {expected}"
        raise FormatError(self._path, expected=what, found=str(found))


def _read_words(files: ElmoFiles) -> tuple[str, ...]:
    """Read the words of a model that has a row for each of them."""
    if files.vocabulary is None:
        raise FormatError(
            files.archive or files.weights,
            expected="a vocab.txt, as the model reads words and not characters "
            "(options.json has no char_cnn)",
            found="none",
        )
    path = files.described(files.vocabulary)
    with files.opened(files.vocabulary) as file:
        try:
            content = _unzipped(file, files.vocabulary).decode("utf-8")
        except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
            found = f"an error: {error}"
            raise FormatError(path, expected="text in UTF-8", found=found) from error
    words = tuple(content.split("\n"))
    words = words[:-1] if words[-1] == "" else words
    words = tuple(word.removesuffix("\r") for word in words)
    if len(set(words)) != len(words):
        raise FormatError(path, expected="distinct words", found="some of them twice")
    return words


def _unzipped(file: IO[bytes], name: str) -> bytes:
    if not name.endswith(".gz"):
        return file.read(_MOST_WORD_BYTES)
    with gzip.open(file) as unzipped:
        return unzipped.read(_MOST_WORD_BYTES)
