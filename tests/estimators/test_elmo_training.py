"""ELMoFeaturizer with weights that fit trains, or goes on training."""

import pickle
from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from skembed import ELMoFeaturizer
from skembed.estimators import _elmo_training
from tests.reference import bilm as reference

TEXTS = [
    f"{who} {does} the {what} ."
    for who, does, what in product(
        ("cats", "dogs"), ("see", "hear"), ("bird", "mouse", "car")
    )
] * 6


def elmo(**settings):
    given = {"size": 8, "epochs": 2, "random_state": 0, "device": "cpu"} | settings
    return ELMoFeaturizer(**given)


@pytest.fixture(scope="module")
def trained():
    return elmo(size=16, epochs=40, n_iter_no_change=None).fit(TEXTS)


def language_model(model):
    stored = model._stored
    arrays = {k: v.astype(np.float64) for k, v in stored["arrays"].items()}
    return arrays, stored["options"], stored["softmax"], stored["bias"]


def losses(model, text):
    return reference.sentence_losses(
        language_model(model), text.split(), model.vocabulary_.words
    )


def test_perplexity_is_that_of_the_specification(trained):
    texts = ["dogs hear the mouse .", "the unheard cats", "cats"]
    each = np.concatenate([losses(trained, text) for text in texts], axis=1)
    expected = np.exp(each.mean(axis=1).mean())
    assert_allclose(trained.perplexity([*texts, ""]), expected, rtol=1e-4)


def test_perplexity_falls_with_training(trained):
    few = elmo(size=16, epochs=1).fit(TEXTS)
    assert trained.perplexity(TEXTS) < few.perplexity(TEXTS) / 2
    # Three choices of two, two and three words, seen by two directions.
    assert trained.perplexity(TEXTS) < 2.5
    assert trained.perplexity(["mouse the see dogs"]) > 10
    history = [epoch["perplexity"] for epoch in trained.history_]
    assert history[-1] < history[0]
    assert set(trained.history_[0]) >= {"loss", "perplexity_forward"}


def test_substitutes_are_what_was_seen_in_that_place(trained):
    found = trained.substitutes("dogs hear the mouse .", "mouse", topn=2)
    assert {word for word, _ in found} == {"bird", "car"}
    assert all(0.2 < share < 0.5 for _, share in found)
    ((other, _),) = trained.substitutes(["dogs", "hear"], 0, topn=1)
    assert other == "cats"
    (by_span,) = trained.substitutes("dogs hear the mouse .", (5, 9), topn=1)
    assert by_span[0] == "see"


def test_the_likeliest_words_come_first_without_the_word(trained):
    found = trained.substitutes("dogs hear the mouse .", "hear", topn=100)
    assert [p for _, p in found] == sorted([p for _, p in found], reverse=True)
    assert {word for word, _ in found} == {*trained.vocabulary_.words} - {"hear"}
    assert 0 < sum(p for _, p in found) < 1


@pytest.mark.parametrize(
    ("document", "word", "message"),
    [
        ("dogs hear", "cats", "does not hold the word 'cats'"),
        ("dogs don't hear", "don't", "one word, as the model reads them, got 2"),
        ("dogs hear", (4, 5), "got 0"),
    ],
)
def test_a_place_of_one_word_is_asked_for(trained, document, word, message):
    with pytest.raises(ValueError, match=message):
        trained.substitutes(document, word)


def test_perplexity_of_nothing_is_refused(trained):
    with pytest.raises(ValueError, match="no text"):
        trained.perplexity(["", " "])


def test_predictions_need_fit():
    with pytest.raises(NotFittedError):
        elmo().perplexity(TEXTS)
    with pytest.raises(NotFittedError):
        elmo().substitutes(TEXTS[0], "the")


def test_what_was_trained_is_in_every_pickle(trained):
    copy = pickle.loads(pickle.dumps(trained))
    assert_array_equal(copy.transform(TEXTS[:3]), trained.transform(TEXTS[:3]))
    assert copy.perplexity(TEXTS) == trained.perplexity(TEXTS)


