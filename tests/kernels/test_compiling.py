"""Compiled code is kept on disk, and never stands in the way."""

import gc
import os
import pickle
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import numba
import numpy as np
import pytest

import skembed
from skembed._kernels import compiling
from skembed._kernels.compiling import compiled


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty folder of compiled code."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    return tmp_path


def double(x):
    return 2 * x


def compile_double():
    dispatcher = compiled()(double)
    assert dispatcher(21) == 42
    return dispatcher


def test_a_second_process_finds_what_the_first_has_compiled(cache):
    assert compile_double().stats.cache_misses
    assert compile_double().stats.cache_hits


def test_a_change_in_any_file_of_kernels_compiles_all_anew(cache, monkeypatch):
    compile_double()
    monkeypatch.setattr(compiling, "_stamp", lambda: (("changed",),))
    assert compile_double().stats.cache_misses


class Removed:
    """A class that an index names, and that is no more when it is read."""


def test_an_index_that_names_a_class_that_is_no_more_is_written_anew(
    cache, monkeypatch
):
    compile_double()
    (index,) = cache.rglob("*.nbi")
    stale = pickle.dumps((None, {Removed: "double.nbc"}))
    index.write_bytes(pickle.dumps(numba.__version__) + stale)
    monkeypatch.delattr(sys.modules[__name__], "Removed")
    assert compile_double().stats.cache_misses
    assert compile_double().stats.cache_hits


def test_an_index_that_was_cut_is_written_anew(cache):
    compile_double()
    (index,) = cache.rglob("*.nbi")
    index.write_bytes(index.read_bytes()[:-10])
    assert compile_double().stats.cache_misses
    assert compile_double().stats.cache_hits


def test_without_a_folder_to_write_to_functions_are_compiled_all_the_same(
    monkeypatch,
):
    def refuse(function):
        message = "no locator available"
        raise RuntimeError(message)

    monkeypatch.setattr(compiling, "_Cache", refuse)
    assert compile_double()(1) == 2


@pytest.mark.slow
def test_two_processes_may_compile_at_once_without_a_home(tmp_path):
    """A copy of the package, never compiled, that nobody may write to."""
    package = tmp_path / "package"
    shutil.copytree(
        Path(skembed.__file__).parent,
        package / "skembed",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    code = textwrap.dedent("""
        import numpy as np
        from skembed.counts import AliasTable
        print(AliasTable.from_probabilities(np.array([0.75, 0.25])).alias)
    """)
    environment = {**os.environ, "PYTHONPATH": str(package), "HOME": "/nonexistent"}
    environment["NUMBA_CACHE_DIR"] = str(tmp_path / "cache")
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE
        )
        for _ in range(2)
    ]
    outputs = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert outputs[0] == outputs[1] == f"{np.array([0, 0])}\n".encode()


@pytest.mark.parametrize("enabled", [True, False])
def test_compiling_leaves_the_collector_as_it_was(enabled):
    seen = []

    @compiled()
    def add(a, b):
        return a + b

    was_enabled = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        assert add(1, 2) == 3
        with pytest.raises(numba.TypingError):
            add(1, "2")
        seen.append(gc.isenabled())
    finally:
        (gc.enable if was_enabled else gc.disable)()
    assert seen == [enabled]
