"""Writers of word2vec's and GloVe's formats."""

import bz2
import gzip
import lzma
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

import numpy as np
import numpy.typing as npt

from skembed._atomic import atomic_path

# What ends a word: for word2vec's readers a space, for others any of these.
_ENDS_IN_BINARY = " \n"
_ENDS_IN_TEXT = " \t\n\r"


def write_word2vec_text(
    path: str | os.PathLike[str],
    words: Sequence[str],
    vectors: npt.NDArray[np.float32],
) -> None:
    """Write the text format of word2vec, byte for byte as gensim does.

    Parameters
    ----------
    path : str or path-like
        Compressed if it ends in ``.gz``, ``.bz2`` or ``.xz``. An earlier file is
        replaced when the new one is complete.
    words : sequence of str
        Without whitespace, and not empty.
    vectors : ndarray of shape (n_words, vector_size), float32
        Finite. Written with as few digits as give back the same bits.

    Raises
    ------
    ValueError
        If a word cannot be written in this format, or a vector is not finite.
    """
    _write_text(path, words, vectors, f"{len(words)} {vectors.shape[1]}\n".encode())


def write_glove_text(
    path: str | os.PathLike[str],
    words: Sequence[str],
    vectors: npt.NDArray[np.float32],
) -> None:
    """Write the text format of GloVe, which is word2vec's without the header.

    Parameters
    ----------
    path, words, vectors
        As in `write_word2vec_text`.

    Raises
    ------
    ValueError
        If a word cannot be written in this format, or a vector is not finite.
    """
    _write_text(path, words, vectors, b"")


def write_word2vec_binary(
    path: str | os.PathLike[str],
    words: Sequence[str],
    vectors: npt.NDArray[np.float32],
) -> None:
    """Write the binary format of word2vec, byte for byte as gensim does.

    Parameters
    ----------
    path, vectors
        As in `write_word2vec_text`.
    words : sequence of str
        Without spaces and newlines, and not empty.

    Raises
    ------
    ValueError
        If a word cannot be written in this format, or a vector is not finite.
    """
    encoded = _encode(words, _ENDS_IN_BINARY)
    check_writable(words, vectors)
    with _open_target(path) as file:
        file.write(f"{len(words)} {vectors.shape[1]}\n".encode())
        little = vectors.astype("<f4", copy=False)
        file.writelines(
            b"%b %b" % (word, vector.tobytes())
            for word, vector in zip(encoded, little, strict=True)
        )


def check_writable(words: Sequence[str], vectors: npt.NDArray[np.float32]) -> None:
    """Raise a ValueError for what no reader would take."""
    if vectors.ndim != 2 or len(vectors) != len(words):
        msg = (
            f"vectors must have one row per word, shape ({len(words)}, vector_size), "
            f"got shape {vectors.shape}."
        )
        raise ValueError(msg)
    finite = np.isfinite(vectors).all(axis=1)
    if not finite.all():
        row = int(np.argmin(finite))
        msg = f"The vector of {words[row]!r} (row {row}) is not finite."
        raise ValueError(msg)


def _write_text(
    path: str | os.PathLike[str],
    words: Sequence[str],
    vectors: npt.NDArray[np.float32],
    header: bytes,
) -> None:
    encoded = _encode(words, _ENDS_IN_TEXT)
    check_writable(words, vectors)
    single = vectors.astype(np.float32, copy=False)
    with _open_target(path) as file:
        file.write(header)
        # The str of a numpy.float32 is the shortest decimal that gives it back.
        file.writelines(
            b"%b %b\n" % (word, " ".join(map(str, vector)).encode())
            for word, vector in zip(encoded, single, strict=True)
        )


def _encode(words: Sequence[str], ends: str) -> list[bytes]:
    """Encode words, none of which may be empty or hold one of the characters `ends`."""
    encoded = []
    for row, word in enumerate(words):
        if not word or any(end in word for end in ends):
            msg = (
                f"The word {word!r} (row {row}) cannot be written in this format: "
                f"words must not be empty nor hold any of {ends!r}. The native format "
                "(.safetensors) takes any word."
            )
            raise ValueError(msg)
        try:
            encoded.append(word.encode())
        except UnicodeEncodeError as error:
            msg = (
                f"The word {word!r} (row {row}) cannot be encoded in UTF-8. The native "
                "format (.safetensors) takes any word."
            )
            raise ValueError(msg) from error
    return encoded


@contextmanager
def _open_target(path: str | os.PathLike[str]) -> Iterator[IO[bytes]]:
    """Open a temporary file which replaces `path` when it is complete."""
    suffix = Path(path).suffix.lower()
    with (
        atomic_path(path) as temporary,
        temporary.open("wb") as raw,
        _compress(raw, suffix) as file,
    ):
        yield file


def _compress(raw: IO[bytes], suffix: str) -> IO[bytes]:
    if suffix == ".gz":
        # Without name and time, so that the same words give the same bytes.
        return cast("IO[bytes]", gzip.GzipFile("", "wb", 6, raw, mtime=0))
    if suffix == ".bz2":
        return bz2.BZ2File(raw, "wb")
    if suffix == ".xz":
        return lzma.LZMAFile(raw, "wb")
    return raw
