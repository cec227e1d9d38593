"""Rows that the same words have are trained as one, as if each were trained."""

from collections import Counter

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from skembed._kernels.compiling import compiled
from skembed._ragged import Ragged
from skembed.training import fasttext
from skembed.training._aligned import aligned_zeros
from skembed.training.fasttext import FastTextConfig, train_fasttext
from skembed.training.fasttext._composition import compose, overlap, word_vectors
from skembed.training.fasttext._groups import RowGroups, group_rows
from skembed.training.skipgram._kernels.center import move_center
from skembed.training.skipgram._tables import padded_table

SIZE = 18
MAX_TIMES = 3


@compiled()
def move(table, word, composition, gradient):
    move_center(table, word, composition, gradient, 0)


def draw(rng):
    """Draw n-grams that words share in all ways, some of them several times."""
    n_words, n_ngrams = rng.integers(1, 9), rng.integers(1, 12)
    times = rng.integers(0, MAX_TIMES + 1, (n_words, n_ngrams))
    times[rng.random(times.shape) < 0.6] = 0
    # Twins of some n-grams.
    times = np.concatenate([times, times[:, rng.integers(0, n_ngrams, 4)]], axis=1)
    lists = [rng.permutation(np.repeat(np.arange(len(row)), row)) for row in times]
    values = np.concatenate(lists).astype(np.int32)
    return Ragged.from_lengths(values, [*map(len, lists)]), n_words + times.shape[1]


def words_of_rows(composition, n_rows):
    """The words that have each row, with how often they have it."""
    words = [Counter() for _ in range(n_rows)]
    for word, start in enumerate(composition.offsets[:-1]):
        for row in composition.rows[start : composition.offsets[word + 1]]:
            words[row][word] += 1
    return words


@pytest.mark.parametrize("seed", range(30))
def test_rows_are_of_one_group_if_the_same_words_have_them_as_often(rng, seed):
    ngrams, n_rows = draw(np.random.default_rng([seed, *rng.integers(0, 99, 1)]))
    composition = compose(ngrams)
    groups = group_rows(composition, n_rows)
    words = words_of_rows(composition, n_rows)
    for i in range(n_rows):
        alike = [words[i] == other for other in words]
        assert_array_equal(groups.group_of == groups.group_of[i], alike)
    n_groups = len(groups.sizes)
    sizes = np.bincount(groups.group_of, minlength=n_groups + 1)
    assert_array_equal(groups.sizes, sizes[:n_groups])
    met = [*words_of_rows(groups.composition, n_groups), Counter()]
    for row, group in enumerate(groups.group_of):
        assert met[group] == words[row]


@pytest.mark.parametrize("seed", range(10))
def test_steps_of_groups_are_those_of_their_rows(rng, seed):
    draws = np.random.default_rng([seed, *rng.integers(0, 99, 1)])
    ngrams, n_rows = draw(draws)
    composition = compose(ngrams)
    rows = padded_table(n_rows, SIZE, draws.normal(size=(n_rows, SIZE)))
    groups = group_rows(composition, n_rows)
    start, means = rows.copy(), groups.means(rows)
    weight = draws.dirichlet(np.ones(len(ngrams)))
    assert_allclose(
        overlap(groups.composition, weight), overlap(composition, weight), rtol=1e-5
    )
    gradient = aligned_zeros(1, SIZE)
    for word in draws.integers(0, len(ngrams), 20):
        gradient[0, :SIZE] = draws.normal(size=SIZE)
        move(rows, word, composition, gradient)
        move(means, word, groups.composition, gradient)
    expected = word_vectors(rows, composition, SIZE)
    have = word_vectors(means, groups.composition, SIZE)
    assert_allclose(have, expected, rtol=1e-4, atol=1e-5)
    groups.move(start, means)
    assert_allclose(start, rows, rtol=1e-4, atol=1e-5)


def test_words_lie_in_the_order_of_the_vocabulary():
    # Of three words, the second and the third share n-gram 2, and 3 is of no word.
    ngrams = Ragged.from_lengths(np.array([4, 2, 0, 1, 2], np.int32), [1, 1, 3])
    groups = group_rows(compose(ngrams), 3 + 5)
    assert_array_equal(groups.composition.rows, [0, 1, 2, 3, 2])
    # There are 4 groups: 4 is none.
    assert_array_equal(groups.group_of, [0, 1, 3, 3, 3, 2, 4, 0])
    assert_allclose(groups.composition.weight, [1, 1 / 2, 1 / 2, 3 / 4, 1 / 4])


@pytest.mark.parametrize("parallel", ["reproducible", "hogwild"])
def test_the_rows_of_a_group_keep_their_distances(topics, parallel):
    """N-grams 2 w and 2 w + 1 are of word w alone."""
    ngrams = Ragged.from_lengths(np.arange(200, dtype=np.int32), np.full(100, 2))
    first, last = (
        train_fasttext(
            *topics, ngrams, FastTextConfig(16, epochs=n, parallel=parallel), seed=0
        ).tables
        for n in (0, 1)
    )
    moved = last.words - first.words
    assert np.abs(moved).min(axis=0).max() > 1e-3
    for n in (0, 1):
        change = last.ngrams[n::2] - first.ngrams[n::2]
        assert_allclose(change, moved, rtol=1e-4, atol=1e-6)


def test_rows_that_no_word_has_stay_as_they_are(topics):
    ngrams = Ragged.from_lengths(np.zeros(100, dtype=np.int32), np.ones(100, int))
    config = FastTextConfig(16, epochs=1)
    start = train_fasttext(*topics, ngrams, config, seed=0).tables
    more = np.vstack([start.ngrams, np.ones((3, 16), np.float32)])
    # One that is not finite is no other's business.
    more[1] = np.inf
    result = train_fasttext(
        *topics, ngrams, config, seed=0, initial=start._replace(ngrams=more)
    )
    assert_array_equal(result.tables.ngrams[1:], more[1:])
    assert (result.tables.ngrams[0] != more[0]).all()


def groups_of_one(composition, n_rows):
    return RowGroups(composition, np.arange(n_rows), np.ones(n_rows, dtype=np.int64))


@pytest.mark.parametrize(
    ("parallel", "device"),
    [("reproducible", None), ("hogwild", None), ("hogwild", torch.device("cpu"))],
)
def test_a_training_is_the_same_without_groups(
    rng, topics, monkeypatch, parallel, device
):
    # Of each word two of its own, one of them twice, and of sixty four and two's twins.
    own = 80 + np.arange(200).reshape(100, 2)
    shared = rng.integers(0, 60, (100, 4))
    ngrams = np.hstack([own, own[:, :1], shared, 60 + shared[:, :2] % 20])
    numbers = np.unique(ngrams, return_inverse=True)[1].astype(np.int32).ravel()
    ngrams = Ragged.from_lengths(numbers, np.full(100, ngrams.shape[1]))
    config = FastTextConfig(
        16, window=3, sample=1e-2, epochs=1, learning_rate=5e-3, parallel=parallel
    )
    have = train_fasttext(*topics, ngrams, config, seed=0, device=device)
    monkeypatch.setattr(fasttext, "group_rows", groups_of_one)
    want = train_fasttext(*topics, ngrams, config, seed=0, device=device)
    for one, other in zip(have.tables, want.tables, strict=True):
        assert np.abs(other).max() > 0.05
        assert_allclose(one, other, atol=1e-4)
