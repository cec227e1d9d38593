"""The objective of the learned mix, and its gradient.

It is the mean loss of a linear probe (V, b) on the mixed features, brought to unit
length, plus penalties, over the weights softmax(s) and the probe. `fit_layer_mix` gives
the formula, and ``tests/reference/mixing.py`` spells it out.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp, softmax

Float32Array = npt.NDArray[np.float32]
Float64Array = npt.NDArray[np.float64]
# Scores and targets, both (n_texts, n_outputs), to losses and their gradient by scores.
Loss = Callable[[Float64Array, Float64Array], tuple[Float64Array, Float64Array]]

# How many numbers of all layers are worked on at a time: what fits into a cache.
_BLOCK = 2**18


@dataclass(frozen=True)
class Problem:
    """What the objective is made of, besides the parameters to be found.

    Parameters
    ----------
    layers : list of ndarray of shape (n_texts, n_features), float32
    centers : ndarray of shape (n_layers, n_features), float64
        The mean of each feature.
    scales : ndarray of shape (n_layers,), float64
        What each layer is divided by.
    gram : ndarray of shape (n_layers, n_layers), float64
        The mean over texts of the inner product of their features at two layers, both
        centered and divided by the scales. Positive definite.
    targets : ndarray of shape (n_texts, n_outputs), float64
        A one for the class of each text, or the standardized targets.
    sample_weight : ndarray of shape (n_texts,), float64
        Their sum is 1.
    loss : callable
        `cross_entropy` or `squared_error`.
    probe_penalty : float
        1 / (C times the sum of the weights as they were given).
    mix_penalty : float
    """

    layers: list[Float32Array]
    centers: Float64Array
    scales: Float64Array
    gram: Float64Array
    targets: Float64Array
    sample_weight: Float64Array
    loss: Loss
    probe_penalty: float
    mix_penalty: float


def objective(theta: Float64Array, problem: Problem) -> tuple[float, Float64Array]:
    """Return the objective and its gradient.

    Parameters
    ----------
    theta : ndarray of shape (n_layers + (n_features + 1) * n_outputs,), float64
        s, V row by row, b.
    problem : Problem

    Returns
    -------
    value : float
    gradient : ndarray of the shape of `theta`, float64
    """
    n_layers, n_features = problem.centers.shape
    s, probe = theta[:n_layers], theta[n_layers:].reshape(n_features + 1, -1)
    w, V, b = softmax(s), probe[:-1], probe[-1]
    gram_w = problem.gram @ w
    length = np.sqrt(w @ gram_w)
    value = problem.probe_penalty / 2 * (V * V).sum() + problem.mix_penalty * (s @ s)
    # By the coefficients w / length, by V, and by b.
    d_c, d_V, d_b = np.zeros_like(w), problem.probe_penalty * V, np.zeros_like(b)
    for rows, block in blocks_of(problem.layers, problem.centers):
        mixed = ((w / length / problem.scales) @ block).reshape(-1, n_features)
        losses, error = problem.loss(mixed @ V + b, problem.targets[rows])
        share = problem.sample_weight[rows]
        value += share @ losses
        error *= share[:, np.newaxis]
        d_V += mixed.T @ error
        d_b += error.sum(axis=0)
        d_c += block @ (error @ V.T).ravel()
    d_c /= problem.scales
    d_w = d_c / length - (d_c @ w) * gram_w / length**3
    # A factor of all w changes nothing, so that w @ d_w is 0 in the softmax's gradient.
    d_s = w * d_w + 2 * problem.mix_penalty * s
    return float(value), np.concatenate([d_s, d_V.ravel(), d_b])


def blocks_of(
    layers: list[Float32Array], centers: Float64Array
) -> Iterator[tuple[slice, Float64Array]]:
    """Go through the texts, some at a time.

    Parameters
    ----------
    layers : list of ndarray of shape (n_texts, n_features), float32
    centers : ndarray of shape (n_layers, n_features), float64

    Yields
    ------
    rows : slice
        Which texts.
    block : ndarray of shape (n_layers, n_block_texts * n_features), float64
        Their features, centered. Overwritten by the next block.
    """
    n_layers, n_features = centers.shape
    n_texts = len(layers[0])
    size = min(n_texts, max(1, _BLOCK // (n_layers * n_features)))
    space = np.empty(n_layers * size * n_features)
    for start in range(0, n_texts, size):
        rows = slice(start, min(start + size, n_texts))
        shape = (n_layers, rows.stop - start, n_features)
        block = space[: np.prod(shape)].reshape(shape)
        for layer, center, out in zip(layers, centers, block, strict=True):
            np.subtract(layer[rows], center, out=out)
        yield rows, block.reshape(n_layers, -1)


def cross_entropy(
    scores: Float64Array, targets: Float64Array
) -> tuple[Float64Array, Float64Array]:
    """Return -log softmax at the class of each text, and its gradient by the scores."""
    log_p = scores - logsumexp(scores, axis=1, keepdims=True)
    return -(log_p * targets).sum(axis=1), np.exp(log_p) - targets


def squared_error(
    scores: Float64Array, targets: Float64Array
) -> tuple[Float64Array, Float64Array]:
    """Return half the squared distance of each text, and its gradient by the scores."""
    error = scores - targets
    return (error * error).sum(axis=1) / 2, error
