"""What a pickle of the featurizer holds, and what it needs to work again."""

import pickle
import shutil
import subprocess
import sys

import joblib
import pytest
import torch
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from transformers import AutoModel, AutoTokenizer

from skembed import BertLayerFeaturizer

TEXTS = ["the teacher", "of atoms", "the history of it", "a student", "", "nothing"]
LABELS = [0, 1, 0, 1, 0, 1]
PREDICT = """
import sys, joblib
loaded = [joblib.load(path) for path in sys.argv[1:]]
assert "torch" not in sys.modules
for model, X, expected in loaded:
    assert model.predict_proba(X).tolist() == expected.tolist()
"""


@pytest.fixture(autouse=True)
def cache_home(tmp_path, monkeypatch):
    """Stored models are unpacked there, and not into the user's own folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def folder(tiny_model, tmp_path):
    """A model that a test may change."""
    return shutil.copytree(tiny_model("bert"), tmp_path / "bert")


@pytest.fixture
def pair(tiny_model):
    folder = tiny_model("bert")
    return AutoModel.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)


def settings_of(name, folder, pair, tiny_model):
    """Return the parameters of one of the ways to name a model."""
    other = tiny_model("mpnet")
    return {
        "folder": {"model": folder},
        "stored": {"model": str(folder), "store_weights": True},
        "pair": {"model": pair},
        "pair and tokenizer": {"model": pair, "tokenizer": str(other)},
        "folder and tokenizer": {
            "model": folder, "tokenizer": AutoTokenizer.from_pretrained(other),
        },
    }[name]  # fmt: skip


WAYS = ["folder", "stored", "pair", "pair and tokenizer", "folder and tokenizer"]


@pytest.mark.parametrize("name", WAYS)
def test_a_pickle_gives_the_same_features(folder, pair, tiny_model, name):
    settings = settings_of(name, folder, pair, tiny_model)
    featurizer = BertLayerFeaturizer(**settings, layers="all", mixing="learned")
    features = featurizer.fit_transform(TEXTS, LABELS)
    loaded = pickle.loads(pickle.dumps(featurizer))
    assert_array_equal(loaded.transform(TEXTS), features)
    assert_array_equal(loaded.layer_weights_, featurizer.layer_weights_)
    again = pickle.loads(pickle.dumps(loaded))
    assert_array_equal(again.transform(TEXTS), features)
    assert_array_equal(clone(loaded).fit_transform(TEXTS, LABELS), features)
    assert len(repr(loaded)) < 2000


@pytest.mark.slow
def test_another_process_gives_the_same_predictions(folder, pair, tiny_model, tmp_path):
    dumped = []
    for number, name in enumerate(WAYS):
        settings = settings_of(name, folder, pair, tiny_model)
        if name == "folder":
            # The others need no folder any more.
            settings["model"] = str(tiny_model("bert"))
        model = make_pipeline(
            BertLayerFeaturizer(**settings, layers="all", mixing="learned"),
            LogisticRegression(),
        ).fit(TEXTS, LABELS)
        if name != "folder and tokenizer":
            dumped.append(tmp_path / f"{number}.joblib")
            joblib.dump((model, TEXTS, model.predict_proba(TEXTS)), dumped[-1])
    shutil.rmtree(folder)
    subprocess.run([sys.executable, "-W", "error", "-c", PREDICT, *dumped], check=True)


def test_a_missing_model_is_named(folder):
    pickled = pickle.dumps(BertLayerFeaturizer(folder).fit(TEXTS))
    shutil.rmtree(folder)
    loaded = pickle.loads(pickled)
    with pytest.raises(FileNotFoundError, match=r"There is no folder '.*/bert'"):
        loaded.transform(TEXTS)


@pytest.mark.parametrize(
    "file", ["model.safetensors", "config.json", "tokenizer.json"]
)  # fmt: skip
def test_one_changed_byte_of_the_model_is_told(folder, file):
    featurizer = BertLayerFeaturizer(folder).fit(TEXTS)
    pickled = pickle.dumps(featurizer)
    content = bytearray((folder / file).read_bytes())
    place = -2 if file == "model.safetensors" else content.index(b'": ') + 2
    content[place] = content[place] ^ 1 if file == "model.safetensors" else ord("\t")
    (folder / file).write_bytes(content)
    for model in (featurizer, pickle.loads(pickled)):
        with pytest.raises(ValueError, match=r"not the one that fit saw: its fingerp"):
            model.transform(TEXTS)
        with pytest.raises(ValueError, match="not the one that fit saw"):
            model.transform_tokens(TEXTS)


def test_a_pair_that_was_trained_since_is_told(pair):
    featurizer = BertLayerFeaturizer(pair).fit(TEXTS)
    with torch.no_grad():
        pair[0].embeddings.word_embeddings.weight.add_(1)
    pickled = pickle.dumps(featurizer)
    for model in (featurizer, pickle.loads(pickled)):
        with pytest.raises(ValueError, match="not the one that fit saw"):
            model.transform(TEXTS)


def test_a_stored_model_goes_before_one_that_has_changed(folder):
    featurizer = BertLayerFeaturizer(folder, store_weights=True)
    features = featurizer.fit_transform(TEXTS)
    loaded = pickle.loads(pickle.dumps(featurizer))
    (folder / "config.json").unlink()
    assert_array_equal(loaded.transform(TEXTS), features)
    # What has been unpacked may be lost.
    shutil.rmtree(folder.parent / "home")
    assert_array_equal(loaded.transform(TEXTS), features)


def test_another_model_can_be_set_in_place_of_the_stored_one(folder, tiny_model):
    featurizer = BertLayerFeaturizer(folder, store_weights=True).fit(TEXTS)
    loaded = pickle.loads(pickle.dumps(featurizer))
    other = str(tiny_model("gpt2"))
    loaded.set_params(model=other)
    with pytest.raises(ValueError, match="not the one that fit saw"):
        loaded.transform(TEXTS)
    features = loaded.fit_transform(TEXTS)
    assert_array_equal(BertLayerFeaturizer(other).fit_transform(TEXTS), features)
    shutil.rmtree(folder)
    again = pickle.loads(pickle.dumps(loaded))
    assert_array_equal(again.transform(TEXTS), features)


@pytest.mark.parametrize("store_weights", [False, True])
def test_what_is_not_fitted_is_pickled_small(folder, store_weights):
    pickled = pickle.dumps(BertLayerFeaturizer(folder, store_weights=store_weights))
    assert len(pickled) < 2000


def test_a_fitted_reference_is_small(folder):
    featurizer = BertLayerFeaturizer(folder, layers="all", mixing="learned")
    assert len(pickle.dumps(featurizer.fit(TEXTS, LABELS))) < 5000


# Nothing is loaded before it is needed.


@pytest.mark.slow
def test_nothing_is_loaded_until_texts_come(folder, tmp_path):
    featurizer = BertLayerFeaturizer(folder, store_weights=True).fit(TEXTS)
    (tmp_path / "fitted").write_bytes(pickle.dumps(featurizer))
    code = """
