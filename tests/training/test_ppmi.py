"""The vectors of PPMI are the truncated singular value decomposition of its matrix."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.testing import assert_allclose, assert_array_equal

from skembed.counts import positive_pmi
from skembed.training import ppmi
from skembed.training.cooccurrence import Cooccurrences
from skembed.training.ppmi import PPMIConfig, factorize_ppmi

CONFIG = PPMIConfig(vector_size=6)
N_WORDS = 100


@pytest.fixture(params=["dense", "sparse"])
def way(request, monkeypatch):
    """Decompose as small matrices are, and as large ones are."""
    if request.param == "sparse":
        monkeypatch.setattr(ppmi, "_DENSE", 0)
    return request.param


def matrix_of(counts, config):
    pairs = (counts.rows, counts.columns)
    matrix = sp.csr_array((counts.values, pairs), shape=(N_WORDS, N_WORDS))
    return positive_pmi(matrix, config.shift_k, config.context_smoothing).toarray()


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0])
def test_vectors_are_scaled_singular_vectors(counted, way, exponent):
    config = replace(CONFIG, exponent=exponent)
    result = factorize_ppmi(counted, N_WORDS, config)
    left, singular, right = np.linalg.svd(matrix_of(counted, config).astype(float))
    scale = singular[:6] ** exponent
    for have, want in ((result.input, left[:, :6]), (result.output, right[:6].T)):
        assert_allclose(np.abs(have), np.abs(want * scale), atol=2e-3 * scale.max())
    assert_allclose(
        result.input @ result.output.T,
        (left[:, :6] * scale**2) @ right[:6],
        atol=1e-3 * (scale**2).max(),
    )
    rest = (singular[6:] ** 2).sum() / (singular**2).sum()
    assert_allclose(result.losses, [rest], rtol=1e-4)


def test_the_largest_component_of_an_input_column_is_positive(counted, way):
    vectors = factorize_ppmi(counted, N_WORDS, CONFIG).input
    assert (vectors[np.abs(vectors).argmax(axis=0), np.arange(6)] > 0).all()


def test_it_gives_the_same_bits_again(counted, way):
    first, again = (factorize_ppmi(counted, N_WORDS, CONFIG) for _ in range(2))
    assert_array_equal(first.input, again.input)
    assert_array_equal(first.output, again.output)


def test_columns_beyond_the_rank_are_zero(way):
    pairs = np.array([[0, 1, 2, 3], [1, 0, 3, 2]], dtype=np.int32)
    counts = Cooccurrences(*pairs, np.array([2, 2, 3, 3], dtype=np.float32))
    config = replace(CONFIG, vector_size=9, exponent=0.0)
    result = factorize_ppmi(counts, 5, config)
    assert result.input.shape == (5, 9)
    assert_array_equal(result.input[:, 4:], 0)
    assert (np.abs(result.input[:, :4]).max(axis=0) > 0.1).all()


def test_no_entries_are_refused():
    none = Cooccurrences(np.empty(0, "i4"), np.empty(0, "i4"), np.empty(0, "f4"))
    with pytest.raises(ValueError, match="no co-occurrences"):
        factorize_ppmi(none, 3, CONFIG)


def test_a_shift_that_leaves_nothing_is_named(counted):
    with pytest.raises(ValueError, match="shift_k=1000"):
        factorize_ppmi(counted, N_WORDS, replace(CONFIG, shift_k=1000))
