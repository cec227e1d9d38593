"""ELMoFeaturizer with published weights: what it gives, and what it depends on."""

import pickle
import resource

import joblib
import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from skembed import ELMoFeaturizer
from skembed.formats import FormatError
from skembed.networks.elmo import _network, _registry
from skembed.networks.elmo._word_layer import CharacterCnn
from skembed.text import newswire_words
from tests.reference import elmo as reference
from tests.tiny_elmo import VARIANTS, options_of, save_elmo, tiny_elmo, zip_folder

TEXTS = [
    "They don't bank in the U.S. any more.",
    "The bank of the river",
    "",
    "x",
    " \n ",
    "z" * 10_000 + " naïve 日本語 🙂",
]


@pytest.fixture
def folder(tiny_elmo_folder):
    return tiny_elmo_folder("usual")


def elmo(weights, **settings):
    return ELMoFeaturizer(weights, device="cpu", **settings)


def expected_layers(text, variant="usual", state=(None, None)):
    words = newswire_words(text)[0]
    return reference.layers(tiny_elmo(variant), options_of(variant), words, state)[0]


def expect_near(found, expected):
    assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("variant", [v for v in VARIANTS if v != "words"])
def test_features_of_every_variant_are_the_means_of_the_specified_layers(
    variant, tiny_elmo_folder
):
    model = elmo(tiny_elmo_folder(variant), initial_state="zeros", mixing="concat").fit(
        TEXTS
    )
    found = model.transform(TEXTS)
    for row, text in zip(found, TEXTS, strict=True):
        layers = expected_layers(text, variant)
        n_words = layers.shape[1]
        mean = layers.mean(axis=1) if n_words else np.zeros((len(layers), 12))
        expect_near(row, mean.ravel()[: len(row)] if n_words else np.zeros(len(row)))


@pytest.mark.parametrize("layers", [0, 1, 2, -1, (0, 2), "all"])
@pytest.mark.parametrize("mixing", ["mean", "sum", "max", "concat"])
def test_layers_are_mixed(folder, layers, mixing):
    model = elmo(folder, layers=layers, mixing=mixing, initial_state="zeros")
    found = model.fit_transform(TEXTS[:2])
    chosen = range(3) if layers == "all" else np.atleast_1d(layers)
    for row, text in zip(found, TEXTS, strict=False):
        pooled = [expected_layers(text)[k].mean(axis=0) for k in chosen]
        if mixing == "concat":
            expect_near(row, np.concatenate(pooled))
        else:
            expect_near(row, getattr(np, mixing)(pooled, axis=0))


@pytest.mark.parametrize("pooling", ["max", "min", "mean_sqrt_len", "last"])
def test_poolings(folder, pooling):
    found = elmo(
        folder, layers=2, pooling=pooling, initial_state="zeros"
    ).fit_transform(TEXTS[:2])
    pool = {
        "max": lambda x: x.max(axis=0),
        "min": lambda x: x.min(axis=0),
        "mean_sqrt_len": lambda x: x.sum(axis=0) / np.sqrt(len(x)),
        "last": lambda x: x[-1],
    }[pooling]
    for row, text in zip(found, TEXTS, strict=False):
        expect_near(row, pool(expected_layers(text)[2]))


def test_tokens_are_the_mixed_layers(folder):
    model = elmo(folder, layers=(1, 2), initial_state="zeros").fit(TEXTS)
    tokens = model.transform_tokens(TEXTS)
    assert tokens.tokens[0] == [
        "They",
        "don",
        "'t",
        "bank",
        "in",
        "the",
        "U.S.",
        "any",
        "more",
        ".",
    ]
    assert [len(words) for words in tokens.tokens] == [10, 5, 0, 1, 0, 4]
    for found, text in zip(tokens, TEXTS, strict=True):
        expect_near(found, expected_layers(text)[1:].mean(axis=0))
    start, stop = tokens.offsets[0][2]
    assert TEXTS[0][start:stop] == "'t"


def test_a_word_in_its_context(folder):
    model = elmo(folder, layers=-1, initial_state="zeros").fit(TEXTS)
    found = model.word_in_context(TEXTS[:2], "bank")
    expect_near(found[0], expected_layers(TEXTS[0])[2, 3])
    expect_near(found[1], expected_layers(TEXTS[1])[2, 1])
    with pytest.raises(ValueError, match="Document 0 does not hold the word 'river'"):
        model.word_in_context(TEXTS[:2], "river")


def test_lists_of_words_and_tokenizers_are_taken_as_they_are(folder):
    words = ["don't", "of the", ""]
    model = elmo(folder).fit(TEXTS)
    assert model.transform_tokens([words]).tokens == [words]
    split = elmo(folder, tokenizer=str.split).fit(TEXTS)
    assert split.transform_tokens(["don't bank."]).tokens == [["don't", "bank."]]
    assert_array_equal(
        split.transform(["don't bank."]), model.transform([["don't", "bank."]])
    )


