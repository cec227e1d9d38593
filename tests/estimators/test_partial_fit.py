import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from skembed.estimators import _skipgram
from skembed.estimators._partial_fit import join_vocabulary
from skembed.text import TextAnalysis, Vocabulary, encode_corpus
from skembed.training.skipgram import train_skipgram
from tests.reference import pooling as reference

MORE = ["a zebra and a zebra", "the zebra sleeps"]


def test_the_first_call_is_one_pass_of_fit(vectorizer, animals):
    online = clone(vectorizer).partial_fit(animals)
    vectorizer.set_params(epochs=1, min_learning_rate=vectorizer.learning_rate)
    vectorizer.fit(animals)
    assert online.vocabulary_ == vectorizer.vocabulary_
    assert_array_equal(online.idf_, vectorizer.idf_)
    assert_array_equal(online.word_vectors_.vectors, vectorizer.word_vectors_.vectors)


def test_new_words_join_after_the_old_ones(vectorizer, animals):
    old = vectorizer.fit(animals).vocabulary_
    vectorizer.partial_fit(MORE)
    new = vectorizer.vocabulary_
    assert new.words == (*old.words, "zebra", "a")
    assert new.counts[new.index["the"]] == old.counts[old.index["the"]] + 1
    assert new.counts[new.index["zebra"]] == 3
    assert vectorizer.word_vectors_.index_to_key == list(new.words)
    assert vectorizer.transform(["zebra"]).any()


def test_words_that_do_not_occur_again_keep_their_vectors(vectorizer, animals):
    before = vectorizer.fit(animals).word_vectors_["bird"].copy()
    after = vectorizer.partial_fit(["zebra zebra zebra"]).word_vectors_["bird"]
    # Only as noise could the word have been drawn, which leaves input vectors alone.
    assert_array_equal(after, before)


def test_known_words_are_trained_even_if_rare_in_the_batch(vectorizer, animals):
    vectorizer.set_params(min_count=2, sample=0).fit(animals)
    before = vectorizer.word_vectors_["dog"].copy()
    vectorizer.partial_fit(["the dog", "the cat", "hippo"])
    assert "hippo" not in vectorizer.vocabulary_.words
    assert not np.array_equal(vectorizer.word_vectors_["dog"], before)


def test_weights_of_words_go_by_all_documents(vectorizer, animals):
    vectorizer.fit(animals[:4]).partial_fit(animals[4:])
    index = vectorizer.vocabulary_.index
    ids = [np.array([index[w] for w in text.split()], np.int64) for text in animals]
    assert_allclose(vectorizer.idf_, reference.idf(ids, len(index)))
    assert_array_equal(vectorizer.vocabulary_.counts, np.bincount(np.concatenate(ids)))


def test_each_call_is_one_pass_at_a_constant_rate_with_a_seed_of_its_own(
    vectorizer, animals, monkeypatch
):
    calls = []

    def train(*, config, seed, **arguments):
        calls.append((config.epochs, config.learning_rate, config.min_learning_rate))
        seeds.append(seed)
        return train_skipgram(config=config, seed=seed, **arguments)

    seeds = []
    monkeypatch.setattr(_skipgram, "train_skipgram", train)
    vectorizer.set_params(tol=0.1).fit(animals)
    vectorizer.partial_fit(animals).partial_fit(animals)
    assert calls == [(2, 0.025, 2.5e-6), (1, 0.025, 0.025), (1, 0.025, 0.025)]
    assert len(set(seeds)) == 3


def test_losses_are_appended(vectorizer, animals):
    losses = vectorizer.fit(animals).loss_curve_
    vectorizer.partial_fit(animals).partial_fit(MORE)
    assert vectorizer.n_iter_ == len(vectorizer.loss_curve_) == 4
    assert_array_equal(vectorizer.loss_curve_[:2], losses)


def test_the_same_calls_give_the_same_vectors(vectorizer, animals):
    other = clone(vectorizer)
    for estimator in (vectorizer, other):
        estimator.fit(animals).partial_fit(MORE).partial_fit(animals)
    assert_array_equal(vectorizer.word_vectors_.vectors, other.word_vectors_.vectors)


def test_fit_forgets_what_partial_fit_learned(vectorizer, animals):
    once = clone(vectorizer).fit(animals)
    again = vectorizer.partial_fit(MORE).partial_fit(animals).fit(animals)
    assert again.vocabulary_ == once.vocabulary_
    assert_array_equal(again.word_vectors_.vectors, once.word_vectors_.vectors)


def test_the_vocabulary_may_be_bounded(vectorizer, animals):
    vectorizer.set_params(max_vocab_size=5).fit(animals)
    words = vectorizer.vocabulary_.words
    vectorizer.partial_fit(MORE)
    assert vectorizer.vocabulary_.words == words
    vectorizer.set_params(max_vocab_size=6).partial_fit(MORE)
    assert vectorizer.vocabulary_.words == (*words, "zebra")


