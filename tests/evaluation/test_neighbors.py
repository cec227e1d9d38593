import numpy as np
import pytest
from numpy.testing import assert_allclose

from skembed import WordVectors
from skembed.evaluation import neighbor_overlap


@pytest.fixture
def pair(rng):
    """Two tables of other sizes and orders, with 40 words in common."""
    a = WordVectors([f"w{i}" for i in range(50)], rng.normal(size=(50, 3)))
    words = [f"w{i}" for i in rng.permutation(np.arange(10, 60))]
    return a, WordVectors(words, rng.normal(size=(50, 7)))


def test_overlap_is_that_of_sets_of_neighbors(pair):
    common = [word for word in pair[0].index_to_key if word in pair[1]]
    tables = [WordVectors(common, words[common]) for words in pair]
    expected = []
    for word in common:
        near, also_near = (
            {neighbor for neighbor, _ in table.most_similar(word, topn=4)}
            for table in tables
        )
        expected.append(len(near & also_near) / 4)
    overlap = neighbor_overlap(*pair, k=4)
    assert overlap.words == common
    assert_allclose(overlap.per_word, expected)
    assert_allclose(overlap.mean, np.mean(expected))
    assert 0 < overlap.mean < 1


def test_turning_all_vectors_changes_no_neighbors(pair, rng):
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    turned = WordVectors(pair[0].index_to_key, 5 * pair[0].vectors @ turn)
    assert neighbor_overlap(pair[0], turned, k=5).mean == 1


def test_some_words_can_be_compared(pair):
    everything = neighbor_overlap(*pair, k=4)
    some = neighbor_overlap(*pair, k=4, words=["w30", "w12"])
    places = [everything.words.index(word) for word in ("w30", "w12")]
    assert_allclose(some.per_word, everything.per_word[places])


def test_order_does_not_matter(pair):
    assert neighbor_overlap(*pair).mean == neighbor_overlap(*pair[::-1]).mean


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"k": 40}, "k must be from 1 to 39, as 40 words are common"),
        ({"k": 0}, "k must be from 1 to 39"),
        ({"words": ["w12", "w55"]}, r"these are not: \['w55'\]"),
        ({"words": []}, "words is empty"),
    ],
)
def test_a_wrong_argument_is_explained(pair, options, message):
    with pytest.raises(ValueError, match=message):
        neighbor_overlap(*pair, **options)
