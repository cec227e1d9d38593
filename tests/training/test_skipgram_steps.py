"""The steps of the compiled cores follow the gradients of the published losses."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import expit

from skembed._kernels.compiling import compiled
from skembed.training._aligned import aligned_zeros
from skembed.training._kernels import errors_and_loss
from skembed.training.skipgram._kernels import hierarchical, softmax
from skembed.training.skipgram._kernels.step import TILE, tile_step
from skembed.training.skipgram._tables import padded_table
from tests.reference.skipgram import (
    hierarchical_softmax_loss,
    negative_sampling_loss,
    numerical_gradient,
    softmax_loss,
)

N_WORDS, SIZE = 30, 20  # SIZE: one whole vector and a part of one
# Far from 0: an update of the wrong table first would show.
RATE = 0.5


@pytest.fixture
def tables(rng):
    """Hidden vectors and an output table, in float64 and as the kernels have them."""
    hidden = rng.normal(size=(TILE, SIZE))
    w_out = rng.normal(size=(N_WORDS, SIZE))
    fast_hidden = aligned_zeros(TILE, SIZE)
    fast_hidden[:, :SIZE] = hidden
    return hidden, w_out, fast_hidden, padded_table(N_WORDS, SIZE, w_out)


@compiled()
def path_step(hidden, gradient, w_out, nodes, word, n_steps, signs, rates, scores):
    return hierarchical.path_step(
        hidden, gradient, w_out, nodes, word, n_steps, signs, rates, scores
    )


@pytest.mark.parametrize("n_contexts", [[3, 1, 0, 2], [4, 5, 6, 1], [0, 0, 0, 0]])
@pytest.mark.parametrize("n_noise", [4, 16])
def test_a_tile_follows_the_gradient_of_negative_sampling(
    rng, tables, n_contexts, n_noise
):
    hidden, w_out, fast_hidden, fast_out = tables
    words = rng.permutation(N_WORDS).astype(np.int32)
    noise, words = words[:n_noise], words[n_noise:]
    # All contexts of a tile differ: repeated rows see one another's updates.
    contexts = np.split(words, np.cumsum(n_contexts))[:TILE]
    weight = rng.uniform(0.5, 2.0, size=TILE)

    def loss():
        return sum(
            weight[c]
            * negative_sampling_loss(
                hidden[c], w_out, contexts[c], noise, 5 * len(contexts[c]) / n_noise
            )
            for c in range(TILE)
        )

    d_hidden, d_out = numerical_gradient(loss, hidden, w_out)
    rows = np.zeros((TILE, 16), dtype=np.int32)
    rates = np.zeros((TILE, 16 + n_noise), dtype=np.float32)
    signs = np.ones_like(rates)
    signs[:, :16] = -1
    for c, own in enumerate(contexts):
        rows[c, : len(own)] = own
        rates[c, : len(own)] = RATE * weight[c]
        rates[c, 16:] = RATE * weight[c] * 5 * len(own) / n_noise
    gradient = np.zeros_like(fast_hidden)
    fast_loss = tile_step(
        fast_hidden, gradient, fast_out, rows, np.array(n_contexts, dtype=np.int32),
        noise, 0, n_noise, rates.ravel(), signs.ravel(), np.zeros(rates.size,
        np.float32),
    )  # fmt: skip
    assert_allclose(gradient[:, :SIZE], -RATE * d_hidden, rtol=1e-4, atol=2e-5)
    assert_allclose(fast_out[:-1, :SIZE], w_out - RATE * d_out, rtol=1e-4, atol=2e-5)
    assert_allclose(fast_loss / RATE, loss(), rtol=1e-5)
    assert_allclose(fast_out[:, SIZE:], 0.0)
    assert_allclose(fast_out[-1], 0.0)


def test_a_path_follows_the_gradient_of_hierarchical_softmax(rng, tables):
    hidden, w_out, fast_hidden, fast_out = tables
    hidden, n_steps = hidden[0], 6
    nodes = rng.permutation(N_WORDS)[:n_steps]
    turns = rng.integers(2, size=n_steps)

    def loss():
        return hierarchical_softmax_loss(hidden, w_out, nodes, turns)

    d_hidden, d_out = numerical_gradient(loss, hidden, w_out)
    rows = np.full((2, 8), N_WORDS, dtype=np.int32)
    rows[1, :n_steps] = nodes
    signs, rates = np.ones(8, np.float32), np.zeros(8, np.float32)
    signs[:n_steps] = 2 * turns - 1
    rates[:n_steps] = RATE
    gradient = np.zeros((1, fast_hidden.shape[1]), np.float32)
    fast_loss = path_step(
        fast_hidden[:1], gradient, fast_out, rows, 1, n_steps, signs, rates,
        np.zeros(8, np.float32),
    )  # fmt: skip
    assert_allclose(gradient[0, :SIZE], -RATE * d_hidden, rtol=1e-4, atol=2e-5)
    assert_allclose(fast_out[:-1, :SIZE], w_out - RATE * d_out, rtol=1e-4, atol=2e-5)
    assert_allclose(fast_loss / RATE, loss(), rtol=1e-5)


def test_a_step_follows_the_gradient_of_the_full_softmax(rng, tables):
    hidden, w_out, fast_hidden, fast_out = tables
    hidden = hidden[0]
    contexts = np.array([3, 7, 3, 0], dtype=np.int32)

    def loss():
        return softmax_loss(hidden, w_out, contexts)

    d_hidden, d_out = numerical_gradient(loss, hidden, w_out)
    rows = np.full((1, 32), N_WORDS, dtype=np.int32)
    rows[0, :N_WORDS] = np.arange(N_WORDS)
    gradient = np.zeros((1, fast_hidden.shape[1]), np.float32)
    fast_loss = softmax.softmax_step(
        fast_hidden[:1], gradient, fast_out, rows, contexts, 4, np.float32(RATE),
        np.zeros(32, np.float32),
    )  # fmt: skip
    assert_allclose(gradient[0, :SIZE], -RATE * d_hidden, rtol=1e-4, atol=2e-5)
    assert_allclose(fast_out[:-1, :SIZE], w_out - RATE * d_out, rtol=1e-4, atol=2e-5)
    assert_allclose(fast_loss, loss(), rtol=1e-5)


def test_sigmoid_and_loss_are_accurate_over_their_whole_range(rng):
    scores = np.concatenate([rng.uniform(-100, 100, 300), [0.0, -87.3, 88.7, 1e30]])
    scores = scores.astype(np.float32)
    for sign in (-1, 1):
        errors, ones = scores.copy(), np.ones_like(scores)
        losses = [
            errors_and_loss(scores[k : k + 1].copy(), sign * ones[:1], ones[:1])
            for k in range(len(scores))
        ]
        errors_and_loss(errors, sign * ones, ones)
        x = sign * scores.astype(np.float64)
        assert_allclose(errors, -sign * expit(x), atol=1e-6)
        assert_allclose(losses, np.logaddexp(0, x), rtol=1e-6, atol=2e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_score_that_is_not_finite_gives_a_loss_that_is_not(bad):
    scores = np.array([0.5, bad], dtype=np.float32)
    ones = np.ones(2, dtype=np.float32)
    assert not np.isfinite(errors_and_loss(scores, ones, ones))
