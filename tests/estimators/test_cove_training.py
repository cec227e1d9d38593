"""CoVe's encoder, trained on translations: what it needs, gives and leaves behind."""

import pickle
import subprocess
import sys
import warnings

import joblib
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skembed import CoVeFeaturizer, SkipGramVectorizer, WordVectors
from skembed.formats import read_lstm_encoder
from skembed.training.translation import _torch_run

ENGLISH = ("one", "two", "red", "blue", "cats", "dogs", "run", "eat")
FRENCH = ("un", "deux", "rouges", "bleus", "chats", "chiens", "courent", "mangent")
QUICK = {"hidden_size": 8, "epochs": 2, "batch_size": 16, "random_state": 0}


def pairs(n_pairs=64):
    """Sentences such as "two red cats run", the French ones with the colour behind."""
    rng = np.random.default_rng(0)
    chosen = rng.integers(2, size=(n_pairs, 4)) + 2 * np.arange(4)
    sources = [" ".join(ENGLISH[i] for i in row) for row in chosen]
    targets = [" ".join(FRENCH[i] for i in row[[0, 2, 1, 3]]) for row in chosen]
    return sources, targets


TEXTS, TRANSLATIONS = pairs()
VECTORS = WordVectors(ENGLISH, np.eye(len(ENGLISH)))


def refuse(*_):
    """Stand for a step of training that must not be taken."""
    msg = "a step of training"
    raise AssertionError(msg)


def fail_in_step(number, failure, monkeypatch):
    """Let this step of training fail; return a list of those that were begun."""
    step, begun = _torch_run.Run._step, []

    def fails(self, batch):
        begun.append(self.place)
        if len(begun) == number:
            raise failure
        return step(self, batch)

    monkeypatch.setattr(_torch_run.Run, "_step", fails)
    return begun


@pytest.fixture(scope="module")
def trained():
    return CoVeFeaturizer(VECTORS, **QUICK).fit(TEXTS, targets=TRANSLATIONS)


@pytest.mark.slow
def test_perplexity_falls_until_the_translator_can_translate():
    featurizer = CoVeFeaturizer(
        VECTORS,
        hidden_size=16,
        epochs=40,
        batch_size=8,
        learning_rate=0.02,
        dropout=0.0,
        validation_fraction=0.25,
        n_iter_no_change=None,
        random_state=0,
    ).fit(TEXTS, targets=TRANSLATIONS)
    perplexities = [epoch["perplexity"] for epoch in featurizer.history_]
    assert len(perplexities) == 40
    # Each word of a sentence is one of two: who reads none is at 2 ** (4 / 5).
    assert perplexities[0] > 2 > 2 ** (4 / 5) > 1.2 > perplexities[-1]


def test_training_gives_an_encoder_of_the_published_form(trained):
    weights = trained.encoder_weights_
    assert weights["weight_ih_l0"].shape == (32, 8)
    assert weights["weight_ih_l1_reverse"].shape == (32, 16)
    assert len(weights) == 16
    assert trained.transform(TEXTS).shape == (len(TEXTS), 16)
    assert [sorted(epoch) for epoch in trained.history_] == [["loss", "perplexity"]] * 2


def test_nothing_but_the_encoder_is_kept(trained):
    n_bytes = sum(array.nbytes for array in trained.encoder_weights_.values())
    n_bytes += VECTORS.vectors.nbytes
    assert n_bytes < len(pickle.dumps(trained)) < n_bytes + 8_000


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_an_encoder_that_is_saved_gives_the_same_features(trained, tmp_path, suffix):
    path = tmp_path / f"encoder{suffix}"
    trained.save_encoder(path)
    for name, array in read_lstm_encoder(path).items():
        assert_array_equal(array, trained.encoder_weights_[name])
    again = CoVeFeaturizer(VECTORS, encoder=path).fit(TEXTS)
    assert_array_equal(again.transform(TEXTS), trained.transform(TEXTS))
    again.save_encoder(tmp_path / "again.pth")
    assert (
        read_lstm_encoder(tmp_path / "again.pth").keys()
        == read_lstm_encoder(path).keys()
    )


def test_the_seed_fixes_the_encoder(trained):
    again = clone(trained).fit(TEXTS, targets=TRANSLATIONS)
    assert_array_equal(again.transform(TEXTS), trained.transform(TEXTS))
    other = clone(trained).set_params(random_state=1)
    other.fit(TEXTS, targets=TRANSLATIONS)
    assert (other.transform(TEXTS) != trained.transform(TEXTS)).any()


def test_fit_transform_trains_once_and_gives_the_same(trained):
    features = clone(trained).fit_transform(TEXTS, targets=TRANSLATIONS)
    assert_array_equal(features, trained.transform(TEXTS))


