"""The n-grams of words in the format of skembed, beside words and vectors."""

import os
import re
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from skembed.formats._errors import FormatError
from skembed.formats._safetensors import TensorFile

_SETTINGS = ("min_n", "max_n", "bucket")
# Only so many digits as an int32 may have.
_NUMBER = re.compile("[0-9]{1,10}")


class NgramTable(NamedTuple):
    """Vectors of character n-grams, by the bucket that they are hashed into.

    Parameters
    ----------
    buckets : ndarray of shape (n_kept,), int32
        The buckets that have a vector, rising.
    vectors : ndarray of shape (n_kept, vector_size), float32
    min_n, max_n : int
        Shortest and longest n-grams.
    bucket : int
        Number of buckets.
    """

    buckets: npt.NDArray[np.int32]
    vectors: npt.NDArray[np.float32]
    min_n: int
    max_n: int
    bucket: int

    def settings(self) -> dict[str, str]:
        """Name the numbers, for the metadata of a file."""
        return {name: str(getattr(self, name)) for name in _SETTINGS}


def holds_native_ngrams(path: str | os.PathLike[str]) -> bool:
    """Whether `read_native_ngrams` finds n-grams in a file of skembed.

    Raises
    ------
    FormatError
        If the file is of another format.
    """
    return "ngram_vectors" in TensorFile(path)


def read_native_ngrams(
    path: str | os.PathLike[str], *, mmap: bool = False
) -> NgramTable:
    """Read the n-grams that `write_native` wrote.

    Parameters
    ----------
    path : str or path-like
    mmap : bool
        Leave the vectors on the disk until they are needed. They are not looked at
        then, so that NaN in them goes unnoticed.

    Returns
    -------
    ngrams : NgramTable

    Raises
    ------
    FormatError
        If the file has no n-grams, or damaged ones.
    """
    file = TensorFile(path)
    buckets = file.read("ngram_buckets", "I32", 1)
    vectors = file.read("ngram_vectors", "F32", 2, mmap=mmap)
    settings = {name: file.metadata.get(name, "") for name in _SETTINGS}
    if not all(_NUMBER.fullmatch(str(value)) for value in settings.values()):
        expected = "integers min_n, max_n and bucket"
        raise FormatError(path, expected=expected, found=repr(settings))
    if len(vectors) != len(buckets):
        expected = f"{len(buckets)} vectors of n-grams"
        raise FormatError(path, expected=expected, found=str(len(vectors)))
    if not mmap and not np.isfinite(vectors).all():
        found = "NaN or infinity in a vector of an n-gram"
        raise FormatError(path, expected="finite numbers", found=found)
    numbers = {name: int(value) for name, value in settings.items()}
    return NgramTable(buckets, vectors, **numbers)
