"""Each text is computed once, by whoever needs it first."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skembed.encoding import FeatureCache, digest_texts, distinct_features

NAMES = ["length", "codes"]
TEXTS = ["b", "a", "", "b", ["b"], "abc", ["a", "bc"], "abc", ["ab", "c"], "a"]


def features_of(text):
    letters = "".join(text)
    codes = [len(letters), sum(map(ord, letters)), isinstance(text, str)]
    return {"length": [len(letters)], "codes": codes, "unwanted": [1, 2]}


class Computing:
    """Computes features backwards, in chunks of three, and remembers of what."""

    def __init__(self):
        self.texts, self.numbers = [], []

    def __call__(self, texts, numbers):
        self.texts += texts
        self.numbers += list(numbers)
        for rows in np.array_split(np.arange(len(texts))[::-1], -(-len(texts) // 3)):
            found = [features_of(texts[row]) for row in rows]
            yield (
                rows,
                {
                    name: np.array([f[name] for f in found], np.float32)
                    for name in ("length", "codes", "unwanted")
                },
            )


def assert_right(arrays, texts):
    assert list(arrays) == NAMES
    for name, array in arrays.items():
        assert array.dtype == np.float32
        assert_array_equal(array, [features_of(text)[name] for text in texts])


@pytest.fixture
def space(tmp_path):
    return FeatureCache(tmp_path).space("09af")


@pytest.mark.parametrize("kept", [False, True])
def test_equal_texts_are_computed_once(space, kept):
    compute = Computing()
    arrays = distinct_features(TEXTS, NAMES, compute, space if kept else None)
    assert_right(arrays, TEXTS)
    assert len(compute.texts) == 7
    # Under the number of where they come first.
    assert compute.texts == [TEXTS[i] for i in compute.numbers]
    assert all(TEXTS.index(TEXTS[i]) == i for i in compute.numbers)


def test_no_texts_have_no_arrays(space):
    assert distinct_features([], NAMES, Computing(), space) == {}


def test_only_what_is_missing_is_computed(space):
    distinct_features(TEXTS[:3], NAMES, Computing(), space)
    compute = Computing()
    assert_right(distinct_features(TEXTS, NAMES, compute, space), TEXTS)
    assert sorted(compute.numbers) == [4, 5, 6, 8]
    compute = Computing()
    shuffled = [*TEXTS[::-1], "b"]
    assert_right(distinct_features(shuffled, NAMES, compute, space), shuffled)
    assert compute.texts == []


def test_what_is_not_wanted_is_kept_too(space):
    distinct_features(TEXTS, ["length"], Computing(), space)
    compute = Computing()
    assert_right(distinct_features(TEXTS, NAMES, compute, space), TEXTS)
    assert compute.texts == []


def test_chunks_are_kept_as_soon_as_they_are_there(space):
    def interrupted(texts, numbers):
        yield next(Computing()(texts, numbers))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as kept_error:
        distinct_features(TEXTS, NAMES, interrupted, space)
    assert (space.find(digest_texts(TEXTS)) >= 0).any()
    # What has failed, and is not forgotten, keeps nobody waiting.
    compute = Computing()
    assert_right(distinct_features(TEXTS, NAMES, compute, space), TEXTS)
    assert len(compute.texts) == 4
    assert kept_error.type is KeyboardInterrupt


def test_a_file_that_vanishes_is_computed_again(space, tmp_path, monkeypatch):
    distinct_features(TEXTS[:4], NAMES, Computing(), space)
    find = type(space).find

    def find_and_lose(self, digests, names=()):
        places = find(self, digests, names)
        FeatureCache(tmp_path).clear()
        return places

    monkeypatch.setattr(type(space), "find", find_and_lose)
    compute = Computing()
    assert_right(distinct_features(TEXTS, NAMES, compute, space), TEXTS)


def test_where_nothing_can_be_kept_all_is_computed(tmp_path):
    (tmp_path / "file").touch()
    space = FeatureCache(tmp_path / "file").space("09af")
    with pytest.warns(RuntimeWarning, match="cannot keep new features"):
        arrays = distinct_features(TEXTS, NAMES, Computing(), space)
    assert_right(arrays, TEXTS)
    # Said once: any further warning would be an error.
    assert_right(distinct_features(TEXTS, NAMES, Computing(), space), TEXTS)


def compute_in_worker(folder, texts, barrier):
    compute = Computing()
    barrier.wait(timeout=60)
    space = FeatureCache(folder).space("09af")
    assert_right(distinct_features(texts, NAMES, compute, space), texts)
    return compute.texts


@pytest.mark.slow
def test_processes_that_miss_the_same_divide_it_up(tmp_path, rng):
    texts = [f"text {i}" for i in rng.integers(0, 500, 1000)]
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager, ProcessPoolExecutor(3, context) as pool:
        barrier = manager.Barrier(3)
        orders = [list(rng.permutation(texts)) for _ in range(3)]
        jobs = [
            pool.submit(compute_in_worker, tmp_path, [str(t) for t in order], barrier)
            for order in orders
        ]
        computed = [text for job in jobs for text in job.result(timeout=60)]
    assert len(computed) == len(set(computed)) == len(set(texts))
