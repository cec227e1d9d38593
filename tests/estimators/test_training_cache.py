import os
import time
from concurrent.futures import ThreadPoolExecutor
from functools import wraps
from pathlib import Path
from typing import NamedTuple

import joblib
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skembed.estimators import _skipgram
from skembed.estimators._training_cache import train_once
from tests.estimators.test_progress import has_callbacks


def double(corpus, seed=0, log=None):
    """Stand for training: take some time, write a line to a file, return something."""
    time.sleep(0.05)
    with Path(log).open("a", encoding="utf-8") as file:
        file.write(f"{os.getpid()}\n")
    return 2 * corpus + seed


def n_calls(log):
    return len(log.read_text(encoding="utf-8").splitlines()) if log.exists() else 0


@pytest.fixture
def log(tmp_path):
    return tmp_path / "log"


def test_the_same_arguments_train_once(tmp_path, log, rng):
    corpus = rng.integers(9, size=5)
    results = [
        train_once(tmp_path / "cache", double, {"corpus": corpus.copy()}, log=log)
        for _ in range(2)
    ]
    assert n_calls(log) == 1
    assert_array_equal(results, [2 * corpus, 2 * corpus])


def test_other_arguments_train_again(tmp_path, log):
    for corpus, seed in [(1, 0), (1, 1), (2, 0)]:
        arguments = {"corpus": corpus, "seed": seed}
        assert train_once(tmp_path, double, arguments, log=log) == 2 * corpus + seed
    assert n_calls(log) == 3


def test_nothing_is_kept_without_a_place(tmp_path, log):
    for memory in (None, joblib.Memory(None)):
        train_once(memory, double, {"corpus": 1}, log=log)
    assert n_calls(log) == 2
    assert list(tmp_path.iterdir()) == [log]


def quiet_memory(place):
    return joblib.Memory(place, verbose=0)


@pytest.mark.parametrize("kind", [str, Path, quiet_memory])
def test_the_place_may_be_a_path_or_a_memory(tmp_path, log, kind):
    place = str(tmp_path / "cache")
    train_once(kind(place), double, {"corpus": 1}, log=log)
    train_once(place, double, {"corpus": 1}, log=log)
    assert n_calls(log) == 1


def test_a_mapped_corpus_is_the_same_corpus(tmp_path, log):
    np.save(tmp_path / "corpus.npy", np.arange(5))
    mapped = np.load(tmp_path / "corpus.npy", mmap_mode="r")
    for corpus in (np.arange(5), np.asarray(mapped)):
        train_once(tmp_path / "cache", double, {"corpus": corpus}, log=log)
    assert n_calls(log) == 1


def test_of_two_that_ask_at_once_one_trains(tmp_path, log):
    def ask(_):
        return train_once(tmp_path / "cache", double, {"corpus": 1}, log=log)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, range(8))) == [2] * 8
    assert n_calls(log) == 1


def test_a_failed_training_is_not_kept(tmp_path, log):
    with pytest.raises(TypeError):
        train_once(tmp_path, double, {"corpus": None}, log=log)
    with pytest.raises(TypeError):
        train_once(tmp_path, double, {"corpus": None}, log=log)
    assert n_calls(log) == 2


def test_a_training_that_was_stopped_is_returned_but_not_kept(tmp_path, log):
    for is_whole in (False, True, True):
        result = train_once(
            tmp_path, double, {"corpus": 1}, is_whole=lambda x=is_whole: x, log=log
        )
        assert result == 2
    assert n_calls(log) == 2


class Interrupted(NamedTuple):
    was_interrupted: bool


def break_off(corpus, log):
    """Stand for a training of a network that is broken off at its first call."""
    double(corpus, log=log)
    return Interrupted(was_interrupted=n_calls(log) == 1)


def test_a_training_that_was_interrupted_is_returned_but_not_kept(tmp_path, log):
    results = [
        train_once(tmp_path, break_off, {"corpus": 1}, log=log).was_interrupted
        for _ in range(3)
    ]
    assert results == [True, False, False]
    assert n_calls(log) == 2


class CountingTraining:
    """Trains, and writes a line to a file; from any process."""

    def __init__(self, train, log):
        self.__qualname__ = train.__qualname__
        self.train = train
        self.log = log

    def __call__(self, **arguments):
        with self.log.open("a", encoding="utf-8") as file:
            file.write(f"{os.getpid()}\n")
        return self.train(**arguments)


@pytest.fixture
def counted(monkeypatch, log):
    """Count the trainings of this process."""
    training = CountingTraining(_skipgram.train_skipgram, log)
    monkeypatch.setattr(_skipgram, "train_skipgram", training)
    return log


