"""Shifted positive pointwise mutual information, one cell after the other."""

import numpy as np


def positive_pmi(counts, shift_k, smoothing):
    """Levy and Goldberg (2014), section 4.1, contexts smoothed by a power."""
    rows, columns = counts.sum(axis=1), counts.sum(axis=0)
    p_context = columns**smoothing / (columns**smoothing).sum()
    pmi = np.zeros(counts.shape)
    for i, j in np.ndindex(counts.shape):
        if counts[i, j] > 0:
            p_given = counts[i, j] / rows[i]
            pmi[i, j] = max(np.log(p_given / p_context[j]) - np.log(shift_k), 0.0)
    return pmi
