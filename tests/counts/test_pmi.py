import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal

from skembed.counts import _pmi, positive_pmi
from tests.reference.pmi import positive_pmi as reference


@pytest.fixture
def counts(rng):
    """Counts of 30 words, one of which is never in a context, and one alone."""
    counts = rng.gamma(1.0, 5.0, size=(30, 30)) * (rng.random((30, 30)) < 0.4)
    counts[:, 3] = 0
    counts[7] = 0
    return counts.astype(np.float32)


@pytest.mark.parametrize("shift_k", [0.5, 1.0, 5.0])
@pytest.mark.parametrize("smoothing", [0.0, 0.75, 1.0])
def test_it_is_the_published_formula(counts, monkeypatch, shift_k, smoothing):
    monkeypatch.setattr(_pmi, "_AT_ONCE", 50)
    pmi = positive_pmi(sp.csr_array(counts), shift_k, smoothing)
    expected = reference(counts.astype(np.float64), shift_k, smoothing)
    assert_allclose(pmi.toarray(), expected, rtol=1e-5, atol=1e-6)
    assert pmi.dtype == np.float32
    assert (pmi.data > 0).all()


def test_the_counts_stay_as_they_are(counts):
    matrix = sp.csr_array(counts)
    positive_pmi(matrix)
    assert_array_equal(matrix.toarray(), counts)


def test_of_no_counts_there_is_nothing():
    assert positive_pmi(sp.csr_array((4, 4))).nnz == 0