def test_lowercase_is_for_the_network_alone(folder):
    model = elmo(folder, lowercase=True).fit(TEXTS)
    assert_array_equal(model.transform(["The BANK"]), model.transform(["the bank"]))
    cased = elmo(folder).fit(TEXTS)
    assert (
        np.abs(cased.transform(["The BANK"]) - model.transform(["the bank"])).max() > 0
    )
    assert "The" not in model.vocabulary_.words
    assert "The" in cased.vocabulary_.words


@pytest.mark.parametrize("begin", ["warm", "zeros"])
@pytest.mark.parametrize("batch_tokens", [1, 7, None])
def test_features_depend_on_no_other_document(folder, begin, batch_tokens, rng):
    model = elmo(folder, initial_state=begin, batch_tokens=batch_tokens).fit(TEXTS)
    together = model.transform(TEXTS)
    for i, text in enumerate(TEXTS):
        expect_near(model.transform([text])[0], together[i])
    order = rng.permutation(len(TEXTS))
    expect_near(model.transform([TEXTS[i] for i in order]), together[order])
    # And never on what was asked before.
    assert_array_equal(model.transform(TEXTS), together)


def test_carried_states_depend_on_the_order_as_the_authors_do(folder):
    texts = ["the bank", "of the river .", "a", "the river"]
    model = elmo(folder, initial_state="carry", batch_size=2, layers=2).fit(texts)
    states, found = [(None, None)] * 2, model.transform(texts)
    for i, text in enumerate(texts):
        words = text.split()
        layers, states[i % 2] = reference.layers(
            tiny_elmo(), options_of("usual"), words, states[i % 2]
        )
        expect_near(found[i], layers[2].mean(axis=0))
    # Each call begins anew.
    assert_array_equal(model.transform(texts), found)


def test_carried_states_are_never_kept(folder, tmp_path):
    texts = ["the bank"] * 3
    model = elmo(folder, initial_state="carry", batch_size=1, memory=tmp_path)
    found = model.fit_transform(texts)
    assert np.abs(found[0] - found[1]).max() > 1e-3
    assert_array_equal(model.transform(texts), found)


def test_warm_is_what_published_weights_begin_with(folder):
    auto, warm, zeros = (
        elmo(folder, initial_state=state).fit_transform(TEXTS)
        for state in ("auto", "warm", "zeros")
    )
    assert_array_equal(auto, warm)
    assert np.abs(warm[0] - zeros[0]).max() > 1e-3


def test_word_vectors_are_the_layer_without_context(folder):
    model = elmo(folder).fit(TEXTS)
    vectors = model.word_vectors_
    assert set(vectors.index_to_key) == {w for t in TEXTS for w in newswire_words(t)[0]}
    for word in ("bank", "'t", "日本語"):
        expected = reference.vector_of(tiny_elmo(), options_of("usual"), word)
        expect_near(vectors[word], expected)
    assert len(vectors.most_similar("bank", topn=3)) == 3
    few = elmo(folder, max_vocab_size=2).fit(TEXTS)
    assert set(few.word_vectors_.index_to_key) == {"bank", "the"}


def test_features_are_kept_and_not_computed_again(folder, tmp_path, monkeypatch):
    model = elmo(folder, memory=tmp_path, layers=0).fit(TEXTS)
    first = model.transform(TEXTS)
    monkeypatch.setattr(_network.ElmoNetwork, "run", None)
    monkeypatch.setattr(CharacterCnn, "__call__", None)
    _registry.clear_loaded()
    for layers in (0, 1, "all"):
        again = clone(model).set_params(layers=layers).fit(TEXTS)
        assert again.transform(TEXTS).shape == first.shape
    assert_array_equal(clone(model).fit_transform(TEXTS), first)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("initial_state", "zeros"),
        ("dtype", "bfloat16"),
        ("dtype", "int8"),
        ("lowercase", True),
    ],
)
def test_settings_that_change_features_are_kept_apart(folder, tmp_path, name, other):
    usual = elmo(folder, memory=tmp_path).fit_transform(TEXTS[:1])
    found = elmo(folder, memory=tmp_path, **{name: other}).fit_transform(TEXTS[:1])
    fresh = elmo(folder, **{name: other}).fit_transform(TEXTS[:1])
    assert_array_equal(found, fresh)
    assert np.abs(found - usual).max() > 0


@pytest.mark.parametrize("stored", [False, True])
def test_weights_are_stored_if_asked(folder, tmp_path, stored):
    weights = save_elmo(tmp_path / "weights")
    model = elmo(weights, store_weights=stored).fit(TEXTS)
    expected, pickled = model.transform(TEXTS), pickle.dumps(model)
    assert_array_equal(pickle.loads(pickled).transform(TEXTS), expected)
    for file in weights.iterdir():
        file.unlink()
    weights.rmdir()
    _registry.clear_loaded()
    if stored:
        path = tmp_path / "model.joblib"
        joblib.dump(pickle.loads(pickled), path)
        found = joblib.load(path, mmap_mode="r").transform(TEXTS)
        assert_array_equal(found, expected)
    else:
        with pytest.raises(FileNotFoundError, match="no file or folder"):
            pickle.loads(pickled).transform(TEXTS)


