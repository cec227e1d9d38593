import copy
import pickle
from concurrent.futures import ThreadPoolExecutor
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from skembed.encoding import CacheInfo, FeatureCache, digest_texts
from skembed.encoding._cache_space import _index_of
from tests.reference.feature_store import ListStore, features

NAMES = ["mean.0", "mean.1", "min.1"]
DIGESTS = digest_texts([f"text {i}" for i in range(30)])


def arrays_of(digests, names=NAMES):
    return {name: features(digests, name) for name in names}


@pytest.fixture
def space(tmp_path):
    return FeatureCache(tmp_path).space("0123")


def test_what_was_written_is_read_in_any_order(space, rng):
    written = np.concatenate(
        [space.write(part, arrays_of(part)) for part in np.split(DIGESTS, 5)]
    )
    assert_array_equal(space.find(DIGESTS, NAMES), written)
    order = rng.choice(30, size=100)
    for name in NAMES:
        rows, is_read = space.read(space.find(DIGESTS[order], [name]), name)
        assert_array_equal(rows, features(DIGESTS[order], name), strict=True)
        assert is_read.all()


def test_a_shard_can_have_many_texts(space):
    digests = digest_texts([str(i) for i in range(70_000)])
    places = space.write(digests, {"mean.0": features(digests, "mean.0", 1)})
    rows, _ = space.read(places[::-1], "mean.0")
    assert_array_equal(rows, features(digests[::-1], "mean.0", 1))


def test_another_process_finds_what_was_written(space, tmp_path):
    before = FeatureCache(tmp_path).space("0123")
    assert (before.find(DIGESTS) == -1).all()
    space.write(DIGESTS[:10], arrays_of(DIGESTS[:10]))
    _index_of.cache_clear()  # as in a new process
    after = FeatureCache(tmp_path).space("0123")
    assert after._index is not space._index
    for reader in (before, after):
        places = reader.find(DIGESTS, NAMES)
        assert_array_equal(places >= 0, np.arange(30) < 10)
        rows, is_read = reader.read(places, "min.1")
        assert_array_equal(rows[:10], features(DIGESTS[:10], "min.1"))
        assert_array_equal(rows[10:], 0)
        assert_array_equal(is_read, places >= 0)


def test_spaces_do_not_mix(space, tmp_path):
    space.write(DIGESTS, arrays_of(DIGESTS))
    assert (FeatureCache(tmp_path).space("4567").find(DIGESTS) == -1).all()


def test_a_text_is_found_where_all_needed_arrays_are(space):
    space.write(DIGESTS[:20], arrays_of(DIGESTS[:20], ["mean.0"]))
    space.write(DIGESTS[10:], arrays_of(DIGESTS[10:], ["mean.0", "min.1"]))
    assert (space.find(DIGESTS) >= 0).all()
    assert (space.find(DIGESTS, ["mean.0"]) >= 0).all()
    assert_array_equal(space.find(DIGESTS, ["min.1"]) >= 0, np.arange(30) >= 10)
    assert (space.find(DIGESTS, ["min.1", "max.1"]) == -1).all()
    both = space.find(DIGESTS[15:], ["mean.0", "min.1"])
    rows, _ = space.read(both, "min.1")
    assert_array_equal(rows, features(DIGESTS[15:], "min.1"))


def test_rows_are_written_where_the_caller_says(space):
    places = space.write(DIGESTS[:2], arrays_of(DIGESTS[:2]))
    out = np.full((3, 3), -1, dtype=np.float32)
    rows, is_read = space.read(np.append(places, -1), "mean.0", out=out)
    assert rows is out
    assert_array_equal(out[:2], features(DIGESTS[:2], "mean.0"))
    assert_array_equal(out[2], -1)
    assert is_read.tolist() == [True, True, False]


def test_nothing_to_read_has_no_width(space):
    rows, is_read = space.read(space.find(DIGESTS), "mean.0")
    assert rows.shape == (30, 0)
    assert not is_read.any()
    assert space.write(DIGESTS[:0], arrays_of(DIGESTS[:0])).shape == (0,)
    assert space.find(DIGESTS[:0]).shape == (0,)
    assert space.read(space.find(DIGESTS[:0]), "mean.0")[0].shape == (0, 0)


