"""Words in their context, against the states of transformers, one text at a time."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from transformers import AutoModel, AutoTokenizer, ByT5Tokenizer

from skembed import BertLayerFeaturizer
from skembed.networks.huggingface._tokenizer import tokenize_windows
from tests.reference.states import assert_close, token_states
from tests.tiny_models import FAMILIES

TEXTS = [
    "The teacher's students learn philosophy.",
    "",
    "  naïve café 中文 😀 e\u0301 x ",
    "quickly (and) history " * 40,
    ["The", "teacher's", "", "café", "the history of", "philosophy."],
    " \n ",
    "x",
]
AGGREGATIONS = {
    "mean": lambda states: sum(states) / len(states),
    "first": lambda states: states[0],
    "last": lambda states: states[-1],
}


def words_by_loop(folder, texts, layers, aggregation):
    """Return for each text its words, their characters and their vectors."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    windows = tokenize_windows(tokenizer, texts, max_length=64, with_words=True)
    states = token_states(AutoModel.from_pretrained(folder).eval(), windows)
    owner = np.repeat(windows.text, windows.ids.lengths)
    for i, text in enumerate(texts):
        whole = text if isinstance(text, str) else " ".join(text)
        numbers = windows.word[windows.own & (owner == i)]
        found = []
        for word, (start, stop) in enumerate(windows.word_spans[i]):
            own = [
                np.mean([vectors[layer] for layer in layers], axis=0)
                for (vectors, _), n in zip(states[i], numbers, strict=True)
                if n == word
            ]
            vector = AGGREGATIONS[aggregation](own) if own else np.zeros(32)
            found.append((whole[start:stop], (start, stop), vector))
        yield found


@pytest.mark.parametrize("batch_tokens", [7, 4096])
@pytest.mark.parametrize("family", FAMILIES)
def test_words_are_those_of_a_loop_over_tokens(tiny_model, family, batch_tokens):
    featurizer = BertLayerFeaturizer(
        tiny_model(family), layers=(1, -1), batch_tokens=batch_tokens,
        pooling=("cls", "max"), normalize="l2",
    )  # fmt: skip
    features = featurizer.fit(TEXTS).transform_tokens(TEXTS)
    assert features.vectors.dtype == np.float32
    assert len(features) == len(TEXTS)
    expected = words_by_loop(tiny_model(family), TEXTS, (1, 3), "mean")
    for i, words in enumerate(expected):
        assert features.tokens[i] == [word for word, *_ in words]
        assert features.offsets[i].tolist() == [list(span) for _, span, _ in words]
        if words:
            assert_close(features[i], [vector for *_, vector in words])
    assert features.tokens[4] == TEXTS[4]
    assert not features[4][2].any()


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
@pytest.mark.parametrize("family", ["bert", "gpt2"])
def test_pieces_of_a_word_are_aggregated(tiny_model, family, aggregation):
    featurizer = BertLayerFeaturizer(tiny_model(family)).fit(TEXTS)
    features = featurizer.transform_tokens(TEXTS, aggregation=aggregation)
    expected = words_by_loop(tiny_model(family), TEXTS, (3,), aggregation)
    flat = [vector for words in expected for *_, vector in words]
    assert_close(features.vectors, flat)
    # The whole word, and one of its pieces.
    words = ["teacher" if family == "bert" else " teacher"] * 2
    texts = ["The teacher", "x teacher's history"]
    marked = featurizer.word_in_context(
        texts, [w.strip() for w in words], aggregation=aggregation
    )
    features = featurizer.transform_tokens(texts, aggregation=aggregation)
    np.testing.assert_allclose(marked, [features[0][1], features[1][1]], atol=1e-5)


@pytest.mark.parametrize("mixing", ["concat", "learned", "max"])
def test_layers_of_words_are_mixed_as_those_of_documents(tiny_model, mixing):
    featurizer = BertLayerFeaturizer(
        tiny_model("bert"), layers="all", mixing=mixing, special_tokens=True
    )
    texts = ["x", "a"]
    featurizer.fit(texts, [0, 1])
    vectors = featurizer.transform_tokens(texts).vectors
    featurizer.set_params(pooling="last", special_tokens=False)
    np.testing.assert_allclose(featurizer.transform(texts), vectors, atol=1e-5)


def test_offsets_point_at_the_words(tiny_model):
    featurizer = BertLayerFeaturizer(tiny_model("roberta"), prefix="query: ").fit(TEXTS)
    features = featurizer.transform_tokens(TEXTS)
    for text, tokens, offsets in zip(
        TEXTS, features.tokens, features.offsets, strict=True
    ):
        whole = text if isinstance(text, str) else " ".join(text)
        assert [whole[start:stop] for start, stop in offsets] == tokens


def test_words_behind_a_cut_have_no_row(tiny_model):
    featurizer = BertLayerFeaturizer(
        tiny_model("bert"), overlong="truncate", max_length=4
    ).fit(["x"])
    features = featurizer.transform_tokens(["a b c d", ["a", "b", "c", "d"]])
    assert features.tokens == [["a", "b"], ["a", "b", "c", "d"]]
    assert not features[1][2:].any()
    with pytest.raises(ValueError, match=r"characters 4 to 5 of document 0 hold no"):
        featurizer.word_in_context(["a b c d"], "c")


