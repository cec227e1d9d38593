"""Subsampling: leave out most occurrences of frequent words, before counting."""

import numpy as np

from skembed._ragged import Ragged
from skembed.counts import keep_probability
from skembed.training.cooccurrence._count import word_counts

_TOKENS_AT_ONCE = 1 << 22


def subsample(corpus: Ragged, n_words: int, sample: float, seed: int) -> Ragged:
    """Draw which tokens of a corpus to keep.

    Parameters
    ----------
    corpus : Ragged of int32
    n_words : int
    sample : float
        The threshold of `skembed.counts.keep_probability`, above 0.
    seed : int

    Returns
    -------
    kept : Ragged of int32
        All documents, without the tokens that were left out: their neighbors move
        together, as in word2vec.

    Examples
    --------
    >>> corpus = Ragged.from_lengths(np.zeros(1000, dtype=np.int32), [400, 600])
    >>> subsample(corpus, 1, sample=0.01, seed=0).lengths
    array([44, 50])
    """
    counts = word_counts(corpus, n_words)
    keep = np.ones(n_words)
    keep[counts > 0] = keep_probability(counts[counts > 0], sample)
    rng = np.random.default_rng(seed)
    is_kept = np.empty(len(corpus.values), dtype=np.bool_)
    for start in range(0, len(corpus.values), _TOKENS_AT_ONCE):
        ids = corpus.values[start : start + _TOKENS_AT_ONCE]
        is_kept[start : start + len(ids)] = rng.random(len(ids)) < keep[ids]
    places = np.flatnonzero(is_kept)
    offsets = np.searchsorted(places, corpus.offsets).astype(np.int64)
    return Ragged(corpus.values[places], offsets)
