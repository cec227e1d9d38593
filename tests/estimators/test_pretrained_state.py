"""Estimators of published vectors that are stored, and that go on with more texts."""

import pickle

import joblib
import numpy as np
import pytest
import skops.io
from numpy.testing import assert_array_equal
from sklearn.base import clone

from skembed import (
    FastTextVectorizer,
    GloVeVectorizer,
    SkipGramVectorizer,
    SubwordVectors,
    WordVectors,
)

WORDS = ["the", "cat", "dog", "walrus", "sings"]
MORE = ["a walrus and a walrus", "the walrus sleeps"]


@pytest.fixture
def published(rng):
    vectors = rng.normal(size=(5, 3)).astype(np.float32)
    return WordVectors(WORDS, vectors, counts=[9, 8, 7, 6, 5])


@pytest.fixture(params=[SkipGramVectorizer, FastTextVectorizer])
def tuned(request, published):
    return request.param(
        pretrained=published, fine_tune=True, min_count=1, epochs=2, sample=0,
        random_state=0,
    )  # fmt: skip


@pytest.fixture(params=[SkipGramVectorizer, GloVeVectorizer, FastTextVectorizer])
def frozen(request, published):
    return request.param(pretrained=published)


def again(model):
    return pickle.loads(pickle.dumps(model))


@pytest.mark.parametrize("is_fitted", [False, True])
def test_published_vectors_are_pickled_with_their_counts(
    frozen, published, animals, is_fitted
):
    if is_fitted:
        frozen.fit(animals)
    loaded = again(frozen).pretrained
    assert loaded.index_to_key == WORDS
    assert_array_equal(loaded.vectors, published.vectors)
    assert_array_equal(loaded.counts, published.counts)


def test_a_loaded_estimator_can_be_cloned_and_fitted(frozen, animals):
    expected = frozen.fit_transform(animals)
    loaded = again(frozen)
    assert_array_equal(loaded.transform(animals), expected)
    assert_array_equal(clone(loaded).fit_transform(animals), expected)


def test_vectors_that_are_not_trained_are_stored_once(rng, tmp_path, animals):
    words = ["the", *(f"word{i}" for i in range(999))]
    published = WordVectors(words, rng.normal(size=(1000, 50)))
    for given in (published, published.to_gensim()):
        model = SkipGramVectorizer(pretrained=given).fit(animals)
        size = len(pickle.dumps(model))
        # The words take up to 7 bytes, their ends, counts and idf 8 bytes each.
        assert published.vectors.nbytes < size < published.vectors.nbytes + 35_000
        joblib.dump(model, tmp_path / "model")
        assert (tmp_path / "model").stat().st_size < published.vectors.nbytes + 35_000
        loaded = again(model)
        assert loaded.pretrained.vectors is loaded.word_vectors_.vectors


def test_trained_vectors_are_stored_beside_the_published_ones(tuned, animals):
    loaded = again(tuned.fit(animals))
    assert_array_equal(loaded.pretrained.vectors, tuned.pretrained.vectors)
    assert_array_equal(loaded.word_vectors_.vectors, tuned.word_vectors_.vectors)
    expected = clone(tuned).fit(animals).transform(animals)
    assert_array_equal(clone(loaded).fit(animals).transform(animals), expected)


def test_other_vectors_set_after_fit_are_not_taken_for_the_learned_ones(
    frozen, published, animals
):
    frozen.fit(animals).set_params(
        pretrained=WordVectors(WORDS[::-1], published.vectors)
    )
    assert again(frozen).pretrained.index_to_key == WORDS[::-1]


def test_ngrams_of_a_parameter_are_stored(published, animals):
    subwords = SubwordVectors(
        WORDS, published.vectors, [1, 4], [[1, 2, 3], [4, 5, 6]], bucket=5, min_n=2
    )
    model = SkipGramVectorizer(pretrained=subwords)
    for one in (model, clone(model).fit(animals)):
        loaded = again(one).pretrained
        assert_array_equal(
            loaded.vectors_of(["cats", "cat"]), subwords.vectors_of(["cats", "cat"])
        )


