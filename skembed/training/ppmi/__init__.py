"""Word vectors from the factorisation of positive pointwise mutual information."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from skembed.counts import positive_pmi
from skembed.training.cooccurrence import Cooccurrences

__all__ = ["PPMIConfig", "PPMIResult", "factorize_ppmi"]

Matrix = npt.NDArray[np.float32]

# Up to so many words, the whole decomposition is as fast as a part of it.
_DENSE = 256


@dataclass(frozen=True, slots=True)
class PPMIConfig:
    """The hyperparameters of the factorisation.

    They mean what they mean in `skembed.PPMIVectorizer`.

    Parameters
    ----------
    vector_size : int
        Length of the word vectors.
    shift_k : float
        Its logarithm is subtracted from the mutual information.
    context_smoothing : float
        Power of the counts of contexts.
    exponent : float
        Power of the singular values in the vectors.
    """

    vector_size: int = 100
    shift_k: float = 1.0
    context_smoothing: float = 0.75
    exponent: float = 0.5


class PPMIResult(NamedTuple):
    """What the factorisation gives.

    Parameters
    ----------
    input, output : ndarray of shape (n_words, vector_size), float32
        The left and right singular vectors, times a power of the singular values;
        zeros beyond the matrix' rank.
    losses : ndarray of shape (1,), float64
        The part of the squared matrix that the product of the vectors, with exponent
        0.5, leaves unexplained: from 0 to 1.
    """

    input: Matrix
    output: Matrix
    losses: npt.NDArray[np.float64]


def factorize_ppmi(
    counts: Cooccurrences, n_words: int, config: PPMIConfig
) -> PPMIResult:
    """Factorize the shifted positive mutual information by a truncated SVD.

    Parameters
    ----------
    counts : Cooccurrences
    n_words : int
    config : PPMIConfig

    Returns
    -------
    result : PPMIResult
        Each singular vector has the sign that makes its largest component positive.

    Raises
    ------
    ValueError
        If there are no counts, or no mutual information is positive.

    Examples
    --------
    >>> pairs = np.array([[0, 1], [1, 0]], dtype=np.int32)
    >>> counts = Cooccurrences(*pairs, np.full(2, 3, dtype=np.float32))
    >>> result = factorize_ppmi(counts, 2, PPMIConfig(vector_size=2))
    >>> expected = np.log([[1, 2], [2, 1]])
    >>> np.allclose(result.input @ result.output.T, expected, atol=1e-6)
    True
    """
    if not len(counts.rows):
        msg = (
            "There are no co-occurrences to learn from: no document has two known "
            "words. Lower min_count, or pass documents of several words."
        )
        raise ValueError(msg)
    starts = np.searchsorted(counts.rows, np.arange(n_words + 1))
    matrix = sp.csr_array(
        (counts.values, counts.columns, starts), shape=(n_words, n_words)
    )
    pmi = positive_pmi(matrix, config.shift_k, config.context_smoothing)
    if not pmi.nnz:
        msg = (
            "No two words meet more often than by chance, so there is nothing to "
            f"factorize. Lower shift_k={config.shift_k}, or pass more documents."
        )
        raise ValueError(msg)
    left, singular, right = _truncated_svd(pmi, config.vector_size)
    scale = np.zeros_like(singular)
    # Of smaller ones, the vectors are noise.
    is_real = singular > singular[0] * n_words * np.finfo(np.float32).eps
    scale[is_real] = singular[is_real] ** config.exponent
    total = float(np.sum(pmi.data.astype(np.float64) ** 2))
    loss = max(1.0 - float(np.sum(singular**2)) / total, 0.0)
    size = config.vector_size
    return PPMIResult(
        _padded(left * scale, size), _padded(right * scale, size), np.array([loss])
    )


def _truncated_svd(matrix: Any, size: int) -> tuple[Any, Any, Any]:
    """Return left vectors, falling singular values and right vectors, float64."""
    n = matrix.shape[0]
    matrix = matrix.astype(np.float64)
    # The sums of several threads would depend on their number.
    with threadpool_limits(1, user_api="blas"):
        if n <= _DENSE or size >= n - 1:
            left, singular, right = np.linalg.svd(matrix.toarray())
        else:
            # Here, as it takes a while to import.
            from scipy.sparse.linalg import svds

            start = np.random.default_rng(0).normal(size=n)
            left, singular, right = svds(matrix, k=size, v0=start)
    order = np.argsort(-singular, kind="stable")[:size]
    left, singular, right = left[:, order], singular[order], right[order].T
    largest = np.abs(left).argmax(axis=0)
    signs = np.where(left[largest, np.arange(len(order))] < 0, -1.0, 1.0)
    return left * signs, singular, right * signs


def _padded(vectors: npt.NDArray[np.float64], size: int) -> Matrix:
    """Fill up with zeros to a number of columns, in float32."""
    padded = np.zeros((len(vectors), size), dtype=np.float32)
    padded[:, : vectors.shape[1]] = vectors
    return padded
