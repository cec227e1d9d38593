"""The one exception that reading a file raises for what the file holds."""

import os


class FormatError(ValueError):
    """A file is not what its format, or its own header, says.

    Parameters
    ----------
    path : str or path-like
        The file.
    expected : str
        What should have stood there.
    found : str
        What stands there.
    line : int or None
        The line, counted from 1.
    byte : int or None
        The byte, counted from 0, after decompression.

    Examples
    --------
    >>> raise FormatError("a.vec", expected="50 numbers", found="49", line=3)
    Traceback (most recent call last):
    ...
    skembed.formats._errors.FormatError: a.vec, line 3: expected 50 numbers, found 49.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        expected: str,
        found: str,
        line: int | None = None,
        byte: int | None = None,
    ) -> None:
        self.path = os.fspath(path)
        self.expected = expected
        self.found = found
        self.line = line
        self.byte = byte
        super().__init__()

    def __str__(self) -> str:
        place = "" if self.line is None else f", line {self.line}"
        place += "" if self.byte is None else f", byte {self.byte}"
        return f"{self.path}{place}: expected {self.expected}, found {self.found}."

    def __reduce__(self) -> tuple[object, ...]:
        # By keywords, which exceptions do not pickle of themselves.
        names = ("path", "expected", "found", "line", "byte")
        return _rebuild, ({name: getattr(self, name) for name in names},)


def _rebuild(arguments: dict[str, str]) -> FormatError:
    return FormatError(**arguments)  # type: ignore[arg-type]
