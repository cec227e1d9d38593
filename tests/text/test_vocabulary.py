import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skembed._ragged import Ragged
from skembed.text import TextAnalysis, Vocabulary, encode, encode_corpus


@pytest.fixture
def vocabulary():
    return Vocabulary(("b", "a", "c"), np.array([5, 3, 1]))


def test_index_gives_the_id_of_each_word(vocabulary):
    assert vocabulary.index == {"b": 0, "a": 1, "c": 2}
    assert len(vocabulary) == 3


def test_decoding_gives_the_words_of_each_document(vocabulary):
    ids = Ragged.from_lengths(np.array([2, 0, 1], dtype=np.int32), [2, 0, 1])
    assert vocabulary.decode(ids) == [["c", "b"], [], ["a"]]


def test_extending_keeps_old_ids_and_adds_counts(vocabulary):
    merged, new_ids = vocabulary.extended_by(
        Vocabulary(("d", "a", "e"), np.array([9, 2, 1]))
    )
    assert merged.words == ("b", "a", "c", "d", "e")
    assert merged.counts.tolist() == [5, 5, 1, 9, 1]
    assert new_ids.tolist() == [3, 1, 4]
    assert vocabulary.counts.tolist() == [5, 3, 1]


def test_ids_of_new_documents_are_mapped_into_the_merged_vocabulary(rng):
    old, _ = encode_corpus([" ".join(rng.choice(list("abcd"), 30))], TextAnalysis())
    documents = [" ".join(rng.choice(list("cdef"), 30))]
    new, corpus = encode_corpus(documents, TextAnalysis())
    merged, new_ids = old.extended_by(new)
    expected = encode(documents, TextAnalysis(), merged).values
    assert new_ids.dtype == np.int32
    assert_array_equal(new_ids[corpus.values], expected)


def test_a_pickle_holds_words_and_counts_only(vocabulary):
    before = pickle.dumps(vocabulary)
    assert vocabulary.index["a"] == 1
    encode(["a"], TextAnalysis(), vocabulary)
    assert pickle.dumps(vocabulary) == before
    again = pickle.loads(before)
    assert again == vocabulary
    assert encode(["c"], TextAnalysis(), again).values.tolist() == [2]


def test_vocabularies_are_equal_if_words_and_counts_are(vocabulary):
    assert vocabulary == Vocabulary(("b", "a", "c"), np.array([5, 3, 1]))
    assert vocabulary != Vocabulary(("b", "a", "c"), np.array([5, 3, 2]))
    assert vocabulary != Vocabulary(("b", "a", "d"), np.array([5, 3, 1]))
    assert vocabulary != "bac"


def test_each_word_needs_a_count():
    with pytest.raises(ValueError, match="got 2 words and 1 counts"):
        Vocabulary(("a", "b"), np.array([1]))


def test_words_must_be_distinct():
    twice = Vocabulary(("a", "b", "a"), np.array([3, 2, 1]))
    with pytest.raises(ValueError, match=r"3 words .* must be distinct, got 2"):
        encode(["a"], TextAnalysis(), twice)
