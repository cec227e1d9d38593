"""Layers of documents, mixed: against the formulas, made of single layers."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skembed import BertLayerFeaturizer
from tests.reference.states import assert_close

TEXTS = [
    "The teacher's students learn philosophy.",
    "a",
    "",
    "of the atoms, " * 25,
    "naïve café 中文",
    "quickly (and) history",
    "nothing",
    "The students",
    "the physics of atoms",
]
LABELS = [0, 1, 0, 1, 1, 0, 1, 0, 1]
MIXES = {
    "mean": lambda layers, _: np.mean(layers, axis=0),
    "sum": lambda layers, _: np.sum(layers, axis=0),
    "max": lambda layers, _: np.max(layers, axis=0),
    "concat": lambda layers, _: np.hstack(layers),
    "learned": lambda layers, fitted: (
        fitted.gamma_
        * sum(w * h for w, h in zip(fitted.layer_weights_, layers, strict=True))
    ),
}


def single_layers(folder, layers, pooling="mean"):
    """Return the features of each layer, from an estimator of its own."""
    return [
        BertLayerFeaturizer(folder, layers=k, pooling=pooling).fit_transform(TEXTS)
        for k in layers
    ]


@pytest.mark.parametrize("layers", [(2,), (-1, 0), (3, 1, 2), "all"])
@pytest.mark.parametrize("mixing", MIXES)
def test_mixed_layers_are_made_of_single_ones(tiny_model, mixing, layers):
    folder = tiny_model("bert")
    featurizer = BertLayerFeaturizer(
        folder, layers=layers, mixing=mixing, pooling=("cls", "first_last")
    )
    features = featurizer.fit_transform(TEXTS, LABELS)
    numbers = {(-1, 0): (3, 0), "all": (0, 1, 2, 3)}.get(layers, layers)
    expected = [
        MIXES[mixing](single_layers(folder, numbers, pooling), featurizer)
        for pooling in ("cls", "first_last")
    ]
    assert_close(features, np.hstack(expected))
    assert featurizer.layers_ == numbers
    assert_array_equal(featurizer.fit(TEXTS, LABELS).transform(TEXTS), features)


@pytest.mark.parametrize("norm", ["l1", "l2", "max"])
def test_rows_are_scaled_after_all(tiny_model, norm):
    featurizer = BertLayerFeaturizer(
        tiny_model("bert"), layers=(0, 2), mixing="sum", pooling=("mean", "max")
    )
    plain = featurizer.fit_transform(TEXTS)
    scaled = featurizer.set_params(normalize=norm).transform(TEXTS)
    order = {"l1": 1, "l2": 2, "max": np.inf}[norm]
    norms = np.linalg.norm(plain, order, axis=1, keepdims=True)
    assert_close(scaled * norms, plain)


@pytest.mark.parametrize(
    "y", [LABELS, list("ababbabab"), np.linspace(0, 1, 9) ** 2, np.eye(9)[:, :2] / 3]
)
def test_weights_are_learned_of_classes_and_numbers(tiny_model, y):
    featurizer = BertLayerFeaturizer(
        tiny_model("bert"), layers=(0, 1, 3), mixing="learned", mixing_penalty=1.0
    ).fit(TEXTS, y)
    weights = featurizer.layer_weights_
    assert weights.shape == (3,)
    assert weights.dtype == np.float64
    assert (weights > 0).all()
    assert abs(weights.sum() - 1) < 1e-12
    assert featurizer.gamma_ > 0
    again = BertLayerFeaturizer(**featurizer.get_params()).fit(TEXTS, y)
    assert_array_equal(again.layer_weights_, weights)


def test_weights_of_documents_count_in_learning(tiny_model):
    featurizer = BertLayerFeaturizer(
        tiny_model("bert"), layers="all", mixing="learned", mixing_penalty=1.0
    )
    plain = featurizer.fit(TEXTS, LABELS).layer_weights_
    weight = np.array([0, 1, 1, 3, 1, 1, 2, 1, 0])
    weighed = featurizer.fit(TEXTS, LABELS, weight).layer_weights_
    assert np.abs(weighed - plain).max() > 1e-6
    repeated = np.repeat(np.arange(9), weight)
    texts, labels = ([given[i] for i in repeated] for given in (TEXTS, LABELS))
    same = featurizer.fit(texts, labels).layer_weights_
    np.testing.assert_allclose(same, weighed, atol=1e-3)


@pytest.mark.parametrize("task", ["fit", "fit_transform"])
def test_learning_needs_targets(tiny_model, task):
    featurizer = BertLayerFeaturizer(tiny_model("bert"), mixing="learned")
    with pytest.raises(ValueError, match=r"mixing='learned' learns .* from y"):
        getattr(featurizer, task)(TEXTS)
    assert not hasattr(featurizer, "layers_")


def test_what_is_set_after_fit_counts_at_the_next_transform(tiny_model):
    featurizer = BertLayerFeaturizer(tiny_model("bert")).fit(TEXTS)
    one, two = single_layers(tiny_model("bert"), (1, 2))
    featurizer.set_params(layers=(1, 2), mixing="concat")
    assert_close(featurizer.transform(TEXTS), np.hstack([one, two]))
    assert len(featurizer.get_feature_names_out()) == 64
    featurizer.set_params(mixing="sum", pooling=("mean", "mean"))
    assert_close(featurizer.transform(TEXTS), np.hstack([one + two] * 2))
    with pytest.raises(ValueError, match=r"mixing='learned' was set after fit"):
        featurizer.set_params(mixing="learned").transform(TEXTS)
    with pytest.raises(ValueError, match=r"layers must be between -4 and 3 .* got 4"):
        featurizer.set_params(mixing="mean", layers=4).transform(TEXTS)


def test_learned_weights_are_of_the_layers_of_fit(tiny_model):
    featurizer = BertLayerFeaturizer(
        tiny_model("bert"), layers=(1, 2), mixing="learned"
    ).fit(TEXTS, LABELS)
    features = featurizer.transform(TEXTS)
    assert_array_equal(
        featurizer.set_params(layers=[-3, -2]).transform(TEXTS), features
    )
    for layers in ("all", (2, 1), 1):
        with pytest.raises(ValueError, match=r"was set after fit, .* layers \(1, 2\)"):
            featurizer.set_params(layers=layers).transform(TEXTS)
    # Another fit forgets them.
    featurizer.set_params(mixing="mean").fit(TEXTS)
    assert not hasattr(featurizer, "layer_weights_")
    assert not hasattr(featurizer, "gamma_")
