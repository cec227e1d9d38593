"""Features kept on disk: the network runs once for each document, whatever the grid."""

import pickle
import shutil
import subprocess
import sys

import numpy as np
import pytest
from joblib import Memory
from numpy.testing import assert_array_equal
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from transformers import AutoModel, AutoTokenizer

from skembed import BertLayerFeaturizer
from skembed.encoding import FeatureCache, _encode

TEXTS = ["the teacher", "of atoms " * 50, "", "a student", "the teacher", "nothing"]
LABELS = np.array([0, 1, 0, 1, 0, 1])


@pytest.fixture
def ran(monkeypatch):
    """Return the texts that have been run, in the order in which they were."""
    texts_run, pooled_texts = [], _encode.pooled_texts

    def counted(encoder, texts, numbers, wanted):
        texts_run.extend(texts)
        return pooled_texts(encoder, texts, numbers, wanted)

    monkeypatch.setattr(_encode, "pooled_texts", counted)
    return texts_run


@pytest.mark.parametrize("family", ["bert", "deberta", "gpt2"])
@pytest.mark.parametrize("mixing", ["mean", "learned"])
def test_features_are_the_same_bit_for_bit(tiny_model, tmp_path, ran, family, mixing):
    settings = {
        "model": tiny_model(family), "layers": (1, -1), "mixing": mixing,
        "pooling": ("mean", "cls", "first_last"),
    }  # fmt: skip
    without = BertLayerFeaturizer(**settings).fit(TEXTS, LABELS)
    expected = without.transform(TEXTS)
    kept = BertLayerFeaturizer(**settings, memory=tmp_path)
    assert_array_equal(kept.fit_transform(TEXTS, LABELS), expected)
    ran.clear()
    assert_array_equal(kept.transform(TEXTS), expected)
    order = [5, 4, 4, 0, 1]
    assert_array_equal(kept.transform([TEXTS[i] for i in order]), expected[order])
    assert_array_equal(
        BertLayerFeaturizer(**settings, memory=tmp_path).fit_transform(TEXTS, LABELS),
        expected,
    )
    assert ran == []
    assert (kept.n_windowed_, kept.n_truncated_) == (1, 0)


@pytest.mark.parametrize(
    "changes",
    [
        {"layers": "all", "mixing": "concat"},
        {"layers": 0},
        {"pooling": ("max", "min", "last")},
        {"normalize": "l2"},
        {"batch_tokens": 7},
        {"device": ["cpu", "cpu"]},
        {"verbose": 1},
        {"n_jobs": 1},
        {"mixing": "learned", "layers": (0, 2)},
        {"store_weights": True},
    ],
    ids=str,
)
def test_what_does_not_change_the_states_hits(tiny_model, tmp_path, ran, changes):
    featurizer = BertLayerFeaturizer(tiny_model("bert"), memory=tmp_path)
    featurizer.fit_transform(TEXTS)
    ran.clear()
    featurizer.set_params(**changes).fit_transform(TEXTS, LABELS)
    assert ran == []


