"""Write what a benchmark measured, and on what: a JSON and a Markdown file."""

import json
import os
import platform
import re
import tempfile
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeAlias

RESULTS = Path(__file__).parent / "results"
_PACKAGES = ("numpy", "numba", "scikit-learn", "gensim", "torch")
Part: TypeAlias = Callable[[Path], Sequence[dict[str, Any]]]


def machine() -> dict[str, Any]:
    """Describe where the figures are from."""
    return {
        "python": platform.python_version(),
        **{package: version(package) for package in _PACKAGES},
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
    }


def _cpu_model() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        found = re.search(r"^model name\s*: (.+)$", cpuinfo.read_text(), re.MULTILINE)
        if found:
            return found[1]
    return platform.processor() or platform.machine()


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Lay rows of the same keys out as a Markdown table."""
    lines = ["| " + " | ".join(rows[0]) + " |", "|" + " --- |" * len(rows[0])]
    lines += ["| " + " | ".join(map(_cell, row.values())) + " |" for row in rows]
    return "\n".join(lines)


def _cell(value: Any) -> str:
    return f"{value:,.4g}" if isinstance(value, float) else str(value)


def write(name: str, rows: Sequence[dict[str, Any]], notes: str) -> str:
    """Write ``results/<name>.json`` and ``.md``, and return the latter's text.

    Parameters
    ----------
    name : str
    rows : sequence of dict
        All with the same keys, such as case, unit, value and ratio.
    notes : str
        What was done, as Markdown.
    """
    where = machine()
    described = ", ".join(f"{key} {value}" for key, value in where.items())
    page = f"# {name}\n\n{notes.strip()}\n\n{table(rows)}\n\n{described}\n"
    report = {"notes": notes.strip(), "machine": where, "rows": list(rows)}
    RESULTS.mkdir(exist_ok=True)
    _replace(RESULTS / f"{name}.json", json.dumps(report, indent=1) + "\n")
    _replace(RESULTS / f"{name}.md", page)
    return page


def write_parts(
    name: str, parts: dict[str, Part], chosen: Sequence[str] | None, notes: str
) -> str:
    """Run the chosen parts of a benchmark, and keep the rows of others.

    Parameters
    ----------
    name : str
    parts : dict of str to callable
        Each is given an empty folder, and returns its rows.
    chosen : sequence of str, or None
        Names of parts; all if there are none.
    notes : str

    Returns
    -------
    page : str
    """
    measured = []
    for part in chosen or parts:
        with tempfile.TemporaryDirectory() as folder:
            measured += [{"part": part, **row} for row in parts[part](Path(folder))]
    path = RESULTS / f"{name}.json"
    kept = json.loads(path.read_text())["rows"] if path.exists() else []
    done = {row["part"] for row in measured}
    rows = [row for row in kept if row["part"] not in done] + measured
    rows.sort(key=lambda row: list(parts).index(row["part"]))
    keys = dict.fromkeys(key for row in rows for key in row)
    return write(name, [{key: row.get(key, "") for key in keys} for row in rows], notes)


def _replace(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
