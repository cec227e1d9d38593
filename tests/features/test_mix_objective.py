import numpy as np
import pytest
from numpy.testing import assert_allclose

from skembed.features import _learned_mix, _mix_objective, fit_layer_mix
from skembed.features._mix_objective import (
    Problem,
    cross_entropy,
    objective,
    squared_error,
)
from tests.reference import mixing as reference

TASKS = ("classification", "regression")


def problem_of(rng, task, *, n_texts=23, n_outputs=4):
    layers = [rng.normal(size=(n_texts, 5)).astype(np.float32) for _ in range(3)]
    weight = rng.uniform(size=n_texts)
    targets = rng.normal(size=(n_texts, n_outputs))
    if task == "classification":
        targets = np.eye(n_outputs)[rng.integers(n_outputs, size=n_texts)]
    root = rng.normal(size=(3, 3))
    return Problem(
        layers=layers,
        centers=np.array([layer.mean(axis=0, dtype=np.float64) for layer in layers]),
        scales=rng.uniform(0.5, 2.0, size=3),
        gram=root @ root.T + np.eye(3),
        targets=targets,
        sample_weight=weight / weight.sum(),
        loss=cross_entropy if task == "classification" else squared_error,
        probe_penalty=0.3,
        mix_penalty=0.2,
    )


def theta_of(rng, n_layers=3, n_features=5, n_outputs=4):
    return rng.normal(size=n_layers + (n_features + 1) * n_outputs)


@pytest.mark.parametrize("task", TASKS)
def test_the_gradient_is_that_of_the_objective(rng, task):
    problem, theta = problem_of(rng, task), theta_of(rng)
    _, gradient = objective(theta, problem)
    numerical = np.empty_like(theta)
    for k in range(len(theta)):
        step = np.zeros_like(theta)
        step[k] = 1e-6
        high, low = (objective(theta + sign * step, problem)[0] for sign in (1, -1))
        numerical[k] = (high - low) / 2e-6
    assert_allclose(gradient, numerical, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("task", TASKS)
def test_the_objective_is_that_of_the_reference(rng, task, monkeypatch):
    # What the optimizer is handed is the objective that a fit minimizes.
    handed = []
    monkeypatch.setattr(
        _learned_mix, "objective", lambda *args: handed.append(args) or objective(*args)
    )
    layers = rng.normal(size=(3, 40, 5)).astype(np.float32) + np.float32(2)
    y = rng.integers(4, size=40) if task == "classification" else rng.normal(size=40)
    fit_layer_mix(layers, y, task=task, C=0.7, mix_penalty=0.2, max_iter=1)
    problem = handed[0][1]
    theta = theta_of(rng, n_outputs=problem.targets.shape[1])
    V, b = np.split(theta[3:].reshape(6, -1), [5])
    if task == "classification":
        y = problem.targets.argmax(axis=1)
    else:
        y = ((y - y.mean()) / y.std())[:, np.newaxis]
    expected = reference.objective(
        layers, y, theta[:3], V, b, task=task, C=0.7, mix_penalty=0.2
    )
    assert_allclose(objective(theta, problem)[0], expected, rtol=1e-7)


@pytest.mark.parametrize("task", TASKS)
def test_the_objective_does_not_depend_on_the_blocks(rng, task, monkeypatch):
    problem, theta = problem_of(rng, task), theta_of(rng)
    value, gradient = objective(theta, problem)
    for numbers in (1, 3 * 5 * 4, 3 * 5 * 22):
        monkeypatch.setattr(_mix_objective, "_BLOCK", numbers)
        other_value, other_gradient = objective(theta, problem)
        assert_allclose(other_value, value, rtol=1e-12)
        assert_allclose(other_gradient, gradient, rtol=1e-10, atol=1e-12)
