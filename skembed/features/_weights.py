"""How much each word weighs in the average of a document."""

import numpy as np
import numpy.typing as npt

from skembed._ragged import Ragged
from skembed.features import _kernels
from skembed.features._pooling import read_only


def document_frequency(ids: Ragged, n_words: int) -> npt.NDArray[np.int64]:
    """Count the documents that hold each word.

    Parameters
    ----------
    ids : Ragged of int32
        The words of each document.
    n_words : int
        Every id is below it.

    Returns
    -------
    document_frequency : ndarray of shape (n_words,), int64

    Examples
    --------
    >>> ids = Ragged.from_lengths(np.array([0, 0, 1, 0], np.int32), lengths=[3, 1])
    >>> document_frequency(ids, 3)
    array([2, 1, 0])
    """
    counts = np.zeros(n_words, np.int64)
    last_seen = np.full(n_words, -1, np.int64)
    _kernels.count_documents(
        read_only(ids.values, np.int32), read_only(ids.offsets), last_seen, counts
    )
    return counts


def inverse_document_frequency(
    document_frequency: npt.NDArray[np.int64], n_documents: int
) -> npt.NDArray[np.float64]:
    """Weigh words by how few documents hold them.

    Parameters
    ----------
    document_frequency : ndarray of shape (n_words,), int64
    n_documents : int
        Empty documents count too.

    Returns
    -------
    idf : ndarray of shape (n_words,), float64
        ``ln((1 + n_documents) / (1 + document_frequency)) + 1``, the smooth idf of
        scikit-learn's `TfidfTransformer`; at least 1.

    Examples
    --------
    >>> inverse_document_frequency(np.array([3, 0]), n_documents=3).round(3)
    array([1.   , 2.386])
    """
    idf: npt.NDArray[np.float64] = (
        np.log((1.0 + n_documents) / (1.0 + document_frequency)) + 1.0
    )
    return idf


def smooth_inverse_frequency(
    counts: npt.NDArray[np.int64], a: float = 1e-3, n_tokens: int | None = None
) -> npt.NDArray[np.float64]:
    """Weigh words by how seldom they occur.

    Parameters
    ----------
    counts : ndarray of shape (n_words,), int64
        Occurrences of each word in the training documents.
    a : float
        Words of a relative frequency above it lose more than half of their weight.
    n_tokens : int or None
        Occurrences of all words; None if `counts` are those of all.

    Returns
    -------
    sif : ndarray of shape (n_words,), float64
        ``a / (a + p(w))`` with ``p(w) = count(w) / sum of all counts`` [1]_, between
        0 and 1; 1 for a word that does not occur.

    References
    ----------
    .. [1] S. Arora, Y. Liang and T. Ma, "A Simple but Tough-to-Beat Baseline for
       Sentence Embeddings", ICLR 2017, algorithm 1.

    Examples
    --------
    >>> smooth_inverse_frequency(np.array([999, 1])).round(3)
    array([0.001, 0.5  ])
    """
    total = int(counts.sum()) if n_tokens is None else n_tokens
    probability = counts / max(total, 1)
    return a / (a + probability)
