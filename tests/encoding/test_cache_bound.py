import os
import time

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skembed.encoding import FeatureCache, digest_texts
from skembed.encoding._cache_space import _index_of
from tests.reference.feature_store import features

# A shard of one text has 4 kB of features and a header of less than 1 kB.
WIDTH = 1000
DIGESTS = digest_texts([f"text {i}" for i in range(10)])


def write(space, i):
    digests = DIGESTS[i : i + 1]
    row = np.repeat(features(digests, "mean.0", 1), WIDTH, axis=1)
    return space.write(digests, {"mean.0": row})


def found(space):
    return np.flatnonzero(space.find(DIGESTS) >= 0).tolist()


def files(tmp_path):
    return sorted(tmp_path.rglob("*.safetensors"))


def make_older(paths, seconds):
    for path in paths:
        before = path.stat().st_mtime - seconds
        os.utime(path, (before, before))


def total(tmp_path):
    return sum(path.stat().st_size for path in files(tmp_path))


def test_the_bound_holds_after_every_write(tmp_path):
    cache = FeatureCache(tmp_path, max_size="16 kB")
    for i in range(10):
        assert (write(cache.space("ab"), i) >= 0).all()
        assert total(tmp_path) <= 16_000
        assert i in found(cache.space("ab"))
        make_older(files(tmp_path), 1)
    assert found(cache.space("ab")) == [7, 8, 9]


def test_the_oldest_go_first_whatever_their_space(tmp_path):
    cache = FeatureCache(tmp_path, max_size="16 kB")
    for i, key in enumerate(["aa", "bb", "cc"]):
        write(cache.space(key), i)
        make_older(files(tmp_path), 1)
    write(cache.space("aa"), 3)
    assert found(cache.space("aa")) == [3]
    write(cache.space("cc"), 4)
    assert [found(cache.space(key)) for key in ("aa", "bb", "cc")] == [[3], [], [2, 4]]


def test_reading_keeps_a_shard_longer(tmp_path):
    space = FeatureCache(tmp_path, max_size="16 kB").space("ab")
    for i in range(3):
        write(space, i)
        make_older(files(tmp_path), 1)
    space.read(space.find(DIGESTS[:1]), "mean.0")
    write(space, 3)
    assert found(space) == [0, 2, 3]


def test_a_shard_in_use_is_not_touched_at_every_read(tmp_path):
    space = FeatureCache(tmp_path).space("ab")
    places = write(space, 0)
    space.read(places, "mean.0")
    make_older(files(tmp_path), 30)
    before = files(tmp_path)[0].stat().st_mtime
    space.read(places, "mean.0")
    assert files(tmp_path)[0].stat().st_mtime == before


def test_the_new_shard_stays_even_if_clocks_disagree(tmp_path):
    space = FeatureCache(tmp_path, max_size="16 kB").space("ab")
    for i in range(3):
        write(space, i)
    make_older(files(tmp_path), -1000)
    write(space, 3)
    assert 3 in found(space)
    assert len(found(space)) == 3


def test_what_is_alone_larger_than_the_bound_is_not_kept(tmp_path):
    cache = FeatureCache(tmp_path, max_size=5000)
    write(cache.space("ab"), 0)
    size = total(tmp_path)
    small = FeatureCache(tmp_path, max_size=size - 1)
    with pytest.warns(RuntimeWarning, match=f"{size:,} bytes at once exceed max_size="):
        assert (write(small.space("ab"), 1) == -1).all()
    assert found(cache.space("ab")) == [0]


def test_no_bound_keeps_all(tmp_path):
    space = FeatureCache(tmp_path, max_size=None).space("ab")
    for i in range(10):
        write(space, i)
    assert found(space) == list(range(10))


def test_foreign_and_damaged_files_are_removed_when_they_are_oldest(tmp_path):
    space = FeatureCache(tmp_path, max_size="16 kB").space("ab")
    write(space, 0)
    junk = files(tmp_path)[0].with_name("junk.safetensors")
    junk.write_bytes(b"\x02" + bytes(7) + b"{}" + bytes(9000))
    make_older([junk], 100)
    for i in range(1, 4):
        write(space, i)
    assert not junk.exists()


def test_what_cannot_be_removed_stays(tmp_path, monkeypatch):
    space = FeatureCache(tmp_path, max_size="16 kB").space("ab")
    for i in range(3):
        write(space, i)
        make_older(files(tmp_path), 1)
    unlink, stuck = os.unlink, min(files(tmp_path), key=lambda x: x.stat().st_mtime)

    def refuse(path, **options):
        if os.fspath(path) == os.fspath(stuck):
            raise PermissionError
        unlink(path, **options)

    monkeypatch.setattr(os, "unlink", refuse)
    write(space, 3)
    assert found(space) == [0, 2, 3]


def leave_temporary(tmp_path, hours):
    write(FeatureCache(tmp_path).space("ab"), 9)
    path = files(tmp_path)[0].with_name(f".{hours}.tmp")
    path.write_text("half")
    then = time.time() - 3600 * hours
    os.utime(path, (then, then))
    return path


def test_only_old_temporary_files_are_swept(tmp_path):
    old, new = leave_temporary(tmp_path, 2), leave_temporary(tmp_path, 0.5)
    write(FeatureCache(tmp_path, max_size="1 MB").space("cd"), 0)
    assert not old.exists()
    assert new.exists()


def test_clear_removes_one_space_or_all(tmp_path):
    cache = FeatureCache(tmp_path)
    for key in ("aa", "bb", "cc"):
        write(cache.space(key), 0)
    old = leave_temporary(tmp_path, 2)
    (tmp_path / "mine.safetensors").write_text("not of the cache")
    cache.clear("bb")
    assert [found(cache.space(key)) for key in ("aa", "bb", "cc")] == [[0], [], [0]]
    cache.clear()
    assert [path.name for path in files(tmp_path)] == ["mine.safetensors"]
    assert not old.exists()
    assert cache.info().n_bytes == 0
    assert (write(cache.space("aa"), 0) >= 0).all()


def test_rows_read_before_an_eviction_stay_right(tmp_path):
    """What was handed out is a copy, and a mapped file is read to its end."""
    space = FeatureCache(tmp_path, max_size="16 kB").space("ab")
    write(space, 0)
    _index_of.cache_clear()
    reader = FeatureCache(tmp_path).space("ab")
    places = reader.find(DIGESTS[:1])
    rows, _ = reader.read(places, "mean.0")
    make_older(files(tmp_path), 100)
    for i in range(1, 5):
        write(space, i)
    assert 0 not in found(space)
    again, is_read = reader.read(places, "mean.0")
    assert is_read.all()
    assert_array_equal(again, rows)
    assert_array_equal(rows, np.repeat(features(DIGESTS[:1], "mean.0", 1), WIDTH, 1))
