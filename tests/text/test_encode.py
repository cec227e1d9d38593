import threading

import numpy as np
from numpy.testing import assert_array_equal

from skembed.text import TextAnalysis, Vocabulary, encode, encode_corpus

VOCABULARY = Vocabulary(("b", "the", "", "a b"), np.array([4, 3, 2, 1]))


def test_unknown_words_are_left_out_and_documents_stay():
    ids = encode(["b x, the", "x", "", ["a b", "", "x"]], TextAnalysis(), VOCABULARY)
    assert ids.values.tolist() == [0, 1, 3, 2]
    assert ids.offsets.tolist() == [0, 2, 2, 2, 4]
    assert ids.values.dtype == np.int32


def test_no_documents_give_no_ids():
    ids = encode([], TextAnalysis(), VOCABULARY)
    assert (len(ids), ids.values.tolist(), ids.values.dtype) == (0, [], np.int32)


def test_stop_words_are_left_out_though_the_vocabulary_has_them():
    analysis = TextAnalysis(stop_words=frozenset(["the", "unknown"]))
    assert encode(["the b"], analysis, VOCABULARY).values.tolist() == [0]


def test_a_corpus_gets_the_ids_that_it_got_with_its_vocabulary(rng):
    documents = [
        " ".join(words) for words in rng.choice(list("abcdefghij"), size=(50, 9))
    ]
    vocabulary, corpus = encode_corpus(documents, TextAnalysis(), min_count=45)
    again = encode(documents, TextAnalysis(), vocabulary)
    assert_array_equal(again.values, corpus.values)
    assert_array_equal(again.offsets, corpus.offsets)


def test_threads_may_share_a_vocabulary(rng):
    numbers = rng.integers(5000, size=(8, 20_000))
    documents = [" ".join(map(str, row)) for row in numbers.tolist()]
    vocabulary, corpus = encode_corpus(documents, TextAnalysis())
    found = [None] * len(documents)
    start = threading.Barrier(len(documents))

    def look_up(i):
        start.wait()
        found[i] = encode([documents[i]], TextAnalysis(), vocabulary).values

    threads = [threading.Thread(target=look_up, args=[i]) for i in range(len(found))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert_array_equal(np.concatenate(found), corpus.values)
