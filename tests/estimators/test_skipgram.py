import inspect
import os
import signal
import threading
import time
from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skembed import SkipGramVectorizer
from skembed.training.skipgram import SkipGramConfig

Fast = partial(SkipGramVectorizer, vector_size=4, min_count=1, epochs=1, random_state=0)


def test_every_parameter_has_constraints():
    constraints = SkipGramVectorizer._parameter_constraints
    assert constraints.keys() == SkipGramVectorizer().get_params().keys()


def test_every_parameter_is_documented():
    doc = inspect.getdoc(SkipGramVectorizer)
    parameters = doc[doc.index("Parameters\n") : doc.index("Attributes\n")]
    documented = [line.split(" : ")[0] for line in parameters.splitlines()
                  if " : " in line and not line.startswith(" ")]  # fmt: skip
    assert documented == list(inspect.signature(SkipGramVectorizer).parameters)


def test_defaults_are_those_of_the_training_core():
    parameters, config = SkipGramVectorizer().get_params(), SkipGramConfig()
    for name in SkipGramConfig.__dataclass_fields__.keys() & parameters.keys():
        assert parameters[name] == getattr(config, name), name


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("vector_size", 0),
        ("vector_size", 2.5),
        ("window", 0),
        ("min_count", 0),
        ("max_vocab_size", 0),
        ("negative", 0),
        ("ns_exponent", np.nan),
        ("ns_exponent", np.inf),
        ("sample", -1e-3),
        ("sample", np.nan),
        ("shrink_windows", "yes"),
        ("loss", "hinge"),
        ("vectors", "both"),
        ("epochs", -1),
        ("learning_rate", 0),
        ("learning_rate", -0.1),
        ("learning_rate", np.nan),
        ("min_learning_rate", -1.0),
        ("min_learning_rate", np.nan),
        ("tol", -1e-3),
        ("tol", np.nan),
        ("n_iter_no_change", 0),
        ("pooling", "median"),
        ("pooling", ()),
        ("pooling", ("mean", "median")),
        ("normalize", "l3"),
        ("normalize", True),
        ("remove_components", -1),
        ("remove_components", 4),
        ("missing", "drop"),
        ("input", "url"),
        ("decode_error", "guess"),
        ("strip_accents", "latin"),
        ("lowercase", "no"),
        ("analyzer", "sentence"),
        ("stop_words", "klingon"),
        ("token_pattern", None),
        ("parallel", "maybe"),
        ("device", "cuda:99"),
        ("device", "typewriter"),
        ("memory", 3),
        ("n_jobs", 1.5),
        ("random_state", "lucky"),
        ("verbose", -1),
    ],
)
def test_bad_parameters_are_named(animals, parameter, value):
    with pytest.raises(ValueError, match=parameter):
        Fast(**{parameter: value}).fit(animals)


def test_a_learning_rate_cannot_rise(animals):
    with pytest.raises(ValueError, match=r"min_learning_rate=0\.1 must not be above"):
        Fast(min_learning_rate=0.1).fit(animals)


def test_the_vectors_to_keep_can_be_chosen(vectorizer, animals):
    w_in, w_out, both = (
        clone(vectorizer).set_params(vectors=vectors).fit(animals).word_vectors_.vectors
        for vectors in ("input", "output", "input+output")
    )
    assert not np.array_equal(w_in, w_out)
    assert_allclose(both, (w_in + w_out) / 2, rtol=1e-6)


@pytest.mark.parametrize("vectors", ["output", "input+output"])
def test_a_tree_has_no_output_vectors(animals, vectors):
    with pytest.raises(ValueError, match="no output vectors of words"):
        Fast(loss="hierarchical_softmax", vectors=vectors).fit(animals)


@pytest.mark.parametrize(
    "loss", ["negative_sampling", "softmax", "hierarchical_softmax"]
)
def test_every_loss_falls(two_topics, loss):
    vectorizer = Fast(loss=loss, epochs=5, learning_rate=0.1).fit(two_topics)
    assert vectorizer.loss_curve_.shape == (5,)
    assert vectorizer.n_iter_ == 5
    assert vectorizer.loss_curve_[-1] < vectorizer.loss_curve_[0]


def test_training_stops_when_the_loss_stops_falling(two_topics):
    vectorizer = Fast(epochs=50, tol=10.0, n_iter_no_change=2).fit(two_topics)
    assert vectorizer.n_iter_ == len(vectorizer.loss_curve_) == 3


def test_words_of_a_topic_are_near_each_other(two_topics):
    vectorizer = Fast(vector_size=8, epochs=10, learning_rate=0.1, sample=0)
    nearest = vectorizer.fit(two_topics).word_vectors_.most_similar("a", topn=3)
    assert {word for word, _ in nearest} == {"b", "c", "d"}


def test_a_pipeline_is_tuned_and_tells_topics_apart(two_topics):
    y = np.arange(len(two_topics)) % 2
    vectorizer = Fast(learning_rate=0.1, sample=0)
    pipeline = make_pipeline(vectorizer, LogisticRegression())
    grid = {"skipgramvectorizer__pooling": ["mean", "sif"]}
    search = GridSearchCV(pipeline, grid, cv=2).fit(two_topics, y)
    assert search.best_score_ > 0.95


