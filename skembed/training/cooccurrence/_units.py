"""What a word at some distance adds to a count, as a whole number."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

# Sums must stay below 2 ** 63.
_LARGEST_SUM = 2**62


class Steps(NamedTuple):
    """Whole numbers that stand for weights.

    Parameters
    ----------
    steps : ndarray of shape (window + 1,), int64
        For each distance; that of 0 is not used.
    unit : float
        The number that stands for 1.
    """

    steps: npt.NDArray[np.int64]
    unit: float


def whole_steps(
    window: int, weighting: str, n_tokens: int, *, has_weights: bool = False
) -> Steps:
    """Choose whole numbers in the proportion of the weights of distances.

    Parameters
    ----------
    window : int
    weighting : {"harmonic", "uniform"}
    n_tokens : int
        Of the corpus: so many windows may add to one sum.
    has_weights : bool
        Whether the steps will be multiplied by weights of documents, at most 1.

    Returns
    -------
    steps : Steps
        Exact where sums stay below 2 ** 62 in units of the least common multiple of
        1, ..., window: up to window=22 for a thousand million tokens. Beyond that,
        steps are rounded, as are the products with weights of documents, to the
        finest unit for which sums stay below it.

    Examples
    --------
    >>> whole_steps(4, "harmonic", n_tokens=100)
    Steps(steps=array([ 0, 12,  6,  4,  3]), unit=12.0)
    """
    distances = range(1, window + 1)
    if weighting == "uniform":
        unit, reach = 1, float(window)
    else:
        unit, reach = math.lcm(*distances), sum(1.0 / d for d in distances)
    # The largest unit that the sum of all windows leaves room for.
    room = math.floor(math.log2(_LARGEST_SUM / (max(n_tokens, 1) * 2.0 * reach)))
    if unit.bit_length() > room:
        unit = 2**room
    elif has_weights:
        unit *= 2 ** (room - unit.bit_length())
    steps = np.zeros(window + 1, dtype=np.int64)
    for d in distances:
        divisor = d if weighting == "harmonic" else 1
        # Half up, in whole numbers.
        steps[d] = (2 * unit + divisor) // (2 * divisor)
    return Steps(steps, float(unit))
