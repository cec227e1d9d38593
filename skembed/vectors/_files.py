"""Which reader and which writer a file of word vectors needs."""

import os
from collections.abc import Collection
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from skembed.formats import (
    WordTable,
    read_glove_text,
    read_native,
    read_word2vec_binary,
    read_word2vec_text,
    write_glove_text,
    write_native,
    write_word2vec_binary,
    write_word2vec_text,
)

Format: TypeAlias = Literal["native", "word2vec", "word2vec-binary", "glove"]

_COMPRESSED = (".gz", ".bz2", ".xz", ".zip")
_READ_AS: dict[str, Format] = {
    ".safetensors": "native",
    ".bin": "word2vec-binary",
    # GloVe's reader takes a header where there is one.
    ".txt": "glove",
    ".vec": "glove",
}
_WRITE_AS: dict[str, Format] = {**_READ_AS, ".txt": "word2vec", ".vec": "word2vec"}

_READERS = {
    "word2vec": read_word2vec_text,
    "word2vec-binary": read_word2vec_binary,
    "glove": read_glove_text,
}
_WRITERS = {
    "word2vec": write_word2vec_text,
    "word2vec-binary": write_word2vec_binary,
    "glove": write_glove_text,
}


def load_table(
    path: str | os.PathLike[str],
    format: Format | None,
    *,
    mmap: bool,
    limit: int | None,
    vocabulary: Collection[str] | None,
    encoding: str,
    errors: str,
) -> WordTable:
    """Read a file in the given format, or in that of its extension."""
    if isinstance(vocabulary, str):
        msg = f"vocabulary must be a collection of words, got the str {vocabulary!r}."
        raise TypeError(msg)
    format = choose_format(path, format, _READ_AS)
    if format == "native":
        return read_native(path, mmap=mmap, limit=limit, vocabulary=vocabulary)
    if mmap:
        msg = (
            f"Only the native format can be mapped; mmap must be False for {format!r}."
        )
        raise ValueError(msg)
    read = _READERS[format]
    return read(
        path, encoding=encoding, errors=errors, limit=limit, vocabulary=vocabulary
    )


def save_table(
    table: WordTable, path: str | os.PathLike[str], format: Format | None
) -> None:
    """Write a file in the given format, or in that of its extension."""
    format = choose_format(path, format, _WRITE_AS)
    suffix = Path(path).suffix.lower()
    if suffix == ".zip" or (format == "native" and suffix in _COMPRESSED):
        msg = f"The format {format!r} is not written compressed as {suffix!r}."
        raise ValueError(msg)
    if format == "native":
        write_native(path, *table)
    else:
        _WRITERS[format](path, table.words, table.vectors)


def choose_format(
    path: str | os.PathLike[str],
    format: Format | None,
    formats: dict[str, Format] = _WRITE_AS,
) -> Format:
    """Return the given format, or that of the extension."""
    if format is not None:
        if format not in get_args(Format):
            msg = f"format must be one of {get_args(Format)} or None, got {format!r}."
            raise ValueError(msg)
        return format
    name = Path(path)
    if name.suffix.lower() in _COMPRESSED:
        name = name.with_suffix("")
    if name.suffix.lower() not in formats:
        msg = (
            f"{os.fspath(path)!r} has none of the extensions {tuple(formats)}; say its "
            f"format, one of {get_args(Format)}."
        )
        raise ValueError(msg)
    return formats[name.suffix.lower()]
