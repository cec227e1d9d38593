import errno
import json
import os
import warnings

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skembed.encoding import FeatureCache, digest_texts
from skembed.encoding import _shard as shard_module
from skembed.encoding._cache_space import _index_of
from tests.reference.feature_store import features

NAMES = ["mean.0", "max.0"]
DIGESTS = digest_texts([f"text {i}" for i in range(6)])


def arrays_of(digests):
    return {name: features(digests, name, width=5) for name in NAMES}


@pytest.fixture
def cache(tmp_path):
    return FeatureCache(tmp_path)


@pytest.fixture
def path(cache, tmp_path):
    """The one shard there is, of the first three texts, which nobody has opened."""
    cache.space("ab").write(DIGESTS[:3], arrays_of(DIGESTS[:3]))
    (path,) = tmp_path.rglob("*.safetensors")
    _index_of.cache_clear()
    return path


def readable(cache, name="mean.0"):
    """Which of the texts are found and read; what is read must be right."""
    space = cache.space("ab")
    rows, is_read = space.read(space.find(DIGESTS, NAMES), name)
    if is_read.any():
        assert_array_equal(rows[is_read], features(DIGESTS, name, 5)[is_read])
    return is_read.tolist()


def replace(path, data):
    """Change a file as a damaged disk does: under its name, at once."""
    path.write_bytes(data)


def test_any_changed_byte_is_noticed(cache, path):
    """Nothing wrong is served, wherever it is; a change of the version is no damage."""
    data = path.read_bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for byte in range(len(data)):
            replace(path, data[:byte] + bytes([data[byte] ^ 1]) + data[byte + 1 :])
            _index_of.cache_clear()
            served = [readable(cache, name) for name in NAMES]
            assert not all(map(any, served)), f"byte {byte} can change"
    replace(path, data)
    _index_of.cache_clear()
    assert readable(cache) == [True] * 3 + [False] * 3


@pytest.mark.parametrize("n_left", [0, 4, 8, 100, -100, -1])
def test_a_truncated_file_is_ignored(cache, path, n_left):
    replace(path, path.read_bytes()[:n_left])
    with pytest.warns(RuntimeWarning, match=rf"damaged, and ignored: .*{path.name}"):
        assert not any(readable(cache))
    assert not any(readable(cache))  # and is not spoken of again


def test_a_longer_file_is_ignored(cache, path):
    replace(path, path.read_bytes() + b"\0")
    with pytest.warns(RuntimeWarning, match="damaged"):
        assert not any(readable(cache))


@pytest.mark.parametrize("header", [b"[]", b"{", b"[" * 100_000, b"\xff"])
def test_a_header_that_is_none_is_ignored(cache, path, header):
    replace(path, len(header).to_bytes(8, "little") + header)
    with pytest.warns(RuntimeWarning, match="expected the header"):
        assert not any(readable(cache))


def test_a_file_cut_off_after_it_was_found_is_noticed(cache, path):
    space = cache.space("ab")
    places = space.find(DIGESTS, NAMES)
    os.truncate(path, path.stat().st_size - 4)
    with pytest.warns(RuntimeWarning, match="bytes"):
        _, is_read = space.read(places, "mean.0")
    assert not is_read.any()


def test_damage_is_said_once_and_counted(cache, path):
    cache.space("ab").write(DIGESTS[3:], arrays_of(DIGESTS[3:]))
    for each in path.parent.glob("*.safetensors"):
        replace(each, each.read_bytes()[:-1])
    _index_of.cache_clear()
    with pytest.warns(RuntimeWarning, match="damaged") as caught:
        assert not any(readable(cache))
    assert len(caught) == 1
    assert caught[0].filename == __file__
    info = cache.info()
    assert (info.n_ignored, info.n_shards, info.n_texts) == (2, 0, 0)
    assert info.n_bytes > 0


def test_writing_again_mends_a_damaged_file(cache, path, tmp_path):
    good = path.read_bytes()
    replace(path, good[:-1] + b"\x7f")
    (tmp_path / "link").symlink_to(tmp_path)
    other = FeatureCache(tmp_path / "link").space("ab")  # as another process
    assert other._index is not cache.space("ab")._index
    with pytest.warns(RuntimeWarning, match=r"'max.0' with checksum"):
        assert not any(readable(cache, "max.0"))
    with pytest.warns(RuntimeWarning, match="checksum"):
        other.read(other.find(DIGESTS, NAMES), "max.0")
    assert (other.find(DIGESTS) == -1).all()
    cache.space("ab").write(DIGESTS[:3], arrays_of(DIGESTS[:3]))
    assert path.read_bytes() == good
    assert readable(cache, "max.0") == [True] * 3 + [False] * 3
    assert (other.find(DIGESTS[:3], NAMES) >= 0).all()


