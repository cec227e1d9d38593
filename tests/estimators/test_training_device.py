"""Where vectors of words are trained: what `device` asks for, and what stays of it."""

import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from skembed import FastTextVectorizer, GloVeVectorizer, SkipGramVectorizer
from skembed.estimators import _training_device

SETTINGS = {"vector_size": 4, "min_count": 1, "epochs": 2, "random_state": 0}
ESTIMATORS = [
    SkipGramVectorizer(**SETTINGS, sample=0),
    GloVeVectorizer(**SETTINGS),
    FastTextVectorizer(**SETTINGS, sample=0),
]


@pytest.fixture(params=ESTIMATORS, ids=lambda estimator: type(estimator).__name__)
def estimator(request):
    return clone(request.param)


@pytest.fixture
def in_torch(monkeypatch):
    """Let any device but "cpu" be torch's core on the CPU."""

    def training_device(device, n_steps):
        return None if device == "cpu" else torch.device("cpu")

    monkeypatch.setattr(_training_device, "training_device", training_device)


def test_a_device_that_is_not_there_is_refused_before_documents_are_read(estimator):
    def documents():
        pytest.fail("fit has asked for documents")
        yield

    estimator.set_params(device="cuda:99")
    with pytest.raises(ValueError, match=r"device='cuda:99' is not there.*'cpu'"):
        estimator.fit(documents())
    assert not hasattr(estimator, "word_vectors_")


def test_what_is_no_device_is_refused_by_fit(estimator, animals):
    with pytest.raises(ValueError, match=r"or what torch\.device takes"):
        estimator.set_params(device="abacus").fit(animals)


@pytest.mark.parametrize("loss", ["softmax", "hierarchical_softmax"])
def test_losses_of_the_cpu_alone_are_refused_on_gpus(in_torch, animals, loss):
    vectorizer = SkipGramVectorizer(**SETTINGS, loss=loss, device="cuda")
    with pytest.raises(ValueError, match=r"on the CPU only.*device='cpu'"):
        vectorizer.fit(animals)


def test_fitted_estimators_do_not_know_their_device(in_torch, estimator, animals):
    estimator.set_params(device="cuda").fit(animals)
    stored = pickle.dumps(estimator)
    assert b"torch" not in stored
    features = pickle.loads(stored).transform(animals)
    assert_array_equal(features, estimator.transform(animals))
    assert np.isfinite(features).all()


def test_what_torch_trains_is_not_what_compiled_code_trains(
    in_torch, estimator, animals
):
    vectors = [
        clone(estimator).set_params(device=device).fit(animals).word_vectors_.vectors
        for device in ("cpu", "cuda")
    ]
    # Other draws, from the same first vectors.
    assert not np.array_equal(*vectors)
    assert_allclose(*vectors, atol=0.2)


def test_models_of_both_kinds_are_kept_apart(in_torch, estimator, animals, tmp_path):
    estimator.set_params(memory=tmp_path)
    trained, again = (
        {
            device: clone(estimator).set_params(device=device).fit(animals)
            for device in ("cpu", "cuda")
        }
        for _ in range(2)
    )
    for device, model in trained.items():
        have = again[device].word_vectors_.vectors
        assert_array_equal(have, model.word_vectors_.vectors)
    assert not np.array_equal(
        trained["cpu"].word_vectors_.vectors, trained["cuda"].word_vectors_.vectors
    )


@pytest.mark.parametrize("online", [SkipGramVectorizer, FastTextVectorizer])
def test_batches_are_learned_from_in_torch_too(in_torch, animals, online):
    vectorizer = online(**SETTINGS, device="cuda")
    vectorizer.partial_fit(animals).partial_fit(["the zebra sleeps"])
    assert "zebra" in vectorizer.word_vectors_
    assert np.isfinite(vectorizer.word_vectors_.vectors).all()


@pytest.mark.parametrize("online", [SkipGramVectorizer, FastTextVectorizer])
def test_a_batch_is_worth_a_gpu_by_its_single_pass(monkeypatch, animals, online):
    asked = []

    def training_device(device, n_steps):
        asked.append(n_steps)

    monkeypatch.setattr(_training_device, "training_device", training_device)
    vectorizer = online(**SETTINGS).fit(animals)
    passes_of_fit = asked[-1]
    vectorizer.partial_fit(animals)
    assert asked[-1] == passes_of_fit / 2


def test_processes_that_train_together_keep_nothing(
    in_torch, animals, tmp_path, monkeypatch
):
    """One would hold the lock that the others wait for."""
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda: 2)
    from skembed.estimators._training_cache import train_once

    calls = []

    def record(device):
        calls.append(device)

    arguments = {"device": torch.device("cpu")}
    for _ in range(2):
        train_once(tmp_path, record, arguments)
    assert len(calls) == 2
    assert list(tmp_path.iterdir()) == []
