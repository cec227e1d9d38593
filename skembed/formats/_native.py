"""The format of skembed: words, counts and vectors as safetensors.

Words are UTF-8, end to end in one array of bytes; another array holds the offsets where
they begin. Lone surrogates, which UTF-8 forbids, are encoded as if it did not.
"""

import os
from collections.abc import Collection, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from skembed.formats._errors import FormatError
from skembed.formats._native_ngrams import NgramTable
from skembed.formats._safetensors import TensorFile, write_tensors
from skembed.formats._table import WordTable, check_limit, expect_finite
from skembed.formats._write import check_writable

_METADATA = {"format": "skembed.word_vectors", "version": "1"}


def write_native(
    path: str | os.PathLike[str],
    words: Sequence[str],
    vectors: npt.NDArray[np.float32],
    counts: npt.NDArray[np.int64] | None = None,
    ngrams: NgramTable | None = None,
) -> None:
    """Write words and vectors as safetensors.

    Parameters
    ----------
    path : str or path-like
        An earlier file is replaced when the new one is complete.
    words : sequence of str
        Any different strings, with lone surrogates and the empty one.
    vectors : ndarray of shape (n_words, vector_size), float32
        Finite.
    counts : ndarray of shape (n_words,), int64, or None
        How often the words occurred.
    ngrams : NgramTable or None
        Written beside the words; `read_native` passes over them.

    Raises
    ------
    ValueError
        If a vector is not finite, or sizes do not agree.
    """
    check_writable(words, vectors)
    encoded = [word.encode("utf-8", "surrogatepass") for word in words]
    offsets = np.zeros(len(encoded) + 1, dtype=np.int64)
    np.cumsum([len(word) for word in encoded], out=offsets[1:])
    tensors: dict[str, npt.NDArray[np.generic]] = {"word_offsets": offsets}
    if counts is not None:
        tensors["counts"] = counts.astype(np.int64, copy=False)
    metadata = _METADATA
    if ngrams is not None:
        tensors["ngram_buckets"] = ngrams.buckets.astype(np.int32, copy=False)
        tensors["ngram_vectors"] = ngrams.vectors.astype(np.float32, copy=False)
        metadata = {**_METADATA, **ngrams.settings()}
    tensors["vectors"] = vectors.astype(np.float32, copy=False)
    tensors["word_bytes"] = np.frombuffer(b"".join(encoded), dtype=np.uint8)
    write_tensors(path, tensors, metadata)


def read_native(
    path: str | os.PathLike[str],
    *,
    mmap: bool = False,
    limit: int | None = None,
    vocabulary: Collection[str] | None = None,
) -> WordTable:
    """Read what `write_native` wrote.

    Parameters
    ----------
    path : str or path-like
    mmap : bool
        Leave the vectors on the disk until they are needed, and share them with other
        processes. They are not looked at then, so that NaN in them goes unnoticed.
    limit : int or None
        Take only the first so many words.
    vocabulary : collection of str, or None
        Take only these words; their vectors are copied.

    Returns
    -------
    table : WordTable

    Raises
    ------
    FormatError
        If the file is of another format, of a newer version, cut off, or damaged.
    """
    check_limit(limit)
    file = TensorFile(path)
    for key, value in _METADATA.items():
        found = file.metadata.get(key)
        if found != value:
            raise FormatError(path, expected=f"the {key} {value!r}", found=repr(found))
    words = _read_words(file)
    vectors = file.read("vectors", "F32", 2, mmap=True)
    counts = file.read("counts", "I64", 1) if "counts" in file else None
    for name, array in (("vectors", vectors), ("counts", counts)):
        if array is not None and len(array) != len(words):
            expected = f"{len(words)} {name}, one per word"
            raise FormatError(path, expected=expected, found=str(len(array)))
    table = _choose(WordTable(words, vectors, counts), limit, vocabulary)
    if mmap:
        return table
    table = table._replace(vectors=np.array(table.vectors))
    expect_finite(path, table.vectors, table.words, np.arange(len(table.words)))
    return table


def _choose(
    table: WordTable, limit: int | None, vocabulary: Collection[str] | None
) -> WordTable:
    words, vectors, counts = table
    words, vectors = words[:limit], vectors[:limit]
    counts = None if counts is None else counts[:limit]
    if vocabulary is None:
        return WordTable(words, vectors, counts)
    wanted = frozenset(vocabulary)
    rows = [row for row, word in enumerate(words) if word in wanted]
    counts = None if counts is None else counts[rows]
    return WordTable([words[row] for row in rows], vectors[rows], counts)


def _read_words(file: TensorFile) -> list[str]:
    offsets = file.read("word_offsets", "I64", 1)
    data = file.read("word_bytes", "U8", 1)
    ends_meet = len(offsets) and offsets[0] == 0 and offsets[-1] == len(data)
    if not ends_meet or (np.diff(offsets) < 0).any():
        found = f"offsets of {len(offsets) - 1} words that leave {len(data)} bytes"
        raise FormatError(file.path, expected="words end to end", found=found)
    # Decoded together, then cut where that many characters have begun.
    begins_character = (data & 0xC0) != 0x80
    if not begins_character[offsets[:-1][offsets[:-1] < len(data)]].all():
        found = "a word that begins within a character"
        raise FormatError(file.path, expected="words in UTF-8", found=found)
    try:
        text = str(data.data, "utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        raise FormatError(
            file.path, expected="words in UTF-8", found=str(error)
        ) from error
    n_characters = np.concatenate([[0], np.cumsum(begins_character)])
    places = n_characters[offsets].tolist()
    words = [text[start:stop] for start, stop in pairwise(places)]
    if len(set(words)) < len(words):
        found = f"{len(words) - len(set(words))} that repeat another"
        raise FormatError(file.path, expected="different words", found=found)
    return words
