"""Packages that a check needs and that may not be installed."""

from importlib import import_module
from types import ModuleType
from unittest import SkipTest


def installed(module: str) -> ModuleType:
    """Import `module`, or skip the check that asks for it, saying why."""
    try:
        return import_module(module)
    except ImportError:
        msg = f"This check needs {module}, which is not installed."
        raise SkipTest(msg) from None