def test_documents_of_weight_zero_are_not_trained_on(vectorizer, animals):
    weight = np.array([1.0] * 8 + [0.0])
    vectorizer.set_params(sample=0, shrink_windows=False)
    vectorizer.fit(animals, sample_weight=weight)
    untrained = clone(vectorizer).set_params(learning_rate=1e-30, min_learning_rate=0)
    untrained.fit(animals)
    words = vectorizer.word_vectors_
    assert_array_equal(words["day"] == untrained.word_vectors_["day"], [False] * 4)
    alone = ["day day", *animals[:-2]]
    vectorizer.fit(alone, sample_weight=[0.0] + [1.0] * 7)
    assert_array_equal(vectorizer.word_vectors_["day"],
                       untrained.fit(alone).word_vectors_["day"])  # fmt: skip


@pytest.mark.parametrize("weight", [[1.0], np.full(9, -1.0), np.full(9, np.nan)])
def test_weights_that_make_no_sense_are_named(vectorizer, animals, weight):
    with pytest.raises(ValueError, match="sample_weight must"):
        vectorizer.fit(animals, sample_weight=weight)


def test_the_seed_decides(vectorizer, animals):
    first, again, other, unpinned = (
        clone(vectorizer).set_params(random_state=seed).fit_transform(animals)
        for seed in (0, 0, 1, None)
    )
    assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert not np.array_equal(first, unpinned)


def test_a_random_state_is_drawn_from(vectorizer, animals):
    vectorizer.set_params(random_state=np.random.RandomState(0))
    first, second = vectorizer.fit_transform(animals), vectorizer.fit_transform(animals)
    assert not np.array_equal(first, second)


def test_a_vocabulary_emptied_by_min_count_says_so(animals):
    with pytest.raises(ValueError, match=r"min_count=99 .* occurs 11 times"):
        Fast(min_count=99).fit(animals)


@pytest.mark.parametrize("X", [[], [""], [" ", "!"], [[]]])
def test_a_corpus_without_words_says_so(X):
    with pytest.raises(ValueError, match="hold no words"):
        Fast().fit(X)


def test_one_word_documents_have_no_context_but_features(vectorizer):
    features = vectorizer.fit_transform(["a", "b", "a"])
    assert np.isfinite(features).all()
    assert features.any(axis=1).all()


@pytest.mark.parametrize(
    "loss", ["negative_sampling", "softmax", "hierarchical_softmax"]
)
def test_a_vocabulary_of_one_word(loss):
    features = Fast(loss=loss).fit_transform(["a a a", "a", ""])
    assert np.isfinite(features).all()
    assert_array_equal(features[0], features[1])


def test_vectors_of_size_one(animals):
    features = Fast(vector_size=1).fit_transform(animals)
    assert features.shape == (9, 1)
    assert np.isfinite(features).all()


def test_nothing_of_a_long_document_is_dropped(rng):
    words = rng.choice(["a", "b", "c"], size=10**6)
    vectorizer = Fast(vector_size=1, window=1, negative=1)
    mean = vectorizer.fit_transform([" ".join(words)])
    assert vectorizer.vocabulary_.counts.sum() == 10**6
    vectors = vectorizer.word_vectors_.vectors.astype(np.float64)
    expected = vectorizer.vocabulary_.counts @ vectors / 10**6
    assert_allclose(mean[0], expected, rtol=1e-6)


def test_a_million_empty_documents(vectorizer):
    features = vectorizer.fit_transform(["a b"] + [""] * 10**6)
    assert features.shape == (10**6 + 1, 4)
    assert not features[1:].any()


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("\x00tab\tnew\nbell\x07", "bell"),
        ("\ud800lone \udfff", "lone"),
        ("שלום עולם", "שלום"),
        ("مرحبا بالعالم", "مرحبا"),
        ("漢字かな交じり 文", "漢字かな交じり"),
        ("İstanbul", "stanbul"),
        ("\ufeffbom", "bom"),
    ],
)
def test_text_of_all_kinds_is_read(vectorizer, text, word):
    vectorizer.fit([text, text])
    assert word in vectorizer.word_vectors_
    assert vectorizer.transform([text]).any()


def test_a_learning_rate_that_diverges_is_named(two_topics):
    with pytest.raises(ValueError, match="learning_rate=1000000"):
        Fast(learning_rate=1e6, epochs=20, sample=0).fit(two_topics)


def test_an_interrupt_is_answered_and_leaves_the_earlier_state(rng, vectorizer):
    documents = [rng.choice(list("abcdefgh"), size=5000).tolist()] * 20
    features = vectorizer.fit(documents).transform(documents)
    vectorizer.set_params(epochs=2000)
    before = vars(vectorizer).copy()
    interrupted = []

    def interrupt():
        interrupted.append(time.perf_counter())
        os.kill(os.getpid(), signal.SIGINT)

    timer = threading.Timer(0.5, interrupt)
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        vectorizer.fit(documents)
    assert time.perf_counter() - interrupted[0] < 1
    timer.join()
    assert vars(vectorizer) == before
    assert_array_equal(vectorizer.transform(documents), features)


def test_a_failed_fit_leaves_the_earlier_state(vectorizer, animals, two_topics):
    features = vectorizer.fit(animals).transform(animals)
    for bad, change in [(["a", None], {}), (two_topics, {"learning_rate": 1e9})]:
        with pytest.raises(ValueError, match=r"missing|learning_rate"):
            vectorizer.set_params(**change).fit(bad)
    assert_array_equal(vectorizer.transform(animals), features)


@pytest.mark.parametrize("device", ["auto", "cpu"])
def test_the_cpu_is_a_device(animals, device):
    assert Fast(device=device).fit(animals).n_iter_ == 1
