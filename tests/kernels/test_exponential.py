import numba
import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from skembed._kernels.exponential import power_of_two, sigmoid


@numba.njit
def over(function, numbers):
    found = np.empty_like(numbers)
    for i in range(len(numbers)):
        found[i] = function(numbers[i])
    return found


def test_powers_of_two_are_near():
    numbers = -np.linspace(0, 126, 20_001, dtype=np.float32)
    expected = np.exp2(numbers.astype(np.float64))
    assert_allclose(over(power_of_two, numbers), expected, rtol=2e-7)
    whole = -np.arange(127, dtype=np.float32)
    assert_array_equal(over(power_of_two, whole), np.exp2(whole))


def test_what_is_smaller_is_not_below_the_smallest_power():
    numbers = np.array([-127, -1000, -np.inf], np.float32)
    assert_array_equal(over(power_of_two, numbers), np.float32(2.0**-126))


def test_sigmoids_are_near():
    numbers = np.linspace(-60, 60, 20_001, dtype=np.float32)
    expected = 1 / (1 + np.exp(-numbers.astype(np.float64)))
    assert_allclose(over(sigmoid, numbers), expected, rtol=1e-5, atol=0)
    assert_allclose(over(sigmoid, numbers), expected, rtol=0, atol=2e-7)
    ends = np.array([-np.inf, -1000, 0, 1000, np.inf], np.float32)
    assert_allclose(over(sigmoid, ends), [0, 0, 0.5, 1, 1], atol=1e-37)


def test_nans_stay():
    nan = np.array([np.nan], np.float32)
    # Without a compiler, numpy says what it makes of the exponent.
    with np.errstate(invalid="ignore"):
        assert np.isnan(over(power_of_two, nan)).all()
        assert np.isnan(over(sigmoid, nan)).all()
