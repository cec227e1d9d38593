"""How much memory a call takes, in this process and on Linux."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

Result = TypeVar("Result")


def peak_of(call: Callable[[], Result]) -> tuple[Result, int]:
    """Return what a call returns, and the bytes that it took above what was there."""
    before = _status("VmRSS")
    # Resets the peak.
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    result = call()
    return result, _status("VmHWM") - before


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) * 1024
