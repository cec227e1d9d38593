"""The words of a document to one row of features."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from skembed._ragged import Ragged
from skembed.features import _kernels

Float32Array = npt.NDArray[np.float32]
Weights = npt.NDArray[np.float64]

POOLINGS = ("mean", "sum", "max", "min", "idf", "sif")
"""The names that `pool` knows."""


def pooling_names(
    pooling: str | Sequence[str], allowed: tuple[str, ...] = POOLINGS
) -> tuple[str, ...]:
    """Return the names of the poolings that the parameter `pooling` asks for.

    Parameters
    ----------
    pooling : str or sequence of str
    allowed : tuple of str
        The names that there are.

    Returns
    -------
    names : tuple of str, not empty

    Raises
    ------
    ValueError
        If there is no name, or something that is none.

    Examples
    --------
    >>> pooling_names("mean"), pooling_names(["mean", "max"])
    (('mean',), ('mean', 'max'))
    """
    names = (pooling,) if isinstance(pooling, str) else pooling
    is_sequence = isinstance(names, (tuple, list)) and len(names) > 0
    if not is_sequence or any(name not in allowed for name in names):
        msg = f"pooling must be one or several of {allowed}, got {pooling!r}."
        raise ValueError(msg)
    return tuple(names)


def pool(
    ids: Ragged,
    table: Float32Array,
    pooling: str,
    *,
    idf: Weights | None = None,
    sif: Weights | None = None,
) -> Float32Array:
    """Reduce the vectors of the words of each document to one vector.

    Parameters
    ----------
    ids : Ragged of int32
        The words of each document, as rows of `table`.
    table : ndarray of shape (n_words, vector_size), float32
        One vector per word.
    pooling : {"mean", "sum", "max", "min", "idf", "sif"}
        With n words w of vectors v(w), repetitions included:

        - ``"sum"``: the sum of the v(w); ``"mean"``: that sum divided by n;
        - ``"max"``, ``"min"``: the largest, smallest value of each coordinate;
        - ``"idf"``: the sum of the idf(w) v(w) divided by the sum of the idf(w), so
          that the weights of a document sum to 1;
        - ``"sif"``: the sum of the sif(w) v(w) divided by n, as in the paper.
    idf, sif : ndarray of shape (n_words,), float64, positive
        The weights of the words; needed by the pooling of their name. See
        `inverse_document_frequency` and `smooth_inverse_frequency`.

    Returns
    -------
    features : ndarray of shape (n_documents, vector_size), float32
        A document without words gets zeros. A NaN in the vector of a word becomes a
        NaN in the features of the documents that hold the word.

    Raises
    ------
    ValueError
        If `pooling` is no such name, or its weights are missing.
    IndexError
        If an id is no row of `table`.

    Examples
    --------
    >>> ids = Ragged.from_lengths(np.array([0, 1], dtype=np.int32), lengths=[2, 0])
    >>> pool(ids, np.array([[1, 0], [3, 4]], dtype=np.float32), "mean")
    array([[2., 2.],
           [0., 0.]], dtype=float32)
    """
    _check_ids(ids, len(table))
    words, offsets = read_only(ids.values, np.int32), read_only(ids.offsets)
    table = read_only(table, np.float32)
    features = np.zeros((len(ids), table.shape[1]), np.float32)
    if pooling in _EXTREMES:
        _EXTREMES[pooling](words, offsets, table, features)
        return features
    weights, divisors = _weights_and_divisors(ids, len(table), pooling, idf, sif)
    _kernels.add_weighted_rows(words, offsets, weights, divisors, table, features)
    return features


_EXTREMES: dict[str, Callable[..., None]] = {
    "max": _kernels.take_largest,
    "min": _kernels.take_smallest,
}


def read_only(
    array: npt.NDArray[Any], dtype: npt.DTypeLike | None = None
) -> npt.NDArray[Any]:
    """Return a contiguous view that cannot be written to, copying only if it must.

    Kernels are compiled once per kind of argument. Memory-mapped arrays are read-only,
    so all are: one kind, one compilation.
    """
    view = np.ascontiguousarray(array, dtype).view(np.ndarray)
    if view.flags.writeable:
        view = view.view()
        view.flags.writeable = False
    return view


def _weights_and_divisors(
    ids: Ragged, n_words: int, pooling: str, idf: Weights | None, sif: Weights | None
) -> tuple[Weights, Weights]:
    """Return the weight of each word, and what each document's sum is divided by."""
    if pooling in {"mean", "sum"}:
        weights = np.ones(n_words)
    elif pooling in {"idf", "sif"}:
        given = idf if pooling == "idf" else sif
        if given is None:
            msg = f"pooling={pooling!r} needs the weights of the words: pass {pooling}."
            raise ValueError(msg)
        weights = np.ascontiguousarray(given, np.float64)
    else:
        msg = f"pooling must be one of {POOLINGS}, got {pooling!r}."
        raise ValueError(msg)
    if pooling == "sum":
        return weights, np.ones(len(ids))
    if pooling == "idf":
        divisors = np.empty(len(ids))
        words, offsets = read_only(ids.values, np.int32), read_only(ids.offsets)
        _kernels.sum_weights(words, offsets, weights, divisors)
        return weights, divisors
    return weights, ids.lengths.astype(np.float64)


def _check_ids(ids: Ragged, n_words: int) -> None:
    # The kernels read wherever an id points to.
    if len(ids.values) and (ids.values.min() < 0 or ids.values.max() >= n_words):
        low, high = ids.values.min(), ids.values.max()
        msg = f"ids must be between 0 and {n_words - 1}, got {low} to {high}."
        raise IndexError(msg)
