"""8-bit matrix products: what they round, and that no row depends on another."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from skembed.networks.elmo import _int8, _lstm, packed_elmo
from skembed.networks.elmo._highway import Int8Highway
from skembed.networks.elmo._int8 import Int8Linear
from skembed.networks.elmo._int8_lstm import Int8Lstm
from skembed.networks.elmo._lstm import Clips
from tests.reference import int8 as reference
from tests.tiny_elmo import VARIANTS, layers_of, tiny_elmo

TEXTS = [["the", "bank"], ["naïve", "日本語"], ["a"], [], ["", "</S>", "z" * 48]]


@pytest.fixture(autouse=True)
def forgotten():
    """Have it looked at anew what works here."""
    _int8.has_product.cache_clear()
    yield
    _int8.has_product.cache_clear()


def numbers(rng, *shape):
    return rng.normal(size=shape).astype(np.float32)


def near(found, expected):
    largest = np.abs(expected).max()
    assert_allclose(found, expected, rtol=1e-5, atol=1e-5 * largest)


def tensors(*arrays):
    return [None if array is None else torch.from_numpy(array) for array in arrays]


def without_product(monkeypatch):
    monkeypatch.setattr(torch.cpu, "_is_vnni_supported", lambda: False)


@pytest.mark.parametrize("is_plain", [False, True])
@pytest.mark.parametrize("size", [(1, 1, 1), (7, 6, 36), (40, 100, 33), (3, 2100, 17)])
@pytest.mark.parametrize(("has_bias", "bound"), [(True, np.inf), (False, 1.5)])
def test_products_are_those_of_rounded_numbers(
    rng, monkeypatch, is_plain, size, has_bias, bound
):
    if is_plain:
        without_product(monkeypatch)
    n_rows, n_in, n_out = size
    states = numbers(rng, n_rows, n_in) * 10.0 ** rng.integers(-5, 5, (n_rows, 1))
    states = states.astype(np.float32)
    weight, bias = numbers(rng, n_out, n_in), numbers(rng, n_out) if has_bias else None
    linear = Int8Linear(*tensors(weight, bias))
    found = linear(torch.from_numpy(states), bound).numpy()
    expected = reference.product(states, weight, bias if has_bias else 0.0, bound)
    for row, truth in zip(found, expected, strict=True):
        near(row, truth)


def test_the_largest_numbers_are_not_lost():
    # 2 * 255 * 127 does not fit into 16 bits.
    states, weight = np.ones((4, 512), np.float32), np.ones((32, 512), np.float32)
    linear = Int8Linear(torch.from_numpy(weight))
    assert_allclose(linear(torch.from_numpy(states)), 512, rtol=1e-6)
    assert_allclose(linear(torch.from_numpy(-states)), -512, rtol=1e-6)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("bound", [np.inf, 3.0])
def test_what_is_no_number_is_seen_in_its_row_alone(rng, value, bound):
    states = numbers(rng, 2, 8)
    linear = Int8Linear(torch.from_numpy(numbers(rng, 5, 8)))
    expected = linear(torch.from_numpy(states), bound).numpy()[1]
    states[0, 3] = value
    found = linear(torch.from_numpy(states), bound).numpy()
    assert np.isnan(found[0]).all()
    assert_array_equal(found[1], expected)


def test_zeros_give_zeros(rng):
    weight, bias = numbers(rng, 5, 8), numbers(rng, 5)
    weight[2] = 0
    linear = Int8Linear(*tensors(weight, bias))
    assert_array_equal(linear(torch.zeros(3, 8)), np.tile(bias, (3, 1)))
    assert_array_equal(linear(torch.ones(3, 8))[:, 2], bias[[2] * 3])


@pytest.mark.parametrize("is_plain", [False, True])
def test_a_row_depends_on_no_other(rng, monkeypatch, is_plain):
    if is_plain:
        without_product(monkeypatch)
    linear = Int8Linear(*tensors(numbers(rng, 100, 64), numbers(rng, 100)))
    states = torch.from_numpy(numbers(rng, 50, 64))
    together = linear(states)
    for n_rows in (1, 2, 5, 33):
        assert_array_equal(linear(states[:n_rows]), together[:n_rows])
        assert_array_equal(linear(states[-n_rows:] * 1), together[-n_rows:])


def test_weights_are_left_as_they_are(rng):
    weight, states = tensors(numbers(rng, 5, 8), numbers(rng, 3, 8))
    before = weight.clone(), states.clone()
    Int8Linear(weight)(states)
    assert torch.equal(weight, before[0])
    assert torch.equal(states, before[1])


@pytest.mark.parametrize("error", [AttributeError, RuntimeError, TypeError])
def test_a_torch_without_the_product_is_done_without(monkeypatch, error):
    def missing(*_):
        raise error

    monkeypatch.setattr(_int8._OneDnnProduct, "__call__", missing)
    assert not _int8.has_product()


def test_a_product_that_is_wrong_is_not_used(monkeypatch):
    product = _int8._PlainProduct.__call__

    def saturated(self, levels):
        return product(self, levels.clamp(max=254))

    monkeypatch.setattr(_int8._OneDnnProduct, "__call__", saturated)
    assert not _int8.has_product()


def test_features_are_the_same_without_the_product(monkeypatch):
    (expected,) = int8_layers("usual", [TEXTS])
    without_product(monkeypatch)
    _int8.has_product.cache_clear()
    (found,) = int8_layers("usual", [TEXTS], name="made anew")
    for layers, truth in zip(found, expected, strict=True):
        assert_array_equal(layers, truth)


@pytest.mark.parametrize("has_projection", [True, False])
@pytest.mark.parametrize("clips", [(None, None), (0.3, 0.2)])
def test_a_layer_follows_its_specification(rng, has_projection, clips):
    n_in, n_cells, n_texts = 7, 11, 3
    n_out = 5 if has_projection else n_cells
    weight = numbers(rng, n_in + n_out, 4 * n_cells)
    bias = numbers(rng, 4 * n_cells)
    projection = numbers(rng, n_cells, n_out) if has_projection else None
    output, cell = numbers(rng, n_texts, n_out), numbers(rng, n_texts, n_cells)
    lengths = [6, 4, 1]
    sizes = [3, 2, 2, 2, 1, 1]
    inputs = [numbers(rng, length, n_in) for length in lengths]
    in_order = np.array([inputs[i][t] for t, n in enumerate(sizes) for i in range(n)])
    layer = Int8Lstm(*tensors(weight, bias, projection), Clips(*clips))
    ended = tensors(output.copy(), cell.copy())
    found = layer.run(torch.from_numpy(in_order), sizes, *ended).numpy()
    step = np.repeat(np.arange(6), sizes)
    place = np.concatenate([np.arange(n) for n in sizes])
    bounds = [np.inf if clip is None else clip for clip in clips]
    for i in range(n_texts):
        outputs, *end = reference.lstm(
            weight, bias, projection, bounds, inputs[i], output[i], cell[i]
        )
        near(found[place == i][np.argsort(step[place == i])], outputs)
        for state, expected in zip(ended, end, strict=True):
            near(state[i], expected)


def test_a_highway_follows_its_specification(rng):
    weight, bias, states = (
        numbers(rng, 38, 19), numbers(rng, 38), numbers(rng, 6, 19)
    )  # fmt: skip
    before = states.copy()
    found = Int8Highway(*tensors(weight, bias))(torch.from_numpy(states))
    near(found, reference.highway(weight, bias, states))
    assert_array_equal(states, before)


def int8_layers(variant, batches, begin="warm", max_length=512, name=None):
    model = packed_elmo(tiny_elmo(variant, scale=0.4), name)
    return layers_of(model, batches, begin, max_length, torch.int8)


@pytest.mark.parametrize("variant", VARIANTS)
def test_layers_are_near_those_of_float32(variant):
    (found,) = int8_layers(variant, [TEXTS])
    model = packed_elmo(tiny_elmo(variant, scale=0.4))
    (exact,) = layers_of(model, [TEXTS], "warm")
    for layers, truth in zip(found, exact, strict=True):
        if truth.size:
            deviation = np.abs(layers - truth).max() / np.abs(truth).max()
            assert 0 < deviation < 0.03


@pytest.fixture
def long_texts(rng):
    words = ["the", "bank", "of", ",", "river", "rivers", "banking"]
    return [rng.choice(words, size=n).tolist() for n in (30, 0, 1, 77, 9, 30)]


@pytest.mark.parametrize("begin", ["warm", "zeros"])
@pytest.mark.parametrize("variant", ["usual", "no LSTM projection", "no highway"])
def test_what_a_text_gives_depends_on_no_other(long_texts, begin, variant):
    # Bit for bit: a number that is off in its last bit may be rounded to another one.
    together, reversed_ = (
        int8_layers(variant, [texts], begin, name=f"{variant} {i}")[0]
        for i, texts in enumerate((long_texts, long_texts[::-1]))
    )
    for i, text in enumerate(long_texts):
        ((alone,),) = int8_layers(variant, [[text]], begin, name=f"{variant} alone {i}")
        assert_array_equal(together[i], alone)
        assert_array_equal(reversed_[-1 - i], alone)


@pytest.mark.parametrize("begin", ["warm", "zeros", "carry"])
@pytest.mark.parametrize("max_length", [1, 5, 31])
def test_windows_change_nothing(long_texts, begin, max_length):
    batches = [long_texts, long_texts[:2]]
    whole = int8_layers("usual", batches, begin)
    cut = int8_layers("usual", batches, begin, max_length)
    for texts in zip(cut, whole, strict=True):
        for found, expected in zip(*texts, strict=True):
            assert_array_equal(found, expected)


def test_the_length_of_blocks_changes_nothing(long_texts, monkeypatch):
    (whole,) = int8_layers("usual", [long_texts])
    monkeypatch.setitem(_lstm._BLOCK_ROWS, "cpu", 3)
    monkeypatch.setattr(_lstm, "_ROUNDED_TO", 2)
    (cut,) = int8_layers("usual", [long_texts], name="another")
    for found, expected in zip(cut, whole, strict=True):
        assert_array_equal(found, expected)
