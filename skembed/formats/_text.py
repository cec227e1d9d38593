"""Text files of word vectors: word2vec's, with a header, and GloVe's, without."""

import os
from collections.abc import Collection
from itertools import chain
from pathlib import Path

from skembed.formats._decoding import Decoding
from skembed.formats._errors import FormatError
from skembed.formats._header import (
    Layout,
    check_size,
    guess_layout,
    no_header,
    parse_header,
)
from skembed.formats._source import open_source
from skembed.formats._table import TableBuilder, WordTable, check_limit
from skembed.formats._text_rows import TextRows

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def read_word2vec_text(
    path: str | os.PathLike[str],
    *,
    encoding: str = "utf-8",
    errors: str = "strict",
    limit: int | None = None,
    vocabulary: Collection[str] | None = None,
) -> WordTable:
    """Read the text format of word2vec, which fastText's ``.vec`` files have too.

    The first line is ``n_words vector_size``, every other one a word and its numbers.

    Parameters
    ----------
    path : str or path-like
        May be compressed by gzip, bzip2, xz or zip.
    encoding, errors : str
        How to decode the words, and what to do with those of another encoding, as in
        `bytes.decode`: "strict" raises, "replace" and "ignore" do what they say.
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
        With the line, if the file is not what it should be: of another format, cut
        off, longer than its header says, with NaN or infinity.

    Notes
    -----
    A word may hold spaces, as the last ``vector_size`` fields are the numbers. It may
    not end in a number, since such a line is far more often one of too many numbers.
    A file that is cut off within its very last number cannot be told from a whole one.
    """
    decoding = Decoding(encoding, errors)
    return _read_text(path, decoding, limit, vocabulary, needs_header=True)


def read_glove_text(
    path: str | os.PathLike[str],
    *,
    encoding: str = "utf-8",
    errors: str = "strict",
    limit: int | None = None,
    vocabulary: Collection[str] | None = None,
) -> WordTable:
    """Read the text format of GloVe: on every line a word and its numbers.

    A header as in `read_word2vec_text` is recognized, so that this reads both formats.

    Parameters
    ----------
    path, encoding, errors, limit, vocabulary
        As in `read_word2vec_text`.

    Returns
    -------
    table : WordTable

    Raises
    ------
    FormatError
        As in `read_word2vec_text`.
    """
    decoding = Decoding(encoding, errors)
    return _read_text(path, decoding, limit, vocabulary, needs_header=False)


def _read_text(
    path: str | os.PathLike[str],
    decoding: Decoding,
    limit: int | None,
    vocabulary: Collection[str] | None,
    *,
    needs_header: bool,
) -> WordTable:
    check_limit(limit)
    with open_source(path) as source:
        blocks = source.lines()
        first = next(blocks, b"").removeprefix(_BYTE_ORDER_MARK)
        layout = _find_layout(source.path, first, needs_header=needs_header)
        if layout.n_rows is not None:
            first = first[first.find(b"\n") + 1 or len(first) :]
        # A number takes a digit and a space; the last newline may be missing.
        min_bytes = 2 * layout.vector_size
        n_rows = check_size(source, layout, min_bytes, limit)
        builder = TableBuilder(
            source.path,
            layout.vector_size,
            n_rows=n_rows,
            limit=limit,
            vocabulary=vocabulary,
        )
        rows = TextRows(builder, layout, decoding)
        for block in chain([first], blocks):
            rows.read(block)
            if builder.n_open == 0:
                break
        else:
            rows.expect_all()
    return builder.finish()


def _find_layout(path: Path, block: bytes, *, needs_header: bool) -> Layout:
    first, *second = block.split(b"\n", 2)[:2]
    if needs_header:
        layout = parse_header(first)
        if layout is None:
            raise no_header(path, first)
        return layout
    layout = guess_layout([first, *filter(bytes.strip, second)])
    if layout is None:
        expected = "a word and its numbers, separated by spaces"
        found = repr(first[:40]) if first else "an empty line"
        raise FormatError(path, expected=expected, found=found, line=1)
    return layout
