import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LogisticRegression, Ridge
from threadpoolctl import threadpool_limits

from skembed.features import fit_layer_mix, mix_layers
from tests.reference import mixing as reference

TASKS = ("classification", "regression")


def planted(rng, task, *, noise=0.0, weights=(0.6, 0.1, 0.3), n_texts=600, width=8):
    """Make layers, and a y that is linear in their mix but for noise.

    The layers are independent of each other, so that no other mix serves as well.
    """
    layers = rng.normal(size=(len(weights), n_texts, width)).astype(np.float32)
    layers += rng.normal(size=(len(weights), 1, width)).astype(np.float32)
    scores = np.tensordot(weights, layers, 1) @ rng.normal(size=(width, 3))
    scores /= scores.std(axis=0)
    scores += noise * rng.normal(size=scores.shape)
    if task == "regression":
        return layers, scores[:, :2]
    return layers, np.array(["x", "y", "z"])[(scores - scores.mean(axis=0)).argmax(1)]


@pytest.mark.parametrize("layer_norm", [False, True])
@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize(("noise", "error"), [(0.0, 0.03), (0.3, 0.05), (1.0, 0.12)])
def test_planted_weights_are_recovered(rng, task, noise, error, layer_norm):
    weights = rng.dirichlet([3.0, 3.0, 3.0])
    layers, y = planted(rng, task, noise=noise, weights=weights, n_texts=2000)
    mix = fit_layer_mix(layers, y, task=task, mix_penalty=1e-5, layer_norm=layer_norm)
    assert mix.converged
    assert_allclose(mix.weights, weights, atol=error)


@pytest.mark.parametrize("task", TASKS)
def test_weights_are_positive_and_sum_to_one(rng, task):
    layers, y = planted(rng, task, weights=(1.0, 0.0, 0.0), n_texts=50)
    mix = fit_layer_mix(layers, y, task=task)
    assert mix.weights.dtype == np.float64
    assert (mix.weights > 0).all()
    assert_allclose(mix.weights.sum(), 1.0, rtol=1e-12)
    assert mix.gamma > 0


@pytest.mark.parametrize("layer_norm", [False, True])
@pytest.mark.parametrize("task", TASKS)
def test_no_other_weights_have_a_lower_objective(rng, task, layer_norm):
    layers, y = planted(rng, task, noise=0.5, n_texts=150, width=4)
    layers *= np.array([1.0, 3.0, 0.4], dtype=np.float32)[:, None, None]
    fit = {"task": task, "C": 2.0, "mix_penalty": 0.01}
    mix = fit_layer_mix(layers, y, layer_norm=layer_norm, tol=1e-6, **fit)
    scaled = layers / mix.scales[:, None, None]
    s = np.log(mix.weights) - np.log(mix.weights).mean()
    assert_allclose(lowest_objective(scaled, y, s, **fit), mix.loss, rtol=1e-5)
    for _ in range(20):
        other = s + 0.1 * rng.normal(size=3)
        assert lowest_objective(scaled, y, other, **fit) > mix.loss


def lowest_objective(layers, y, s, *, task, C, mix_penalty):
    """Return the reference objective at these weights, of scikit-learn's probe."""
    features = reference.mix(layers, s, gamma=1.0)
    features /= reference.length(features)
    features -= features.mean(axis=0)
    if task == "classification":
        probe = LogisticRegression(C=C, tol=1e-8, max_iter=2000).fit(features, y)
        y = np.searchsorted(probe.classes_, y)
    else:
        y = (y - y.mean(axis=0)) / y.std(axis=0)
        probe = Ridge(alpha=1 / C).fit(features, y)
    V, b = probe.coef_.T, probe.intercept_
    return reference.objective(
        layers, y, s, V, b, task=task, C=C, mix_penalty=mix_penalty
    )


