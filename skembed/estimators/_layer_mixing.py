"""Layers weighed and scored by what is to be predicted."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import check_cv, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.multiclass import type_of_target

from skembed.features import LayerMix, LayerScores, fit_layer_mix

Float32Array = npt.NDArray[np.float32]


def is_classes(y: Any) -> bool:
    """Whether targets are classes; else they are numbers.

    Examples
    --------
    >>> is_classes(["a", "b"]), is_classes([0.5, 1.25])
    (True, False)
    """
    return not str(type_of_target(y, input_name="y")).startswith("continuous")


def check_mix_targets(y: Any, n_documents: int) -> None:
    """Refuse, before a network runs, what no weights of layers can be learned from.

    Parameters
    ----------
    y : array-like of shape (n_documents,) or (n_documents, n_targets), or None
    n_documents : int

    Raises
    ------
    ValueError
        If there are no documents, or not one target for each of them.

    Examples
    --------
    >>> check_mix_targets(["a", "b"], n_documents=2)
    """
    if n_documents == 0:
        msg = (
            "mixing='learned' learns the weights of the layers from documents, but X "
            "holds none."
        )
        raise ValueError(msg)
    shape = np.shape(y)
    if shape[:1] != (n_documents,):
        got = "none" if y is None else f"an array of shape {shape}"
        msg = (
            "mixing='learned' learns the weights of the layers from y: pass one value "
            f"of it for each of the {n_documents} documents to fit, got {got}; or set "
            "mixing='mean'."
        )
        raise ValueError(msg)


def fit_mix(
    blocks: Sequence[Float32Array],
    y: Any,
    *,
    penalty: float,
    layer_norm: bool,
    sample_weight: Any,
) -> LayerMix:
    """Learn the weights of layers from targets.

    Parameters
    ----------
    blocks : sequence of ndarray of shape (n_documents, n_features), float32
        The features of each layer.
    y : array-like of shape (n_documents,) or (n_documents, n_targets)
    penalty : float
        Strength of the penalty of the linear model.
    layer_norm : bool
        Whether to bring the layers to one scale first.
    sample_weight : array-like of shape (n_documents,) or None

    Returns
    -------
    mix : LayerMix

    Raises
    ------
    ValueError
        If nothing can be learned from y.
    """
    task = "classification" if is_classes(y) else "regression"
    mix = fit_layer_mix(
        blocks,
        np.asarray(y),
        task=task,
        C=1 / penalty,
        layer_norm=layer_norm,
        sample_weight=sample_weight,
        # Stopped earlier, flat objectives keep what rounding made of the features.
        max_iter=1000,
        tol=1e-6,
    )
    if not mix.converged:
        msg = (
            f"The weights of the layers have not converged in {mix.n_iter} steps. "
            "Raise mixing_penalty, or choose fewer layers."
        )
        warnings.warn(msg, ConvergenceWarning, stacklevel=5)
    return mix


def score_layers(
    layers: tuple[int, ...],
    blocks: Sequence[Float32Array],
    y: Any,
    *,
    cv: Any,
    scoring: Any,
    classifier: Any,
) -> LayerScores:
    """Cross-validate a model on the features of each layer.

    Parameters
    ----------
    layers : tuple of int
        Numbers of the layers.
    blocks : sequence of ndarray of shape (n_documents, n_features), float32
        Their features.
    y : array-like of shape (n_documents,)
    cv, scoring, classifier
        See `ContextualFeaturizer.layer_scores`.

    Returns
    -------
    scores : LayerScores
    """
    has_classes = is_classes(y)
    if classifier is None:
        last = LogisticRegression(max_iter=1000) if has_classes else Ridge()
        classifier = make_pipeline(StandardScaler(), last)
    # All layers are scored on the same folds, also where they are drawn at random.
    folds = list(check_cv(cv, y, classifier=has_classes).split(blocks[0], y))
    scores = [
        cross_val_score(clone(classifier), block, y, cv=folds, scoring=scoring)
        for block in blocks
    ]
    default = "accuracy" if has_classes else "r2"
    name = scoring if isinstance(scoring, str) else "score"
    return LayerScores(layers, np.array(scores), default if scoring is None else name)
