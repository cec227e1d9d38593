"""A barrier for threads in compiled code: they hardly ever sleep while they wait.

To wake a thread that sleeps takes tens of microseconds, as long as what some steps of
training take. Threads that come here look again and again; after a while, they sleep
between two looks, as the one that they wait for may be waiting for their processor.

Each thread has a cell of its own in which it writes how far it has come, so that no two
write to the same. Cells lie in different lines of the cache.
"""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

import numba
import numpy as np
import numpy.typing as npt
from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from skembed._kernels.compiling import compiled
from skembed._kernels.simd import pointer_to

_cell = ir.IntType(64)
# Cells of 8 bytes in two lines of the cache, which processors fetch in pairs.
_STRIDE = 16
# How often to look before sleeping: about a hundred microseconds.
_PATIENCE = 40_000
# The system's function, and the least time that it is worth to be called with.
if os.name == "nt":
    _sleep, _NAP = ctypes.windll.kernel32.Sleep, 1  # type: ignore[attr-defined]
else:
    _sleep, _NAP = ctypes.CDLL(None).usleep, 20
_sleep.restype = None
binding.add_symbol("skembed_sleep", ctypes.cast(_sleep, ctypes.c_void_p).value)


@intrinsic
def _read_cell(typingctx, cells, index):
    def codegen(context, builder, signature, args):
        pointer = pointer_to(
            context, builder, signature.args[0], args[0],
            (args[1:], signature.args[1:]), _cell,
        )  # fmt: skip
        return builder.load_atomic(pointer, "acquire", 8)

    return types.int64(cells, index), codegen


@intrinsic
def _write_cell(typingctx, cells, index, value):
    def codegen(context, builder, signature, args):
        pointer = pointer_to(
            context, builder, signature.args[0], args[0],
            (args[1:2], signature.args[1:2]), _cell,
        )  # fmt: skip
        value = context.cast(builder, args[2], signature.args[2], types.int64)
        builder.store_atomic(value, pointer, "release", 8)
        return context.get_dummy_value()

    return types.void(cells, index, value), codegen


@intrinsic
def _nap(typingctx):
    def codegen(context, builder, signature, args):
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [number])
        function = cgutils.get_or_insert_function(builder.module, kind, "skembed_sleep")
        builder.call(function, [number(_NAP)])
        return context.get_dummy_value()

    return types.void(), codegen


def _plain_read(cells, index):
    return cells[index]


def _plain_write(cells, index, value):
    cells[index] = value


def _plain_nap():
    _sleep(_NAP)


if numba.config.DISABLE_JIT:
    read_cell, write_cell, nap = _plain_read, _plain_write, _plain_nap
else:
    read_cell, write_cell, nap = _read_cell, _write_cell, _nap


def new_barrier(n_threads: int) -> npt.NDArray[np.int64]:
    """Make a barrier for so many threads.

    Parameters
    ----------
    n_threads : int

    Returns
    -------
    barrier : ndarray of int64
    """
    return np.zeros((n_threads + 1) * _STRIDE, dtype=np.int64)


@compiled()
def wait_for_all(barrier, thread, n_threads, number):
    """Wait until all threads have come this far.

    What they wrote before they came can be read after.

    Parameters
    ----------
    barrier : ndarray of int64
        From `new_barrier`.
    thread, n_threads : int
    number : int
        One more than the last time, 1 at first.

    Returns
    -------
    goes_on : bool
        False if the barrier was abandoned: one of them will not come.
    """
    write_cell(barrier, thread * _STRIDE, number)
    for other in range(n_threads):
        n_looks = 0
        while read_cell(barrier, other * _STRIDE) < number:
            if read_cell(barrier, n_threads * _STRIDE) != 0:
                return False
            n_looks += 1
            if n_looks > _PATIENCE:
                nap()
    return True


@contextmanager
def abandoned_on_error(barrier: npt.NDArray[np.int64]) -> Iterator[None]:
    """Let no thread wait for this one if it is stopped by an error, or a signal."""
    try:
        yield
    except BaseException:
        barrier[-_STRIDE] = 1
        raise
