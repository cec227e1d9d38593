"""What models should learn from the corpus `topics`."""

import numpy as np


def gap_between_topics(vectors):
    """Say how much more alike words of one topic are than words of two, as cosines."""
    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosine = vectors @ vectors.T
    same = (cosine[::2, ::2].mean() + cosine[1::2, 1::2].mean()) / 2
    return same - cosine[::2, 1::2].mean()