def test_learned_weights_belong_to_the_layers_that_were_trained(trained):
    featurizer = clone(trained).set_params(layers=(1, 2), mixing="learned")
    labels = ["cats" in text for text in TEXTS]
    featurizer.fit(TEXTS, labels, targets=TRANSLATIONS)
    assert featurizer.layer_weights_.sum() == pytest.approx(1.0)
    lower, upper = (
        CoVeFeaturizer(VECTORS, **QUICK, layers=k).fit_transform(
            TEXTS, targets=TRANSLATIONS
        )
        for k in (1, 2)
    )
    weights = featurizer.gamma_ * featurizer.layer_weights_
    expected = weights[0] * lower + weights[1] * upper
    np.testing.assert_allclose(featurizer.transform(TEXTS), expected, atol=1e-6)


def test_other_settings_train_another_encoder(trained):
    changes = {
        "batch_size": 7,
        "learning_rate": 0.01,
        "dropout": 0.5,
        "validation_fraction": 0.5,
        "epochs": 3,
        "min_count": 40,
        "max_vocab_size": 3,
    }
    for name, value in changes.items():
        other = clone(trained).set_params(**{name: value})
        other.fit(TEXTS, targets=TRANSLATIONS)
        assert (other.transform(TEXTS) != trained.transform(TEXTS)).any(), name


def test_memory_keeps_what_was_trained_with_a_seed(trained, tmp_path, monkeypatch):
    given = clone(trained).set_params(memory=tmp_path / "cache")
    expected = clone(given).fit(TEXTS, targets=TRANSLATIONS).transform(TEXTS)

    monkeypatch.setattr(_torch_run.Run, "_step", refuse)
    again = clone(given).fit(TEXTS, targets=TRANSLATIONS)
    assert_array_equal(again.transform(TEXTS), expected)
    with pytest.raises(AssertionError, match="a step of training"):
        again.set_params(random_state=None).fit(TEXTS, targets=TRANSLATIONS)


# What fit refuses


def test_targets_are_asked_for():
    with pytest.raises(ValueError, match=r"pass the translations of X to fit as targ"):
        CoVeFeaturizer(VECTORS, **QUICK).fit(TEXTS)


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        (TRANSLATIONS[:-1], "one translation for each document of X, got 63 for 64"),
        ([*TRANSLATIONS, "encore"], "got 65 for 64"),
        ([""] * 64, "0 have words on both sides"),
        (["un", *[""] * 63], "At least 2 are needed"),
        ([*TRANSLATIONS[:-1], None], r"targets .* Row 63"),
        ([*TRANSLATIONS[:-1], 3.5], r"targets .* Row 63"),
        ("un", "targets"),
    ],
)
def test_targets_that_cannot_be_translations_are_refused(targets, message):
    featurizer = CoVeFeaturizer(VECTORS, **QUICK)
    with pytest.raises((ValueError, TypeError), match=message):
        featurizer.fit(TEXTS, targets=targets)
    assert not hasattr(featurizer, "encoder_weights_")


def test_missing_translations_may_be_empty():
    targets = [None, *TRANSLATIONS[1:]]
    missing = CoVeFeaturizer(VECTORS, **QUICK, missing="empty")
    missing.fit(TEXTS, targets=targets)
    without = CoVeFeaturizer(VECTORS, **QUICK).fit(TEXTS[1:], targets=TRANSLATIONS[1:])
    assert_array_equal(missing.transform(TEXTS), without.transform(TEXTS))


def test_words_without_vectors_train_nothing():
    others = WordVectors(["zyx", "wvu"], np.eye(2))
    with pytest.raises(ValueError, match=r"None of the 8 different words .* vector"):
        CoVeFeaturizer(others, **QUICK).fit(TEXTS, targets=TRANSLATIONS)


def test_layers_that_there_will_not_be_are_refused_before_training(monkeypatch):
    monkeypatch.setattr(_torch_run.Run, "_step", refuse)
    for settings in ({"layers": 3}, {"layers": (0, 1), "mixing": "mean"}):
        with pytest.raises(ValueError, match="layer"):
            CoVeFeaturizer(VECTORS, **QUICK, **settings).fit(
                TEXTS, targets=TRANSLATIONS
            )


def test_a_training_that_diverges_names_the_learning_rate():
    featurizer = CoVeFeaturizer(VECTORS, **{**QUICK, "epochs": 5}, learning_rate=1e6)
    with pytest.raises(ValueError, match=r"Lower learning_rate=1000000\.0"):
        featurizer.fit(TEXTS, targets=TRANSLATIONS)


def test_long_pairs_are_left_out_with_a_warning_that_points_here():
    long = " ".join(ENGLISH * 13)
    featurizer = CoVeFeaturizer(VECTORS, **QUICK)
    with pytest.warns(UserWarning, match="1 of 65 pairs are not trained on") as caught:
        featurizer.fit([*TEXTS, long], targets=[*TRANSLATIONS, "un"])
    assert [warning.filename for warning in caught] == [__file__]
    short = CoVeFeaturizer(VECTORS, **QUICK).fit(TEXTS, targets=TRANSLATIONS)
    assert_array_equal(featurizer.transform(TEXTS), short.transform(TEXTS))


# What a failure leaves