@pytest.mark.parametrize("layer_norm", [False, True])
@pytest.mark.parametrize("C", [0.5, 10.0])
def test_models_of_default_penalty_on_the_mix_are_the_probe(rng, C, layer_norm):
    layers, y = planted(rng, "classification", noise=0.5, n_texts=200)
    mix = fit_layer_mix(
        layers, y, task="classification", C=C, layer_norm=layer_norm, tol=1e-6
    )
    features = mix_layers(layers, "learned", mix=mix)
    assert_allclose(reference.length(features), np.sqrt(C), rtol=1e-4)
    probe = LogisticRegression(tol=1e-8, max_iter=2000).fit(features, y)
    log_p = probe.predict_log_proba(features)
    loss = -log_p[np.arange(200), np.searchsorted(probe.classes_, y)].mean()
    s = np.log(mix.weights) - np.log(mix.weights).mean()
    penalties = (probe.coef_**2).sum() / (2 * 200) + 1e-3 * (s**2).sum()
    assert_allclose(loss + penalties, mix.loss, rtol=1e-5)


@pytest.mark.parametrize("task", TASKS)
def test_the_same_input_gives_the_same_bits(rng, task):
    layers, y = planted(rng, task, noise=0.5)
    one, again = (fit_layer_mix(layers, y, task=task) for _ in range(2))
    assert_array_equal(one.weights, again.weights)
    assert (one.gamma, one.loss) == (again.gamma, again.loss)


def test_the_number_of_threads_changes_no_bit(rng):
    # Wide enough for BLAS to share the work between threads.
    layers = rng.normal(size=(13, 400, 768)).astype(np.float32)
    y = rng.normal(size=(400, 3))
    mixes = []
    for n_threads in (1, 2):
        with threadpool_limits(n_threads):
            mixes.append(fit_layer_mix(layers, y, task="regression", max_iter=20))
    assert_array_equal(mixes[0].weights, mixes[1].weights)


@pytest.mark.parametrize("task", TASKS)
def test_permuted_layers_get_permuted_weights(rng, task):
    layers, y = planted(rng, task, noise=0.5)
    order = rng.permutation(3)
    mix = fit_layer_mix(layers, y, task=task, tol=1e-7)
    permuted = fit_layer_mix(layers[order], y, task=task, tol=1e-7)
    assert_allclose(permuted.weights, mix.weights[order], atol=1e-5)
    assert_allclose(permuted.gamma, mix.gamma, rtol=1e-4)


@pytest.mark.parametrize("layer_norm", [False, True])
@pytest.mark.parametrize("task", TASKS)
def test_the_mix_does_not_depend_on_the_unit_of_the_features(rng, task, layer_norm):
    layers, y = planted(rng, task, noise=0.5)
    fit = {"task": task, "layer_norm": layer_norm, "tol": 1e-7}
    one, other = fit_layer_mix(layers, y, **fit), fit_layer_mix(1e3 * layers, y, **fit)
    assert_allclose(other.weights, one.weights, atol=1e-5)
    assert_allclose(
        mix_layers(1e3 * layers, "learned", mix=other),
        mix_layers(layers, "learned", mix=one),
        atol=1e-3,
    )


@pytest.mark.parametrize("task", TASKS)
def test_normalized_layers_may_each_have_a_unit(rng, task):
    layers, y = planted(rng, task, noise=0.5)
    units = np.array([1e-2, 1.0, 1e3], dtype=np.float32)[:, None, None]
    one, other = (
        fit_layer_mix(h, y, task=task, layer_norm=True, tol=1e-7)
        for h in (layers, units * layers)
    )
    assert_allclose(other.weights, one.weights, atol=1e-5)
    assert_allclose(
        mix_layers(units * layers, "learned", mix=other),
        mix_layers(layers, "learned", mix=one),
        atol=1e-3,
    )


@pytest.mark.parametrize("task", TASKS)
def test_what_is_added_to_a_feature_changes_nothing(rng, task):
    layers, y = planted(rng, task, noise=0.5)
    shifted = layers + np.float32(30) * rng.normal(size=(3, 1, 8)).astype(np.float32)
    one, other = (fit_layer_mix(h, y, task=task, tol=1e-7) for h in (layers, shifted))
    assert_allclose(other.weights, one.weights, atol=1e-4)
    assert_allclose(other.gamma, one.gamma, rtol=1e-3)


