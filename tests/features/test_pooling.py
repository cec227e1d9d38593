import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.feature_extraction.text import TfidfTransformer

from skembed._ragged import Ragged
from skembed.features import (
    POOLINGS,
    document_frequency,
    inverse_document_frequency,
    pool,
    smooth_inverse_frequency,
)
from tests.reference import pooling as reference

N_WORDS = 6


def ragged(documents):
    flat = np.array([i for document in documents for i in document], dtype=np.int32)
    return Ragged.from_lengths(flat, [len(document) for document in documents])


@pytest.fixture
def documents(rng):
    return [rng.integers(N_WORDS, size=n).tolist() for n in [3, 0, 1, 20, 0]]


@pytest.fixture
def weights(rng):
    return {"idf": rng.uniform(1, 9, N_WORDS), "sif": rng.uniform(0, 1, N_WORDS)}


@pytest.mark.parametrize("pooling", POOLINGS)
def test_each_pooling_is_what_its_formula_says(rng, documents, weights, pooling):
    table = rng.normal(size=(N_WORDS, 5)).astype(np.float32)
    features = pool(ragged(documents), table, pooling, **weights)
    expected = reference.pool(documents, table, pooling, **weights)
    assert features.dtype == np.float32
    assert_allclose(features, expected, rtol=1e-6, atol=1e-7)


@given(
    st.lists(st.lists(st.integers(0, N_WORDS - 1), max_size=8), max_size=5),
    st.sampled_from(POOLINGS),
)
def test_a_document_is_pooled_as_if_it_were_alone(documents, pooling):
    rng = np.random.default_rng(0)
    table = rng.normal(size=(N_WORDS, 3)).astype(np.float32)
    weights = {"idf": rng.uniform(1, 9, N_WORDS), "sif": rng.uniform(0, 1, N_WORDS)}
    together = pool(ragged(documents), table, pooling, **weights)
    for document, row in zip(documents, together, strict=True):
        alone = pool(ragged([document]), table, pooling, **weights)
        assert_array_equal(row, alone[0])


@pytest.mark.parametrize("pooling", ["max", "min"])
def test_extremes_of_one_sign_are_not_cut_at_zero(pooling):
    table = np.array([[-1, 2], [-3, 4]], dtype=np.float32)
    expected = {"max": [[-1, 4]], "min": [[-3, 2]]}[pooling]
    assert_array_equal(pool(ragged([[0, 1]]), table, pooling), expected)


@pytest.mark.parametrize("pooling", ["max", "min"])
def test_extremes_keep_infinities_and_negative_zeros(pooling):
    table = np.array([[-np.inf, np.inf, -0.0]], dtype=np.float32)
    features = pool(ragged([[0, 0]]), table, pooling)
    assert_array_equal(features, table)
    assert_array_equal(np.signbit(features), np.signbit(table))


@pytest.mark.parametrize("document", [[0, 1], [1, 0], [1, 0, 1]])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_a_nan_stays_in_its_coordinate_and_is_not_hidden(pooling, document):
    table = np.array([[1, np.nan], [2, 3]], dtype=np.float32)
    features = pool(ragged([document]), table, pooling, idf=np.ones(2), sif=np.ones(2))
    assert np.isfinite(features[0, 0])
    assert np.isnan(features[0, 1])


@pytest.mark.parametrize("pooling", POOLINGS)
def test_empty_documents_are_zeros_even_if_the_table_holds_nan(pooling):
    table = np.full((1, 2), np.nan, dtype=np.float32)
    one = np.ones(1)
    assert_array_equal(pool(ragged([[], []]), table, pooling, idf=one, sif=one), 0)


def test_a_million_words_are_averaged_without_loss(rng):
    table = np.array([[0.1], [0.3]], dtype=np.float32)
    ids = rng.integers(2, size=10**6).astype(np.int32)
    mean = pool(Ragged.from_lengths(ids, [len(ids)]), table, "mean")
    assert_allclose(mean[0, 0], table[ids].mean(dtype=np.float64), rtol=1e-7)


def test_read_only_and_mapped_tables_are_pooled(tmp_path, rng):
    table = rng.normal(size=(3, 4)).astype(np.float32)
    np.save(tmp_path / "table.npy", table)
    mapped = np.load(tmp_path / "table.npy", mmap_mode="r")
    ids = ragged([[0, 2], [1]])
    assert_array_equal(pool(ids, mapped, "mean"), pool(ids, table, "mean"))


@pytest.mark.parametrize("bad", [-1, 2])
def test_an_id_outside_the_table_is_refused(bad):
    table = np.zeros((2, 3), dtype=np.float32)
    with pytest.raises(IndexError, match="between 0 and 1"):
        pool(ragged([[0, bad]]), table, "mean")


def test_an_unknown_pooling_is_named():
    with pytest.raises(ValueError, match="got 'median'"):
        pool(ragged([[0]]), np.zeros((1, 1), dtype=np.float32), "median")


@pytest.mark.parametrize("pooling", ["idf", "sif"])
def test_missing_weights_are_named(pooling):
    with pytest.raises(ValueError, match=f"pass {pooling}"):
        pool(ragged([[0]]), np.zeros((1, 1), dtype=np.float32), pooling)


def test_idf_is_the_smooth_idf_of_scikit_learn(documents):
    counts = np.array([np.bincount(d, minlength=N_WORDS) for d in documents])
    df = document_frequency(ragged(documents), N_WORDS)
    idf = inverse_document_frequency(df, len(documents))
    assert_allclose(idf, TfidfTransformer().fit(counts).idf_)
    assert_allclose(idf, reference.idf(documents, N_WORDS))


def test_sif_is_the_weight_of_the_paper(documents):
    counts = np.bincount(ragged(documents).values, minlength=N_WORDS)
    expected = reference.sif(documents, N_WORDS)
    assert_allclose(smooth_inverse_frequency(counts), expected)
