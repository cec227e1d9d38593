"""Threads wait for each other, and see what others have written."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skembed._kernels.barrier import abandoned_on_error, new_barrier, wait_for_all
from skembed._kernels.compiling import compiled


@compiled()
def add_neighbors(values, barrier, thread, n_threads, n_times):
    """Let each thread add its neighbour's number to its own, again and again."""
    for k in range(n_times):
        neighbor = values[k % 2, (thread + 1) % n_threads]
        values[(k + 1) % 2, thread] = values[k % 2, thread] + neighbor
        if not wait_for_all(barrier, thread, n_threads, k + 1):
            return k
    return n_times


@pytest.mark.parametrize("n_threads", [1, 2, 3, 5])
def test_what_is_written_before_is_read_after(n_threads):
    values = np.zeros((2, n_threads), dtype=np.int64)
    values[0] = expected = np.arange(n_threads)
    barrier = new_barrier(n_threads)
    with ThreadPoolExecutor(n_threads) as executor:
        done = executor.map(
            lambda i: add_neighbors(values, barrier, i, n_threads, 5000),
            range(n_threads),
        )
        assert list(done) == [5000] * n_threads
    for _ in range(5000):
        expected = expected + np.roll(expected, -1)
    assert_array_equal(values[0], expected)


def test_nobody_waits_for_a_thread_that_has_failed():
    barrier, values = new_barrier(2), np.zeros((2, 2), dtype=np.int64)
    add_neighbors(values, new_barrier(1), 0, 1, 1)
    with ThreadPoolExecutor(1) as executor:
        waits = executor.submit(add_neighbors, values, barrier, 0, 2, 5)
        with (
            pytest.raises(KeyboardInterrupt),
            abandoned_on_error(barrier),
        ):
            raise KeyboardInterrupt
        assert waits.result(timeout=60) == 0


PROGRAM = """
import sys, threading, numpy as np
from skembed._kernels.barrier import new_barrier, wait_for_all
barrier = new_barrier(2)
thread = threading.Thread(target=wait_for_all, args=(barrier, 1, 2, 1))
thread.start()
print(wait_for_all(barrier, 0, 2, 1), len(wait_for_all.stats.cache_hits))
thread.join()
"""


def test_a_compiled_barrier_is_found_by_the_next_process(tmp_path):
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    lines = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env=environment, check=True, capture_output=True, text=True, timeout=120,
        ).stdout.split()
        for _ in range(2)
    ]  # fmt: skip
    assert lines == [["True", "0"], ["True", "1"]]


def test_without_a_compiler_threads_wait_too():
    program = PROGRAM.replace("wait_for_all.stats.cache_hits", "''")
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment, check=True, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.stdout.split() == ["True", "0"]
