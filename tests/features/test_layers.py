import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skembed.features import (
    MIXINGS,
    LayerMix,
    LayerScores,
    choose_layers,
    mix_layers,
)
from tests.reference import mixing as reference


@pytest.fixture
def layers(rng):
    return [rng.normal(size=(7, 5)).astype(np.float32) for _ in range(4)]


def mix_of(weights, gamma=1.0, scales=None):
    weights = np.array(weights)
    scales = np.ones(len(weights)) if scales is None else np.array(scales)
    return LayerMix(weights, gamma, scales, loss=0.0, n_iter=1, converged=True)


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        (0, (0,)),
        (6, (6,)),
        (-1, (6,)),
        (-7, (0,)),
        ((-4, -3, -2, -1), (3, 4, 5, 6)),
        ([5, 0, -2 - 1], (5, 0, 4)),
        (range(2), (0, 1)),
        (np.int64(-2), (5,)),
        (np.array([1, -1]), (1, 6)),
        ("all", (0, 1, 2, 3, 4, 5, 6)),
    ],
)
def test_layers_are_counted_from_the_embedding_output(layers, expected):
    chosen = choose_layers(layers, n_layers=6)
    assert chosen == expected
    assert all(type(number) is int for number in chosen)


def test_a_network_without_blocks_has_its_embedding_output():
    assert choose_layers("all", 0) == choose_layers(-1, 0) == (0,)


@pytest.mark.parametrize("layers", [9, -8, (0, 9), [-8]])
def test_a_layer_out_of_range_is_refused_with_the_range(layers):
    match = (
        r"layers must be between -7 and 6 for a model of 6 blocks \(layer 0 is the "
        r"embedding output\), got (9|-8)\."
    )
    with pytest.raises(ValueError, match=match):
        choose_layers(layers, n_layers=6)


@pytest.mark.parametrize(
    "layers", [True, False, 1.0, (0, True), (0, 1.0), None, {1, 2}, np.bool_(1), ("1",)]
)
def test_what_is_no_layer_number_is_refused(layers):
    with pytest.raises(TypeError, match="layers must be an int, several in a tuple"):
        choose_layers(layers, n_layers=6)


@pytest.mark.parametrize("layers", [(), [], np.array([], dtype=int), range(0)])
def test_no_layer_at_all_is_refused(layers):
    with pytest.raises(ValueError, match="at least one layer"):
        choose_layers(layers, n_layers=6)


@pytest.mark.parametrize("layers", [(1, 1), (-1, 6), (6, 2, -1)])
def test_a_layer_named_twice_is_refused(layers):
    with pytest.raises(ValueError, match=r"each layer once.*7 layers again: \[[16]\]"):
        choose_layers(layers, n_layers=6)


@pytest.mark.parametrize("layers", ["last", "-1", ""])
def test_another_word_than_all_is_refused(layers):
    with pytest.raises(ValueError, match="or 'all', got"):
        choose_layers(layers, n_layers=6)


@pytest.mark.parametrize(
    ("mixing", "over_layers"), [("mean", np.mean), ("sum", np.sum), ("max", np.max)]
)
def test_layers_are_mixed_feature_by_feature(layers, mixing, over_layers):
    mixed = mix_layers(layers, mixing)
    expected = over_layers(np.array(layers, dtype=np.float64), axis=0)
    assert mixed.dtype == np.float32
    assert_allclose(mixed, expected, rtol=1e-5, atol=1e-6)


def test_concat_puts_layers_side_by_side(rng):
    layers = [rng.normal(size=(3, width)).astype(np.float32) for width in (2, 4, 1)]
    mixed = mix_layers(layers, "concat")
    assert_array_equal(mixed, np.hstack(layers))
    assert mixed.dtype == np.float32


def test_learned_weights_mix_as_in_the_paper(layers, rng):
    s = rng.normal(size=4)
    weights = np.exp(s) / np.exp(s).sum()
    mixed = mix_layers(layers, "learned", mix=mix_of(weights, gamma=1.7))
    assert mixed.dtype == np.float32
    assert_allclose(mixed, reference.mix(layers, s, 1.7), rtol=1e-5, atol=1e-6)


