"""The binary format of word2vec."""

import os
from collections.abc import Collection

import numpy as np

from skembed.formats._decoding import (
    Decoding,
    UndecodableWordError,
    decode_words,
)
from skembed.formats._errors import FormatError
from skembed.formats._header import Layout, check_size, no_header, parse_header
from skembed.formats._kernels import copy_vectors, locate_records
from skembed.formats._source import BLOCK_BYTES, Source, open_source
from skembed.formats._table import (
    TableBuilder,
    WordTable,
    check_limit,
    expect_finite,
)

_MAX_HEADER_BYTES = 64
_FASTTEXT_MAGIC = (793_712_314).to_bytes(4, "little")


def read_word2vec_binary(
    path: str | os.PathLike[str],
    *,
    encoding: str = "utf-8",
    errors: str = "strict",
    limit: int | None = None,
    vocabulary: Collection[str] | None = None,
) -> WordTable:
    """Read the binary format of word2vec, with or without newlines between the rows.

    Parameters
    ----------
    path : str or path-like
        May be compressed by gzip, bzip2, xz or zip.
    encoding, errors : str
        How to decode the words, and what to do with those of another encoding, as in
        `bytes.decode`. The original word2vec cuts long words, sometimes within a
        character.
    limit : int or None
        Read only the first so many rows; what follows is not looked at.
    vocabulary : collection of str, or None
        Keep only these words, and stop when all are found.

    Returns
    -------
    table : WordTable
        Words in the order of the file. Of a word that comes twice, the first is kept,
        with a warning.

    Raises
    ------
    FormatError
        With the byte, if the file is not what it should be: of another format, shorter
        or longer than its header says, with NaN or infinity.
    """
    check_limit(limit)
    decoding = Decoding(encoding, errors)
    with open_source(path) as source:
        layout, data = _read_header(source)
        n_rows = check_size(source, layout, 1 + 4 * layout.vector_size, limit)
        builder = TableBuilder(
            source.path,
            layout.vector_size,
            n_rows=n_rows,
            limit=limit,
            vocabulary=vocabulary,
        )
        data = _read_rows(source, data, builder, layout, decoding)
        if builder.n_seen == layout.n_rows:
            _expect_end(source, data)
    return builder.finish()


def _read_header(source: Source) -> tuple[Layout, bytes]:
    """Read the sizes, and the bytes behind them that were read on the way."""
    data = source.read(BLOCK_BYTES)
    line, newline, _ = data[:_MAX_HEADER_BYTES].partition(b"\n")
    layout = parse_header(line) if newline else None
    if layout is None and line.startswith(_FASTTEXT_MAGIC):
        expected, found = "a word2vec file", "a fastText model (for SubwordVectors)"
        raise FormatError(source.path, expected=expected, found=found, byte=0)
    if layout is None:
        raise no_header(source.path, line)
    return layout, data[len(line) + 1 :]


def _read_rows(
    source: Source,
    data: bytes,
    builder: TableBuilder,
    layout: Layout,
    decoding: Decoding,
) -> bytes:
    """Read what the header promises and the builder wants; return what was too much."""
    n_rows = layout.n_rows or 0
    while n_open := _n_open(builder, n_rows):
        n_used = _take_records(source, data, builder, n_open, decoding)
        data = data[n_used:]
        if n_open == _n_open(builder, n_rows):
            # No record was complete. Read twice as much each time, as one may be long.
            more = source.read(max(BLOCK_BYTES, len(data)))
            if not more:
                raise FormatError(
                    source.path,
                    expected=f"{n_rows} rows, as in the header",
                    found=f"the end after {builder.n_seen}",
                    byte=source.position,
                )
            data += more
    return data


def _n_open(builder: TableBuilder, n_rows: int) -> int:
    n_left = n_rows - builder.n_seen
    return n_left if builder.n_open is None else min(n_left, builder.n_open)


def _take_records(
    source: Source, block: bytes, builder: TableBuilder, n_open: int, decoding: Decoding
) -> int:
    """Take the complete records of a block; return how many bytes they are."""
    data = np.frombuffer(block, dtype=np.uint8)
    n_bytes = 4 * builder.vector_size
    stops = np.empty(min(n_open, len(data) // (1 + n_bytes)), dtype=np.int64)
    starts = np.empty_like(stops)
    n_records, n_used = locate_records(data, n_bytes, starts, stops)
    starts, stops = starts[:n_records], stops[:n_records]
    position = source.position - len(block)
    try:
        words = decode_words(data, starts, stops, separator=" ", decoding=decoding)
    except UndecodableWordError as error:
        raise FormatError(
            source.path,
            expected=error.expected,
            found=error.found,
            byte=position + int(starts[error.row]),
        ) from error
    first_row = builder.n_seen
    kept = builder.select(words)
    vectors = builder.rows(len(kept))
    copy_vectors(data, stops[kept] + 1, vectors.view(np.uint8))
    expect_finite(source.path, vectors, [words[row] for row in kept], first_row + kept)
    return int(n_used)


def _expect_end(source: Source, data: bytes) -> None:
    """Refuse anything but newlines behind the last row."""
    data = data or source.read(BLOCK_BYTES)
    while data:
        if data.strip(b"\n"):
            n_bytes = len(data)
            raise FormatError(
                source.path,
                expected="the end after the rows that the header says",
                found=f"{n_bytes} more bytes",
                byte=source.position - n_bytes,
            )
        data = source.read(BLOCK_BYTES)
