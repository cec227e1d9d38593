"""Co-occurrence counts as the paper defines them, exactly, one pair after the other."""

from collections import defaultdict
from fractions import Fraction

import numpy as np


def cooccurrences(
    documents, window, weighting="harmonic", symmetric=True, weights=None
):
    """Return {(word, word in its context): sum of weights}, in exact fractions."""
    sums = defaultdict(Fraction)
    for number, document in enumerate(documents):
        weight = Fraction(1 if weights is None else float(weights[number]))
        for i, word in enumerate(document):
            for j, context in enumerate(document):
                distance = i - j if not symmetric else abs(i - j)
                if 1 <= distance <= window:
                    part = Fraction(1, distance) if weighting == "harmonic" else 1
                    sums[int(word), int(context)] += weight * part
    return sums


def as_arrays(sums):
    """Sort the entries by row and column; values are rounded to float32."""
    keys = sorted(key for key, value in sums.items() if value)
    rows, columns = np.array(keys, dtype=np.int32).reshape(-1, 2).T
    return rows, columns, np.array([float(sums[key]) for key in keys], np.float32)
