"""The torch core of fastText: words of several rows, which move as if compiled."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from skembed._ragged import Ragged
from skembed.training.fasttext import FastTextConfig, train_fasttext
from skembed.training.fasttext._composition import compose
from skembed.training.skipgram._epochs import sampled
from skembed.training.skipgram._torch.center import Parts, Tables
from skembed.training.skipgram._torch.draws import Layout, Noise, Source
from skembed.training.skipgram._torch.step import step
from tests.reference.blocks import (
    as_arrays,
    block_loss,
    forces,
    moves_of_parts,
    stiffness,
)
from tests.reference.skipgram import numerical_gradient
from tests.training.devices import DEVICES, table_on
from tests.training.topics import gap_between_topics

CONFIG = FastTextConfig(vector_size=12, window=3, sample=0, epochs=4)
SIZE, NEGATIVE = 5, 3
# Far from 0: rows are held back.
RATE = 0.5


@pytest.fixture
def ngrams():
    """Word 0 has an n-gram twice, words 1 and 2 share one, word 3 has none."""
    return Ragged.from_lengths(np.array([0, 0, 1, 2, 2], dtype=np.int32), [3, 1, 1, 0])


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("n_tokens", [4, 30])
def test_rows_take_the_steps_of_their_words(rng, device, ngrams, n_tokens):
    # Each word once, or many times.
    ids = rng.permutation(n_tokens).astype(np.int32) % 4
    corpus = Ragged.from_lengths(ids, [n_tokens])
    source = Source(*sampled(corpus, np.ones(4, np.int64), 0.0, None), device)
    generator = torch.Generator(device).manual_seed(0)
    noise = Noise.from_probabilities(np.full(4, 0.25), 2, device)
    layout = Layout(1, 5, 6, 2, shrink=False)
    sample = source.sample(generator)
    ((block,),) = source.blocks(sample, noise, layout, 1, generator)
    have = as_arrays(block)

    composition, n_rows = compose(ngrams), 4 + 3
    w_in = rng.normal(size=(n_rows + 1, SIZE))
    w_out = rng.normal(size=(5, SIZE))
    w_in[-1] = w_out[-1] = 0
    rows_of = np.split(composition.rows, composition.offsets[1:-1])
    hidden = np.array([*(w_in[rows].mean(axis=0) for rows in rows_of), np.zeros(SIZE)])

    def loss():
        return block_loss(hidden.__getitem__, w_out, have, NEGATIVE)[0]

    (gradient,) = numerical_gradient(loss, hidden)
    pairs = forces(hidden.__getitem__, w_out, have, NEGATIVE)
    moves = moves_of_parts(
        -gradient, stiffness(pairs, 0, gradient), np.bincount(ids, minlength=4),
        rows_of, n_rows + 1, RATE,
    )  # fmt: skip
    parts = Parts.on(device, composition, n_rows)
    tables = Tables(table_on(device, w_in), table_on(device, w_out), parts)
    sums = step(tables, block, NEGATIVE, RATE)
    assert_allclose(sums[0].cpu(), loss(), rtol=1e-5)
    assert_allclose(tables.input.table.cpu(), w_in + moves, rtol=1e-4, atol=2e-5)


def own_ngrams(n_words):
    """Give each word an n-gram of its own, and one for all."""
    values = np.stack([np.arange(n_words), np.full(n_words, n_words)], axis=1)
    return Ragged.from_lengths(values.astype(np.int32).ravel(), np.full(n_words, 2))


@pytest.mark.parametrize("device", DEVICES)
def test_words_of_one_topic_end_up_near_each_other(topics, device):
    result = train_fasttext(*topics, own_ngrams(100), CONFIG, seed=0, device=device)
    # What all words share is the n-gram that they share.
    vectors = result.vectors - result.vectors.mean(axis=0)
    assert gap_between_topics(vectors) > 0.5
    assert result.losses[-1] < 6 * np.log(2) - 1
    assert result.tables.ngrams.shape == (101, 12)


@pytest.mark.parametrize("device", DEVICES)
def test_vectors_are_the_means_of_their_rows(topics, device):
    config = replace(CONFIG, epochs=1)
    result = train_fasttext(*topics, own_ngrams(100), config, seed=0, device=device)
    words, ngrams, _ = result.tables
    means = (words + ngrams[:100] + ngrams[100]) / 3
    assert_allclose(result.vectors, means, atol=1e-6)


@pytest.mark.parametrize("device", DEVICES)
def test_seeds_fix_the_tables(topics, device):
    config = replace(CONFIG, epochs=1)
    first, again, other = (
        train_fasttext(*topics, own_ngrams(100), config, seed=seed, device=device)
        for seed in (1, 1, 2)
    )
    for have, want in zip(first.tables, again.tables, strict=True):
        assert_array_equal(have, want)
    assert not np.allclose(first.vectors, other.vectors)


def test_words_that_share_every_row_stay_finite(topics):
    # As with a single bucket.
    ngrams = Ragged.from_lengths(np.zeros(300, dtype=np.int32), np.full(100, 3))
    device = torch.device("cpu")
    result = train_fasttext(*topics, ngrams, CONFIG, seed=0, device=device)
    assert np.abs(result.tables.ngrams).max() < 100
    assert result.losses[-1] < 6 * np.log(2)