def test_bits_and_layouts_survive(space, rng):
    bits = rng.integers(0, 2**32, size=(30, 8), dtype=np.uint32).view(np.float32)
    arrays = {
        "any bits": bits,
        "strided": bits[:, ::2],
        "reversed": bits[::-1],
        "empty": bits[:, :0],
    }
    places = space.write(DIGESTS[::-1][::-1], arrays)
    for name, array in arrays.items():
        rows, _ = space.read(places, name)
        assert rows.tobytes() == np.ascontiguousarray(array).tobytes()


def test_digests_that_differ_in_one_byte_are_told_apart(space):
    """Zeros at the end, and bytes above 127, too."""
    digests = np.zeros((33, 16), dtype=np.uint8)
    digests[range(16), range(16)] = 1
    digests[range(16, 32), range(16)] = 255
    places = space.write(digests, arrays_of(digests))
    assert_array_equal(space.find(digests), places)
    near = digests.copy()
    near[:, 7] ^= 64
    assert (space.find(near) == -1).all()


def test_the_same_batch_written_again_takes_no_room(space, tmp_path):
    for _ in range(3):
        space.write(DIGESTS, arrays_of(DIGESTS))
    assert FeatureCache(tmp_path).info().n_shards == 1
    rows, is_read = space.read(space.find(DIGESTS), "mean.1")
    assert is_read.all()
    assert_array_equal(rows, features(DIGESTS, "mean.1"))


def test_a_shard_is_a_safetensors_file(space, tmp_path):
    space.write(DIGESTS, arrays_of(DIGESTS))
    (path,) = tmp_path.rglob("*.safetensors")
    tensors = safetensors.numpy.load_file(path)
    assert_array_equal(tensors.pop("digests"), DIGESTS)
    assert tensors.keys() == set(NAMES)
    assert_array_equal(tensors["min.1"], features(DIGESTS, "min.1"))


def test_more_shards_are_read_than_may_be_mapped(space, monkeypatch):
    monkeypatch.setattr("skembed.encoding._shard_index._MAX_MAPPED", 2)
    for i in range(30):
        space.write(DIGESTS[i : i + 1], arrays_of(DIGESTS[i : i + 1]))
    for _ in range(2):
        rows, is_read = space.read(space.find(DIGESTS), "mean.0")
        assert is_read.all()
        assert_array_equal(rows, features(DIGESTS, "mean.0"))
    assert len(space._index._mapped) == 2
    shards = space._index._shards.values()
    assert sum(shard._map is not None for shard in shards) == 2


def test_threads_share_a_space(tmp_path, monkeypatch):
    monkeypatch.setattr("skembed.encoding._shard_index._MAX_MAPPED", 2)

    def work(number):
        space = FeatureCache(tmp_path).space("ab")
        for i in range(20):
            digests = digest_texts([f"{number} {i} {j}" for j in range(5)])
            space.write(digests, arrays_of(digests))
            rows, is_read = space.read(space.find(digests, NAMES), "mean.1")
            assert is_read.all()
            assert_array_equal(rows, features(digests, "mean.1"))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert FeatureCache(tmp_path).info().n_texts == 4 * 20 * 5


operations = st.lists(
    st.tuples(
        st.sampled_from(["write", "write", "read", "forget", "clear"]),
        st.lists(st.integers(0, 29), max_size=8),
        st.lists(st.sampled_from(NAMES), min_size=1, unique=True),
    ),
    max_size=12,
)


@settings(deadline=None, max_examples=50)
@given(operations)
def test_it_holds_what_a_list_of_writes_holds(operations):
    reference = ListStore()
    with TemporaryDirectory() as folder:
        cache = FeatureCache(folder)
        for operation, texts, names in operations:
            digests = DIGESTS[texts]
            if operation == "write":
                cache.space("ab").write(digests, arrays_of(digests, names))
                reference.write(digests, arrays_of(digests, names))
            elif operation == "forget":
                _index_of.cache_clear()
            elif operation == "clear":
                cache.clear()
                reference.clear()
            space = cache.space("ab")
            places = space.find(digests, names)
            rows, is_read = space.read(places, names[0])
            for i, digest in enumerate(digests):
                expected = reference.read(digest, names[0], names)
                assert (expected is not None) == is_read[i] == (places[i] >= 0)
                if expected is not None:
                    assert_array_equal(rows[i], expected)
            assert cache.info().n_texts == reference.n_texts()