def test_a_pickle_after_partial_fit_goes_on(vectorizer, animals):
    vectorizer.fit(animals).partial_fit(MORE)
    loaded = pickle.loads(pickle.dumps(vectorizer))
    loaded.partial_fit(animals)
    vectorizer.partial_fit(animals)
    assert_array_equal(loaded.word_vectors_.vectors, vectorizer.word_vectors_.vectors)
    assert_array_equal(loaded.idf_, vectorizer.idf_)


def test_a_pickle_after_fit_alone_says_why_it_cannot_go_on(vectorizer, animals):
    loaded = pickle.loads(pickle.dumps(vectorizer.fit(animals)))
    with pytest.raises(
        ValueError, match=r"only what transform needs\. Call partial_fit"
    ):
        loaded.partial_fit(MORE)
    assert loaded.fit(animals).partial_fit(MORE).n_iter_ == 3


def test_vectors_of_another_size_are_refused(vectorizer, animals):
    vectorizer.fit(animals).set_params(vector_size=5)
    with pytest.raises(ValueError, match="vectors of size 4, but vector_size was set"):
        vectorizer.partial_fit(MORE)


def test_a_tree_cannot_grow(vectorizer, animals):
    vectorizer.set_params(loss="hierarchical_softmax")
    assert not hasattr(vectorizer, "partial_fit")
    vectorizer.fit(animals).set_params(loss="negative_sampling")
    with pytest.raises(ValueError, match="cannot go on from loss='hierarchical"):
        vectorizer.partial_fit(animals)


def test_a_failed_call_leaves_the_estimator_as_it_was(vectorizer, animals):
    vectorizer.fit(animals)
    features = vectorizer.transform(animals)
    with pytest.raises(ValueError, match="Row 1 of X is missing"):
        vectorizer.partial_fit(["a zebra", None])
    assert_array_equal(vectorizer.transform(animals), features)
    assert vectorizer.n_iter_ == 2


def test_an_unfitted_estimator_stays_so_after_a_failed_first_call(vectorizer):
    with pytest.raises(ValueError, match="hold no words"):
        vectorizer.partial_fit(["", " "])
    assert not hasattr(vectorizer, "vocabulary_")


def test_empty_documents_are_joined_too(rng):
    known = Vocabulary(("a", "b"), np.array([1, 1]))
    texts = ["", "b c", "x", "c a c", ""]
    batch = encode_corpus(texts, TextAnalysis())
    joined, documents = join_vocabulary(known, *batch, min_count=2, max_vocab_size=None)
    assert joined.words == ("a", "b", "c")
    assert joined.decode(documents) == [[], ["b", "c"], [], ["c", "a", "c"], []]


@pytest.mark.parametrize(
    "wrong", [{"window": -5}, {"window": 10_001}, {"negative": 10_001}]
)
def test_parameters_are_checked_after_fit_too(vectorizer, animals, wrong):
    vectorizer.fit(animals).set_params(**wrong)
    with pytest.raises(ValueError, match="parameter of SkipGramVectorizer must be"):
        vectorizer.partial_fit(MORE)


@pytest.mark.parametrize("documents", [["", " "], [], ["hippo"]])
def test_documents_without_words_are_counted_and_change_no_vector(
    vectorizer, animals, documents
):
    vectorizer.set_params(min_count=2, remove_components=1).fit(animals)
    vocabulary, components = vectorizer.vocabulary_, vectorizer.common_components_
    vectors = vectorizer.word_vectors_.vectors.copy()
    vectorizer.partial_fit(documents)
    assert vectorizer.vocabulary_ == vocabulary
    assert_array_equal(vectorizer.word_vectors_.vectors, vectors)
    assert vectorizer.common_components_ is components
    assert vectorizer.n_iter_ == 2
    seen = [text.split() for text in [*animals, *documents]]
    index = vocabulary.index
    ids = [np.array([index[w] for w in ws if w in index], np.int64) for ws in seen]
    assert_allclose(vectorizer.idf_, reference.idf(ids, len(index)))


def test_training_goes_on_after_documents_without_words(vectorizer, animals):
    vectorizer.set_params(sample=0)
    without = clone(vectorizer).fit(animals).partial_fit(MORE)
    vectorizer.fit(animals).partial_fit(["", ""])
    loaded = pickle.loads(pickle.dumps(vectorizer)).partial_fit(MORE)
    assert_array_equal(loaded.word_vectors_.vectors, without.word_vectors_.vectors)


def test_weights_of_documents_without_words_are_checked_too(vectorizer, animals):
    vectorizer.fit(animals)
    with pytest.raises(ValueError, match=r"must have shape \(2,\)"):
        vectorizer.partial_fit(["", ""], sample_weight=[1.0])
