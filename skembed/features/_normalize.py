"""Rows of equal length."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

_NORMS: dict[str, Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]] = {
    "l1": lambda rows: np.abs(rows).sum(axis=1),
    "l2": lambda rows: np.sqrt((rows * rows).sum(axis=1)),
    "max": lambda rows: np.abs(rows).max(axis=1),
}


def normalize_rows(
    features: npt.NDArray[np.float32], norm: str
) -> npt.NDArray[np.float32]:
    """Scale each row to norm 1, in place.

    Parameters
    ----------
    features : ndarray of shape (n_documents, n_features), float32
        Overwritten.
    norm : {"l1", "l2", "max"}
        What becomes 1: the sum of absolute values, the Euclidean length, or the
        largest absolute value.

    Returns
    -------
    features : ndarray of shape (n_documents, n_features), float32
        The same array; zero rows stay zero.

    Raises
    ------
    ValueError
        If `norm` is no such name.

    Examples
    --------
    >>> normalize_rows(np.array([[3, 4], [0, 0]], dtype=np.float32), "l2")
    array([[0.6, 0.8],
           [0. , 0. ]], dtype=float32)
    """
    if norm not in _NORMS:
        msg = f"norm must be one of {tuple(_NORMS)}, got {norm!r}."
        raise ValueError(msg)
    block = 4096
    for start in range(0, len(features), block):
        rows = features[start : start + block]
        norms = _NORMS[norm](rows.astype(np.float64))
        norms[norms == 0] = 1.0
        rows[:] = rows / norms[:, None]
    return features