def test_info_counts_each_space(tmp_path):
    cache = FeatureCache(tmp_path)
    cache.space("aa").write(DIGESTS, arrays_of(DIGESTS))
    cache.space("aa").write(DIGESTS[:5], arrays_of(DIGESTS[:5], ["mean.0"]))
    cache.space("bb").write(DIGESTS[:7], arrays_of(DIGESTS[:7]))
    info = cache.info()
    size = sum(path.stat().st_size for path in tmp_path.rglob("*.safetensors"))
    assert (info.n_texts, info.n_shards, info.n_ignored) == (37, 3, 0)
    assert info.n_bytes == size
    assert {key: x.n_texts for key, x in info.spaces.items()} == {"aa": 30, "bb": 7}
    assert sum(x.n_bytes for x in info.spaces.values()) == size


def test_making_one_touches_no_folder(tmp_path):
    cache = FeatureCache(tmp_path / "absent")
    assert cache.info() == CacheInfo()
    cache.clear()
    assert (cache.space("ab").find(DIGESTS) == -1).all()
    assert list(tmp_path.iterdir()) == []


def test_it_is_its_parameters(tmp_path):
    cache = FeatureCache(tmp_path, max_size="5 MB")
    cache.space("ab").write(DIGESTS, arrays_of(DIGESTS))
    stored = pickle.dumps(cache)
    assert len(stored) < 1000
    assert pickle.loads(stored) == cache == copy.deepcopy(cache)
    assert cache != FeatureCache(tmp_path)
    assert repr(FeatureCache("a")) == "FeatureCache(location='a', max_size='10 GB')"


@pytest.mark.parametrize(
    ("size", "n_bytes"),
    [("500 MB", 500_000_000), ("1.5kB", 1500), ("2 GiB", 2**31), ("7", 7), (9, 9)],
)
def test_sizes_are_read(tmp_path, size, n_bytes):
    assert FeatureCache(tmp_path, max_size=size).space("a")._max_bytes == n_bytes


@pytest.mark.parametrize("size", ["", "GB", "ten", "-1 MB", 0, -5, 1.5, True, "5 XB"])
def test_what_is_no_size_is_named(size):
    with pytest.raises(ValueError, match=r"max_size must be .* got "):
        FeatureCache("a", max_size=size)


@pytest.mark.parametrize("key", ["", "..", "a/b", "ABC", "x", "a" * 200])
def test_a_key_is_hexadecimal(key):
    with pytest.raises(ValueError, match="key must be a digest"):
        FeatureCache("a").space(key)
    with pytest.raises(ValueError, match="key must be a digest"):
        FeatureCache("a").clear(key)


def test_wrong_arrays_are_errors(space):
    right = np.ones((30, 2), dtype=np.float32)
    for name, array, message in [
        ("mean.0", right[:5], r"float32 of shape \(30, width\).* got .*\(5, 2\)"),
        ("mean.0", right[:, 0], "got float32 of shape"),
        ("mean.0", right.astype(float), "got float64"),
        ("digests", right, "cannot have the name 'digests'"),
        ("__metadata__", right, "cannot have the name"),
    ]:
        with pytest.raises(ValueError, match=message):
            space.write(DIGESTS, {name: array})
    for digests in (DIGESTS[:, :8], DIGESTS.astype(int), DIGESTS[0]):
        with pytest.raises(ValueError, match="digests must be uint8 of shape"):
            space.find(digests)
        with pytest.raises(ValueError, match="digests must be uint8 of shape"):
            space.write(digests, {})


def test_reading_what_was_not_asked_for_is_an_error(space):
    places = space.write(DIGESTS, arrays_of(DIGESTS))
    with pytest.raises(ValueError, match=r"array 'max.7', got one with \['mean.0'"):
        space.read(places, "max.7")
    with pytest.raises(ValueError, match="shape"):
        space.read(places, "mean.0", out=np.zeros((30, 7), dtype=np.float32))
