"""The sizes of a table, from its header or its first rows."""

import re
from pathlib import Path
from typing import NamedTuple

from skembed.formats._errors import FormatError
from skembed.formats._source import Source

_NUMBER = re.compile(rb"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_HEADER = re.compile(rb"(\d{1,18})[ \t]+(\d{1,18})[ \t\r]*")


class Layout(NamedTuple):
    """The sizes of a table.

    Parameters
    ----------
    n_rows : int or None
        As the header says; None without a header.
    vector_size : int
    """

    n_rows: int | None
    vector_size: int


def is_number(field: bytes) -> bool:
    """Whether a field is a decimal number, and neither NaN nor infinity.

    Examples
    --------
    >>> [is_number(field) for field in (b"-1e-05", b".5", b"nan", b"1_0", b"")]
    [True, True, False, False, False]
    """
    return _NUMBER.fullmatch(field) is not None


def parse_header(line: bytes) -> Layout | None:
    """Parse ``n_words vector_size``; None if the line is something else.

    Examples
    --------
    >>> parse_header(b"400000 50")
    Layout(n_rows=400000, vector_size=50)
    >>> parse_header(b"the 0.1 0.2") is None
    True
    """
    match = _HEADER.fullmatch(line)
    if match is None:
        return None
    n_rows, vector_size = map(int, match.groups())
    return Layout(n_rows, vector_size) if vector_size else None


def guess_layout(lines: list[bytes]) -> Layout | None:
    """Find the sizes of a text from its first one or two lines, header or not.

    Two integers are a header, unless the second line is of two fields too: then they
    are the word and the number of a table of one column.

    Parameters
    ----------
    lines : list of bytes

    Returns
    -------
    layout : Layout or None
        None if the first line is neither a header nor a row.

    Examples
    --------
    >>> guess_layout([b"2 3", b"the 0.1 0.2 0.3"])
    Layout(n_rows=2, vector_size=3)
    >>> guess_layout([b". . . 0.1 0.2 0.3", b"the 0.1 0.2 0.3"])
    Layout(n_rows=None, vector_size=3)
    """
    vector_size, *next_size = map(_count_last_numbers, lines)
    header = parse_header(lines[0])
    if header and (next_size != [1] or header.vector_size == 1):
        return header
    return Layout(None, vector_size) if vector_size else None


def check_size(
    source: Source, layout: Layout, min_bytes_per_row: int, limit: int | None
) -> int:
    """Tell for how many rows to take memory; refuse a header that the file belies.

    Parameters
    ----------
    source : Source
    layout : Layout
    min_bytes_per_row : int
        What a row takes at least.
    limit : int or None
        How many rows will be read at most.

    Returns
    -------
    n_rows : int
        0 where neither the header nor the size of the file are to be trusted.

    Raises
    ------
    FormatError
        If the file is too small for what the header says.
    """
    if layout.n_rows is None or source.size is None:
        return 0
    n_rows = layout.n_rows if limit is None else min(layout.n_rows, limit)
    n_bytes = n_rows * min_bytes_per_row
    if n_bytes > source.size:
        raise FormatError(
            source.path,
            expected=(
                f"at least {n_bytes} bytes for {n_rows} rows of {layout.vector_size} "
                "numbers, as in the header"
            ),
            found=f"{source.size} bytes",
            line=1,
        )
    return n_rows


def no_header(path: Path, line: bytes) -> FormatError:
    """Say that the first line is not that of word2vec."""
    return FormatError(
        path,
        expected="the header 'n_words vector_size'",
        found=repr(line[:40]) if line else "an empty line",
        line=1,
    )


def _count_last_numbers(line: bytes) -> int:
    """Count the numbers at the end of a line, behind a first field that is the word."""
    fields = line.split()
    n_numbers = 0
    for field in reversed(fields[1:] if not line[:1].isspace() else fields):
        if not is_number(field):
            break
        n_numbers += 1
    return n_numbers
