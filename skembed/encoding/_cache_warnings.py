"""What the user of a feature cache can mend, said once."""

import os
import warnings
from pathlib import Path

from skembed._stacklevel import stacklevel_outside

_said: set[tuple[str, Path]] = set()


def warn_not_kept(root: Path, reason: str) -> None:
    """Say that new features are not kept in this cache, unless it has been said."""
    _warn_once(
        ("not kept", root),
        f"The feature cache in {root} cannot keep new features: {reason}. They are "
        "computed, and computed again next time. Give memory= a folder that can be "
        "written to and has room, or None.",
    )


def warn_damaged(path: Path, reason: str) -> None:
    """Say that a file of a folder is damaged, unless it has been said of another."""
    _warn_once(
        ("damaged", path.parent),
        f"A file of the feature cache is damaged, and ignored: {reason} Features that "
        "it held are computed again. Further damaged files in its folder are ignored "
        "without a warning.",
    )


def describe(error: OSError) -> str:
    """Return the system's words for an error."""
    return error.strerror or (os.strerror(error.errno) if error.errno else str(error))


def _warn_once(what: tuple[str, Path], message: str) -> None:
    if what not in _said:
        _said.add(what)
        warnings.warn(message, RuntimeWarning, stacklevel=stacklevel_outside())
