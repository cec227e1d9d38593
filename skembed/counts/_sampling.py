"""Which tokens a model sees: subsampling of frequent words, and the noise words."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from skembed.counts._kernels import build_alias


def noise_distribution(
    counts: npt.NDArray[np.int64], exponent: float = 0.75
) -> npt.NDArray[np.float64]:
    """Probability of each word as a noise word, proportional to count ** exponent.

    Parameters
    ----------
    counts : ndarray of shape (n_words,), int64
        Occurrences of each word, all positive.
    exponent : float
        1 samples as in the corpus, 0 samples all words alike, negative values prefer
        rare words. 0.75 is the choice of Mikolov et al. (2013), "Distributed
        Representations of Words and Phrases and their Compositionality", section 2.2.

    Returns
    -------
    probabilities : ndarray of shape (n_words,), float64
        Sums to 1.

    Examples
    --------
    >>> noise_distribution(np.array([16, 1]), exponent=0.5)
    array([0.8, 0.2])
    """
    # Relative to the largest, so that no power overflows.
    log_weights = exponent * np.log(counts.astype(np.float64))
    weights: npt.NDArray[np.float64] = np.exp(log_weights - log_weights.max())
    weights /= weights.sum()
    return weights


def keep_probability(
    counts: npt.NDArray[np.int64], sample: float
) -> npt.NDArray[np.float64]:
    """Probability that subsampling keeps one occurrence of each word.

    With f the relative frequency of the word and t the threshold `sample`, it is
    ``min(1, sqrt(t / f) + t / f)``; a `sample` of 0 keeps all.

    Notes
    -----
    This is the formula of the released word2vec.c, which differs from the
    ``1 - sqrt(t / f)`` discard probability printed in the paper.

    Examples
    --------
    >>> keep_probability(np.array([99, 1]), sample=0.01)
    array([0.11..., 1.        ])
    """
    if sample == 0:
        return np.ones(len(counts))
    ratio = sample / (counts / counts.sum())
    keep: npt.NDArray[np.float64] = np.minimum(1.0, np.sqrt(ratio) + ratio)
    return keep


class AliasTable(NamedTuple):
    """A discrete distribution from which a draw costs one look-up (Walker 1977).

    A draw takes a slot i uniformly, and 32 random bits: below ``threshold[i]`` it is
    i, otherwise ``alias[i]``.
    """

    threshold: npt.NDArray[np.uint32]
    alias: npt.NDArray[np.int32]

    @classmethod
    def from_probabilities(cls, probabilities: npt.NDArray[np.float64]) -> "AliasTable":
        """Build the table of a distribution, shape (n,), that sums to 1.

        Examples
        --------
        >>> table = AliasTable.from_probabilities(np.array([0.75, 0.25]))
        >>> table.alias
        array([0, 0], dtype=int32)
        >>> table.threshold / 2**32
        array([1. , 0.5])
        """
        n = len(probabilities)
        table = cls(np.empty(n, dtype=np.uint32), np.empty(n, dtype=np.int32))
        build_alias(probabilities, table.threshold, table.alias)
        return table
