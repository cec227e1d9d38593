"""ELMoFeaturizer with 8-bit matrix products."""

import pickle
import subprocess
import sys
import threading

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone

from skembed import BertLayerFeaturizer, CoVeFeaturizer, ELMoFeaturizer
from skembed.estimators import _elmo
from skembed.networks.elmo import _registry
from skembed.networks.elmo._network import ElmoNetwork
from tests.tiny_elmo import save_elmo, tiny_elmo

TEXTS = [
    "They don't bank in the U.S. any more.",
    "The bank of the river",
    "",
    "x",
    "z" * 10_000 + " naïve 日本語 🙂",
    "the bank " * 300,
]


@pytest.fixture
def folder(tmp_path):
    return save_elmo(tmp_path / "weights", tiny_elmo(scale=0.4))


def elmo(weights, **settings):
    return ELMoFeaturizer(weights, dtype="int8", **settings)


def test_features_are_near_those_of_float32(folder):
    found = elmo(folder, mixing="concat").fit_transform(TEXTS)
    exact = elmo(folder, mixing="concat").set_params(dtype="float32")
    truth = exact.fit_transform(TEXTS)
    assert found.dtype == np.float32
    assert 0 < np.abs(found - truth).max() < 0.02 * np.abs(truth).max()


@pytest.mark.parametrize("initial_state", ["warm", "zeros"])
def test_a_row_is_a_function_of_its_text_to_the_last_bit(folder, initial_state):
    def fresh(texts):
        _registry.clear_loaded()
        model = elmo(folder, initial_state=initial_state, n_jobs=1).fit(texts)
        return model.transform(texts)

    together = fresh(TEXTS)
    assert_array_equal(fresh(TEXTS[::-1])[::-1], together)
    for text, row in zip(TEXTS, together, strict=True):
        assert_array_equal(fresh([text]), row[None])


@pytest.fixture
def threads(monkeypatch):
    """The threads that networks have been run by."""
    found, run = set(), ElmoNetwork.run

    def noted(*given):
        found.add(threading.get_ident())
        return run(*given)

    monkeypatch.setattr(ElmoNetwork, "run", noted)
    return found


@pytest.mark.parametrize(
    ("dtype", "initial_state", "n_expected"),
    [("int8", "warm", 2), ("int8", "carry", 1), ("float32", "warm", 1)],
)
def test_threads_take_batches(folder, rng, threads, dtype, initial_state, n_expected):
    texts = rng.choice(["the", "bank", "of", "rivers"], size=(60, 40)).tolist()
    model = ELMoFeaturizer(folder, dtype=dtype, initial_state=initial_state, n_jobs=2)
    model.fit(texts[:1])
    threads.clear()
    found = model.transform(texts)
    assert len(threads) == n_expected
    again = clone(model).set_params(n_jobs=1).fit(texts[:1]).transform(texts)
    if dtype == "int8":
        assert_array_equal(again, found)


def test_states_are_carried(folder):
    model = elmo(folder, initial_state="carry", batch_size=1).fit(TEXTS[:1])
    one, other = model.transform([TEXTS[1]] * 2)
    assert np.abs(one - other).max() > 1e-3
    exact = clone(model).set_params(dtype="float32").fit(TEXTS[:1])
    truth = exact.transform([TEXTS[1]] * 2)
    assert np.abs(truth - [one, other]).max() < 0.02 * np.abs(truth).max()


@pytest.mark.parametrize("stored", [True, False])
def test_a_pickle_gives_the_same_features(folder, stored):
    model = elmo(folder, store_weights=stored).fit(TEXTS)
    again = pickle.loads(pickle.dumps(model))
    _registry.clear_loaded()
    assert_array_equal(again.transform(TEXTS), model.transform(TEXTS))
    assert clone(model).dtype == "int8"


@pytest.mark.slow
def test_another_process_gives_the_same_features(folder, tmp_path):
    model = elmo(folder).fit(TEXTS)
    paths = [tmp_path / name for name in ("model", "texts", "found.npy")]
    paths[0].write_bytes(pickle.dumps(model))
    paths[1].write_bytes(pickle.dumps(TEXTS))
    code = (
        "import pickle, sys, numpy as np\n"
        "model, texts = (pickle.load(open(path, 'rb')) for path in sys.argv[1:3])\n"
        "np.save(sys.argv[3], model.transform(texts))"
    )
    subprocess.run([sys.executable, "-c", code, *map(str, paths)], check=True)
    assert_array_equal(np.load(paths[2]), model.transform(TEXTS))


def test_weights_may_be_trained_before():
    texts = ["the bank of the river", "they bank on it"] * 10
    model = ELMoFeaturizer(size=8, epochs=1, random_state=0, dtype="int8")
    found = model.fit_transform(texts)
    truth = clone(model).set_params(dtype="float32").fit_transform(texts)
    assert 0 < np.abs(found - truth).max() < 0.02 * np.abs(truth).max()


@pytest.mark.parametrize("device", ["cuda", "mps", ["cpu", "cuda:1"]])
def test_other_devices_are_refused_before_anything_is_done(monkeypatch, device):
    monkeypatch.setattr(_elmo, "train_elmo", None)
    model = ELMoFeaturizer(dtype="int8", device=device)
    with pytest.raises(ValueError, match="dtype='int8' is for the CPU alone"):
        model.fit(TEXTS)


@pytest.mark.parametrize("kind", [BertLayerFeaturizer, CoVeFeaturizer])
def test_other_networks_do_not_know_it(kind):
    model = kind("anything", dtype="int8")
    with pytest.raises(ValueError, match=r"'dtype' parameter .* must be .*'float32'"):
        model.fit(TEXTS)