def test_the_seed_decides():
    one, same, other = (
        elmo(random_state=seed).fit_transform(TEXTS) for seed in (0, 0, 1)
    )
    assert_array_equal(one, same)
    assert np.abs(one - other).max() > 1e-3


def test_documents_begin_with_zeros_as_in_training(trained):
    model = clone(trained).set_params(epochs=1)
    expected = clone(model).set_params(initial_state="zeros").fit_transform(TEXTS)
    assert_array_equal(model.fit_transform(TEXTS), expected)


@pytest.mark.parametrize("variant", ["usual", "no LSTM projection", "no clips"])
def test_published_weights_are_trained_further(tiny_elmo_folder, variant):
    weights = tiny_elmo_folder(variant)
    published = elmo(weights=weights).fit(TEXTS)
    tuned = elmo(weights=weights, fine_tune=True, epochs=3).fit(TEXTS)
    assert tuned.widths_ == published.widths_
    assert tuned.fingerprint_ != published.fingerprint_
    before, after = published.transform(TEXTS), tuned.transform(TEXTS)
    assert np.abs(before - after).max() > 1e-3
    # From these weights, and not from others.
    assert np.corrcoef(before.ravel(), after.ravel())[0, 1] > 0.8
    assert tuned.perplexity(TEXTS) < 12


def test_fine_tuning_needs_characters_to_train(tiny_elmo_folder):
    with pytest.raises(ValueError, match="needs weights to begin with"):
        elmo(fine_tune=True).fit(TEXTS)
    with pytest.raises(ValueError, match="reads no characters"):
        elmo(weights=tiny_elmo_folder("words"), fine_tune=True).fit(TEXTS)


def test_parameters_set_after_fit_do_not_mix_models(trained, tiny_elmo_folder):
    model = pickle.loads(pickle.dumps(trained))
    model.set_params(weights=tiny_elmo_folder("usual"))
    with pytest.raises(ValueError, match="not the one that fit saw"):
        model.transform(TEXTS)
    with pytest.raises(ValueError, match="no softmax"):
        model.perplexity(TEXTS)


def test_training_is_done_once_with_memory(tmp_path, monkeypatch):
    expected = elmo(memory=tmp_path).fit_transform(TEXTS)
    monkeypatch.setattr(_elmo_training.train_bilm, "__code__", (lambda: 0).__code__)
    found = elmo(memory=tmp_path, layers=0).fit(TEXTS).set_params(layers="all")
    assert_array_equal(found.transform(TEXTS), expected)


@pytest.mark.parametrize("on_interrupt", ["raise", "keep"])
def test_an_interrupt_leaves_what_was_or_keeps_the_best(monkeypatch, on_interrupt):
    from skembed.training.bilm import _torch_run

    model = elmo(epochs=3, on_interrupt=on_interrupt).fit(TEXTS[:20])
    before = model.transform(TEXTS)
    train_epochs = _torch_run.Run.train

    def interrupted(self, progress, folder):
        def stop(epoch, done, loss):
            if epoch == 1:
                raise KeyboardInterrupt
            return progress(epoch, done, loss) if progress else None

        return train_epochs(self, stop, folder)

    monkeypatch.setattr(_torch_run.Run, "train", interrupted)
    if on_interrupt == "keep":
        assert len(model.fit(TEXTS).history_) == 1
        assert np.isfinite(model.transform(TEXTS)).all()
        return
    with pytest.raises(KeyboardInterrupt):
        model.fit(TEXTS)
    assert_array_equal(model.transform(TEXTS), before)


def test_weights_of_documents_count_how_often_they_are_read():
    weight = np.where(["mouse" in text for text in TEXTS], 3.0, 0.0)
    model = elmo(epochs=20, n_iter_no_change=None).fit(TEXTS, sample_weight=weight)
    assert model.substitutes("dogs hear the x .", "x", topn=1)[0][0] == "mouse"
    assert "bird" not in model.vocabulary_.words


def test_documents_without_words_train_nothing():
    with pytest.raises(ValueError, match="no words to train a model on"):
        elmo().fit(["", " "])
