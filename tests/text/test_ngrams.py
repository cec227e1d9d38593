import numpy as np
import pytest
from gensim.models.fasttext import compute_ngrams, ft_ngram_hashes
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from skembed.text import ngram_buckets, subwords
from tests.reference.ngrams import fnv1a_of_signed_bytes, ngrams

WORDS = st.lists(st.text(st.characters(), max_size=9), max_size=6)
LENGTHS = st.tuples(st.integers(0, 7), st.integers(0, 7)).map(sorted)


@given(words=WORDS, lengths=LENGTHS, bucket=st.integers(1, 2**31 - 1))
def test_buckets_are_those_of_the_reference(words, lengths, bucket):
    found = ngram_buckets(words, *lengths, bucket)
    assert found.values.dtype == np.int32
    assert len(found) == len(words)
    for word, buckets in zip(words, found, strict=True):
        expected = [fnv1a_of_signed_bytes(n) % bucket for n in ngrams(word, *lengths)]
        assert buckets.tolist() == expected


@given(
    word=st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    lengths=st.tuples(st.integers(1, 7), st.integers(1, 7)).map(sorted),
    bucket=st.integers(1, 2**31 - 1),
)
def test_ngrams_and_buckets_are_those_of_gensim(word, lengths, bucket):
    spelled, buckets = subwords(word, *lengths, bucket)
    assert_array_equal(buckets, ft_ngram_hashes(word, *lengths, bucket))
    if lengths[0] > 1:
        # To this function of gensim, a single "<" is an n-gram.
        assert sorted(spelled) == sorted(compute_ngrams(word, *lengths))


def test_a_single_bracket_at_the_edge_is_no_ngram():
    assert subwords("<", 1, 2, 10)[0] == ["<<", "<", "<>"]
    assert subwords("", 1, 2, 10)[0] == ["<>"]


def test_no_words_and_no_ngrams_give_empty_arrays():
    assert len(ngram_buckets([], 3, 6, 10)) == 0
    assert ngram_buckets(["a", "cat"], 0, 0, 0).lengths.tolist() == [0, 0]
    assert ngram_buckets(["a", "cat"], 5, 6, 10).lengths.tolist() == [0, 1]


def test_ranges_that_are_none_are_refused():
    with pytest.raises(ValueError, match="min_n=4, max_n=3"):
        ngram_buckets(["a"], 4, 3, 10)
    with pytest.raises(ValueError, match="min_n=-1"):
        ngram_buckets(["a"], -1, 3, 10)
    for bucket in (0, 2**31):
        with pytest.raises(ValueError, match="bucket must be an int from 1 to"):
            ngram_buckets(["a"], 3, 3, bucket)