@pytest.mark.parametrize(
    "changes",
    [
        {"max_length": 20},
        {"overlong": "truncate"},
        {"prefix": "query: "},
        {"special_tokens": True},
        {"dtype": "bfloat16"},
        {"tokenizer": "mpnet"},
        {"model": "electra"},
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore:1 of 6 documents were cut off")
def test_what_changes_the_states_does_not_hit(tiny_model, tmp_path, ran, changes):
    featurizer = BertLayerFeaturizer(tiny_model("bert"), memory=tmp_path)
    first = featurizer.fit_transform(TEXTS)
    ran.clear()
    for name in changes.keys() & {"model", "tokenizer"}:
        changes = {name: str(tiny_model(changes[name]))}
    features = featurizer.set_params(**changes).fit_transform(TEXTS)
    assert len(ran) == 5
    assert np.abs(features - first).max() > 1e-3
    featurizer.set_params(memory=None)
    assert_array_equal(features, featurizer.fit_transform(TEXTS))


def test_a_copy_of_the_model_hits(tiny_model, tmp_path, ran):
    copied = shutil.copytree(tiny_model("bert"), tmp_path / "copy")
    memory = tmp_path / "cache"
    BertLayerFeaturizer(tiny_model("bert"), memory=memory).fit_transform(TEXTS)
    ran.clear()
    BertLayerFeaturizer(copied, memory=memory).fit_transform(TEXTS)
    assert ran == []


def test_the_limit_that_a_pair_is_loaded_with_counts(tiny_model, tmp_path, ran):
    folder = tiny_model("bert")
    model, tokenizer = (k.from_pretrained(folder) for k in (AutoModel, AutoTokenizer))
    featurizer = BertLayerFeaturizer((model, tokenizer), memory=tmp_path)
    featurizer.fit_transform(TEXTS)
    ran.clear()
    tokenizer.model_max_length = 20
    features = featurizer.fit_transform(TEXTS)
    assert len(ran) == 5
    short = BertLayerFeaturizer(folder, max_length=20)
    np.testing.assert_allclose(short.fit_transform(TEXTS), features, atol=1e-5)


@pytest.mark.parametrize("kind", [str, FeatureCache, Memory])
def test_memory_may_be_given_in_several_ways(tiny_model, tmp_path, ran, kind):
    for _ in range(2):
        featurizer = BertLayerFeaturizer(tiny_model("bert"), memory=kind(tmp_path))
        featurizer.fit_transform(TEXTS)
    assert len(ran) == 5


def test_a_joblib_memory_without_a_place_keeps_nothing(tiny_model, ran):
    featurizer = BertLayerFeaturizer(tiny_model("bert"), memory=Memory(None))
    for _ in range(2):
        featurizer.fit_transform(TEXTS)
    assert len(ran) == 10


def grid_search(model, memory, n_jobs):
    """7 choices of layers x 2 poolings x 3 mixings x 5 folds."""
    return GridSearchCV(
        make_pipeline(
            BertLayerFeaturizer(model, memory=memory, mixing_penalty=10),
            LogisticRegression(),
        ),
        {
            "bertlayerfeaturizer__layers": [0, 1, 2, (1, 2), (0, -1), (1, 2, 3), "all"],
            "bertlayerfeaturizer__pooling": ["mean", "max"],
            "bertlayerfeaturizer__mixing": ["mean", "sum", "learned"],
        },
        cv=StratifiedKFold(5, shuffle=True, random_state=0),
        n_jobs=n_jobs,
        error_score="raise",
    )


@pytest.fixture
def labelled(rng):
    """30 documents of two classes, 27 of them distinct."""
    words = [["atom", "physics", "mass"], ["state", "law", "vote"]]
    labels = np.arange(30) % 2
    texts = [" ".join(rng.choice(words[y], 6)) + f" {i}" for i, y in enumerate(labels)]
    texts[2], texts[4], texts[5] = texts[0], texts[0], texts[1]
    return texts, labels


@pytest.mark.slow
def test_a_grid_search_runs_the_network_once_for_each_document(
    tiny_model, tmp_path, ran, labelled
):
    texts, labels = labelled
    search = grid_search(tiny_model("bert"), tmp_path, None).fit(texts, labels)
    assert sorted(ran) == sorted(set(texts))
    assert search.best_estimator_.predict(texts).shape == (30,)
    search.best_estimator_[0].layer_scores(texts, labels, cv=3)
    assert len(ran) == 27


@pytest.mark.slow
def test_two_processes_run_the_network_once_for_each_document(
    tiny_model, tmp_path, labelled
):
    texts, labels = labelled
    search = grid_search(tiny_model("bert"), tmp_path, 2).fit(texts, labels)
    # A document that two of them compute is written by both.
    n_written = sum(
        info.n_texts
        for path in (tmp_path / "skembed-features").glob("*/*.safetensors")
        for info in [one_shard(path, tmp_path / "alone")]
    )
    assert n_written == 27
    alone = grid_search(tiny_model("bert"), None, None)
    alone.set_params(param_grid={k: v[:2] for k, v in alone.param_grid.items()})
    for parameters, score in zip(
        (results := alone.fit(texts, labels).cv_results_)["params"],
        results["mean_test_score"],
        strict=True,
    ):
        found = search.cv_results_
        same = found["params"].index(parameters)
        assert abs(found["mean_test_score"][same] - score) < 0.05


def one_shard(path, folder):
    """Return what a cache holds that has this file alone."""
    space = folder / path.stem / "skembed-features" / path.parent.name
    space.mkdir(parents=True)
    shutil.copy(path, space)
    return FeatureCache(folder / path.stem).info()


@pytest.mark.slow
def test_a_warm_transform_imports_no_torch(tiny_model, tmp_path):
    featurizer = BertLayerFeaturizer(
        str(tiny_model("bert")), layers="all", mixing="learned", memory=tmp_path / "c"
    )
    features = featurizer.fit_transform(TEXTS, LABELS)
    dumped = tmp_path / "model"
    dumped.write_bytes(pickle.dumps((featurizer, TEXTS, features)))
    code = (
        "import pickle, sys; f, X, features = pickle.load(open(sys.argv[1], 'rb'));"
        "assert (f.transform(X) == features).all();"
        "assert not {'torch', 'transformers', 'tokenizers'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code, dumped], check=True)


def test_a_place_that_cannot_be_written_is_said_once(tiny_model, tmp_path):
    (tmp_path / "file").touch()
    expected = BertLayerFeaturizer(tiny_model("bert")).fit_transform(TEXTS)
    featurizer = BertLayerFeaturizer(tiny_model("bert"), memory=tmp_path / "file")
    with pytest.warns(RuntimeWarning, match=r"feature cache .* cannot keep new feat"):
        assert_array_equal(featurizer.fit_transform(TEXTS), expected)
    assert_array_equal(featurizer.transform(TEXTS), expected)


def test_what_is_damaged_is_computed_again(tiny_model, tmp_path, ran):
    featurizer = BertLayerFeaturizer(
        tiny_model("bert"),
        layers="all",
        mixing="concat",
        pooling=("mean", "max", "min", "first_last", "cls"),
        memory=tmp_path / "whole",
    )
    expected = featurizer.fit_transform(TEXTS)
    # Elsewhere, as this process knows the files that it has read.
    damaged = shutil.copytree(tmp_path / "whole", tmp_path / "damaged")
    (path,) = damaged.glob("*/*/*.safetensors")
    content = bytearray(path.read_bytes())
    content[-9] ^= 1
    path.write_bytes(content)
    ran.clear()
    featurizer.set_params(memory=damaged)
    with pytest.warns(RuntimeWarning, match="A file of the feature cache is damaged"):
        features = featurizer.transform(TEXTS)
    assert_array_equal(features, expected)
    assert len(ran) == 5


def test_truncation_is_told_of_kept_features_too(tiny_model, tmp_path, ran):
    featurizer = BertLayerFeaturizer(
        tiny_model("bert"), memory=tmp_path, overlong="truncate"
    )
    for _ in range(2):
        with pytest.warns(UserWarning, match="1 of 6 documents were cut off"):
            featurizer.fit_transform(TEXTS)
        assert featurizer.n_truncated_ == 1
    assert len(ran) == 5
