"""Which layers of a network are used, and how they become one."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Float32Array = npt.NDArray[np.float32]
Float64Array = npt.NDArray[np.float64]
LayerFeatures = Sequence[Float32Array] | Float32Array

MIXINGS = ("mean", "sum", "max", "concat", "learned")
"""The names that `mix_layers` knows."""


@dataclass(frozen=True, eq=False)
class LayerMix:
    """What the learned mix learned; `fit_layer_mix` makes one.

    Parameters
    ----------
    weights : ndarray of shape (n_layers,), float64
        The softmax weights of the layers: positive, their sum is 1.
    gamma : float
        The scale of the mix, positive.
    scales : ndarray of shape (n_layers,), float64
        What each layer is divided by first: ones, unless layers were normalized.
    loss : float
        The objective at the solution, in nats for classes and in variances of the
        targets for numbers.
    n_iter : int
        Steps that the optimizer took.
    converged : bool
        Whether it stopped because it had arrived.
    """

    weights: Float64Array
    gamma: float
    scales: Float64Array
    loss: float
    n_iter: int
    converged: bool


@dataclass(frozen=True, eq=False)
class LayerScores:
    """How well each layer alone serves a task: the probing curve.

    Parameters
    ----------
    layers : tuple of int
        The numbers of the layers; 0 is the embedding output.
    scores : ndarray of shape (n_layers, n_folds), float64
        One score for each layer and fold of the cross-validation; greater is better.
    scoring : str
        What was measured, such as ``"accuracy"``.

    Raises
    ------
    ValueError
        If the scores are not one row for each layer.

    Examples
    --------
    >>> scores = LayerScores((0, 1), np.array([[0.5, 0.7], [0.8, 0.9]]), "accuracy")
    >>> scores.best_layer
    1
    """

    layers: tuple[int, ...]
    scores: Float64Array
    scoring: str

    def __post_init__(self) -> None:
        shape = np.shape(self.scores)
        if len(shape) != 2 or shape[0] != len(self.layers) or 0 in shape:
            msg = (
                "scores must hold a row for each layer and a column for each fold, got "
                f"shape {shape} for {len(self.layers)} layers."
            )
            raise ValueError(msg)

    @property
    def best_layer(self) -> int:
        """The layer of the highest mean score, the first of equals.

        A layer with a NaN among its scores comes last.
        """
        means = self.scores.mean(axis=1)
        return self.layers[int(np.argmax(np.where(np.isnan(means), -np.inf, means)))]


def choose_layers(layers: Any, n_layers: int) -> tuple[int, ...]:
    """Return the numbers of the layers that the parameter `layers` asks for.

    Parameters
    ----------
    layers : int, sequence of int, or "all"
        Layer 0 is the embedding output and `n_layers` the top; negative numbers count
        from the top, which is -1.
    n_layers : int
        How many blocks the network has.

    Returns
    -------
    numbers : tuple of int
        Each from 0 to `n_layers`, in the order asked for.

    Raises
    ------
    TypeError
        If something is no whole number.
    ValueError
        If a layer is out of range or named twice, or there is none.

    Examples
    --------
    >>> choose_layers(-1, n_layers=6), choose_layers((-1, 0, 3), n_layers=6)
    ((6,), (6, 0, 3))
    >>> choose_layers("all", n_layers=3)
    (0, 1, 2, 3)
    """
    if isinstance(layers, str):
        if layers != "all":
            msg = f"layers must be an int, several, or 'all', got {layers!r}."
            raise ValueError(msg)
        return tuple(range(n_layers + 1))
    numbers = tuple(
        _number_of(layer, layers, n_layers) for layer in _as_sequence(layers)
    )
    if not numbers:
        msg = f"layers must name at least one layer, got {layers!r}."
        raise ValueError(msg)
    twice = sorted({number for number in numbers if numbers.count(number) > 1})
    if twice:
        msg = (
            f"layers must name each layer once, but {layers!r} names these "
            f"of {n_layers + 1} layers again: {twice}. Negative numbers count from the "
            "top."
        )
        raise ValueError(msg)
    return numbers


def _as_sequence(layers: Any) -> Iterable[Any]:
    if isinstance(layers, (tuple, list, range)):
        return layers
    if isinstance(layers, np.ndarray) and layers.ndim == 1:
        return layers
    return (layers,)


def _number_of(layer: Any, layers: Any, n_layers: int) -> int:
    """Return the number of one layer, counted from 0."""
    if isinstance(layer, bool) or not isinstance(layer, (int, np.integer)):
        msg = (
            f"layers must be an int, several in a tuple or list, or 'all', got "
            f"{layers!r}, where {layer!r} is a {type(layer).__name__}."
        )
        raise TypeError(msg)
    if not -n_layers - 1 <= layer <= n_layers:
        blocks = "1 block" if n_layers == 1 else f"{n_layers} blocks"
        msg = (
            f"layers must be between {-n_layers - 1} and {n_layers} for a model of "
            f"{blocks} (layer 0 is the embedding output), got {layer}."
        )
        raise ValueError(msg)
    return int(layer) % (n_layers + 1)


def mix_layers(
    features: LayerFeatures, mixing: str, *, mix: LayerMix | None = None
) -> Float32Array:
    r"""Make one matrix of features of those of several layers.

    Parameters
    ----------
    features : sequence of ndarray of shape (n_texts, n_features), float32
        One matrix for each layer, or an array of shape (n_layers, n_texts, n_features).
        Only ``"concat"`` takes layers of different widths.
    mixing : {"mean", "sum", "max", "concat", "learned"}
        ``"mean"``, ``"sum"`` and ``"max"`` go over the layers, feature by feature;
        ``"concat"`` puts the layers side by side; ``"learned"`` weighs them by `mix`.
    mix : LayerMix or None, default=None
        For ``"learned"``: the weights, of as many layers.

    Returns
    -------
    features : ndarray of shape (n_texts, n_features), float32
        A new array; for ``"concat"`` as wide as the layers together. A text of zeros in
        all layers gets zeros.

    Raises
    ------
    ValueError
        If `mixing` is no such name, there is no layer, the layers do not fit together,
        or `mix` is missing or of another number of layers.

    See Also
    --------
    fit_layer_mix : Learns the weights.

    Notes
    -----
    The learned mix is equation 1 of [1]_, with :math:`h_j` the features at layer j,

    .. math:: \gamma \sum_j w_j h_j / c_j, \qquad w = \operatorname{softmax}(s),

    where all :math:`c_j` are 1, or, for layers that are normalized, the scale that
    layer j had in the training texts. The paper's layer normalization also subtracts a
    mean; here it does not, so that the features of an empty text stay zero.

    References
    ----------
    .. [1] M. Peters et al., "Deep Contextualized Word Representations", NAACL 2018.

    Examples
    --------
    >>> layers = np.array([[[1, 2]], [[3, 0]]], dtype=np.float32)
    >>> mix_layers(layers, "mean"), mix_layers(layers, "concat")
    (array([[2., 1.]], dtype=float32), array([[1., 2., 3., 0.]], dtype=float32))
    """
    if mixing not in MIXINGS:
        msg = f"mixing must be one of {MIXINGS}, got {mixing!r}."
        raise ValueError(msg)
    arrays = check_layers(features, mixing)
    if mixing == "concat":
        return np.concatenate(arrays, axis=1, dtype=np.float32)
    if mixing == "learned":
        return _weighted_sum(arrays, _coefficients(mix, len(arrays)))
    combine: Callable[..., Any] = np.maximum if mixing == "max" else np.add
    mixed = np.array(arrays[0], dtype=np.float32)
    for array in arrays[1:]:
        combine(mixed, array, out=mixed)
    if mixing == "mean":
        mixed /= np.float32(len(arrays))
    return mixed


def check_layers(features: LayerFeatures, mixing: str) -> list[Float32Array]:
    """Return the layers as a list, or raise ValueError if they do not fit together."""
    arrays = list(features)
    shapes = [np.shape(array) for array in arrays]
    if not arrays or any(len(shape) != 2 for shape in shapes):
        msg = (
            "features must hold a matrix (n_texts, n_features) for each layer, got "
            f"shapes {shapes}."
        )
        raise ValueError(msg)
    if len({n_texts for n_texts, _ in shapes}) > 1:
        msg = f"features must hold the same texts at every layer, got shapes {shapes}."
        raise ValueError(msg)
    widths = [width for _, width in shapes]
    if mixing != "concat" and len(set(widths)) > 1:
        msg = (
            f"mixing={mixing!r} needs layers of equal width, got {widths} features. "
            "Use mixing='concat', or choose layers of the same width."
        )
        raise ValueError(msg)
    return arrays


def _coefficients(mix: LayerMix | None, n_layers: int) -> Float64Array:
    if mix is None:
        msg = "mixing='learned' needs the learned weights: pass mix."
        raise ValueError(msg)
    if len(mix.weights) != n_layers:
        msg = f"mix holds weights of {len(mix.weights)} layers, got {n_layers} layers."
        raise ValueError(msg)
    return mix.gamma * mix.weights / mix.scales


def _weighted_sum(
    arrays: Sequence[Float32Array], coefficients: Float64Array
) -> Float32Array:
    factors = coefficients.astype(np.float32)
    mixed: Float32Array = np.asarray(arrays[0], dtype=np.float32) * factors[0]
    for array, factor in zip(arrays[1:], factors[1:], strict=True):
        mixed += array * factor
    return mixed
