"""Write files so that a reader finds the old one or the new one, never a half."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path to write to, which becomes `path` if all goes well.

    The temporary file lies in the folder of `path`, so that the renaming is one step of
    the file system. If writing fails, or is interrupted, it is removed, and what was at
    `path` before is still there. A symbolic link is followed, not replaced.

    Parameters
    ----------
    path : str or path-like
        The file to make or to replace.

    Yields
    ------
    temporary : Path
        An empty file, to be written and closed within the ``with`` block.

    Raises
    ------
    FileNotFoundError
        If the folder of `path` does not exist.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     final = Path(folder) / "notes.txt"
    ...     with atomic_path(final) as temporary:
    ...         _ = temporary.write_text("complete")
    ...     print(final.read_text())
    complete
    """
    final = Path(os.path.realpath(path))
    if not final.parent.is_dir():
        msg = f"Cannot write {final.name!r}: the folder {final.parent} does not exist."
        raise FileNotFoundError(msg)
    temporary = final.with_name(f".{final.name[:100]}.{secrets.token_hex(8)}.tmp")
    # Not by `tempfile`, whose files nobody else may read, whatever the umask says.
    temporary.touch(exist_ok=False)
    try:
        yield temporary
        _flush_to_disk(temporary)
        temporary.replace(final)
    finally:
        temporary.unlink(missing_ok=True)


def _flush_to_disk(path: Path) -> None:
    """Wait until the content is safe, as some disks report that they are full here."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
