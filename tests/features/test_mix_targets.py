import numpy as np
import pandas as pd
import pytest

from skembed.features import fit_layer_mix


@pytest.mark.parametrize(
    ("y", "error", "match"),
    [
        (["a"] * 6, ValueError, "at least two classes.*only 'a'"),
        (["a", "b", None, "a", "b", "a"], ValueError, r"missing.*y\[2\] = None"),
        ([0, 1, 0, np.nan, 1, 0], ValueError, r"missing.*y\[3\] = nan"),
        (pd.array([1, 0, 1, pd.NA, 0, 1]), ValueError, r"missing.*y\[3\] = nan"),
        ([["a"], ["b"]] * 3, TypeError, r"one label.*y\[0\] = \['a'\]"),
        (np.eye(6, 3), TypeError, "one label for each text"),
        (["a", "b"], ValueError, "each of 6 texts, got 2"),
        (None, ValueError, "pass y"),
    ],
)
def test_labels_that_teach_nothing_are_refused(rng, y, error, match):
    layers = rng.normal(size=(2, 6, 3)).astype(np.float32)
    with pytest.raises(error, match=match):
        fit_layer_mix(layers, y, task="classification")


@pytest.mark.parametrize(
    ("y", "match"),
    [
        ([0.0, 1.0, np.nan, 2.0], r"finite, got y\[2\]"),
        ([[0.0, 1.0], [0.0, np.inf], [2.0, 1.0], [2.0, 2.0]], r"finite, got y\[1\]"),
        (["a", "b", "c", "d"], "numbers for task='regression'"),
        (np.zeros((4, 0)), r"got shape \(4, 0\)"),
        ([1.0], "each of 4 texts, got 1"),
        (None, "pass y"),
    ],
)
def test_targets_that_teach_nothing_are_refused(rng, y, match):
    layers = rng.normal(size=(2, 4, 3)).astype(np.float32)
    with pytest.raises(ValueError, match=match):
        fit_layer_mix(layers, y, task="regression")


@pytest.mark.parametrize(
    ("weight", "match"),
    [
        ([1.0, 1.0], r"each of the 4 texts, got shape \(2,\)"),
        ([1.0, -1.0, 1.0, 1.0], "not negative"),
        ([1.0, np.nan, 1.0, 1.0], "finite"),
        ([0.0] * 4, "not zero for all"),
    ],
)
def test_impossible_sample_weights_are_refused(rng, weight, match):
    layers = rng.normal(size=(2, 4, 3)).astype(np.float32)
    with pytest.raises(ValueError, match=f"sample_weight.*{match}"):
        fit_layer_mix(layers, [0, 1, 0, 1], task="classification", sample_weight=weight)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_features_that_are_not_finite_are_refused_by_their_place(rng, value):
    layers = rng.normal(size=(3, 2000, 2)).astype(np.float32)
    layers[1, 1500, 0] = value
    with pytest.raises(ValueError, match="text 1500 hold NaN or infinity at layer 1"):
        fit_layer_mix(layers, [0, 1] * 1000, task="classification")


def test_layers_of_unequal_width_are_refused(rng):
    layers = [np.zeros((4, 3), np.float32), np.zeros((4, 5), np.float32)]
    with pytest.raises(ValueError, match="mixing='concat'"):
        fit_layer_mix(layers, [0, 1, 0, 1], task="classification")


@pytest.mark.parametrize("shape", [(2, 0, 3), (2, 4, 0)])
def test_no_texts_and_no_features_are_refused(shape):
    with pytest.raises(ValueError, match="must hold texts and features"):
        fit_layer_mix(np.zeros(shape), [0, 1] * (shape[1] // 2), task="regression")


def test_another_task_is_refused_with_the_names(rng):
    with pytest.raises(ValueError, match=r"'regression'.*got 'ranking'"):
        fit_layer_mix(np.ones((2, 4, 3)), [0, 1, 0, 1], task="ranking")


@pytest.mark.parametrize("penalty", [{"C": 0.0}, {"C": np.nan}, {"mix_penalty": -1.0}])
def test_penalties_are_not_negative(penalty):
    with pytest.raises(ValueError, match="must be positive and mix_penalty not"):
        fit_layer_mix(np.ones((2, 2, 3)), [0, 1], task="regression", **penalty)
