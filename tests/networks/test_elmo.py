"""The bidirectional language model follows its specification, however texts are run."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from skembed._ragged import Ragged
from skembed.networks import Lexicon
from skembed.networks.elmo import _lstm, _network, _word_layer, named_elmo, packed_elmo
from tests.reference import elmo as reference
from tests.tiny_elmo import VARIANTS, layers_of, options_of, save_elmo, tiny_elmo

CPU = torch.device("cpu")
TEXTS = [
    ["the", "bank", "of", "the", "river", "."],
    ["naïve", "—", "日本語", "🙂", "x" * 10_000, "ab" * 25],
    ["a"],
    [],
    ["", "</S>", "<S>", "z" * 48, "y" * 47, "Ω" * 30],
]


def expect_near(found, expected):
    assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@pytest.fixture
def usual():
    return packed_elmo(tiny_elmo())


@pytest.fixture
def long_texts(rng):
    words = ["the", "bank", "of", ",", "river", "rivers", "banking"]
    return [rng.choice(words, size=n).tolist() for n in (30, 0, 1, 77, 9, 30)]


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("seed", [0, 1])
def test_layers_follow_the_specification(variant, seed):
    arrays, options = tiny_elmo(variant, seed), options_of(variant)
    (found,) = layers_of(packed_elmo(arrays), [TEXTS], "zeros")
    for text, layers in zip(TEXTS, found, strict=True):
        expect_near(layers, reference.layers(arrays, options, text)[0])


@pytest.mark.parametrize("variant", ["usual", "no LSTM projection", "three layers"])
@pytest.mark.parametrize("max_length", [512, 4])
def test_carried_states_follow_the_specification(variant, max_length, long_texts):
    # Smaller weights: in long texts, large ones make much of how numbers are rounded.
    arrays, options = tiny_elmo(variant, scale=0.4), options_of(variant)
    # A batch of fewer texts leaves the other places what they had; one of more begins
    # the new ones with zeros.
    batches = [long_texts[:2], long_texts[2:3], long_texts[3:], long_texts[:3]]
    states = [(None, None)] * 3
    found = layers_of(packed_elmo(arrays), batches, "carry", max_length)
    for texts, layers in zip(batches, found, strict=True):
        for place, text in enumerate(texts):
            expected, states[place] = reference.layers(
                arrays, options, text, states[place]
            )
            expect_near(layers[place], expected)


def test_a_warm_begin_is_what_a_fixed_text_leaves(usual, long_texts):
    arrays, options = usual.load(), options_of("usual")
    state, text = (None, None), _network._WARM_UP[1:-1]
    for _ in range(_network._N_REPEATS):
        _, state = reference.layers(arrays, options, text, state)
    (found,) = layers_of(usual, [long_texts], "warm")
    for words, layers in zip(long_texts, found, strict=True):
        expect_near(layers, reference.layers(arrays, options, words, state)[0])


@pytest.mark.parametrize("begin", ["warm", "zeros"])
def test_what_a_text_gives_depends_on_no_other(usual, long_texts, begin):
    alone = [layers_of(usual, [[text]], begin)[0][0] for text in long_texts]
    (together,) = layers_of(usual, [long_texts], begin)
    (reversed_,) = layers_of(usual, [long_texts[::-1]], begin)
    several = layers_of(usual, [[text] for text in long_texts], begin)
    for i, expected in enumerate(alone):
        expect_near(together[i], expected)
        expect_near(reversed_[-1 - i], expected)
        expect_near(several[i][0], expected)


@pytest.mark.parametrize("begin", ["warm", "zeros", "carry"])
@pytest.mark.parametrize("max_length", [1, 5, 31])
def test_windows_change_nothing(usual, long_texts, begin, max_length):
    (whole,) = layers_of(usual, [long_texts], begin)
    (cut,) = layers_of(usual, [long_texts], begin, max_length)
    for found, expected in zip(cut, whole, strict=True):
        expect_near(found, expected)


def test_the_length_of_blocks_changes_nothing(usual, long_texts, monkeypatch):
    (whole,) = layers_of(usual, [long_texts], "zeros")
    monkeypatch.setitem(_lstm._BLOCK_ROWS, "cpu", 3)
    monkeypatch.setattr(_lstm, "_ROUNDED_TO", 2)
    other = packed_elmo(usual.load(), "another name, so that it is made anew")
    for found, expected in zip(
        layers_of(other, [long_texts], "zeros")[0], whole, strict=True
    ):
        expect_near(found, expected)


@pytest.mark.parametrize("last", [0, 1])
def test_layers_above_the_last_are_not_computed(usual, last):
    lexicon = Lexicon()
    reader = usual.reader(lexicon, CPU, torch.float32)
    ids = Ragged.from_lengths(np.array(lexicon.numbers("abc"), np.int32), [3])
    found, whole = [], []
    reader.run(ids, last, lambda _, x: found.append(x.clone()))
    reader.run(ids, 2, lambda _, x: whole.append(x.clone()))
    assert len(found) == last + 1
    for layer, expected in zip(found, whole, strict=False):
        assert_array_equal(layer, expected)


def test_without_its_projection_a_model_is_that_with_the_identity():
    with_identity = tiny_elmo("identity as projection")
    without = type(with_identity)(
        with_identity.options,
        {k: v for k, v in with_identity.arrays.items() if "W_P_0" not in k},
    )
    # The clip of the projection is for a model that has one, and does not bind here.
    assert without.options.proj_clip > 1
    found, expected = (
        layers_of(packed_elmo(model), [TEXTS], "zeros")[0]
        for model in (without, with_identity)
    )
    for layers, truth in zip(found, expected, strict=True):
        expect_near(layers, truth)


def test_bfloat16_is_near(usual, long_texts):
    (exact,) = layers_of(usual, [long_texts], "zeros")
    (found,) = layers_of(usual, [long_texts], "zeros", dtype=torch.bfloat16)
    difference = [np.abs(x - y).mean() for x, y in zip(found, exact, strict=True)
                  if x.size]  # fmt: skip
    assert 0 < max(difference) < 0.02


def test_a_word_is_convolved_once(monkeypatch, long_texts):
    seen = []
    embed = _word_layer.CharacterCnn.__call__

    def counted(self, words):
        seen.extend(words)
        return embed(self, words)

    monkeypatch.setattr(_word_layer.CharacterCnn, "__call__", counted)
    model = packed_elmo(tiny_elmo(seed=7))
    for _ in range(2):
        layers_of(model, [long_texts, long_texts[::-1]], "zeros", 5)
    assert sorted(seen) == sorted({word for text in long_texts for word in text}
                                  | {"<S>", "</S>"})  # fmt: skip


def word_layer(most):
    def embed(words):
        made.append(list(words))
        return torch.tensor([[float(len(word)), 1.0] for word in words])

    made = []
    return _word_layer.WordLayer(embed, 2, CPU, most), made


def test_kept_words_are_bounded_and_right():
    layer, made = word_layer(most=3)
    for words in (["a", "bb"], ["bb", "ccc"], ["dddd"], ["a", "bb", "ccc", "dddd"]):
        vectors = layer(words).tolist()
        assert vectors == [[len(word), 1.0] for word in words]
        assert len(layer._table) <= max(3, len(words))
    assert made == [["a", "bb"], ["ccc"], ["dddd"], ["a", "bb", "ccc", "dddd"]]


def test_short_memory_between_windows_is_met_by_halves(usual, long_texts, monkeypatch):
    (expected,) = layers_of(usual, [long_texts], "zeros", 5)
    run = _network.ElmoNetwork.run

    def short(self, vectors, lengths, last, visit, *given, **named):
        if visit is None and len(lengths) > 1:
            raise torch.OutOfMemoryError
        return run(self, vectors, lengths, last, visit, *given, **named)

    monkeypatch.setattr(_network.ElmoNetwork, "run", short)
    (found,) = layers_of(usual, [long_texts], "zeros", 5)
    for layers, truth in zip(found, expected, strict=True):
        expect_near(layers, truth)


def test_a_model_is_named_by_its_content(tmp_path, usual):
    one, same = (save_elmo(tmp_path / name) for name in ("one", "same"))
    other = save_elmo(tmp_path / "other", tiny_elmo(seed=1))
    names = [named_elmo(folder).fingerprint for folder in (one, same, other)]
    assert names[0] == names[1] != names[2]
    assert packed_elmo(tiny_elmo()).fingerprint == usual.fingerprint
    assert packed_elmo(tiny_elmo(seed=1)).fingerprint != usual.fingerprint


def test_weights_are_not_changed_and_may_be_read_only():
    model = tiny_elmo("two highways", seed=5)
    before = {name: array.copy() for name, array in model.arrays.items()}
    for array in model.arrays.values():
        array.flags.writeable = False
    layers_of(packed_elmo(model), [TEXTS], "warm")
    for name, array in before.items():
        assert_array_equal(model.arrays[name], array)
