"""What estimators of co-occurrence counts promise beside the contract."""

import os
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone

from skembed import GloVeVectorizer, PPMIVectorizer
from skembed.datasets import load_textbooks
from skembed.estimators import _counting

GLOVE = GloVeVectorizer(vector_size=4, min_count=1, epochs=2, random_state=0)
PPMI = PPMIVectorizer(vector_size=4, min_count=1)


class Counting:
    """Calls a function, and writes a line to a file; from any process."""

    def __init__(self, function, log):
        self.__qualname__ = function.__qualname__
        self.function = function
        self.log = log

    def __call__(self, *arguments, **named):
        with self.log.open("a", encoding="utf-8") as file:
            file.write(f"{os.getpid()}\n")
        return self.function(*arguments, **named)

    def n_calls(self):
        if not self.log.exists():
            return 0
        return len(self.log.read_text(encoding="utf-8").splitlines())


@pytest.fixture
def counted(monkeypatch, tmp_path):
    counting = Counting(_counting.count_cooccurrences, tmp_path / "counted")
    monkeypatch.setattr(_counting, "count_cooccurrences", counting)
    return counting


@pytest.fixture
def trained(monkeypatch, tmp_path):
    training = Counting(_counting.train_glove, tmp_path / "trained")
    monkeypatch.setattr(_counting, "train_glove", training)
    return training


def test_other_models_of_the_same_counts_count_once(animals, counted, tmp_path):
    vectorizer = clone(GLOVE).set_params(memory=tmp_path / "cache").fit(animals)
    for changed in ({"vector_size": 5}, {"x_max": 3.0}, {"alpha": 1.0}, {"epochs": 1}):
        cached = clone(vectorizer).set_params(**changed).fit(animals)
        plain = clone(cached).set_params(memory=None)
        calls = counted.n_calls()
        assert_array_equal(
            plain.fit(animals).transform(animals), cached.transform(animals)
        )
        assert counted.n_calls() == calls + 1
    assert counted.n_calls() == 1 + 4


def test_both_estimators_share_their_counts(animals, counted, tmp_path):
    shared = {"memory": str(tmp_path / "cache"), "window": 3, "weighting": "uniform"}
    clone(GLOVE).set_params(**shared).fit(animals)
    for size in (2, 3):
        clone(PPMI).set_params(**shared, vector_size=size).fit(animals)
    assert counted.n_calls() == 1


@pytest.mark.parametrize(
    "change",
    [
        {"window": 2},
        {"weighting": "uniform"},
        {"symmetric": False},
        {"sample": 0.1},
    ],
)
def test_other_counts_are_counted_again(animals, counted, tmp_path, change):
    vectorizer = clone(GLOVE).set_params(memory=tmp_path / "cache").fit(animals)
    vectorizer.set_params(**change).fit(animals)
    assert counted.n_calls() == 2


def test_weights_are_part_of_what_is_counted(animals, counted, tmp_path):
    vectorizer = clone(PPMI).set_params(memory=tmp_path / "cache").fit(animals)
    vectorizer.fit(animals, sample_weight=np.arange(9))
    assert counted.n_calls() == 2


@pytest.mark.parametrize("estimator", [GLOVE, PPMI])
def test_the_seed_changes_counts_only_if_words_are_left_out(
    animals, counted, tmp_path, estimator
):
    vectorizer = clone(estimator).set_params(memory=tmp_path / "cache", random_state=0)
    for sample, n_calls in ((0.0, 1), (0.1, 3)):
        for seed in (0, 1):
            vectorizer.set_params(sample=sample, random_state=seed).fit(animals)
        assert counted.n_calls() == n_calls


def test_training_ends_early_with_tol(animals):
    vectorizer = clone(GLOVE).set_params(epochs=50, tol=0.5).fit(animals)
    assert vectorizer.n_iter_ == len(vectorizer.loss_curve_) < 50


def test_other_poolings_train_no_second_time(animals, trained, tmp_path):
    vectorizer = clone(GLOVE).set_params(memory=tmp_path / "cache").fit(animals)
    vectorizer.set_params(pooling="max", vectors="input").fit(animals)
    assert trained.n_calls() == 1


def test_without_a_seed_counts_are_kept_but_vectors_are_not(
    animals, counted, trained, tmp_path
):
    vectorizer = clone(GLOVE).set_params(
        memory=Path(tmp_path / "cache"), random_state=None
    )
    vectorizer.fit(animals).fit(animals)
    assert (counted.n_calls(), trained.n_calls()) == (1, 2)


@pytest.mark.parametrize("estimator", [GLOVE, PPMI])
def test_the_kept_vectors_are_of_words_of_contexts_or_their_sum(animals, estimator):
    w_in, w_out, both = (
        clone(estimator).set_params(vectors=kind).fit(animals).word_vectors_.vectors
        for kind in ("input", "output", "input+output")
    )
    assert_array_equal(both, w_in + w_out)
    assert not np.array_equal(w_in, w_out)


@pytest.mark.parametrize("estimator", [GLOVE, PPMI])
def test_documents_of_one_word_teach_nothing_and_are_refused(estimator):
    with pytest.raises(ValueError, match="no co-occurrences"):
        clone(estimator).fit(["cat", "dog", "", "cat"])


@pytest.mark.parametrize("estimator", [GLOVE, PPMI])
def test_a_failed_fit_leaves_the_earlier_one(animals, estimator):
    model = clone(estimator).fit(animals)
    before = model.transform(animals)
    with pytest.raises(ValueError, match="no co-occurrences"):
        model.fit(["cat", "dog"])
    assert_array_equal(model.transform(animals), before)


@pytest.mark.slow
def test_the_loss_falls_with_every_epoch_on_real_texts():
    texts = load_textbooks(subset="train").data
    vectorizer = GloVeVectorizer(epochs=8, random_state=0, n_jobs=2).fit(texts)
    assert (np.diff(vectorizer.loss_curve_) < 0).all()
    nearest = dict(vectorizer.word_vectors_.most_similar("planet", topn=50))
    assert {"sun", "earth", "orbit", "moon"}.intersection(nearest)


@pytest.mark.slow
def test_mutual_information_knows_planets():
    texts = load_textbooks(subset="train").data
    vectorizer = PPMIVectorizer(n_jobs=2).fit(texts)
    nearest = dict(vectorizer.word_vectors_.most_similar("planet", topn=50))
    assert {"sun", "earth", "orbit", "moon"}.intersection(nearest)
    assert 0 < vectorizer.loss_curve_[0] < 1