def test_learned_scales_divide_the_layers(layers):
    scales = np.array([1.0, 10.0, 0.1, 3.0])
    plain = mix_layers(layers, "learned", mix=mix_of([0.1, 0.2, 0.3, 0.4]))
    scaled = [np.float32(c) * h for c, h in zip(scales, layers, strict=True)]
    mix = mix_of([0.1, 0.2, 0.3, 0.4], scales=scales)
    assert_allclose(mix_layers(scaled, "learned", mix=mix), plain, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("mixing", MIXINGS)
def test_an_array_of_layers_is_mixed_as_a_list_of_them(layers, mixing):
    mix = mix_of([0.1, 0.2, 0.3, 0.4])
    assert_array_equal(
        mix_layers(np.array(layers), mixing, mix=mix),
        mix_layers(layers, mixing, mix=mix),
    )


@pytest.mark.parametrize("mixing", MIXINGS)
def test_each_text_is_mixed_alone(layers, mixing):
    mix = mix_of([0.1, 0.2, 0.3, 0.4])
    whole = mix_layers(layers, mixing, mix=mix)
    row = mix_layers([layer[3:4] for layer in layers], mixing, mix=mix)
    assert_array_equal(row, whole[3:4])


@pytest.mark.parametrize("mixing", MIXINGS)
@pytest.mark.parametrize("n_layers", [1, 4])
def test_the_mix_is_an_array_of_its_own(layers, mixing, n_layers):
    layers = layers[:n_layers]
    for layer in layers:
        layer[0] = 0.0
        layer.flags.writeable = False
    mixed = mix_layers(layers, mixing, mix=mix_of(np.ones(n_layers) / n_layers))
    assert not any(np.shares_memory(mixed, layer) for layer in layers)
    assert mixed.flags.writeable
    assert_array_equal(mixed[0], 0.0)


@pytest.mark.parametrize("mixing", MIXINGS)
def test_no_texts_give_no_rows(mixing):
    layers = np.zeros((4, 0, 5), np.float32)
    mixed = mix_layers(layers, mixing, mix=mix_of(np.ones(4) / 4))
    assert mixed.shape == (0, 20 if mixing == "concat" else 5)


@pytest.mark.parametrize("mixing", ["mean", "sum", "max", "learned"])
def test_layers_of_unequal_width_are_refused_with_the_way_out(mixing):
    layers = [np.zeros((3, 4), np.float32), np.zeros((3, 6), np.float32)]
    match = rf"mixing='{mixing}' needs.*equal width, got \[4, 6\].*mixing='concat'"
    with pytest.raises(ValueError, match=match):
        mix_layers(layers, mixing, mix=mix_of([0.5, 0.5]))


@pytest.mark.parametrize("mixing", MIXINGS)
def test_layers_of_different_texts_are_refused(mixing):
    layers = [np.zeros((3, 4), np.float32), np.zeros((2, 4), np.float32)]
    with pytest.raises(ValueError, match=r"same texts.*\(3, 4\), \(2, 4\)"):
        mix_layers(layers, mixing, mix=mix_of([0.5, 0.5]))


@pytest.mark.parametrize("layers", [[], np.zeros((3, 4), np.float32)])
def test_what_is_no_layers_is_refused(layers):
    with pytest.raises(ValueError, match=r"a matrix .* for each layer"):
        mix_layers(layers, "mean")


def test_an_unknown_mixing_is_refused_with_the_names(layers):
    with pytest.raises(ValueError, match=r"'learned'.*got 'median'"):
        mix_layers(layers, "median")


def test_a_learned_mix_needs_its_weights(layers):
    with pytest.raises(ValueError, match="pass mix"):
        mix_layers(layers, "learned")
    with pytest.raises(ValueError, match="weights of 2 layers, got 4"):
        mix_layers(layers, "learned", mix=mix_of([0.5, 0.5]))


def test_the_best_layer_is_that_of_the_highest_mean_score():
    scores = np.array([[0.9, 0.1], [0.6, 0.75], [0.65, 0.65]])
    assert LayerScores((3, 8, 5), scores, "accuracy").best_layer == 8
    scores[1, 0] = np.nan
    assert LayerScores((3, 8, 5), scores, "accuracy").best_layer == 5


@pytest.mark.parametrize("shape", [(2, 3), (3,), (3, 0)])
def test_scores_are_a_row_for_each_layer(shape):
    with pytest.raises(ValueError, match=r"got shape \(.*\) for 3 layers"):
        LayerScores((0, 1, 2), np.zeros(shape), "accuracy")


def test_mixes_and_scores_can_be_pickled(layers):
    mix = pickle.loads(pickle.dumps(mix_of([0.1, 0.2, 0.3, 0.4], gamma=2.0)))
    assert mix.gamma == 2.0
    scores = LayerScores((0, 1), np.ones((2, 3)), "r2")
    assert pickle.loads(pickle.dumps(scores)).layers == (0, 1)
