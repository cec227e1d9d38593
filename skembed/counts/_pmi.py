"""Pointwise mutual information: how much more often two words meet than by chance."""

from typing import Any

import numpy as np
import scipy.sparse as sp

_AT_ONCE = 1 << 20


def positive_pmi(
    counts: Any, shift_k: float = 1.0, context_smoothing: float = 0.75
) -> Any:
    r"""Replace co-occurrence counts by shifted positive pointwise mutual information.

    Parameters
    ----------
    counts : scipy.sparse.csr_array of shape (n_words, n_words)
        Positive entries: how often the word of the column is in the context of that of
        the row.
    shift_k : float
        Its logarithm is subtracted: skip-gram with that many noise words is said to
        factorise the shifted matrix. 1 shifts nothing.
    context_smoothing : float
        Power of the counts of contexts. Below 1 it makes rare contexts count as more
        frequent, which lowers their mutual information. 1 smooths nothing.

    Returns
    -------
    pmi : scipy.sparse.csr_array of shape (n_words, n_words), float32
        Holds the positive entries only.

    Notes
    -----
    With :math:`r_i` and :math:`c_j` the sums of row i and column j of the counts x,

    .. math::

        M_{ij} = \max\left(\log \frac{x_{ij} \sum_{j'} c_{j'}^a}{r_i \, c_j^a}
                 - \log k, 0\right)

    with k `shift_k` and a `context_smoothing`: Levy and Goldberg (2014), "Neural Word
    Embedding as Implicit Matrix Factorization", section 4.1, and Levy, Goldberg and
    Dagan (2015), "Improving Distributional Similarity with Lessons Learned from Word
    Embeddings", section 3.2.

    Examples
    --------
    >>> counts = sp.csr_array(np.array([[0.0, 6.0], [6.0, 4.0]]))
    >>> positive_pmi(counts, context_smoothing=1.0).toarray().round(2)
    array([[0.  , 0.47],
           [0.47, 0.  ]], dtype=float32)
    """
    counts = sp.csr_array(counts)
    row_sums = np.asarray(counts.sum(axis=1, dtype=np.float64)).ravel()
    column_sums = np.asarray(counts.sum(axis=0, dtype=np.float64)).ravel()
    smoothed = column_sums**context_smoothing
    with np.errstate(divide="ignore", invalid="ignore"):
        # Words without entries are in no quotient.
        log_rows = np.log(row_sums) + np.log(shift_k)
        log_columns = np.log(smoothed) - np.log(smoothed.sum())
    values = np.empty(counts.nnz, dtype=np.float32)
    rows = np.repeat(np.arange(counts.shape[0], dtype=np.int32), np.diff(counts.indptr))
    for start in range(0, counts.nnz, _AT_ONCE):
        span = slice(start, start + _AT_ONCE)
        log_x = np.log(counts.data[span], dtype=np.float64)
        log_x -= log_rows[rows[span]] + log_columns[counts.indices[span]]
        values[span] = np.maximum(log_x, 0.0)
    pmi = sp.csr_array((values, counts.indices, counts.indptr), shape=counts.shape)
    # A copy: `eliminate_zeros` would write to the indices of the counts.
    pmi = pmi.copy()
    pmi.eliminate_zeros()
    return pmi