import pickle, sys
from sklearn.base import clone
from skembed import BertLayerFeaturizer
fitted = pickle.load(open(sys.argv[2], "rb"))
for featurizer in (BertLayerFeaturizer(sys.argv[1]), fitted):
    clone(featurizer), repr(featurizer), featurizer._repr_html_(), dir(featurizer)
    featurizer.get_params(), featurizer.set_params(layers="all")
    pickle.loads(pickle.dumps(featurizer)), hasattr(featurizer, "n_features_out")
    featurizer.__sklearn_tags__()
fitted.get_feature_names_out(), pickle.loads(pickle.dumps(fitted))
BertLayerFeaturizer("no/such/folder", layers="nonsense", device="nowhere")
assert not {"torch", "transformers", "tokenizers"} & sys.modules.keys()
"""
    arguments = [sys.executable, "-c", code, folder, tmp_path / "fitted"]
    subprocess.run(arguments, check=True)
    assert not (tmp_path / "home").exists()


def test_clone_shares_a_loaded_model(pair, tiny_model):
    tokenizer = AutoTokenizer.from_pretrained(tiny_model("mpnet"))
    featurizer = BertLayerFeaturizer(pair, tokenizer=tokenizer, layers=(0, 1))
    for twin in (clone(featurizer), clone(make_pipeline(featurizer))[0]):
        assert twin.model is pair
        assert twin.tokenizer is tokenizer
        assert twin.layers == (0, 1)


@pytest.mark.slow
def test_a_grid_search_works_with_a_pair_in_two_processes(pair, tmp_path):
    model = make_pipeline(
        BertLayerFeaturizer(pair, memory=tmp_path / "cache"), LogisticRegression()
    )
    search, alone = (
        GridSearchCV(
            model,
            {"bertlayerfeaturizer__layers": [0, -1, "all"]},
            cv=2,
            n_jobs=n_jobs,
            error_score="raise",
        ).fit(TEXTS, LABELS)
        for n_jobs in (2, None)
    )
    assert search.best_estimator_[0].model is pair
    scores = (s.cv_results_["mean_test_score"] for s in (search, alone))
    assert_array_equal(*scores)
