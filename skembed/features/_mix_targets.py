"""What a probe is to predict, as numbers."""

from typing import Any

import numpy as np
import numpy.typing as npt

from skembed.features._mix_objective import Loss, cross_entropy, squared_error

Float64Array = npt.NDArray[np.float64]

TASKS = ("classification", "regression")
"""What `fit_layer_mix` can be told that `y` is."""


def check_targets(y: Any, task: str, weight: Float64Array) -> tuple[Float64Array, Loss]:
    """Return `y` as numbers, and the loss that a probe of them has.

    Parameters
    ----------
    y : array-like of shape (n_texts,) or (n_texts, n_targets)
    task : {"classification", "regression"}
    weight : ndarray of shape (n_texts,), float64
        What is said of a text of weight 0 is not looked at.

    Returns
    -------
    targets : ndarray of shape (n_texts, n_outputs), float64
        A one for the class of each text, or the targets at mean 0 and variance 1.
    loss : callable
        `cross_entropy` or `squared_error`.

    Raises
    ------
    ValueError
        If `y` is missing or has missing values, or there is nothing to learn.
    TypeError
        If a label is not hashable.
    """
    if task not in TASKS:
        msg = f"task must be one of {TASKS}, got {task!r}."
        raise ValueError(msg)
    if y is None:
        msg = "mixing='learned' fits its weights to y: pass y, or use another mixing."
        raise ValueError(msg)
    # Tuples are labels, too: only what is no list of them becomes an array.
    values = y if isinstance(y, (list, tuple)) else np.asarray(y)
    if len(values) != len(weight):
        msg = (
            f"y must hold one value for each of {len(weight)} texts, got {len(values)}."
        )
        raise ValueError(msg)
    if task == "classification":
        return _indicators(values, weight), cross_entropy
    return _standardized(values, weight), squared_error


def _indicators(y: Any, weight: Float64Array) -> Float64Array:
    """Mark the class of each text; shape (n_texts, n_classes)."""
    if isinstance(y, np.ndarray):
        y = y.ravel().tolist() if y.shape == (len(y), 1) else y.tolist()
    codes: dict[Any, int] = {}
    kept = np.flatnonzero(weight)
    for i in kept:
        label = y[i]
        try:
            codes.setdefault(label, len(codes))
        except TypeError as error:
            msg = f"y must hold one label for each text, got y[{i}] = {label!r}."
            raise TypeError(msg) from error
        if _is_missing(label):
            msg = f"y must hold no missing labels, got y[{i}] = {label!r}."
            raise ValueError(msg)
    if len(codes) < 2:
        msg = (
            "y must hold at least two classes to learn a mix for, got only "
            f"{next(iter(codes))!r}."
        )
        raise ValueError(msg)
    indicators = np.zeros((len(y), len(codes)))
    indicators[kept, [codes[y[i]] for i in kept]] = 1.0
    return indicators


def _is_missing(label: Any) -> bool:
    if label is None:
        return True
    try:
        # NaN differs from itself.
        return not bool(label == label)
    except TypeError:
        # pandas' NA does not say.
        return True


def _standardized(y: Any, weight: Float64Array) -> Float64Array:
    """Bring each target to mean 0 and variance 1; shape (n_texts, n_targets)."""
    try:
        targets = np.array(y, dtype=np.float64)
    except (TypeError, ValueError) as error:
        msg = f"y must hold numbers for task='regression': {error}"
        raise ValueError(msg) from error
    if targets.ndim == 1:
        targets = targets[:, np.newaxis]
    if targets.ndim != 2 or 0 in targets.shape:
        msg = (
            "y must be numbers of shape (n_texts,) or (n_texts, n_targets), got shape "
            f"{targets.shape}."
        )
        raise ValueError(msg)
    share = weight / weight.sum()
    targets[share == 0] = 0.0
    bad = ~np.isfinite(targets).all(axis=1)
    if bad.any():
        first = int(bad.argmax())
        msg = f"y must be finite, got y[{first}] = {y[first]!r}."
        raise ValueError(msg)
    mean = share @ targets
    targets -= mean
    spread = np.sqrt(share @ targets**2)
    # A target that is constant is all rounding.
    constant = spread <= 1e-12 * np.abs(mean)
    targets /= np.where(constant, 1.0, spread)
    return targets
