"""Fit the weights of a mix of layers to what is to be predicted."""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import softmax
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from skembed.features._layers import LayerFeatures, LayerMix, check_layers
from skembed.features._mix_objective import Problem, blocks_of, objective
from skembed.features._mix_targets import check_targets

Float32Array = npt.NDArray[np.float32]
Float64Array = npt.NDArray[np.float64]

# Keeps the length of a mix from 0 where layers cancel each other.
_TINY = 1e-9


def fit_layer_mix(
    features: LayerFeatures,
    y: Any,
    *,
    task: str,
    C: float = 10.0,
    mix_penalty: float = 1e-3,
    layer_norm: bool = False,
    max_iter: int = 500,
    tol: float = 1e-4,
    sample_weight: Any = None,
) -> LayerMix:
    r"""Learn how to weigh layers for a task, together with a linear probe.

    The probe is a multinomial logistic regression or, for numbers, a ridge regression,
    on the mixed features; it is thrown away.

    Parameters
    ----------
    features : sequence of ndarray of shape (n_texts, n_features), float32
        One matrix for each layer, or an array of shape (n_layers, n_texts, n_features).
    y : array-like of shape (n_texts,) or (n_texts, n_targets)
        A label for each text, any hashable; or numbers, several for each text if there
        are several targets.
    task : {"classification", "regression"}
        What `y` is.
    C : float, default=10.0
        Inverse strength of the probe's penalty, for features of unit length: as the
        ``C`` of scikit-learn's ``LogisticRegression``, and 1 / ``alpha`` of ``Ridge``.
    mix_penalty : float, default=1e-3
        Strength of the pull towards equal weights, in units of the mean loss. The
        default is that of the paper [1]_.
    layer_norm : bool, default=False
        Whether to bring each layer to the same scale first. Then the weights can be
        compared, however large the numbers of a layer are.
    max_iter : int, default=500
        The most steps of the optimizer.
    tol : float, default=1e-4
        The optimizer stops once no derivative of the objective is larger.
    sample_weight : array-like of shape (n_texts,) or None, default=None
        Weights of the texts; those of weight 0 are left out. None weighs all alike.

    Returns
    -------
    mix : LayerMix
        For `mix_layers`. The same input gives the same bits, whatever the number of
        threads: it runs in one.

    Raises
    ------
    ValueError
        If there is nothing to learn from: no texts, a single class, missing or
        infinite values; if lengths or widths differ; for another task; or if `C` is
        not positive, or `mix_penalty` negative.
    TypeError
        If a label is not hashable.

    Notes
    -----
    With :math:`h_{ij}` the features of text i at layer j less their mean over the
    texts, which only changes intercepts, and :math:`c_j` 1 or, with `layer_norm`, the
    root mean square over the texts of the length of :math:`h_{ij}`, the mix is

    .. math:: m_i(s) = \sum_j w_j h_{ij} / c_j, \qquad w = \operatorname{softmax}(s),

    its length :math:`\sigma(s)` the root mean square of the lengths of the
    :math:`m_i(s)`, and what is minimized over s and the probe (V, b)

    .. math::

        \frac{1}{\sum_i \omega_i} \left( \sum_i \omega_i
        \ell\bigl(y_i, V^T m_i(s) / \sigma(s) + b\bigr)
        + \frac{\lVert V \rVert^2}{2C} \right) + \lambda \lVert s \rVert^2

    with :math:`\ell` the cross entropy or half the squared error of the standardized
    targets, and :math:`\lambda` the `mix_penalty`.

    The paper learns gamma with the weights, but a factor can move freely between gamma
    and V: under a penalty of V, gamma would only grow until the penalty is gone, and
    without gamma the weights would go to whichever layer has the largest numbers. So
    gamma follows from the weights, :math:`\gamma = \sqrt{C} / \sigma(s)`. With it,
    scikit-learn's ``LogisticRegression()`` and ``Ridge()`` of default penalty, fitted
    to the mixed features, are the probe; larger `C` means larger features.

    Neither the weights nor the mixed features depend on the unit of the features or the
    targets, nor do the weights on what is added to them; with `layer_norm` each layer
    may have a unit of its own.

    The objective is not convex. The optimizer, L-BFGS in float64, starts at equal
    weights and a probe of zeros.

    References
    ----------
    .. [1] M. Peters et al., "Deep Contextualized Word Representations", NAACL 2018.

    Examples
    --------
    The first layer tells the classes apart, the second is noise:

    >>> rng = np.random.default_rng(0)
    >>> layers = rng.normal(size=(2, 100, 3)).astype(np.float32)
    >>> layers[0, 50:] += 2
    >>> mix = fit_layer_mix(layers, [0] * 50 + [1] * 50, task="classification")
    >>> mix.weights.round(1)
    array([1., 0.])
    """
    if not (C > 0 and mix_penalty >= 0):
        msg = (
            f"C must be positive and mix_penalty not negative, got {C!r} and "
            f"{mix_penalty!r}."
        )
        raise ValueError(msg)
    layers = _check_features(features)
    weight = _check_weight(sample_weight, len(layers[0]))
    # Sums of several threads round differently for each number of threads.
    with threadpool_limits(1, user_api="blas"):
        targets, loss = check_targets(y, task, weight)
        if not weight.all():
            layers = [layer[weight > 0] for layer in layers]
            targets, weight = targets[weight > 0], weight[weight > 0]
        share = weight / weight.sum()
        centers = _centers(layers, share)
        scales, gram = _scales_and_gram(layers, centers, share, layer_norm=layer_norm)
        problem = Problem(
            layers=layers,
            centers=centers,
            scales=scales,
            gram=gram,
            targets=targets,
            sample_weight=share,
            loss=loss,
            probe_penalty=1 / (C * weight.sum()),
            mix_penalty=mix_penalty,
        )
        s, steps = _minimize(problem, max_iter=max_iter, tol=tol)
        weights = softmax(s)
        gamma = float(np.sqrt(C / (weights @ gram @ weights)))
    return LayerMix(weights, gamma, scales, **steps)


