"""The vector primitives, against numpy, in both of their forms."""

import numba
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skembed._kernels import simd


@numba.njit
def add_products(a, b, c, out):
    product = simd.fma(simd.load(a, 1, 16), simd.load(b, 0, 0), simd.load(c, 0, 0))
    simd.store(out, 0, 16, simd.add(product, simd.splat(np.float32(0.5))))


@numba.njit
def four_sums(a, out):
    simd.store_sums(
        out, 1, simd.load(a, 0, 0), simd.load(a, 0, 16), simd.load(a, 1, 0),
        simd.load(a, 1, 16),
    )  # fmt: skip


@numba.njit
def as_float(bits):
    return simd.float_from_bits(bits)


def test_sixteen_lanes_are_multiplied_and_added_at_once(rng):
    a, b, c = rng.normal(size=(3, 2, 32)).astype(np.float32)
    out = np.zeros((2, 32), dtype=np.float32)
    add_products(a, b, c, out)
    expected = np.zeros_like(out)
    expected[0, 16:] = a[1, 16:] * b[0, :16] + c[0, :16] + np.float32(0.5)
    assert_allclose(out, expected, rtol=1e-5, atol=1e-6)


def test_four_vectors_are_summed_into_four_neighbours(rng):
    a = rng.normal(size=(2, 32)).astype(np.float32)
    out = np.zeros(6, dtype=np.float32)
    four_sums(a, out)
    assert_allclose(out[1:5], a.reshape(4, 16).sum(axis=1), rtol=1e-4, atol=1e-6)
    assert_array_equal(out[[0, 5]], 0)


def test_the_plain_forms_do_the_same(rng):
    a, b, c = rng.normal(size=(3, 2, 32)).astype(np.float32)
    fast = np.zeros((2, 32), dtype=np.float32)
    add_products(a, b, c, fast)
    product = simd._plain_fma(
        simd._plain_load(a, 1, 16), simd._plain_load(b, 0, 0), simd._plain_load(c, 0, 0)
    )
    plain = np.zeros_like(fast)
    half = simd._plain_splat(np.float32(0.5))
    simd._plain_store(plain, 0, 16, simd._plain_add(product, half))
    assert_array_equal(plain, fast)
    sums, plain_sums = np.zeros((2, 6), dtype=np.float32)
    four_sums(a, sums)
    simd._plain_store_sums(plain_sums, 1, a[0, :16], a[0, 16:], a[1, :16], a[1, 16:])
    assert_array_equal(plain_sums, sums)


@pytest.mark.parametrize(("n", "expected"), [(1, 16), (16, 16), (17, 32), (100, 112)])
def test_rows_are_padded_to_whole_vectors(n, expected):
    assert simd.padded(n) == expected


@pytest.mark.parametrize("value", [1.0, -2.5, 0.0])
def test_bits_become_floats(value):
    bits = np.array([value], dtype=np.float32).view(np.int32)[0]
    assert simd._plain_float_from_bits(bits) == value
    assert as_float(bits) == value
