import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.preprocessing import normalize

from skembed.features import common_components, normalize_rows, remove_components
from tests.reference.pooling import without_common_components


@pytest.fixture
def features(rng):
    return (rng.normal(size=(40, 5)) + 2).astype(np.float32)


@pytest.mark.parametrize("k", [1, 2, 5])
def test_components_are_the_first_right_singular_vectors(features, rng, k):
    components = common_components(np.array_split(features, 3), k)
    others = rng.normal(size=(7, 5)).astype(np.float32)
    expected = without_common_components(others, features, k)
    assert components.shape == (k, 5)
    assert_allclose(remove_components(others, components), expected, atol=1e-5)


def test_components_do_not_depend_on_the_blocks(features):
    whole = common_components([features], 2)
    parts = common_components(np.array_split(features, 7), 2)
    assert_allclose(abs(whole), abs(parts), atol=1e-6)


def test_directions_that_are_not_there_are_not_removed(rng):
    line = np.outer(rng.normal(size=9), [3, 4, 0]).astype(np.float32)
    components = common_components([line], 3)
    assert_allclose(abs(components[0]), [0.6, 0.8, 0], atol=1e-6)
    assert_array_equal(components[1:], 0)
    other = np.array([[4, -3, 1]], dtype=np.float32)
    assert_allclose(remove_components(other, components), other, atol=1e-6)


def test_documents_that_are_all_empty_have_no_component():
    assert_array_equal(common_components([np.zeros((4, 3), np.float32)], 2), 0)


@pytest.mark.parametrize("norm", ["l1", "l2", "max"])
def test_rows_are_normalized_as_by_scikit_learn(features, norm):
    expected = normalize(features, norm=norm)
    assert_allclose(normalize_rows(features, norm), expected, rtol=1e-6)


def test_zero_and_huge_rows_are_normalized():
    rows = np.array([[0, 0], [3e30, 4e30]], dtype=np.float32)
    assert_allclose(normalize_rows(rows, "l2"), [[0, 0], [0.6, 0.8]], rtol=1e-6)


def test_an_unknown_norm_is_named():
    with pytest.raises(ValueError, match="got 'l3'"):
        normalize_rows(np.zeros((1, 1), np.float32), "l3")
