"""Where the files of a bidirectional language model are: a folder, a zip, or a pair."""

import lzma
import os
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import IO, Any

from skembed.formats._errors import FormatError

# Of each file, the ends of the names that it may have; the first that fits is taken.
_ENDS = {
    "options": ("options.json",),
    "weights": ("weights.hdf5", "model.hdf5", ".hdf5", ".h5"),
    "vocabulary": ("vocab.txt", "vocab.txt.gz"),
}
# Numbers hardly shrink: what does so much more is made to fill the memory.
_MOST_RATIO, _SPARED_BYTES = 100, 1 << 24
_ZIP_START = b"PK\x03\x04"


@dataclass(frozen=True)
class ElmoFiles:
    """The files of a model, in an archive or beside one another.

    Parameters
    ----------
    options, weights : str
        Paths, or names within the archive.
    vocabulary : str or None
        The same of a list of words, if there is one.
    archive : str or None
        Path of a zip.
    """

    options: str
    weights: str
    vocabulary: str | None = None
    archive: str | None = None

    @property
    def paths(self) -> dict[str, Path]:
        """What is on the disk, under names that do not depend on where it is."""
        if self.archive is not None:
            return {"archive": Path(self.archive)}
        named = {"options": self.options, "weights": self.weights}
        if self.vocabulary is not None:
            named["vocabulary"] = self.vocabulary
        return {name: Path(path) for name, path in named.items()}

    def described(self, name: str) -> str:
        """Return what messages call a file."""
        return name if self.archive is None else f"{self.archive}/{name}"

    @contextmanager
    def opened(self, name: str) -> Iterator[IO[bytes]]:
        """Open one of the files, which can be read from any place."""
        if self.archive is None:
            with Path(name).open("rb") as file:
                yield file
        else:
            yield BytesIO(_read_member(self.archive, name))


def find_elmo(weights: Any) -> ElmoFiles:
    """Find the files of a model.

    Parameters
    ----------
    weights : str, path-like, or pair of them
        A folder or zip with a file of options (``*options.json``) and one of weights
        (``*.hdf5``); or the paths of these two.

    Returns
    -------
    files : ElmoFiles

    Raises
    ------
    FileNotFoundError
        If there is nothing at a path.
    FormatError
        If a folder or zip does not hold one file of each kind, or an archive is
        damaged or has members outside of its folder.
    TypeError
        If it is none of these.
    """
    if isinstance(weights, (tuple, list)):
        return _find_pair(weights)
    if not isinstance(weights, (str, os.PathLike)):
        msg = (
            "weights must be the path of a folder or a zip, or a pair (options.json, "
            f"weights.hdf5), got {type(weights).__name__}."
        )
        raise TypeError(msg)
    path = Path(weights).expanduser()
    if path.is_dir():
        names = sorted(file.name for file in path.iterdir() if file.is_file())
        found = {kind: _choose(path, kind, names) for kind in _ENDS}
        return ElmoFiles(**{  # type: ignore[arg-type]
            kind: name and str(path / name) for kind, name in found.items()
        })  # fmt: skip
    _check_there(path)
    with path.open("rb") as file:
        is_zip = file.read(len(_ZIP_START)) == _ZIP_START
    if not is_zip:
        expected = "a folder, a zip, or a pair (options.json, weights.hdf5)"
        raise FormatError(path, expected=expected, found="another file")
    names = sorted(_member_names(path))
    found = {kind: _choose(path, kind, names) for kind in _ENDS}
    return ElmoFiles(**found, archive=str(path))  # type: ignore[arg-type]


def _find_pair(pair: Sequence[Any]) -> ElmoFiles:
    if len(pair) != 2:
        msg = f"weights must be a pair (options.json, weights.hdf5), got {pair!r}."
        raise ValueError(msg)
    options, weights = (Path(path).expanduser() for path in pair)
    for path in (options, weights):
        _check_there(path)
    beside = sorted(file.name for file in weights.parent.iterdir())
    words = _choose(weights.parent, "vocabulary", beside)
    return ElmoFiles(str(options), str(weights), words and str(weights.parent / words))


def _check_there(path: Path) -> None:
    if not path.is_file():
        msg = f"There is no file or folder {str(path)!r}, which weights names."
        raise FileNotFoundError(msg)


def _choose(place: Path, kind: str, names: Sequence[str]) -> str | None:
    """Return the one file of a kind; a list of words need not be there."""
    for end in _ENDS[kind]:
        found = [name for name in names if _fits(name, end)]
        if len(found) == 1:
            return found[0]
        if found:
            expected = f"one file *{end} (or pass the pair of files that you mean)"
            listed = ", ".join(found[:10])
            raise FormatError(place, expected=expected, found=f"{len(found)}: {listed}")
    if kind == "vocabulary":
        return None
    expected = f"a file *{_ENDS[kind][0]}"
    raise FormatError(place, expected=expected, found=", ".join(names[:10]) or "none")


def _fits(name: str, end: str) -> bool:
    base = PurePosixPath(name).name
    return base.endswith(end) and not base.startswith(".")


def _member_names(path: Path) -> list[str]:
    """List the files of an archive, all of which must lie within its folder."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise _damaged(path, error) from error
    for name in names:
        parts = PurePosixPath(name.replace("\\", "/"))
        if parts.is_absolute() or ".." in parts.parts or ":" in name:
            expected = "members within the folder of the archive"
            raise FormatError(path, expected=expected, found=repr(name))
    return names


def _read_member(archive: str, name: str) -> bytes:
    try:
        with zipfile.ZipFile(archive) as opened:
            member = opened.getinfo(name)
            _check_size(archive, member)
            return opened.read(member)
    # What `zipfile` raises for bad archives, unknown compressions, and passwords; and
    # what its decompressors do.
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise _damaged(Path(f"{archive}/{name}"), error) from error
    except (zlib.error, lzma.LZMAError) as error:
        raise _damaged(Path(f"{archive}/{name}"), error) from error


def _check_size(archive: str, member: zipfile.ZipInfo) -> None:
    if member.file_size > _MOST_RATIO * member.compress_size + _SPARED_BYTES:
        found = f"{member.file_size} bytes in {member.compress_size}"
        expected = f"{member.filename} to hold what numbers can be packed into"
        raise FormatError(archive, expected=expected, found=found)


def _damaged(path: Path, error: Exception) -> FormatError:
    return FormatError(path, expected="a whole zip", found=f"an error: {error}")
