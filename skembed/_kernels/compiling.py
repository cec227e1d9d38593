"""Compile kernels once per machine, and never run yesterday's.

``numba.njit(cache=True)`` keeps compiled code on disk, but

- knows it by the one source file that the function is in, so that a change in a kernel
  that it calls goes unnoticed;
- fails when what is on disk names a class that is no more, as after an upgrade;
- refuses to define a function when it finds no folder to write to.

`compiled` does the same without these faults, and compiles faster.
"""

import gc
import pickle
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numba
from numba.core.caching import FunctionCache


@cache
def _stamp():
    """Name, size and time of change of every file of kernels."""
    root = Path(__file__).parents[1]
    files = sorted([*root.rglob("_kernels.py"), *root.rglob("_kernels/*.py")])
    return tuple(
        (str(file.relative_to(root)), stat.st_size, stat.st_mtime_ns)
        for file in files
        if (stat := file.stat())
    )


class _Cache(FunctionCache):
    """Numba's cache on disk, for the kernels of this package together."""

    def __init__(self, py_func):
        super().__init__(py_func)
        self._cache_file._source_stamp = _stamp()

    def load_overload(self, sig, target_context):
        try:
            return super().load_overload(sig, target_context)
        except (AttributeError, ImportError, EOFError, pickle.UnpicklingError):
            # Written by another version: empty it, and compile again.
            self._cache_file.flush()
            return None


@contextmanager
def _no_collector():
    """Keep the garbage collector from going through all that numba builds.

    It would take a seventh of the time, and find nothing.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def compiled(**options):
    """Make the decorator ``numba.njit(nogil=True, cache=True, **options)``, but sound.

    Parameters
    ----------
    **options
        Other options of `numba.njit`.
    """

    def decorate(function):
        dispatcher = numba.njit(nogil=True, **options)(function)
        if numba.config.DISABLE_JIT:
            return dispatcher
        compile_for_args = dispatcher._compile_for_args

        def compile_uncollected(*args, **kwargs):
            with _no_collector():
                return compile_for_args(*args, **kwargs)

        dispatcher._compile_for_args = compile_uncollected
        try:
            dispatcher._cache = _Cache(function)
        except RuntimeError:
            # No folder can be written to: compiled again in every process.
            return dispatcher
        return dispatcher

    return decorate