def test_targets_may_have_any_unit_and_origin(rng):
    layers, y = planted(rng, "regression", noise=0.5)
    one, other = (
        fit_layer_mix(layers, target, task="regression", tol=1e-7)
        for target in (y, y * [1e-3, 50.0] + [7.0, -1e4])
    )
    assert_allclose(other.weights, one.weights, atol=1e-5)


def test_the_names_of_the_classes_do_not_matter(rng):
    layers, y = planted(rng, "classification", noise=0.5)
    names = {"x": (2, "a"), "y": frozenset("b"), "z": 0.5}
    one = fit_layer_mix(layers, y, task="classification")
    other = fit_layer_mix(layers, [names[label] for label in y], task="classification")
    assert_array_equal(other.weights, one.weights)


@pytest.mark.parametrize("container", [list, pd.Series, pd.Categorical, np.array])
def test_labels_come_in_any_container(rng, container):
    layers, y = planted(rng, "classification", n_texts=60)
    one = fit_layer_mix(layers, y, task="classification")
    other = fit_layer_mix(layers, container(y.tolist()), task="classification")
    assert_array_equal(other.weights, one.weights)


@pytest.mark.parametrize("task", TASKS)
def test_a_column_is_one_target(rng, task):
    layers, y = planted(rng, task, n_texts=60)
    y = y if task == "classification" else y[:, 0]
    one = fit_layer_mix(layers, y, task=task)
    other = fit_layer_mix(layers, y[:, None], task=task)
    assert_array_equal(other.weights, one.weights)


@pytest.mark.parametrize("layer_norm", [False, True])
@pytest.mark.parametrize("task", TASKS)
def test_a_weight_of_k_is_k_times_the_text(rng, task, layer_norm):
    layers, y = planted(rng, task, noise=0.5, n_texts=100)
    counts = rng.integers(4, size=100)
    fit = {"task": task, "layer_norm": layer_norm, "tol": 1e-8}
    weighted = fit_layer_mix(layers, y, sample_weight=counts, **fit)
    repeated = fit_layer_mix(
        layers.repeat(counts, axis=1), y.repeat(counts, axis=0), **fit
    )
    assert_allclose(weighted.weights, repeated.weights, atol=1e-6)
    assert_allclose(weighted.gamma, repeated.gamma, rtol=1e-5)


@pytest.mark.parametrize("task", TASKS)
def test_weights_of_one_change_no_bit(rng, task):
    layers, y = planted(rng, task, noise=0.5, n_texts=100)
    weighted = fit_layer_mix(layers, y, task=task, sample_weight=[1] * 100)
    assert_array_equal(weighted.weights, fit_layer_mix(layers, y, task=task).weights)


@pytest.mark.parametrize("task", TASKS)
def test_a_text_of_weight_zero_may_lack_its_target(rng, task):
    layers, y = planted(rng, task, noise=0.5, n_texts=100)
    lacking = y.astype(object)
    lacking[3] = np.nan
    weight = np.ones(100)
    weight[3] = 0.0
    mix = fit_layer_mix(layers, lacking, task=task, sample_weight=weight)
    kept = weight > 0
    without = fit_layer_mix(layers[:, kept], y[kept], task=task)
    assert_allclose(mix.weights, without.weights, atol=1e-6)


@pytest.mark.parametrize("task", TASKS)
def test_a_single_layer_has_weight_one(rng, task):
    layers, y = planted(rng, task, n_texts=50)
    assert fit_layer_mix(layers[:1], y, task=task).weights.tolist() == [1.0]


@pytest.mark.parametrize("layer_norm", [False, True])
@pytest.mark.parametrize("value", [0.0, 0.1, 1e6])
@pytest.mark.parametrize("task", TASKS)
def test_layers_that_are_constant_are_weighed_alike(rng, task, value, layer_norm):
    _, y = planted(rng, task, n_texts=50)
    layers = np.full((3, 50, 4), value, np.float32)
    mix = fit_layer_mix(layers, y, task=task, layer_norm=layer_norm)
    assert_allclose(mix.weights, 1 / 3, atol=1e-6)
    assert_allclose(mix.gamma, np.sqrt(10.0), rtol=1e-6)
    assert_allclose(mix.scales, 1.0)