def test_a_file_is_needed_to_fit_only(frozen, published, animals, tmp_path):
    published.save(tmp_path / "v.txt")
    frozen.set_params(pretrained=tmp_path / "v.txt").fit(animals)
    (tmp_path / "v.txt").unlink()
    loaded = again(frozen)
    assert loaded.pretrained == tmp_path / "v.txt"
    assert_array_equal(loaded.transform(animals), frozen.transform(animals))


def test_vectors_of_gensim_are_loaded_as_our_own(published, animals):
    model = SkipGramVectorizer(pretrained=published.to_gensim())
    loaded = again(model).pretrained
    assert type(loaded) is WordVectors
    assert_array_equal(loaded.counts, published.counts)


def test_skops_needs_to_trust_the_estimator_alone(tuned, animals):
    dumped = skops.io.dumps(tuned.fit(animals))
    untrusted = skops.io.get_untrusted_types(data=dumped)
    kind = type(tuned)
    assert untrusted == [f"{kind.__module__}.{kind.__name__}"]
    loaded = skops.io.loads(dumped, trusted=untrusted)
    assert_array_equal(loaded.transform(animals), tuned.transform(animals))
    assert loaded.pretrained.index_to_key == WORDS


def test_a_wrong_parameter_is_pickled_as_it_is():
    assert again(SkipGramVectorizer(pretrained=3)).pretrained == 3


def test_vectors_that_are_not_trained_do_not_go_on(frozen, animals):
    assert not hasattr(frozen.fit(animals), "partial_fit")
    model = SkipGramVectorizer(pretrained=frozen.pretrained)
    with pytest.raises(AttributeError) as caught:
        model.partial_fit(animals)
    assert "fine_tune=True" in str(caught.value.__cause__)


def test_the_first_call_goes_on_from_the_published_vectors(tuned, published, animals):
    online = clone(tuned).partial_fit(animals)
    tuned.set_params(epochs=1, min_learning_rate=tuned.learning_rate).fit(animals)
    assert online.vocabulary_ == tuned.vocabulary_
    assert_array_equal(online.word_vectors_.vectors, tuned.word_vectors_.vectors)
    assert_array_equal(online.word_vectors_["walrus"], published["walrus"])
    assert_array_equal(online.idf_, tuned.idf_)


@pytest.mark.parametrize("begin", ["fit", "partial_fit"])
def test_published_words_are_trained_when_they_occur(tuned, published, animals, begin):
    getattr(tuned, begin)(animals)
    before = tuned.vocabulary_
    tuned.partial_fit(MORE)
    assert tuned.vocabulary_.words == (*before.words, "a")
    assert tuned.vocabulary_.counts[3] == 3
    assert not np.array_equal(tuned.word_vectors_["walrus"], published["walrus"])


def test_calls_later_words_that_have_not_occurred_are_still_the_published_ones(
    tuned, published
):
    tuned.partial_fit(["the cat"]).partial_fit(["a dog and a cat"])
    for word in ("walrus", "sings"):
        assert_array_equal(tuned.word_vectors_[word], published[word])


def test_a_pickle_after_partial_fit_goes_on(tuned, animals):
    tuned.partial_fit(animals)
    loaded = again(tuned).partial_fit(MORE)
    tuned.partial_fit(MORE)
    assert_array_equal(loaded.word_vectors_.vectors, tuned.word_vectors_.vectors)


def test_a_first_call_without_a_known_word_is_an_error(tuned):
    tuned.set_params(min_count=5)
    for documents in (["bird"], [""]):
        with pytest.raises(ValueError, match="among the 5 words"):
            tuned.partial_fit(documents)
    assert not hasattr(tuned, "vocabulary_")


def test_a_later_call_without_a_known_word_only_counts(tuned, animals):
    tuned.partial_fit(animals).set_params(min_count=5)
    vectors = tuned.word_vectors_.vectors.copy()
    idf = tuned.idf_.copy()
    tuned.partial_fit(["bee", ""])
    assert_array_equal(tuned.word_vectors_.vectors, vectors)
    assert (tuned.idf_ > idf).all()


def test_another_size_is_refused_later_too(tuned, animals):
    tuned.fit(animals).set_params(vector_size=4)
    with pytest.raises(ValueError, match=r"vector_size=4, but .* of size 3"):
        tuned.partial_fit(animals)
