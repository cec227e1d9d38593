"""CoVe's features: those of the published encoder, of each text alone, in every mix."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from skembed import (
    CoVeFeaturizer,
    SkipGramVectorizer,
    SubwordVectors,
    WordVectors,
)
from skembed.formats import read_lstm_encoder, write_lstm_encoder
from skembed.text import subwords
from tests.reference import lstm as reference
from tests.reference.states import assert_close
from tests.shared import SHARED
from tests.tiny_cove import tiny_encoder

WORDS = ["the", "river", "bank", "lends", "money", ",", "."]
SIZE = 5
TEXTS = [
    "The river bank.",
    "the",
    "",
    "The bank lends money, the bank lends a river, " * 20,
    "zyx",
    "money",
    "The bank lends money.",
]
LABELS = [0, 1, 0, 1, 0, 1, 1]
# Of the five settings of the published class: what it is given, what we are.
PUBLISHED = {
    "layer0_0_layer1_1_residual_0": {"layers": -1},
    "layer0_1_layer1_0_residual_0": {"layers": 1},
    "layer0_1_layer1_1_residual_0": {"layers": (1, 2)},
    "layer0_0_layer1_1_residual_1": {"layers": 2, "include_input": True},
    "layer0_1_layer1_1_residual_1": {"layers": (1, 2), "include_input": True},
}


@pytest.fixture(scope="module")
def table():
    return np.random.default_rng(1).normal(size=(len(WORDS), SIZE)).astype(np.float32)


@pytest.fixture(scope="module")
def vectors(table):
    return WordVectors(WORDS, table)


@pytest.fixture(scope="module")
def weights():
    return tiny_encoder(SIZE)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory, weights):
    path = tmp_path_factory.mktemp("cove") / "encoder.pth"
    write_lstm_encoder(path, weights)
    return path


def as_written(text):
    """Cut a text as words and marks."""
    for mark in ",.":
        text = text.replace(mark, f" {mark}")
    return text.split()


def true_layers(text, table, weights):
    """All layers of a text, in float64, from the equations; unknown words are zeros."""
    rows = [
        table[WORDS.index(word)] if word in WORDS else np.zeros(SIZE, np.float32)
        for word in as_written(text.lower())
    ]
    return reference.layers(np.array(rows), weights, n_layers=2)


def test_layers_follow_the_equations(vectors, encoder, table, weights):
    for layer in (0, 1, 2):
        featurizer = CoVeFeaturizer(vectors, encoder=encoder, layers=layer).fit(TEXTS)
        tokens = featurizer.transform_tokens(TEXTS)
        features = featurizer.transform(TEXTS)
        for row, text in enumerate(TEXTS):
            assert tokens.tokens[row] == as_written(text)
            if not text:
                assert_array_equal(features[row], 0)
                continue
            truth = true_layers(text, table, weights)[layer]
            assert_allclose(tokens[row], truth, rtol=1e-5, atol=1e-6)
            assert_allclose(features[row], truth.mean(axis=0), rtol=1e-5, atol=1e-6)


def expect_published(cases, x, lengths, encoder):
    """Compare with outputs of the published class, padded, on vectors `x`."""
    texts = [[f"{row} {step}" for step in range(n)] for row, n in enumerate(lengths)]
    names = [word for words in texts for word in words]
    values = np.concatenate([x[row, :n] for row, n in enumerate(lengths)])
    vectors = WordVectors(names, values)
    for name, output in cases.items():
        featurizer = CoVeFeaturizer(vectors, encoder=encoder, **PUBLISHED[name])
        tokens = featurizer.fit(texts).transform_tokens(texts)
        for row, n in enumerate(lengths):
            assert_allclose(tokens[row], output[row, :n], rtol=0, atol=1e-5)


def published_outputs(weights, x, lengths):
    """Run torch's packed LSTMs as the published class does, with all its options."""

    def run(size, n_layers, state, vectors):
        lstm = nn.LSTM(size, 300, n_layers, bidirectional=True, batch_first=True)
        lstm.load_state_dict({k: torch.from_numpy(v) for k, v in state.items()})
        packed = pack_padded_sequence(
            vectors, lengths, batch_first=True, enforce_sorted=False
        )
        with torch.inference_mode():
            return pad_packed_sequence(lstm(packed)[0], batch_first=True)[0]

    first = {name: array for name, array in weights.items() if "_l0" in name}
    inputs = torch.from_numpy(x)
    lower, upper = run(300, 1, first, inputs), run(300, 2, weights, inputs)
    layers = {"layer0": lower, "layer1": upper}
    outputs = {}
    for name in PUBLISHED:
        parts = [layers[key] for key in layers if f"{key}_1" in name]
        parts = [inputs, *parts] if name.endswith("residual_1") else parts
        outputs[name] = torch.cat(parts, dim=2).numpy()
    return outputs


