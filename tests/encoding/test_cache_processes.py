"""Processes that write at once, and that are killed while they write."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

COMMON = """
import itertools, json, os, random, signal, struct, sys, time, traceback
from pathlib import Path
import numpy as np
from skembed.encoding import FeatureCache, digest_texts
from skembed.encoding._cache_space import _index_of
from tests.reference.feature_store import features

location, NAMES, N_TEXTS = sys.argv[1], ["mean.0", "max.0"], 40

def digests_of(*batch):
    return digest_texts([f"{batch} {i}" for i in range(N_TEXTS)])

def expected(digests, name):
    return np.tile(features(digests, name, 16), 60)

def write(space, digests):
    return space.write(digests, {name: expected(digests, name) for name in NAMES})

def right(space, digests):
    '''Whether all texts are there; what is there must be right.'''
    places = space.find(digests, NAMES)
    is_here = places >= 0
    for name in NAMES:
        rows, is_read = space.read(places, name)
        if is_read.any():
            assert (rows[is_read] == expected(digests, name)[is_read]).all()
        is_here &= is_read
    return bool(is_here.all())

def fork(run):
    pid = os.fork()
    if pid == 0:
        try:
            run()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return pid
"""

KILL = """
cache, space = FeatureCache(location), FeatureCache(location).space("ab")

def write_for_ever(number, pipe):
    space = FeatureCache(location).space("ab")
    for batch in itertools.count():
        assert (write(space, digests_of(number, batch)) >= 0).all()
        os.write(pipe, struct.pack("<i", batch))

n_acknowledged = [0] * 200
n_more = 0
for number in range(200):
    reading, writing = os.pipe()
    pid = fork(lambda: write_for_ever(number, writing))
    os.close(writing)
    time.sleep(random.uniform(0, 0.03))
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    with os.fdopen(reading, "rb") as pipe:
        n_acknowledged[number] = len(pipe.read()) // 4
    for batch in range(n_acknowledged[number]):
        assert right(space, digests_of(number, batch)), "lost"
    n_more += right(space, digests_of(number, n_acknowledged[number]))
_index_of.cache_clear()
space = cache.space("ab")
for number, n in enumerate(n_acknowledged):
    assert all(right(space, digests_of(number, batch)) for batch in range(n)), "lost"
temporaries = list(Path(location).rglob(".*.tmp"))
for path in temporaries:
    os.utime(path, (0, 0))
cache.clear("cd")
# Another process, which has not looked at the folder yet, sweeps as it writes.
os.waitpid(fork(lambda: write(FeatureCache(location).space("cd"), digests_of("x"))), 0)
info = cache.info()
print(json.dumps({
    "acknowledged": sum(n_acknowledged), "more": n_more, "torn": info.n_ignored,
    "interrupted": len(temporaries), "texts": info.spaces["ab"].n_texts,
    "left": len(list(Path(location).rglob(".*.tmp"))),
}))
"""

WRITE_AT_ONCE = """
max_size = int(sys.argv[2]) or None
N_WRITERS, N_BATCHES = 4, 25

def work(number):
    space = FeatureCache(location, max_size=max_size).space("ab")
    for batch in range(N_BATCHES):
        own, shared = digests_of(number, batch), digests_of("shared", batch)
        for digests in (own, shared):
            if not right(space, digests):
                write(space, digests)
            here = right(space, digests)
            assert here or max_size

pids = [fork(lambda: work(number)) for number in range(N_WRITERS)]
statuses = [os.waitpid(pid, 0)[1] for pid in pids]
info = FeatureCache(location).info()
print(json.dumps({
    "statuses": statuses, "torn": info.n_ignored, "texts": info.n_texts,
    "shards": info.n_shards, "bytes": info.n_bytes,
    "left": len(list(Path(location).rglob(".*.tmp"))),
}))
"""

LOOK_UP = """
space = FeatureCache(location).space("ab")
if sys.argv[2] == "write":
    write(space, digests_of(0))
found = right(space, digests_of(0))
print(json.dumps({"found": found, "torch": "torch" in sys.modules}))
"""


def run(code, *arguments):
    """Run `code` in a new process, and return what it prints."""
    done = subprocess.run(
        [
            sys.executable,
            "-W",
            "error::RuntimeWarning",
            "-c",
            COMMON + code,
            *arguments,
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
def test_writers_that_are_killed_lose_nothing_and_tear_nothing(tmp_path):
    result = run(KILL, str(tmp_path))
    assert result["acknowledged"] > 200
    assert result["interrupted"] > 20  # the test does what it says
    n_batches = result["acknowledged"] + result["more"]
    assert result["texts"] == 40 * n_batches
    assert result["torn"] == result["left"] == 0


@pytest.mark.slow
def test_four_processes_write_at_once(tmp_path):
    result = run(WRITE_AT_ONCE, str(tmp_path), "0")
    assert result["statuses"] == [0] * 4
    assert result["texts"] == 40 * 25 * 5
    # A batch that two have written at once is one file nevertheless.
    assert result["shards"] == 25 * 5
    assert result["torn"] == result["left"] == 0


@pytest.mark.slow
def test_four_processes_keep_the_bound_together(tmp_path):
    result = run(WRITE_AT_ONCE, str(tmp_path), "3000000")
    assert result["statuses"] == [0] * 4
    assert 1_000_000 < result["bytes"] <= 3_000_000
    assert result["torn"] == result["left"] == 0


@pytest.mark.slow
def test_what_one_process_writes_another_reads_without_torch(tmp_path):
    assert run(LOOK_UP, str(tmp_path), "write") == {"found": True, "torch": False}
    assert run(LOOK_UP, str(tmp_path), "read") == {"found": True, "torch": False}
