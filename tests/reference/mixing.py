"""What the learned mix is and what is minimized to find it, in float64.

The mix is equation 1 of Peters et al. (2018), "Deep Contextualized Word
Representations"; then comes a linear probe on it.
"""

import numpy as np


def mix(layers, s, gamma):
    """Return gamma * sum_j softmax(s)_j h_j; shape (n_texts, n_features)."""
    w = np.exp(s) / np.exp(s).sum()
    return gamma * np.einsum("j,jnd->nd", w, np.asarray(layers, dtype=np.float64))


def length(features):
    """Return the root mean square over texts of their distance from the mean."""
    centered = features - features.mean(axis=0)
    return np.sqrt((centered**2).sum(axis=1).mean())


def objective(layers, y, s, V, b, *, task, C, mix_penalty):
    """Mean loss of the probe (V, b) on the mix at unit length, and penalties.

    `y` holds the number of each text's class, or standardized targets in columns.
    """
    m = mix(layers, s, gamma=1.0)
    scores = (m - m.mean(axis=0)) / length(m) @ V + b
    if task == "classification":
        p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        losses = -np.log(p[np.arange(len(y)), y])
    else:
        losses = 0.5 * ((scores - y) ** 2).sum(axis=1)
    return losses.mean() + (V**2).sum() / (2 * C * len(y)) + mix_penalty * (s**2).sum()