def test_outputs_are_those_of_the_published_class_as_torch_runs_it(rng, tmp_path):
    weights = tiny_encoder(300, hidden_size=300)
    # As large as torch draws them: larger ones amplify rounding.
    weights = {name: array / 12 for name, array in weights.items()}
    write_lstm_encoder(tmp_path / "published.pth", weights)
    x, lengths = rng.normal(size=(4, 9, 300)).astype(np.float32), [9, 3, 6, 1]
    cases = published_outputs(weights, x, lengths)
    expect_published(cases, x, lengths, tmp_path / "published.pth")


@pytest.mark.parametrize("folder", [*SHARED.glob("cove")], ids=lambda path: path.name)
def test_outputs_are_those_that_the_published_class_gave(folder):
    with np.load(folder / "salesforce_outputs.npz") as file:
        arrays = dict(file)
    x, lengths = arrays.pop("x"), arrays.pop("lengths")
    assert arrays.keys() == PUBLISHED.keys()
    expect_published(arrays, x, lengths, folder / "mtlstm_random.pth")
    # What the first test takes for the published class is the published class.
    weights = read_lstm_encoder(folder / "mtlstm_random.pth")
    for name, output in published_outputs(weights, x, lengths).items():
        assert_allclose(output, arrays[name], rtol=0, atol=1e-6)


MIXES = {
    "mean": lambda layers, _: np.mean(layers, axis=0),
    "concat": lambda layers, _: np.hstack(layers),
    "max": lambda layers, _: np.max(layers, axis=0),
    "learned": lambda layers, fitted: (
        fitted.gamma_
        * sum(w * h for w, h in zip(fitted.layer_weights_, layers, strict=True))
    ),
}


@pytest.mark.parametrize("include_input", [False, True])
@pytest.mark.parametrize("mixing", MIXES)
def test_mixed_layers_are_made_of_single_ones(vectors, encoder, mixing, include_input):
    poolings = ("mean", "first_last")
    featurizer = CoVeFeaturizer(
        vectors,
        encoder=encoder,
        layers=(2, 1),
        mixing=mixing,
        pooling=poolings,
        include_input=include_input,
    )
    features = featurizer.fit_transform(TEXTS, LABELS)
    expected = []
    for pooling in poolings:
        below, *layers = (
            CoVeFeaturizer(
                vectors, encoder=encoder, layers=k, pooling=pooling
            ).fit_transform(TEXTS)
            for k in (0, 2, 1)
        )
        expected += [below] if include_input else []
        expected.append(MIXES[mixing](layers, featurizer))
    assert_close(features, np.hstack(expected))
    assert featurizer.layers_ == (2, 1)
    names = featurizer.get_feature_names_out()
    assert features.shape[1] == len(names) == len(set(names))
    if mixing == "learned":
        assert featurizer.layer_weights_.shape == (2,)
        assert featurizer.layer_weights_.sum() == pytest.approx(1.0)


def test_the_input_stands_before_the_layers_of_each_word(vectors, encoder, table):
    featurizer = CoVeFeaturizer(vectors, encoder=encoder, include_input=True)
    tokens = featurizer.fit(TEXTS).transform_tokens(["the bank"])
    assert_array_equal(tokens[0][:, :SIZE], table[[0, 2]])
    without = CoVeFeaturizer(vectors, encoder=encoder).fit(TEXTS)
    top = without.transform_tokens(["the bank"])[0]
    assert_array_equal(tokens[0][:, SIZE:], top)
    assert tokens.vectors.shape[1] == SIZE + 6


def test_the_layer_that_is_in_front_cannot_be_mixed_too(vectors, encoder):
    featurizer = CoVeFeaturizer(vectors, encoder=encoder, include_input=True)
    for layers in (0, (0, 2), "all"):
        with pytest.raises(ValueError, match=r"layers=.* names layer 0"):
            featurizer.set_params(layers=layers).fit(TEXTS)


def test_layers_of_other_widths_are_put_side_by_side_only(vectors, encoder):
    featurizer = CoVeFeaturizer(vectors, encoder=encoder, layers="all").fit(TEXTS)
    assert featurizer.transform(TEXTS).shape == (len(TEXTS), SIZE + 6 + 6)
    assert featurizer.widths_ == (SIZE, 6, 6)
    for mixing in ("mean", "learned"):
        with pytest.raises(ValueError, match="width"):
            featurizer.set_params(mixing=mixing).fit(TEXTS, LABELS)


@pytest.mark.parametrize("batch_tokens", [None, 1, 30])
def test_a_document_has_the_features_that_it_has_alone(vectors, encoder, batch_tokens):
    featurizer = CoVeFeaturizer(
        vectors, encoder=encoder, layers="all", batch_tokens=batch_tokens
    ).fit(TEXTS)
    together = featurizer.transform(TEXTS)
    alone = np.vstack([featurizer.transform([text]) for text in TEXTS])
    assert_allclose(together, alone, rtol=1e-5, atol=1e-6)
    assert_allclose(featurizer.transform(TEXTS[::-1])[::-1], together, atol=1e-6)