def _minimize(
    problem: Problem, *, max_iter: int, tol: float
) -> tuple[Float64Array, dict[str, Any]]:
    """Return s, and what a `LayerMix` tells of the way there."""
    n_layers, n_features = problem.centers.shape
    found = minimize(
        objective,
        np.zeros(n_layers + (n_features + 1) * problem.targets.shape[1]),
        args=(problem,),
        jac=True,
        method="L-BFGS-B",
        # Steps stop at the gradient, or where rounding hides what they gain.
        options={"maxiter": max_iter, "gtol": tol, "ftol": 64 * np.finfo(float).eps},
    )
    steps = {
        "loss": float(found.fun),
        "n_iter": int(found.nit),
        "converged": bool(found.success),
    }
    return found.x[:n_layers], steps


def _check_features(features: LayerFeatures) -> list[Float32Array]:
    layers = check_layers(features, "learned")
    if 0 in np.shape(layers[0]):
        msg = f"features must hold texts and features, got shape {layers[0].shape}."
        raise ValueError(msg)
    for number, layer in enumerate(layers):
        bad = ~np.isfinite(layer).all(axis=1)
        if bad.any():
            msg = (
                f"features must be finite to learn a mix, but those of text "
                f"{int(bad.argmax())} hold NaN or infinity at layer {number} of those "
                "given."
            )
            raise ValueError(msg)
    return layers


def _check_weight(sample_weight: Any, n_texts: int) -> Float64Array:
    if sample_weight is None:
        return np.ones(n_texts)
    weight = np.asarray(sample_weight, dtype=np.float64)
    if weight.shape != (n_texts,):
        msg = (
            f"sample_weight must hold one number for each of the {n_texts} texts, got "
            f"shape {weight.shape}."
        )
        raise ValueError(msg)
    if not np.isfinite(weight).all() or (weight < 0).any() or not weight.any():
        msg = "sample_weight must be finite, not negative, and not zero for all texts."
        raise ValueError(msg)
    return weight


def _centers(layers: list[Float32Array], share: Float64Array) -> Float64Array:
    """Return the mean of each feature; shape (n_layers, n_features)."""
    centers = np.zeros((len(layers), layers[0].shape[1]))
    for rows, block in blocks_of(layers, np.zeros_like(centers)):
        centers += share[rows] @ block.reshape(len(layers), -1, centers.shape[1])
    return centers


def _scales_and_gram(
    layers: list[Float32Array],
    centers: Float64Array,
    share: Float64Array,
    *,
    layer_norm: bool,
) -> tuple[Float64Array, Float64Array]:
    """Return what to divide layers by, and the `gram` of a problem."""
    n_layers, n_features = centers.shape
    gram = np.zeros((n_layers, n_layers))
    for rows, block in blocks_of(layers, centers):
        weighted = block.reshape(n_layers, -1, n_features) * share[rows, np.newaxis]
        gram += weighted.reshape(n_layers, -1) @ block.T
    # What varies less than float32 can tell does not vary.
    eps = np.finfo(np.float32).eps
    constant = np.diag(gram) <= eps**2 * (centers**2).sum(axis=1)
    scales = np.ones(n_layers)
    if layer_norm:
        scales = np.sqrt(np.where(constant, 1.0, np.diag(gram)))
        gram /= np.outer(scales, scales)
    if constant.all():
        # The mix is of length 0: let dividing by its length change nothing.
        gram[:] = 1.0
    return scales, gram + _TINY * np.diag(np.diag(gram))
