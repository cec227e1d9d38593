"""The settings in a model folder, apart from those that transformers reads itself."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

SENTENCE_SETTINGS = "sentence_*_config.json"


def read_json(file: Path, kind: type = dict) -> Any:
    """Read a JSON file that holds one thing of a kind.

    Raises
    ------
    ValueError
        If it holds something else.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    # Nesting deeper than Python's stack is one more way to be no JSON.
    except (ValueError, RecursionError) as error:
        msg = f"{file} must be JSON in UTF-8, but: {error}. Download it again."
        raise ValueError(msg) from None
    if not isinstance(content, kind):
        msg = f"{file} must hold a JSON {kind.__name__}, got {content!r:.100}."
        raise ValueError(msg)  # noqa: TRY004 - the file is wrong, not an argument
    return content


def read_modules(path: Path) -> list[dict[str, str]]:
    """Read which modules sentence-transformers puts one after the other, if it does.

    Parameters
    ----------
    path : Path
        The folder that was saved.

    Returns
    -------
    modules : list of dict of str to str
        With the keys ``"path"`` (of a folder within) and ``"type"`` (of a class).
    """
    file = path / "modules.json"
    if not file.is_file():
        return []
    modules = read_json(file, kind=list)
    try:
        return [{"path": m["path"], "type": m["type"]} for m in modules]
    except (KeyError, TypeError):
        msg = f"{file} must list modules with a path and a type, got {modules!r:.200}."
        raise ValueError(msg) from None


def read_sentence_settings(path: Path) -> dict[str, Any]:
    """Read what sentence-transformers saves about texts beside a transformer.

    Parameters
    ----------
    path : Path
        The folder of the transformer.

    Returns
    -------
    settings : dict
        Empty if there is no such file; a ``"max_seq_length"`` is positive or None.
    """
    names = names_like(path, [SENTENCE_SETTINGS])
    saved = read_json(path / names[0]) if names else {}
    length = saved.get("max_seq_length")
    if length is not None and not (type(length) is int and length > 0):
        msg = f"max_seq_length in {path / names[0]} must be positive, got {length!r}."
        raise ValueError(msg)
    return dict(saved)


def names_like(path: Path, patterns: Iterable[str]) -> tuple[str, ...]:
    """Return the sorted names of files that match any of the patterns."""
    found = {file.name for pattern in patterns for file in path.glob(pattern)}
    return tuple(sorted(name for name in found if (path / name).is_file()))
