"""The logistic function and the loss of its logarithm, for many scores at a time."""

import numba
import numpy as np

from skembed._kernels.compiling import compiled
from skembed._kernels.exponential import LOG2_E
from skembed._kernels.simd import float_from_bits

_F = np.float32


@numba.njit(inline="always")
def sigmoid_and_softplus(x):
    """Evaluate s(x) = 1 / (1 + exp(-x)) and log(1 + exp(x)) = -log s(-x).

    Both from one exponential, in arithmetic that the compiler turns into vectors:
    exp(-|x|) as a power of 2, whose fraction, like log(1 + e) on [0, 1], is a minimax
    polynomial. The absolute error is below 2e-6 for finite x, and anything else gives
    a loss that is not finite, so that a diverged table shows.

    Parameters
    ----------
    x : float32

    Returns
    -------
    sigmoid, softplus : float32
    """
    # Below 2 ** -124, where the exponent of a float32 ends, it is as good as 0.
    t = max(-abs(x) * LOG2_E, _F(-124.0))
    whole = np.int32(t)
    f = t - _F(whole)
    e = _F(9.475536455095e-4)
    e = e * f + _F(9.210875560689884e-3)
    e = e * f + _F(5.5299607117316935e-2)
    e = e * f + _F(2.401794894888172e-1)
    e = e * f + _F(6.931432016425463e-1)
    e = e * f + _F(9.999999452374333e-1)
    e = e * float_from_bits(np.int32((whole + np.int32(127)) << np.int32(23)))
    log1p = _F(1.4202825621212065e-2)
    log1p = log1p * e + _F(-6.658804993586698e-2)
    log1p = log1p * e + _F(1.4943458362561704e-1)
    log1p = log1p * e + _F(-2.3514863754132193e-1)
    log1p = log1p * e + _F(3.311205190977557e-1)
    log1p = log1p * e + _F(-4.998719159347689e-1)
    log1p = log1p * e + _F(9.999987635044438e-1)
    small = e / (_F(1.0) + e)
    sigmoid = _F(1.0) - small if x > _F(0.0) else small
    # 0 * x is 0, but not for infinity or NaN.
    return sigmoid, e * log1p + max(x, _F(0.0)) + _F(0.0) * x


# Division as numpy does it: a check for zero in the loop would keep it from vectors, as
# would a sum in a given order; which order, the compiler decides once and for all.
@compiled(error_model="numpy", fastmath={"contract", "nsz", "reassoc"})
def errors_and_loss(scores, signs, rates):
    """Turn scores into the steps that their pairs ask for; return the pairs' loss.

    Parameters
    ----------
    scores : ndarray of shape (n,), float32
        Overwritten with ``-sign * rate * s(sign * score)``.
    signs : ndarray of shape (n,), float32
        -1 for pairs that were observed, 1 for noise.
    rates : ndarray of shape (n,), float32

    Returns
    -------
    loss : float32
        The sum of ``-rate * log s(-sign * score)``.
    """
    loss = np.float32(0.0)
    for k in range(len(scores)):
        sigmoid, softplus = sigmoid_and_softplus(signs[k] * scores[k])
        scores[k] = -signs[k] * rates[k] * sigmoid
        loss += rates[k] * softplus
    return loss
