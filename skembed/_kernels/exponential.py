"""The exponential function, for loops that the compiler turns into vectors."""

import numba
import numpy as np

from skembed._kernels.simd import float_from_bits

_F = np.float32
LOG2_E = _F(1.4426950408889634)
# Below that the exponents of float32 end.
_LOWEST = _F(-126.0)


@numba.njit(inline="always")
def power_of_two(t):
    """Compute 2^t of a float32 that is not above 0; at least 2^-126.

    The fraction of t goes into a minimax polynomial; the relative error is below 2e-7.
    A NaN stays one.
    """
    t = max(t, _LOWEST)
    whole = np.int32(t - _F(0.5))
    f = t - _F(whole)
    e = _F(1.3264727272744944e-3)
    e = e * f + _F(9.671512756055805e-3)
    e = e * f + _F(5.55073374413918e-2)
    e = e * f + _F(2.402224208358452e-1)
    e = e * f + _F(6.931469775980298e-1)
    e = e * f + _F(1.0)
    return e * float_from_bits(np.int32((whole + np.int32(127)) << np.int32(23)))


@numba.njit(inline="always")
def sigmoid(z):
    """Compute 1 / (1 + exp(-z)) of a float32."""
    e = power_of_two(-abs(z) * LOG2_E)
    larger = _F(1.0) / (_F(1.0) + e)
    return larger if z >= _F(0.0) else e * larger