def test_a_word_has_another_vector_in_another_context(vectors, encoder):
    featurizer = CoVeFeaturizer(vectors, encoder=encoder).fit(TEXTS)
    one, other = featurizer.word_in_context(
        ["the river bank", "the bank lends money"], "bank"
    )
    assert np.abs(one - other).max() > 0.01
    below = featurizer.set_params(layers=0).fit(TEXTS)
    one, other = below.word_in_context(
        ["the river bank", "the bank lends money"], "bank"
    )
    assert_array_equal(one, other)


def test_unknown_words_are_read_as_zeros(vectors, encoder, weights):
    featurizer = CoVeFeaturizer(vectors, encoder=encoder).fit(TEXTS)
    truth = reference.layers(np.zeros((2, SIZE), np.float32), weights, n_layers=2)[2]
    tokens = featurizer.transform_tokens(["qwerty zyx"])[0]
    assert_allclose(tokens, truth, rtol=1e-5, atol=1e-6)


def test_unknown_words_have_the_vectors_of_their_n_grams(rng, vectors, encoder):
    _, buckets = subwords("banks", 3, 4, bucket=1000)
    ngrams = SubwordVectors(
        WORDS,
        vectors.vectors,
        sorted(buckets),
        rng.normal(size=(len(buckets), SIZE)),
        min_n=3,
        max_n=4,
        bucket=1000,
    )
    featurizer = CoVeFeaturizer(ngrams, encoder=encoder, layers=0).fit(TEXTS)
    unknown, known, nothing = featurizer.transform(["banks", "bank", "zyx"])
    assert_allclose(unknown, ngrams.vectors_of(["banks"])[0])
    assert unknown.any()
    assert_array_equal(known, vectors["bank"])
    assert not nothing.any()


def test_long_documents_are_read_whole(vectors, encoder, table, weights):
    text = " ".join(np.random.default_rng(0).choice(WORDS[:5], size=3_000))
    featurizer = CoVeFeaturizer(vectors, encoder=encoder).fit(TEXTS)
    truth = true_layers(text, table, weights)[2]
    assert_allclose(featurizer.transform_tokens([text])[0], truth, atol=1e-5)
    found = featurizer.transform([text, "the"])[0]
    assert_allclose(found, truth.mean(axis=0), atol=1e-5)
    assert featurizer.n_windowed_ == featurizer.n_truncated_ == 0


def test_the_ways_to_give_vectors_are_equal(vectors, encoder, tmp_path):
    expected = CoVeFeaturizer(vectors, encoder=encoder).fit_transform(TEXTS)
    vectors.save(tmp_path / "vectors.txt")
    vectors.save(tmp_path / "vectors.safetensors")
    fitted = SkipGramVectorizer(pretrained=vectors).fit([" ".join(WORDS)])
    for given in (
        str(tmp_path / "vectors.txt"),
        tmp_path / "vectors.safetensors",
        vectors.to_gensim(),
        fitted,
    ):
        found = CoVeFeaturizer(given, encoder=encoder).fit_transform(TEXTS)
        assert_array_equal(found, expected)


def test_case_and_tokenizer_are_the_users_choice(vectors, encoder):
    given = {"encoder": encoder, "layers": 0}
    lowered = CoVeFeaturizer(vectors, **given).fit(TEXTS)
    assert lowered.transform(["The"]).any()
    as_written = CoVeFeaturizer(vectors, lowercase=False, **given).fit(TEXTS)
    assert not as_written.transform(["The"]).any()
    split = CoVeFeaturizer(vectors, tokenizer=str.split, **given).fit(TEXTS)
    assert split.transform_tokens(["the bank."]).tokens == [["the", "bank."]]
    words = split.transform_tokens([["river bank", "the"]])
    assert words.tokens == [["river bank", "the"]]


def test_bfloat16_is_near(vectors, encoder):
    features = [
        CoVeFeaturizer(vectors, encoder=encoder, dtype=dtype).fit_transform(TEXTS)
        for dtype in ("float32", "bfloat16")
    ]
    assert features[1].dtype == np.float32
    assert 0 < np.abs(features[0] - features[1]).max() < 0.05


def test_a_grid_search_over_layers_runs_the_network_once(
    vectors, encoder, tmp_path, monkeypatch
):
    from skembed.networks.cove._reader import CoVeReader

    read, run = [], CoVeReader.run

    def counting(self, ids, last, visit):
        read.append(len(ids))
        run(self, ids, last, visit)

    monkeypatch.setattr(CoVeReader, "run", counting)
    texts = [f"{text} {word}" for text in ("the bank", "a river") for word in WORDS]
    labels = [0] * len(WORDS) + [1] * len(WORDS)
    search = GridSearchCV(
        make_pipeline(
            CoVeFeaturizer(vectors, encoder=encoder, memory=tmp_path / "cache"),
            LogisticRegression(),
        ),
        {
            "covefeaturizer__layers": [0, 1, 2, (1, 2)],
            "covefeaturizer__pooling": ["mean", "max"],
        },
        cv=2,
    ).fit(texts, labels)
    assert search.best_score_ > 0.9
    assert sum(read) == len(set(texts))
