"""The softmax over a sample is, in the mean, the softmax over all words."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from skembed.training.bilm._negatives import LogUniform
from skembed.training.bilm._torch_softmax import (
    Candidates,
    choose_candidates,
    mean_loss,
)
from tests.reference.bilm import log_softmax, log_uniform_share, sampled_loss


def test_shares_are_those_of_tensorflows_sampler():
    expected = log_uniform_share(np.arange(50), 50)
    assert_allclose(LogUniform(50).probabilities, expected, rtol=1e-12)
    assert_allclose(expected.sum(), 1.0)


def test_classes_are_drawn_as_often_as_expected():
    distribution, rng = LogUniform(60), np.random.default_rng(0)
    n_drawn, expected = np.zeros(60), np.zeros(60)
    for _ in range(4000):
        drawn, n_tries = distribution.draw_distinct(20, rng)
        assert len(set(drawn.tolist())) == 20
        n_drawn[drawn] += 1
        expected += np.exp(distribution.log_expected_count(n_tries))
    assert_allclose(n_drawn.sum(), 4000 * 20)
    assert_allclose(n_drawn, expected, rtol=0.12)


def test_the_number_of_tries_is_that_up_to_the_last_class():
    rng = np.random.default_rng(0)
    assert LogUniform(3).draw_distinct(1, rng)[1] == 1
    tries = [LogUniform(3).draw_distinct(2, rng)[1] for _ in range(4000)]
    p = LogUniform(3).probabilities
    # After the first class, the next other one comes after 1 / (1 - p) tries.
    assert_allclose(np.mean(tries), 1 + (p / (1 - p)).sum(), rtol=0.03)


def test_the_loss_is_that_of_the_formula(rng):
    states, table = rng.normal(size=(7, 4)), rng.normal(size=(30, 5))
    targets = np.array([0, 3, 3, 8, 29, 1, 0])
    chosen = choose_candidates(targets, 30, 12, rng)
    noise = chosen.rows[chosen.noise]
    expected = np.ones(30)
    expected[chosen.rows] = np.exp(chosen.log_counts)
    losses = [
        sampled_loss(state, table[:, :4], table[:, 4], target, noise, expected)
        for state, target in zip(states, targets, strict=True)
    ]
    # Some targets are drawn, and some are not.
    assert 0 < np.isin(targets, noise).sum() < len(targets)
    assert_array_equal(chosen.rows[chosen.targets], targets)
    used = torch.from_numpy(table[chosen.rows])
    found = mean_loss(torch.from_numpy(states), used, chosen)
    assert_allclose(found.item(), np.mean(losses), rtol=1e-6)


@pytest.mark.parametrize("n_negatives", [None, 6])
def test_the_gradient_is_that_of_the_loss(rng, n_negatives):
    targets = np.array([0, 3, 8, 2])
    chosen = choose_candidates(targets, 10, n_negatives, rng)
    tensors = [
        torch.from_numpy(rng.normal(size=shape)).requires_grad_()
        for shape in ((4, 3), (len(chosen.rows), 4))
    ]
    # All words are taken in float32.
    tolerance = {"atol": 1e-3, "eps": 1e-3} if n_negatives is None else {}
    assert torch.autograd.gradcheck(
        lambda states, used: mean_loss(states, used, chosen), tensors, **tolerance
    )


def test_sums_over_samples_are_in_the_mean_those_over_all_words(rng):
    logits = rng.normal(size=40)
    distribution, sums = LogUniform(40), []
    for _ in range(5000):
        drawn, n_tries = distribution.draw_distinct(10, rng)
        log_counts = distribution.log_expected_count(n_tries)[drawn]
        sums.append(np.exp(logits[drawn] - log_counts).sum())
    assert_allclose(np.mean(sums), np.exp(logits).sum(), rtol=0.06)


@pytest.mark.parametrize("n_negatives", [None, 9, 10**6])
def test_all_words_are_taken_where_there_are_no_more(rng, n_negatives):
    chosen = choose_candidates(np.array([4, 4]), 9, n_negatives, rng)
    assert chosen.noise is None
    states, table = rng.normal(size=(2, 3)), rng.normal(size=(9, 4))
    found = mean_loss(torch.from_numpy(states), torch.from_numpy(table), chosen)
    logits = states @ table[:, :3].T + table[:, 3]
    expected = -np.mean([log_softmax(row)[4] for row in logits])
    assert_allclose(found.item(), expected, rtol=1e-6)


def test_a_sample_of_nothing_but_the_target_gives_no_loss():
    candidates = Candidates(
        np.array([2]), np.array([0]), np.array([0]), np.zeros(1, np.float32)
    )
    states = torch.ones(1, 3, requires_grad=True)
    loss = mean_loss(states, torch.ones(1, 4), candidates)
    loss.backward()
    assert loss.item() == 0.0
    assert_array_equal(states.grad, 0.0)
