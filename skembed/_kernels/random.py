"""Compiled helpers shared by the kernels of all stages: random numbers."""

import numba
import numpy as np


@numba.njit(inline="always")
def mix(counter):
    """Scramble a counter into 64 random bits, the same for the same counter.

    The output function of splitmix64 (Steele, Lea and Flood 2014, "Fast splittable
    pseudorandom number generators", section 3). Draws made from a token's position,
    not from a state that is passed on, do not depend on who draws first.

    Parameters
    ----------
    counter : uint64

    Returns
    -------
    bits : uint64
    """
    z = np.uint64(counter) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@numba.njit(inline="always")
def below(bits, n):
    """Turn the upper 32 of 64 random bits into an integer from 0 to n - 1."""
    return np.int64(((bits >> np.uint64(32)) * np.uint64(n)) >> np.uint64(32))
