"""The rows of a text file of word vectors, parsed a block of lines at a time."""

import numpy as np
import numpy.typing as npt

from skembed.formats._decoding import (
    Decoding,
    UndecodableWordError,
    decode_words,
)
from skembed.formats._errors import FormatError
from skembed.formats._header import Layout, is_number
from skembed.formats._kernels import locate_fields, parse_numbers
from skembed.formats._table import TableBuilder

_NEWLINE = 10


class TextRows:
    """Reads blocks of lines into a table, and keeps count of the lines.

    Parameters
    ----------
    builder : TableBuilder
        Where the rows go.
    layout : Layout
    decoding : Decoding
        Of the words.
    """

    def __init__(
        self, builder: TableBuilder, layout: Layout, decoding: Decoding
    ) -> None:
        self._builder = builder
        self._layout = layout
        self._decoding = decoding
        self._line = 1 if layout.n_rows is None else 2
        self._blank_line: int | None = None

    def read(self, block: bytes) -> None:
        """Read the lines of a block, no more than the builder wants.

        Parameters
        ----------
        block : bytes
            Whole lines.
        """
        if not block:
            return
        data = np.frombuffer(block if block[-1:] == b"\n" else block + b"\n", np.uint8)
        stops = np.flatnonzero(data == _NEWLINE)[: self._builder.n_open]
        starts = np.concatenate([[0], stops[:-1] + 1])[: len(stops)]
        word_stops, number_starts = np.empty_like(stops), np.empty_like(stops)
        size = self._layout.vector_size
        locate_fields(data, size, starts, stops, word_stops, number_starts)

        n_rows = self._count_rows(data, starts, stops, number_starts)
        words = self._decode(data, starts[:n_rows], word_stops[:n_rows])
        kept = self._builder.select(words)
        vectors = self._builder.rows(len(kept))
        parse_numbers(data, number_starts[kept], stops[kept], vectors)
        for i in np.flatnonzero(np.isnan(vectors).any(axis=1)):
            row = kept[i]
            fields = data[number_starts[row] : stops[row]].tobytes().split()
            vectors[i] = self._parse_in_python(fields, self._line + int(row))
        self._line += len(stops)

    def expect_all(self) -> None:
        """Raise a FormatError unless there were as many rows as the header says."""
        n_rows, n_seen = self._layout.n_rows, self._builder.n_seen
        if n_rows is not None and n_seen != n_rows:
            raise self._error(
                self._line,
                expected=f"{n_rows} rows, as in the header",
                found=f"the end after {n_seen}",
            )

    def _count_rows(
        self,
        data: npt.NDArray[np.uint8],
        starts: npt.NDArray[np.int64],
        stops: npt.NDArray[np.int64],
        number_starts: npt.NDArray[np.int64],
    ) -> int:
        """Count the rows before the blank lines at the end; refuse all other lines."""
        blank = np.flatnonzero(starts == stops)
        n_rows = int(blank[0]) if len(blank) else len(stops)
        rows_follow = (starts[n_rows:] < stops[n_rows:]).any()
        if rows_follow or (n_rows and self._blank_line):
            line = self._blank_line or self._line + n_rows
            raise self._error(line, expected="a row", found="an empty line")
        if len(blank) and not self._blank_line:
            self._blank_line = self._line + n_rows
        wrong = np.flatnonzero(number_starts[:n_rows] < 0)
        if len(wrong):
            row = int(wrong[0])
            n_fields = len(data[starts[row] : stops[row]].tobytes().split())
            raise self._error(
                self._line + row, expected=self._a_row, found=f"{n_fields} fields"
            )
        n_before = self._builder.n_seen
        if self._layout.n_rows is not None and n_before + n_rows > self._layout.n_rows:
            line = self._line + self._layout.n_rows - n_before
            expected = f"the end after {self._layout.n_rows} rows, as in the header"
            raise self._error(line, expected=expected, found="another row")
        return n_rows

    @property
    def _a_row(self) -> str:
        return f"a word and {self._layout.vector_size} numbers"

    def _decode(
        self,
        data: npt.NDArray[np.uint8],
        starts: npt.NDArray[np.int64],
        stops: npt.NDArray[np.int64],
    ) -> list[str]:
        """Decode the words, and refuse those that end in a number too many."""
        try:
            words = decode_words(
                data, starts, stops, separator="\n", decoding=self._decoding
            )
        except UndecodableWordError as error:
            line = self._line + error.row
            raise self._error(
                line, expected=error.expected, found=error.found
            ) from error
        for row, word in enumerate(words):
            if " " in word or "\t" in word:
                last = data[starts[row] : stops[row]].tobytes().split()[-1]
                if is_number(last):
                    found = f"one more after {word!r}"
                    raise self._error(
                        self._line + row, expected=self._a_row, found=found
                    )
        return words

    def _parse_in_python(
        self, fields: list[bytes], line: int
    ) -> npt.NDArray[np.float32]:
        """Parse the rare rows with a number that the kernel is not sure of."""
        for field in fields:
            if not is_number(field):
                raise self._error(line, expected="a number", found=repr(field[:40]))
        if len(fields) != self._layout.vector_size:
            raise self._error(
                line, expected=self._a_row, found=f"{len(fields)} numbers"
            )
        with np.errstate(over="ignore"):
            numbers = np.array([float(field) for field in fields]).astype(np.float32)
        if not np.isfinite(numbers).all():
            field = fields[int(np.argmin(np.isfinite(numbers)))]
            expected = "numbers in the range of float32"
            raise self._error(line, expected=expected, found=repr(field))
        return numbers

    def _error(self, line: int, *, expected: str, found: str) -> FormatError:
        return FormatError(
            self._builder.path, expected=expected, found=found, line=line
        )
