import copy
import pickle
import subprocess
import sys

import joblib
import numpy as np
import pytest
import skops.io
from numpy.testing import assert_array_equal
from sklearn.base import clone

import skembed
from skembed.estimators import _state


@pytest.fixture
def fitted(vectorizer, animals):
    return vectorizer.set_params(pooling=("mean", "idf", "sif")).fit(animals)


def test_a_pickle_gives_the_same_features(fitted, animals):
    loaded = pickle.loads(pickle.dumps(fitted))
    assert_array_equal(loaded.transform(animals), fitted.transform(animals))
    assert loaded.vocabulary_ == fitted.vocabulary_
    assert loaded.get_params() == fitted.get_params()


def test_another_process_loads_it(fitted, animals, tmp_path):
    joblib.dump((fitted, animals, fitted.transform(animals)), tmp_path / "model")
    code = (
        "import joblib, sys; fitted, X, features = joblib.load(sys.argv[1]);"
        "sys.exit(int((fitted.transform(X) != features).any()))"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path / "model"], check=True)


def test_an_unfitted_estimator_is_pickled(vectorizer):
    loaded = pickle.loads(pickle.dumps(vectorizer))
    assert loaded.get_params() == vectorizer.get_params()
    assert not hasattr(loaded, "vocabulary_")


def test_a_pickle_holds_what_transform_needs_and_no_more(rng):
    words = [f"word{i}" for i in range(500)]
    vectorizer = skembed.SkipGramVectorizer(vector_size=50, min_count=1, epochs=1)
    vectorizer.fit([words, words])
    one_table = 500 * 50 * 4
    # The words take 8 bytes, their length, count and idf 8 bytes each.
    assert one_table < len(pickle.dumps(vectorizer)) < one_table + 500 * 34 + 3000
    assert_array_equal(
        copy.deepcopy(vectorizer).transform([words]), vectorizer.transform([words])
    )


def test_words_of_all_kinds_are_kept(vectorizer):
    words = ["é", "漢字", "😀", "\ud800", "\udc00", "", "a b", "\n", "\x00"]
    vectorizer.fit([words])
    loaded = pickle.loads(pickle.dumps(vectorizer))
    assert set(loaded.vocabulary_.words) == set(words)
    assert loaded.vocabulary_ == vectorizer.vocabulary_


def test_loaded_vectors_may_be_mapped_and_are_not_copied(fitted, animals, tmp_path):
    joblib.dump(fitted, tmp_path / "model")
    loaded = joblib.load(tmp_path / "model", mmap_mode="r")
    vectors = loaded.word_vectors_.vectors
    while not isinstance(vectors, np.memmap):
        vectors = vectors.base
    assert_array_equal(loaded.transform(animals), fitted.transform(animals))
    assert loaded.transform_tokens(animals).vectors.flags.writeable


def test_the_version_is_in_the_pickle(fitted):
    state = fitted.__getstate__()
    assert state["_skembed_version"] == skembed.__version__
    assert state["_state_format"] == _state.STATE_FORMAT


def test_the_pickle_of_a_newer_version_is_refused_by_name(fitted, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(_state, "STATE_FORMAT", _state.STATE_FORMAT + 1)
        patch.setattr(skembed, "__version__", "9.9")
        pickled = pickle.dumps(fitted)
    with pytest.raises(ValueError, match=r"saved by skembed 9\.9 .* Install skembed"):
        pickle.loads(pickled)


def test_skops_needs_to_trust_the_estimator_alone(fitted, animals):
    dumped = skops.io.dumps(fitted)
    untrusted = skops.io.get_untrusted_types(data=dumped)
    assert untrusted == ["skembed.estimators._skipgram.SkipGramVectorizer"]
    loaded = skops.io.loads(dumped, trusted=untrusted)
    assert_array_equal(loaded.transform(animals), fitted.transform(animals))


def test_a_clone_is_not_fitted(fitted):
    assert not [name for name in vars(clone(fitted)) if name.endswith("_")]
