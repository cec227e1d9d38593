import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from skembed.features import (
    STATE_POOLINGS,
    STATISTICS,
    needed_statistics,
    pool_states,
    state_poolings,
)
from skembed.features._torch import TokenStatistics, parts_of, segments_of


@pytest.fixture
def rng():
    return np.random.default_rng(9)


def statistics_of(rows, counts):
    """Compute what is kept of one window, slowly."""
    counted = rows[counts].astype(np.float64)
    if not len(counted):
        return {"mean": np.zeros(rows.shape[1]), "cls": rows[0]}
    return {
        "mean": counted.sum(axis=0),
        "max": counted.max(axis=0),
        "min": counted.min(axis=0),
        "first": counted[0],
        "last": counted[-1],
        "cls": rows[0],
    }


@pytest.mark.parametrize("all_count", [True, False])
def test_statistics_are_those_of_each_window_alone(rng, all_count):
    lengths = rng.integers(1, 9, size=20)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    states = rng.normal(size=(offsets[-1], 5)).astype(np.float32)
    counts = rng.random(offsets[-1]) < (2.0 if all_count else 0.5)
    statistics = TokenStatistics(offsets, counts, torch.device("cpu"))
    found = statistics.of(torch.from_numpy(states), STATISTICS)
    for i in range(len(lengths)):
        part = slice(offsets[i], offsets[i + 1])
        expected = statistics_of(states[part], counts[part])
        for name, value in expected.items():
            assert_allclose(found[name][i].numpy(), value, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("reduce", [parts_of, segments_of])
def test_windows_without_tokens_change_nothing(rng, reduce):
    lengths, states = [2, 0, 3, 0], rng.normal(size=(5, 4)).astype(np.float32)
    start = {"mean": 0.0, "max": -np.inf, "min": np.inf}
    for name, value in start.items():
        found = reduce(name, torch.from_numpy(states), torch.tensor(lengths)).numpy()
        add = {"mean": np.sum, "max": np.max, "min": np.min}[name]
        expected = [add(states[:2], axis=0), add(states[2:], axis=0)]
        assert_allclose(found[[0, 2]], expected, rtol=1e-6, atol=1e-6)
        assert_array_equal(found[[1, 3]], value)


def test_statistics_of_other_numbers_are_float32():
    statistics = TokenStatistics(
        np.array([0, 2]), np.array([True, True]), torch.device("cpu")
    )
    states = torch.tensor([[1.0], [2.0]], dtype=torch.bfloat16)
    found = statistics.of(states, STATISTICS)
    assert {value.dtype for value in found.values()} == {torch.float32}


def test_no_token_of_a_batch_need_count():
    statistics = TokenStatistics(
        np.array([0, 1, 2]), np.array([False, False]), torch.device("cpu")
    )
    found = statistics.of(torch.tensor([[1.0], [2.0]]), STATISTICS)
    assert_array_equal(found["mean"], [[0.0], [0.0]])
    assert_array_equal(found["cls"], [[1.0], [2.0]])


def test_poolings_are_made_of_what_they_need(rng):
    arrays = {f"{name}.2": rng.normal(size=(3, 4)) for name in STATISTICS}
    n_tokens = np.array([[4.0], [9.0], [0.0]])
    for pooling in STATE_POOLINGS:
        needed = {
            f"{name}.2": arrays[f"{name}.2"] for name in needed_statistics([pooling])
        }
        pool_states({**needed, "n_tokens": n_tokens}, pooling, 2)
    both = pool_states(arrays, "first_last", 2)
    assert_array_equal(both, np.hstack([arrays["first.2"], arrays["last.2"]]))
    scaled = pool_states({**arrays, "n_tokens": n_tokens}, "mean_sqrt_len", 2)
    assert_allclose(scaled, arrays["mean.2"] * [[2.0], [3.0], [0.0]])


@pytest.mark.parametrize("pooling", ["sum", (), ("mean", "sum"), 3, {"mean"}])
def test_unknown_poolings_are_refused(pooling):
    with pytest.raises(ValueError, match="pooling must be one or several of"):
        state_poolings(pooling)