def test_another_version_is_ignored_quietly(cache, path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(shard_module, "VERSION", "2")
        assert not any(readable(cache))
        cache.space("ab").write(DIGESTS[3:], arrays_of(DIGESTS[3:]))
        assert readable(cache) == [False] * 3 + [True] * 3
        assert cache.info().n_ignored == 1
    _index_of.cache_clear()
    assert readable(cache) == [True] * 3 + [False] * 3


def test_other_files_are_left_alone(cache, path):
    header = json.dumps({"x": {"dtype": "U8", "shape": [0], "data_offsets": [0, 0]}})
    other = path.with_name("other.safetensors")
    replace(other, len(header).to_bytes(8, "little") + header.encode())
    (path.parent / "notes.txt").write_text("mine")
    assert readable(cache) == [True] * 3 + [False] * 3
    assert cache.info().n_ignored == 1


def fail_with(number):
    def fail(*arguments, **options):
        raise OSError(number, os.strerror(number))

    return fail


@pytest.mark.parametrize(
    ("where", "number", "message"),
    [
        ("skembed._atomic._flush_to_disk", errno.ENOSPC, "No space left on device"),
        ("pathlib.Path.touch", errno.EROFS, "Read-only file system"),
        ("pathlib.Path.mkdir", errno.EACCES, "Permission denied"),
        ("pathlib.Path.replace", errno.EDQUOT, "quota exceeded"),
    ],
)
def test_what_cannot_be_written_is_said_once(
    cache, path, monkeypatch, where, number, message
):
    space = cache.space("ab")
    with monkeypatch.context() as patch:
        patch.setattr(where, fail_with(number))
        with pytest.warns(RuntimeWarning, match=f"cannot keep .*{message}") as caught:
            assert (space.write(DIGESTS[3:], arrays_of(DIGESTS[3:])) == -1).all()
        assert caught[0].filename == __file__
        # Not again: a warning would be an error here.
        assert (space.write(DIGESTS[3:], arrays_of(DIGESTS[3:])) == -1).all()
        assert readable(cache) == [True] * 3 + [False] * 3
    assert [each for each in path.parent.iterdir() if each != path] == []
    assert (space.write(DIGESTS[3:], arrays_of(DIGESTS[3:])) >= 0).all()


def test_a_location_that_is_a_file_keeps_nothing(tmp_path):
    (tmp_path / "file").write_text("")
    space = FeatureCache(tmp_path / "file").space("ab")
    with pytest.warns(RuntimeWarning, match="Not a directory"):
        assert (space.write(DIGESTS, arrays_of(DIGESTS)) == -1).all()
    assert (space.find(DIGESTS) == -1).all()


def test_errors_of_the_program_are_errors(cache, monkeypatch):
    def fail(*arguments):
        raise ZeroDivisionError

    monkeypatch.setattr(shard_module, "_header", fail)
    with pytest.raises(ZeroDivisionError):
        cache.space("ab").write(DIGESTS, arrays_of(DIGESTS))


def test_a_read_only_folder_is_read(cache, path, monkeypatch):
    monkeypatch.setattr(os, "utime", fail_with(errno.EROFS))
    assert readable(cache) == [True] * 3 + [False] * 3


def test_a_shard_that_vanished_reads_as_missing(cache, path):
    space = cache.space("ab")
    space.write(DIGESTS[3:], arrays_of(DIGESTS[3:]))
    places = space.find(DIGESTS, NAMES)
    path.unlink()
    out = np.full((6, 5), -1, dtype=np.float32)
    rows, is_read = space.read(places, "mean.0", out=out)
    assert is_read.tolist() == [False] * 3 + [True] * 3
    assert_array_equal(rows[:3], -1)
    assert_array_equal(rows[3:], features(DIGESTS[3:], "mean.0", 5))
    assert_array_equal(space.find(DIGESTS, NAMES) >= 0, is_read)


def test_a_shard_that_is_removed_while_it_is_opened_is_missing(
    cache, path, monkeypatch
):
    open_shard = shard_module.open_shard

    def remove_and_open(path):
        path.unlink(missing_ok=True)
        return open_shard(path)

    monkeypatch.setattr("skembed.encoding._shard_index.open_shard", remove_and_open)
    assert not any(readable(cache))


def test_a_removed_shard_stays_readable_while_it_is_mapped(cache, path):
    space = cache.space("ab")
    places = space.find(DIGESTS[:3], NAMES)
    space.read(places, "mean.0")
    cache.clear()
    assert not path.exists()
    rows, is_read = space.read(places, "mean.0")
    assert is_read.all()
    assert_array_equal(rows, features(DIGESTS[:3], "mean.0", 5))
    assert (space.find(DIGESTS[:3]) == -1).all()
    assert not space.read(places, "mean.0")[1].any()
