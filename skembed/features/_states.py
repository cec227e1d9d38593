"""What is kept of a text at one layer, made into features of it."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from skembed.features._pooling import pooling_names

Float32Array = npt.NDArray[np.float32]

STATISTICS = ("mean", "max", "min", "first", "last", "cls")
"""What a text's pooled features can be made of, at one layer.

The first three are over the tokens that count; "first" and "last" are the states of the
first and the last of these, and "cls" is that of the first token of all.
"""

COUNTS = ("n_tokens", "n_windows", "n_cut")
"""What is counted of a text: tokens that count, windows, and whether it was cut off."""

STATE_POOLINGS: Mapping[str, tuple[str, ...]] = {
    "mean": ("mean",),
    "cls": ("cls",),
    "max": ("max",),
    "min": ("min",),
    "last": ("last",),
    "mean_sqrt_len": ("mean",),
    "first_last": ("first", "last"),
}
"""The poolings of contextual models, each with the statistics that it is made of."""


def state_poolings(pooling: str | Sequence[str]) -> tuple[str, ...]:
    """Return the names of the poolings that the parameter `pooling` asks for.

    Parameters
    ----------
    pooling : str or sequence of str

    Returns
    -------
    names : tuple of str, not empty

    Raises
    ------
    ValueError
        If there is no name, or something that is none.

    Examples
    --------
    >>> state_poolings("mean"), state_poolings(["cls", "max"])
    (('mean',), ('cls', 'max'))
    """
    return pooling_names(pooling, tuple(STATE_POOLINGS))


def needed_statistics(poolings: Sequence[str]) -> tuple[str, ...]:
    """Name the statistics that some poolings are made of, each once.

    Examples
    --------
    >>> needed_statistics(("mean", "mean_sqrt_len", "first_last"))
    ('mean', 'first', 'last')
    """
    names = [name for pooling in poolings for name in STATE_POOLINGS[pooling]]
    return tuple(dict.fromkeys(names))


def pool_states(
    arrays: Mapping[str, Float32Array], pooling: str, layer: int
) -> Float32Array:
    """Pool the states of texts at one layer, from their statistics.

    Parameters
    ----------
    arrays : mapping of str to ndarray of shape (n_texts, width), float32
        Statistics by name and layer, such as ``"mean.3"``, and ``"n_tokens"`` of shape
        (n_texts, 1), the number of tokens that they are of.
    pooling : str
        Of `STATE_POOLINGS`.
    layer : int

    Returns
    -------
    features : ndarray of shape (n_texts, n_features), float32
        As wide as the layer; twice as wide for ``"first_last"``.

    Examples
    --------
    >>> four = np.array([[4]], dtype=np.float32)
    >>> pool_states({"mean.1": four, "n_tokens": four}, "mean_sqrt_len", layer=1)
    array([[8.]], dtype=float32)
    """
    parts = [arrays[f"{name}.{layer}"] for name in STATE_POOLINGS[pooling]]
    if pooling == "mean_sqrt_len":
        return parts[0] * np.sqrt(arrays["n_tokens"])
    return parts[0] if len(parts) == 1 else np.hstack(parts)