@pytest.mark.parametrize("layer_norm", [False, True])
@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("n_layers", [2, 3])
def test_layers_that_cancel_each_other_do_no_harm(rng, task, layer_norm, n_layers):
    layers, y = planted(rng, task, n_texts=100)
    layers = np.array([layers[0], -layers[0], layers[1]])[:n_layers]
    mix = fit_layer_mix(layers, y, task=task, layer_norm=layer_norm)
    assert_allclose(mix.weights.sum(), 1.0)
    assert np.isfinite(mix_layers(layers, "learned", mix=mix)).all()


@pytest.mark.parametrize("layer_norm", [False, True])
@pytest.mark.parametrize("task", TASKS)
def test_constant_features_and_layers_beside_others_do_no_harm(rng, task, layer_norm):
    layers, y = planted(rng, task, n_texts=200)
    layers[1], layers[:, :, 0] = np.float32(0.1), np.float32(-7.3)
    mix = fit_layer_mix(layers, y, task=task, layer_norm=layer_norm)
    assert mix.converged
    assert mix.weights.argmax() == 0
    assert np.isfinite(mix_layers(layers, "learned", mix=mix)).all()


def test_a_target_that_is_constant_teaches_nothing(rng):
    layers, y = planted(rng, "regression", noise=0.5)
    with_constant = np.column_stack([y, np.full(len(y), 0.1)])
    one, other = (
        fit_layer_mix(layers, target, task="regression", tol=1e-7)
        for target in (y, with_constant)
    )
    assert_allclose(other.weights, one.weights, atol=1e-5)


def test_every_text_may_be_a_class_of_its_own(rng):
    layers = rng.normal(size=(3, 4, 6)).astype(np.float32)
    mix = fit_layer_mix(layers, list("abcd"), task="classification")
    assert np.isfinite(mix.weights).all()


@pytest.mark.parametrize("task", TASKS)
def test_the_mix_predicts_new_texts_as_well_as_the_best_layer(rng, task):
    layers, y = planted(rng, task, noise=0.5, weights=(0.5, 0.1, 0.4), n_texts=1000)
    train, test = slice(0, 500), slice(500, None)
    mix = fit_layer_mix(layers[:, train], y[train], task=task)
    probe = LogisticRegression() if task == "classification" else Ridge()

    def score(features):
        return probe.fit(features[train], y[train]).score(features[test], y[test])

    mixed = score(mix_layers(layers, "learned", mix=mix))
    assert mixed > max(score(layer) for layer in layers) + 0.05
    assert mixed > score(mix_layers(layers, "mean"))


@pytest.mark.parametrize("task", TASKS)
def test_the_mix_finds_the_only_layer_that_says_something(rng, task):
    layers, y = planted(rng, task, noise=0.2, weights=(0.0, 0.0, 1.0, 0.0, 0.0))
    assert fit_layer_mix(layers, y, task=task).weights[2] > 0.85


def test_a_stronger_penalty_draws_the_weights_together(rng):
    layers, y = planted(rng, "regression", noise=0.3)
    spreads = [
        np.ptp(fit_layer_mix(layers, y, task="regression", mix_penalty=p).weights)
        for p in (1e-3, 0.1, 10.0, 1e3)
    ]
    assert spreads == sorted(spreads, reverse=True)
    assert spreads[-1] < 0.01


def test_too_few_steps_are_reported(rng):
    layers, y = planted(rng, "classification")
    mix = fit_layer_mix(layers, y, task="classification", max_iter=2)
    assert (mix.n_iter, mix.converged) == (2, False)


def test_features_may_be_in_read_only_memory(rng):
    layers, y = planted(rng, "classification", n_texts=60)
    before = layers.copy()
    layers.flags.writeable = False
    fit_layer_mix(layers, y, task="classification", layer_norm=True)
    assert_array_equal(layers, before)