def test_other_weights_under_the_same_name_are_refused(tmp_path):
    weights = save_elmo(tmp_path / "weights")
    model = elmo(weights).fit(TEXTS)
    save_elmo(weights, tiny_elmo(seed=3))
    with pytest.raises(ValueError, match="The model is not the one that fit saw"):
        model.transform(TEXTS)


def test_a_zip_and_a_pair_are_the_same_model(folder, tmp_path):
    expected = elmo(folder).fit_transform(TEXTS)
    path = zip_folder(folder, tmp_path / "7.zip", prefix="7/")
    pair = (folder / "options.json", folder / "weights.hdf5")
    for weights in (path, str(path), pair, [str(part) for part in pair]):
        assert_array_equal(elmo(weights).fit_transform(TEXTS), expected)


def test_planted_weights_of_layers_are_recovered(folder, rng):
    words = ["the", "bank", "of", "river", "a", ".", "naïve", "rivers", "banks"]
    texts = [" ".join(rng.choice(words, size=5)) for _ in range(400)]
    planted = np.array([0.2, 0.7, 0.1])
    layers = [elmo(folder, layers=k).fit_transform(texts) for k in range(3)]
    mixed = sum(w * layer for w, layer in zip(planted, layers, strict=True))
    y = mixed @ rng.normal(size=(12, 4))
    model = elmo(folder, mixing="learned", mixing_penalty=1e-6).fit(texts, y)
    assert_allclose(model.layer_weights_.sum(), 1.0)
    assert_allclose(model.layer_weights_, planted, atol=0.08)
    found = sum(w * x for w, x in zip(model.layer_weights_, layers, strict=True))
    expect_near(model.transform(texts) / model.gamma_, found)


def test_windows_of_a_long_document_are_read_as_one(folder, rng):
    words = rng.choice(["the", "bank", "of", "river", "rivers"], size=700).tolist()
    model = elmo(folder, initial_state="zeros", layers=2).fit([words])
    assert (model.n_windowed_, model.n_truncated_) == (1, 0)
    expected = reference.layers(tiny_elmo(), options_of("usual"), words)[0][2]
    assert_allclose(model.transform_tokens([words])[0], expected, atol=1e-4)
    assert_allclose(model.transform([words])[0], expected.mean(axis=0), atol=1e-5)


@pytest.mark.slow
def test_a_document_of_100_000_words_takes_bounded_memory(tiny_elmo_folder, rng):
    words = rng.choice(["the", "bank", "of", "river", "rivers"], size=100_000)
    text = " ".join(words)
    model = elmo(tiny_elmo_folder("one layer"), n_jobs=1).fit([text[:1000]])
    model.transform([text[:1000]])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = model.transform([text])
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    assert np.isfinite(found).all()
    # 400 bytes for each word; the gates of all words at once would take another 300.
    assert grown < 40e6


def test_short_memory_is_met_by_smaller_batches(folder, monkeypatch):
    texts = ["the bank of the river"] * 3 + ["a bank", "of a river"]
    expected = elmo(folder).fit_transform(texts)
    run = _network.ElmoNetwork.run

    def short(self, vectors, *given, **named):
        if len(vectors) > 10:
            raise torch.OutOfMemoryError
        return run(self, vectors, *given, **named)

    model = elmo(folder).fit(texts)
    # Before memory is short: what every text begins with.
    model.transform(["a"])
    monkeypatch.setattr(_network.ElmoNetwork, "run", short)
    with pytest.warns(RuntimeWarning, match="Lower batch_tokens"):
        found = model.transform(texts)
    expect_near(found, expected)
    with pytest.raises(MemoryError, match="A single text of 22 tokens"):
        model.transform(["the bank " * 10])


def test_fit_that_fails_leaves_the_estimator_as_it_was(folder, tmp_path):
    model = elmo(folder).fit(TEXTS)
    expected = model.transform(TEXTS)
    weights = save_elmo(tmp_path / "bad")
    (weights / "options.json").write_text("{")
    model.set_params(weights=weights)
    with pytest.raises(FormatError, match=r"options\.json"):
        model.fit(TEXTS)
    model.set_params(weights=folder)
    assert_array_equal(model.transform(TEXTS), expected)


def test_models_without_characters_know_their_words(tiny_elmo_folder):
    model = elmo(tiny_elmo_folder("words"), layers=0).fit(["the bank unheard"])
    table = tiny_elmo("words")
    for word, name in (("bank", "bank"), ("unheard", "<UNK>")):
        row = table.words.index(name)
        assert_array_equal(model.word_vectors_[word], table.arrays["embedding"][row])


def test_the_published_model_predicts_nothing(folder):
    model = elmo(folder).fit(TEXTS)
    with pytest.raises(ValueError, match="have no softmax"):
        model.perplexity(TEXTS)
    with pytest.raises(ValueError, match="fine_tune=True"):
        model.substitutes(TEXTS[1], "river")