def test_no_documents_have_no_words(tiny_model):
    featurizer = BertLayerFeaturizer(tiny_model("bert"), layers=(0, 1), mixing="concat")
    features = featurizer.fit(["x"]).transform_tokens([])
    assert (len(features), features.vectors.shape) == (0, (0, 64))
    assert featurizer.word_in_context([], "x").shape == (0, 64)


# The marked word.


@pytest.fixture
def featurizer(tiny_model):
    return BertLayerFeaturizer(tiny_model("bert")).fit(["x"])


def test_a_word_may_be_marked_in_many_ways(featurizer):
    text, words = "Bankers at the BANK, the bank.", ["the", "Bank", "robber"]
    of_text, of_words = (featurizer.transform_tokens([t]) for t in (text, words))
    # Punctuation counts as a word.
    bank, lower = (of_text[0][of_text.tokens[0].index(w)] for w in ("BANK", "bank"))
    marks = ["bank", (25, 29), (26, 27), "BANK", (15, 19), "Bank"]
    vectors = featurizer.word_in_context([text] * len(marks), marks)
    expected = [lower, None, None, bank, None, bank]
    for vector, truth in zip(vectors, expected, strict=True):
        if truth is not None:
            np.testing.assert_allclose(vector, truth, atol=1e-5)
    np.testing.assert_allclose(vectors[1], lower, atol=1e-5)
    np.testing.assert_allclose(vectors[4], bank, atol=1e-5)
    marks = ["bank", 1, -2, (4, 8), np.int64(1)]
    vectors = featurizer.word_in_context([words] * len(marks), marks)
    for vector in vectors:
        np.testing.assert_allclose(vector, of_words[0][1], atol=1e-5)


def test_the_same_word_differs_with_its_context(featurizer):
    texts = ["the bank of the river", "money in the bank", "the bank of the river"]
    vectors = featurizer.word_in_context(texts, "bank")
    assert np.abs(vectors[0] - vectors[1]).max() > 0.1
    np.testing.assert_allclose(vectors[0], vectors[2], atol=1e-5)


def test_a_word_far_into_a_long_document_is_found(featurizer):
    text = "the of and " * 300 + "history"
    vector = featurizer.word_in_context([text], "history")
    features = featurizer.transform_tokens([text])
    np.testing.assert_allclose(vector, features[0][-1:], atol=1e-5)


@pytest.mark.parametrize(
    ("documents", "words", "error", "message"),
    [
        (["a bank", "banks"], "bank", ValueError, "Document 1 does not hold the wor"),
        (["a"] * 2, ["a"], ValueError, r"one for each of the 2 documents, got 1"),
        (["a b"], [(1, 2)], ValueError, "characters 1 to 2 of document 0 hold no t"),
        (["a", "b"], ["a", (7, 9)], ValueError, "7 to 9 of document 1 hold no token"),
        ([["a", "b"]], [2], ValueError, "Document 0 has 2 words, got word number 2"),
        (["a"], [0], TypeError, "got 0 for document 0"),
        (["a"], [None], TypeError, "got None for document 0"),
        (["a"], [""], ValueError, "Document 0 does not hold the word ''"),
    ],
)  # fmt: skip
def test_what_cannot_be_marked_is_told_by_its_row(
    featurizer, documents, words, error, message
):
    with pytest.raises(error, match=message):
        featurizer.word_in_context(documents, words)


def test_an_unknown_aggregation_is_refused(featurizer):
    with pytest.raises(ValueError, match=r"aggregation must be .* got 'median'"):
        featurizer.transform_tokens(["a"], aggregation="median")
    with pytest.raises(ValueError, match=r"aggregation must be .* got 'median'"):
        featurizer.word_in_context(["a"], "a", aggregation="median")


def test_a_tokenizer_without_offsets_gives_documents_but_no_words(tiny_model):
    tokenizer = ByT5Tokenizer()
    featurizer = BertLayerFeaturizer(tiny_model("bert"), tokenizer=tokenizer)
    texts = ["abc", "", "é" * 100, "abc"]
    features = featurizer.fit_transform(texts)
    assert_array_equal(features[1], 0)
    assert featurizer.n_windowed_ == 1
    windows = tokenize_windows(tokenizer, texts, max_length=64)
    states = token_states(AutoModel.from_pretrained(tiny_model("bert")), windows)
    own = [vectors[3] for vectors, special in states[2] if not special]
    assert len(own) == 200
    assert_close(features[2], np.mean(own, axis=0))
    with pytest.raises(ValueError, match="need a tokenizer with a fast backend"):
        featurizer.transform_tokens(texts)
    with pytest.raises(ValueError, match="need a tokenizer with a fast backend"):
        featurizer.word_in_context(["abc"], "abc")