def test_other_poolings_train_no_second_time(vectorizer, animals, counted, tmp_path):
    vectorizer.set_params(memory=tmp_path / "cache").fit(animals)
    plain = clone(vectorizer).set_params(memory=None, pooling="max", normalize="l2")
    cached = clone(vectorizer).set_params(pooling="max", normalize="l2", n_jobs=2)
    cached.fit(animals)
    assert n_calls(counted) == 1
    assert_array_equal(cached.transform(animals), plain.fit(animals).transform(animals))
    assert_array_equal(cached.loss_curve_, plain.loss_curve_)


@pytest.mark.parametrize(
    "change",
    [{"window": 2}, {"random_state": 1}, {"min_count": 2}, {"stop_words": ["cat"]}],
)
def test_other_trainings_are_other_trainings(
    vectorizer, animals, counted, tmp_path, change
):
    vectorizer.set_params(memory=str(tmp_path / "cache")).fit(animals)
    vectorizer.set_params(**change).fit(animals)
    assert n_calls(counted) == 2


def test_weights_are_part_of_the_key(vectorizer, animals, counted, tmp_path):
    vectorizer.set_params(memory=str(tmp_path / "cache")).fit(animals)
    vectorizer.fit(animals, sample_weight=np.arange(9))
    assert n_calls(counted) == 2


@pytest.mark.parametrize("random_state", [None, np.random.RandomState(0)])
def test_without_an_int_as_seed_nothing_is_kept(
    vectorizer, animals, counted, tmp_path, random_state
):
    vectorizer.set_params(memory=str(tmp_path / "cache"), random_state=random_state)
    vectorizer.fit(animals).fit(animals)
    assert n_calls(counted) == 2
    assert not (tmp_path / "cache").exists()


@pytest.mark.skipif(not has_callbacks, reason="scikit-learn 1.9 brought callbacks")
def test_what_a_callback_has_stopped_is_not_what_others_get(
    vectorizer, animals, tmp_path
):
    vectorizer.set_params(memory=str(tmp_path / "cache"))
    stopped = clone(vectorizer).set_callbacks(StopAtOnce())
    assert stopped.fit(animals).n_iter_ == 1
    assert vectorizer.fit(animals).n_iter_ == 2


def test_partial_fit_is_not_kept(vectorizer, animals, counted, tmp_path):
    vectorizer.set_params(memory=str(tmp_path / "cache"))
    vectorizer.partial_fit(animals)
    assert n_calls(counted) == 1
    assert not (tmp_path / "cache").exists()


def test_a_cached_estimator_goes_on_training(vectorizer, animals, tmp_path):
    plain = clone(vectorizer).fit(animals).partial_fit(animals)
    vectorizer.set_params(memory=joblib.Memory(tmp_path, mmap_mode="r", verbose=0))
    for _ in range(2):
        vectorizer.fit(animals).partial_fit(animals)
    assert_array_equal(vectorizer.word_vectors_.vectors, plain.word_vectors_.vectors)


class StopAtOnce:
    """A callback of scikit-learn's that stops after the first epoch."""

    def setup(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        return True

    def teardown(self, estimator, context):
        pass


class CountingMemory(joblib.Memory):
    """Writes a line to a file whenever it calls a function, in whatever process."""

    def __init__(self, location, log):
        super().__init__(location, verbose=0)
        self.log = log

    def cache(self, func=None, **options):
        @wraps(func)
        def counted(*args):
            with self.log.open("a", encoding="utf-8") as file:
                file.write(f"{os.getpid()}\n")
            return func(*args)

        return super().cache(counted, **options)


@pytest.mark.slow
def test_a_grid_over_pooling_trains_once_per_fold(vectorizer, rng, tmp_path, log):
    X = [" ".join(rng.choice(list("abcdefgh"), size=9)) for _ in range(40)]
    y = np.arange(40) % 2
    vectorizer.set_params(memory=CountingMemory(tmp_path / "cache", log))
    pipeline = make_pipeline(vectorizer, LogisticRegression())
    grid = {"skipgramvectorizer__pooling": ["mean", "max", "idf", ("mean", "max")]}
    search = GridSearchCV(pipeline, grid, cv=2, n_jobs=2).fit(X, y)
    # Two folds, and all documents once more for the best estimator.
    assert n_calls(log) == 3
    assert len(set(log.read_text(encoding="utf-8").split())) > 1
    pipeline.set_params(skipgramvectorizer__memory=None)
    plain = GridSearchCV(pipeline, grid, cv=2).fit(X, y)
    assert_array_equal(
        search.cv_results_["mean_test_score"], plain.cv_results_["mean_test_score"]
    )
