import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skembed.features import TokenFeatures


@pytest.fixture
def features(rng):
    vectors = rng.normal(size=(3, 2)).astype(np.float32)
    tokens = [["a", "b"], [], ["c"]]
    return TokenFeatures(vectors, np.array([0, 2, 2, 3]), tokens)


def test_a_document_is_a_matrix_of_its_tokens(features):
    assert len(features) == 3
    assert_array_equal(features[0], features.vectors[:2])
    assert features[1].shape == (0, 2)
    assert_array_equal(features[-1], features.vectors[2:])


def test_iteration_gives_the_documents_in_order(features):
    for matrix, i in zip(features, range(3), strict=True):
        assert_array_equal(matrix, features[i])


def test_a_document_that_is_not_there_is_an_index_error(features):
    with pytest.raises(IndexError):
        features[3]


def test_pickling_keeps_everything(features):
    loaded = pickle.loads(pickle.dumps(features))
    assert loaded.tokens == features.tokens
    assert loaded.offsets is None
    assert_array_equal(loaded.vectors, features.vectors)
    assert_array_equal(loaded.row_splits, features.row_splits)


def test_tokens_that_do_not_match_the_rows_are_refused():
    with pytest.raises(ValueError, match="1 tokens in 1 documents for 2 rows"):
        TokenFeatures(np.zeros((2, 1), np.float32), np.array([0, 2]), [["a"]])


@pytest.mark.parametrize("i", [slice(0, 2), "a", 1.0])
def test_documents_are_taken_one_at_a_time(features, i):
    with pytest.raises(TypeError, match="cannot be interpreted as an integer"):
        features[i]