@pytest.mark.parametrize("failure", [KeyboardInterrupt, RuntimeError("out of memory")])
def test_a_training_that_ends_early_leaves_the_earlier_state(
    trained, monkeypatch, failure
):
    featurizer = pickle.loads(pickle.dumps(trained))
    before, expected = joblib.hash(featurizer), featurizer.transform(TEXTS)
    steps = fail_in_step(5, failure, monkeypatch)
    with pytest.raises(type(failure) if isinstance(failure, Exception) else failure):
        featurizer.set_params(random_state=1).fit(TEXTS, targets=TRANSLATIONS)
    assert len(steps) == 5
    featurizer.set_params(random_state=0)
    assert joblib.hash(featurizer) == before
    assert_array_equal(featurizer.transform(TEXTS), expected)


def test_an_interrupt_may_keep_the_best_encoder_so_far(trained, tmp_path, monkeypatch):
    fail_in_step(6, KeyboardInterrupt, monkeypatch)
    featurizer = clone(trained).set_params(on_interrupt="keep", memory=tmp_path)
    featurizer.fit(TEXTS, targets=TRANSLATIONS)
    assert featurizer.history_ == trained.history_[:1]
    # It is not taken for the whole training later.
    again = clone(featurizer).fit(TEXTS, targets=TRANSLATIONS)
    assert_array_equal(again.transform(TEXTS), trained.transform(TEXTS))


def test_a_training_goes_on_from_its_checkpoint(trained, tmp_path, monkeypatch):
    from skembed.training.translation import TranslationConfig

    monkeypatch.setattr(
        "skembed.estimators._cove_training.TranslationConfig",
        lambda **given: TranslationConfig(**given, checkpoint_seconds=0.0),
    )
    featurizer = clone(trained).set_params(checkpoint=tmp_path / "checkpoint")
    steps = fail_in_step(6, KeyboardInterrupt, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        featurizer.fit(TEXTS, targets=TRANSLATIONS)
    assert list((tmp_path / "checkpoint").iterdir())
    featurizer.fit(TEXTS, targets=TRANSLATIONS)
    # 63 pairs in 4 batches, twice; 5 of these steps were taken before.
    assert len(steps) == 6 + 3
    assert_array_equal(featurizer.transform(TEXTS), trained.transform(TEXTS))


def test_before_fit_there_is_no_encoder():
    featurizer = CoVeFeaturizer(VECTORS)
    with pytest.raises(NotFittedError, match="not fitted"):
        featurizer.transform(TEXTS)
    with pytest.raises(NotFittedError, match="Call fit with targets"):
        featurizer.layer_scores(TEXTS, [0, 1] * 32)


def test_vectors_must_be_fitted():
    with pytest.raises(ValueError, match=r"SkipGramVectorizer .* Fit it first"):
        CoVeFeaturizer(SkipGramVectorizer(), **QUICK).fit(TEXTS, targets=TRANSLATIONS)


# In scikit-learn


def test_clone_and_search_share_fitted_vectors():
    vectorizer = SkipGramVectorizer(
        vector_size=4, min_count=1, epochs=1, random_state=0
    ).fit(TEXTS)
    featurizer = CoVeFeaturizer(vectorizer, **QUICK)
    assert clone(featurizer).vectors is vectorizer
    assert clone(featurizer).fit(TEXTS, targets=TRANSLATIONS).widths_ == (4, 16, 16)


def test_targets_are_routed_through_searches_and_pipelines():
    labels = np.array(["red" in text for text in TEXTS])
    with config_context(enable_metadata_routing=True):
        featurizer = CoVeFeaturizer(VECTORS, **QUICK).set_fit_request(targets=True)
        search = GridSearchCV(
            make_pipeline(featurizer, LogisticRegression()),
            {"covefeaturizer__layers": [0, 1, 2]},
            cv=2,
        ).fit(TEXTS, labels, targets=TRANSLATIONS)
    assert search.best_score_ > 0.9
    assert search.best_estimator_[0].history_


def test_what_was_fitted_before_may_be_frozen_in_a_pipeline(trained):
    labels = np.array(["red" in text for text in TEXTS])
    model = make_pipeline(FrozenEstimator(trained), LogisticRegression())
    model.fit(TEXTS, labels)
    assert_array_equal(clone(model[0]).transform(TEXTS), trained.transform(TEXTS))


PREDICT = """
import sys, joblib
import numpy as np
model, texts, expected = joblib.load(sys.argv[1])
assert "torch" not in sys.modules
np.testing.assert_array_equal(model.transform(texts), expected)
"""


@pytest.mark.slow
def test_a_pickle_works_in_another_process_and_loads_no_torch(trained, tmp_path):
    path = tmp_path / "model.joblib"
    joblib.dump((trained, TEXTS, trained.transform(TEXTS)), path)
    subprocess.run([sys.executable, "-W", "error", "-c", PREDICT, path], check=True)


def test_fit_gives_no_warnings(trained):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        clone(trained).fit(TEXTS, targets=TRANSLATIONS)
