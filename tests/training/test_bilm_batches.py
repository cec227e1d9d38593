"""Every word is to be predicted once an epoch, from each side."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skembed._ragged import Ragged
from skembed.training.bilm._batches import (
    count_batches,
    epoch_batches,
    frame,
    sentence_batches,
    stream_batches,
)
from tests.training.bilm_corpus import tiny_config

N_WORDS, BEGIN, END = 50, 50, 51
LENGTHS = [3, 1, 0, 7, 12, 30, 2, 5, 1, 9]


@pytest.fixture
def framed(rng):
    ids = rng.integers(N_WORDS, size=sum(LENGTHS)).astype(np.int32)
    return frame(Ragged.from_lengths(ids, LENGTHS), BEGIN, END)


def pairs_of(batches, direction):
    found = []
    for batch in batches:
        inputs, targets = batch.inputs[direction], batch.targets[direction]
        chosen = targets >= 0
        found += zip(inputs[chosen].tolist(), targets[chosen].tolist(), strict=True)
    return sorted(found)


def expected_pairs(framed, direction):
    order = slice(None) if direction == 0 else slice(None, None, -1)
    pairs = []
    for sentence in framed:
        words = sentence[order].tolist()
        pairs += pairwise(words)
    return sorted(pairs)


@pytest.mark.parametrize("direction", [0, 1])
@pytest.mark.parametrize("packing", ["sentences", "stream"])
@pytest.mark.parametrize("unroll", [1, 4, 99])
def test_each_word_is_a_target_once(rng, framed, packing, unroll, direction):
    config = tiny_config(packing=packing, unroll=unroll, batch_tokens=20)
    batches = list(epoch_batches(framed, config, rng))
    assert len(batches) == count_batches(framed, config)
    assert pairs_of(batches, direction) == expected_pairs(framed, direction)
    sizes = [batch.inputs[0].size for batch in batches]
    longest = max(batch.inputs.shape[1] for batch in batches)
    assert longest <= unroll
    assert max(sizes) <= max(20, longest)


def test_a_lane_of_sentences_is_one_sentence_in_its_order(framed):
    for batch in sentence_batches(framed, 99, 40, None):
        for lane in range(batch.inputs.shape[2]):
            inputs, targets = batch.inputs[:, :, lane], batch.targets[:, :, lane]
            n = int((targets[0] >= 0).sum())
            forward = [*inputs[0, :n].tolist(), int(targets[0, n - 1])]
            backward = [*inputs[1, :n].tolist(), int(targets[1, n - 1])]
            assert forward == backward[::-1]
            assert (forward[0], forward[-1]) == (BEGIN, END)
            assert (targets[:, n:] == -1).all()


def test_a_long_sentence_is_cut_but_misses_no_target():
    framed = frame(Ragged.from_lengths(np.arange(7, dtype="i4"), [7]), 8, 9)
    batches = list(sentence_batches(framed, 4, 4, None))
    assert [batch.inputs[0].ravel().tolist() for batch in batches] == [
        [8, 0, 1, 2],
        [3, 4, 5, 6],
    ]
    assert [batch.inputs[1].ravel().tolist() for batch in batches] == [
        [3, 2, 1, 0],
        [9, 6, 5, 4],
    ]


def test_a_lane_of_the_stream_goes_on_in_the_next_batch(rng, framed):
    batches = list(stream_batches(framed, 4, 20, rng))
    for direction, first in ((0, BEGIN), (1, END)):
        inputs = np.concatenate([b.inputs[direction] for b in batches]).T.ravel()
        targets = np.concatenate([b.targets[direction] for b in batches]).T.ravel()
        inputs, targets = inputs[targets >= 0], targets[targets >= 0]
        # What is predicted is read next, but for a boundary, after which one begins.
        is_inside = inputs[1:] != first
        assert_array_equal(inputs[1:][is_inside], targets[:-1][is_inside])
        assert set(targets[:-1][~is_inside].tolist()) == {BEGIN + END - first}


def test_epochs_are_shuffled_and_seeds_fix_the_order(framed):
    for packing in ("sentences", "stream"):
        config = tiny_config(packing=packing, unroll=8, batch_tokens=16)
        first, again, other = (
            [b.inputs for b in epoch_batches(framed, config, np.random.default_rng(s))]
            for s in (0, 0, 1)
        )
        assert all(map(np.array_equal, first, again))
        assert not all(map(np.array_equal, first, other))
