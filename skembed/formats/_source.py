"""The bytes of a file, whether or not it is compressed."""

import bz2
import gzip
import lzma
import os
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from skembed.formats._errors import FormatError

BLOCK_BYTES = 1 << 23
# No line of any published file comes near; a file without newlines is of another kind.
_MAX_LINE_BYTES = 1 << 28

_GZIP_START = b"\x1f\x8b"
_XZ_START = b"\xfd7zXZ\x00"
_ZIP_START = b"PK\x03\x04"
# A text may begin with the first of these, but hardly with both.
_BZ2_START, _BZ2_BLOCK = b"BZh", b"1AY&SY"
_TAR_MARK = slice(257, 262)


class Source:
    """A file that is read once from its beginning, with the position in it.

    Parameters
    ----------
    path : Path
        For messages.
    file : binary file
        What to read, which decompresses.
    size : int or None
        Number of bytes after decompression, where that can be trusted.
    """

    def __init__(self, path: Path, file: IO[bytes], size: int | None) -> None:
        self.path = path
        self.size = size
        self.position = 0
        self._file = file

    def read(self, n_bytes: int) -> bytes:
        """Read up to `n_bytes`; less only at the end of the file.

        Raises
        ------
        FormatError
            If compressed data are damaged or cut off.
        """
        try:
            data = self._file.read(n_bytes)
        except (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile) as error:
            raise self._damaged(error) from error
        except OSError as error:
            # Those of gzip and bz2 for bad data; others come from the system.
            if error.errno is not None:
                raise
            raise self._damaged(error) from error
        if self.position == 0 and data[_TAR_MARK] == b"ustar":
            found = "a tar archive; extract it first"
            raise FormatError(self.path, expected="a single file", found=found)
        self.position += len(data)
        return data

    def lines(self) -> Iterator[bytes]:
        """Read blocks of whole lines; only the last may lack its newline."""
        rest = b""
        while data := self.read(BLOCK_BYTES):
            end = data.rfind(b"\n") + 1
            if end:
                yield rest + data[:end]
                rest = data[end:]
            else:
                rest += data
            if len(rest) > _MAX_LINE_BYTES:
                found = f"none in {len(rest)} bytes"
                raise FormatError(
                    self.path, expected="a newline", found=found, byte=self.position
                )
        if rest:
            yield rest

    def _damaged(self, error: Exception) -> FormatError:
        return FormatError(
            self.path,
            expected="whole compressed data",
            found=f"an error: {error}",
            byte=self.position,
        )


@contextmanager
def open_source(path: str | os.PathLike[str]) -> Iterator[Source]:
    """Open a file, and decompress it if its first bytes are those of gz, bz2, xz, zip.

    Parameters
    ----------
    path : str or path-like
        A zip archive must hold a single file, or the path goes on with the name of one:
        ``"glove.6B.zip/glove.6B.50d.txt"``.

    Yields
    ------
    source : Source

    Raises
    ------
    FormatError
        If an archive holds several files, none, or not the one that was named.
    """
    path, member = _split_member(Path(path))
    with path.open("rb") as raw:
        start = raw.read(16)
        raw.seek(0)
        if start.startswith(_ZIP_START):
            file = _open_zip_member(path, raw, member)
        else:
            file = _decompress(raw, start)
        with file:
            size = os.fstat(raw.fileno()).st_size if file is raw else None
            yield Source(path, file, size)


def _split_member(path: Path) -> tuple[Path, str | None]:
    """Divide the path of a file in an archive into the two."""
    if not path.exists():
        for parent in path.parents:
            if parent.is_file():
                return parent, path.relative_to(parent).as_posix()
    return path, None


def _decompress(raw: IO[bytes], start: bytes) -> IO[bytes]:
    if start.startswith(_GZIP_START):
        return cast("IO[bytes]", gzip.GzipFile(fileobj=raw))
    if start.startswith(_XZ_START):
        return lzma.LZMAFile(raw)
    if start.startswith(_BZ2_START) and start[4:10] == _BZ2_BLOCK:
        return bz2.BZ2File(raw)
    return raw


def _open_zip_member(path: Path, raw: IO[bytes], member: str | None) -> IO[bytes]:
    try:
        archive = zipfile.ZipFile(raw)
        names = [entry for entry in archive.namelist() if not entry.endswith("/")]
        chosen = [name for name in names if member in (None, name)]
        if len(chosen) == 1:
            return archive.open(chosen[0])
    # What `zipfile` raises for bad archives, unknown compressions, and passwords.
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        found = f"an error: {error}"
        raise FormatError(path, expected="a zip archive", found=found) from error
    raise FormatError(
        path,
        expected=member or f"one file (choose another by {path.name}/NAME)",
        found=f"{len(names)} files: {', '.join(names[:10])}",
    )
