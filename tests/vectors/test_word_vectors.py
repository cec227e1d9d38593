import pickle

import joblib
import numpy as np
import pytest
import skops.io
from numpy.testing import assert_array_equal
from sklearn.base import clone

from skembed import WordVectors


@pytest.fixture
def vectors(rng):
    return rng.normal(size=(3, 4)).astype(np.float32)


@pytest.fixture
def word_vectors(vectors):
    return WordVectors(["the", "cat", "sat"], vectors, counts=[9, 5, 2])


def test_a_word_gives_its_row(word_vectors, vectors):
    assert_array_equal(word_vectors["cat"], vectors[1])


def test_a_list_of_words_gives_their_rows(word_vectors, vectors):
    assert_array_equal(word_vectors[["sat", "the", "sat"]], vectors[[2, 0, 2]])
    assert word_vectors[[]].shape == (0, 4)


def test_looking_up_a_word_does_not_copy(word_vectors, vectors):
    assert np.shares_memory(word_vectors["cat"], vectors)


def test_words_can_be_counted_and_asked_for(word_vectors):
    assert len(word_vectors) == 3
    assert word_vectors.vector_size == 4
    assert "cat" in word_vectors
    assert "dog" not in word_vectors
    assert word_vectors.key_to_index == {"the": 0, "cat": 1, "sat": 2}
    assert_array_equal(word_vectors.counts, [9, 5, 2])
    assert word_vectors.counts.dtype == np.int64


def test_the_repr_tells_the_sizes(word_vectors):
    assert repr(word_vectors) == "WordVectors(n_words=3, vector_size=4)"


def test_an_unknown_word_is_named(word_vectors):
    with pytest.raises(KeyError, match="'dog' is not among the 3 words"):
        word_vectors["dog"]
    with pytest.raises(KeyError, match="'dog' is not among the 3 words"):
        word_vectors[["cat", "dog"]]


def test_a_word_in_another_case_is_proposed(word_vectors):
    with pytest.raises(KeyError, match="Did you mean 'cat'"):
        word_vectors["Cat"]


def test_a_row_number_is_no_word(word_vectors):
    with pytest.raises(TypeError, match="looked up by str"):
        word_vectors[0]
    with pytest.raises(TypeError, match="looked up by str"):
        word_vectors.vector(0)


def test_a_number_is_not_looked_up_as_the_word_that_it_prints_as():
    with pytest.raises(TypeError, match="looked up by str, got 3"):
        WordVectors(["3"], [[1.0]])[[3]]


def test_vectors_are_not_copied(vectors):
    assert np.shares_memory(WordVectors(["a", "b", "c"], vectors).vectors, vectors)


def test_mapped_vectors_stay_on_the_disk(tmp_path, vectors):
    np.save(tmp_path / "vectors.npy", vectors)
    mapped = np.load(tmp_path / "vectors.npy", mmap_mode="r")
    word_vectors = WordVectors(["a", "b", "c"], mapped)
    assert np.shares_memory(word_vectors.vectors, mapped)
    assert len(word_vectors.most_similar("a")) == 2


@pytest.mark.parametrize("dtype", [np.float64, np.float16, np.int64])
def test_other_numbers_become_float32_row_by_row(dtype):
    table = np.asfortranarray(np.arange(6).reshape(3, 2).astype(dtype))
    vectors = WordVectors(["a", "b", "c"], table).vectors
    assert vectors.dtype == np.float32
    assert vectors.flags.c_contiguous
    assert_array_equal(vectors, table)


def test_words_of_numpy_become_str(vectors):
    words = WordVectors(np.array(["a", "b", "c"]), vectors).index_to_key
    assert [type(word) for word in words] == [str, str, str]


def test_a_repeated_word_is_named_with_both_rows(vectors):
    with pytest.raises(ValueError, match="'a' in rows 0 and 2"):
        WordVectors(["a", "b", "a"], vectors)


def test_there_must_be_a_vector_for_each_word(vectors):
    with pytest.raises(
        ValueError, match=r"shape \(2, vector_size\), got shape \(3, 4\)"
    ):
        WordVectors(["a", "b"], vectors)


@pytest.mark.parametrize("shape", [(3,), (3, 0), (3, 2, 2)])
def test_vectors_must_be_a_table(shape):
    with pytest.raises(ValueError, match="one row per word"):
        WordVectors(["a", "b", "c"], np.zeros(shape))


@pytest.mark.parametrize("counts", [[1, 2], [1.5, 2, 3], [[1, 2, 3]]])
def test_counts_must_be_one_int_per_word(vectors, counts):
    with pytest.raises(ValueError, match="one int per word"):
        WordVectors(["a", "b", "c"], vectors, counts)


def test_words_must_be_str(vectors):
    with pytest.raises(TypeError, match=r"index_to_key\[1\] is 7"):
        WordVectors(["a", 7, "c"], vectors)
    with pytest.raises(TypeError, match="sequence of words"):
        WordVectors("abc", vectors)


def test_two_of_them_are_equal_only_if_they_are_one(word_vectors, vectors):
    assert word_vectors == word_vectors
    assert word_vectors != WordVectors(word_vectors.index_to_key, vectors, [9, 5, 2])
    assert len({word_vectors}) == 1


def test_a_pickle_gives_the_same_back_without_what_can_be_made_again(word_vectors):
    before = len(pickle.dumps(word_vectors))
    word_vectors.most_similar("cat")
    assert len(pickle.dumps(word_vectors)) == before
    copy = pickle.loads(pickle.dumps(word_vectors))
    assert copy.index_to_key == word_vectors.index_to_key
    assert_array_equal(copy.vectors, word_vectors.vectors)
    assert_array_equal(copy.counts, word_vectors.counts)
    assert copy.most_similar("cat") == word_vectors.most_similar("cat")


def test_joblib_maps_the_vectors_of_a_pickle(tmp_path, word_vectors):
    joblib.dump(word_vectors, tmp_path / "words.joblib")
    mapped = joblib.load(tmp_path / "words.joblib", mmap_mode="r")
    assert isinstance(mapped.vectors, np.memmap)
    assert mapped.most_similar("cat") == word_vectors.most_similar("cat")


def test_skops_needs_to_trust_nothing_but_the_class(word_vectors):
    dumped = skops.io.dumps(word_vectors)
    trusted = skops.io.get_untrusted_types(data=dumped)
    assert trusted == ["skembed.vectors._word_vectors.WordVectors"]
    loaded = skops.io.loads(dumped, trusted=trusted)
    assert_array_equal(loaded.vectors, word_vectors.vectors)
    assert loaded["cat"].shape == (4,)


def test_clone_does_not_copy(word_vectors):
    assert clone(word_vectors) is word_vectors
