"""The torch core of skip-gram follows its loss, and keeps the compiled core's word."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from skembed._ragged import Ragged
from skembed.training._torch.ranks import Ranks
from skembed.training.skipgram import SkipGramConfig, train_skipgram
from skembed.training.skipgram._epochs import sampled
from skembed.training.skipgram._torch.center import Tables
from skembed.training.skipgram._torch.draws import Layout, Noise, Source
from skembed.training.skipgram._torch.schedule import TorchSchedule
from skembed.training.skipgram._torch.step import step
from tests.reference.blocks import (
    as_arrays,
    block_loss,
    forces,
    step_size,
    stiffness,
    touches,
)
from tests.reference.skipgram import numerical_gradient
from tests.training.devices import DEVICES, table_on
from tests.training.progress import expect_reports_until_an_interrupt
from tests.training.topics import gap_between_topics

CONFIG = SkipGramConfig(vector_size=12, window=3, sample=0, epochs=2)
CPU = torch.device("cpu")
N_WORDS, SIZE, NEGATIVE = 14, 5, 3
# Far from 0: an update of the wrong table first would show.
RATE = 0.5


def source_of(corpus, device, sample=0.0, document_weight=None):
    counts = np.bincount(corpus.values, minlength=N_WORDS).clip(1)
    words = sampled(corpus, counts, sample, document_weight)
    return Source(*words, device)


def draw(source, device, layout, n_shared=3, seed=0):
    generator = torch.Generator(device).manual_seed(seed)
    uniform = np.full(N_WORDS, 1 / N_WORDS)
    noise = Noise.from_probabilities(uniform, n_shared, device)
    sample = source.sample(generator)
    draws = source.blocks(sample, noise, layout, 2, generator)
    return [block for several in draws for block in several]


def random_tables(rng):
    tables = rng.normal(size=(2, N_WORDS + 1, SIZE))
    tables[:, -1] = 0
    return tables


@pytest.fixture
def corpus(rng):
    lengths = [7, 0, 1, 4, 11]
    ids = rng.integers(0, N_WORDS, sum(lengths)).astype(np.int32)
    return Ragged.from_lengths(ids, lengths)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("n_tiles", "tile", "window"), [(1, 23, 2), (6, 4, 2), (12, 2, 3), (4, 6, 1)]
)
def test_a_block_follows_the_gradient_of_negative_sampling(
    rng, corpus, device, weighted, n_tiles, tile, window
):
    weight = rng.uniform(0.5, 2, len(corpus)).astype(np.float32) if weighted else None
    source = source_of(corpus, device, document_weight=weight)
    (block,) = draw(source, device, Layout(1, n_tiles, tile, window, shrink=True))
    have, (w_in, w_out) = as_arrays(block), random_tables(rng)

    def loss():
        return block_loss(w_in.__getitem__, w_out, have, NEGATIVE)[0]

    gradients = numerical_gradient(loss, w_in, w_out)
    pairs = list(forces(w_in.__getitem__, w_out, have, NEGATIVE))
    expected = []
    for k, counts in enumerate(touches(have, N_WORDS + 1)):
        size = step_size(counts, stiffness(pairs, k, gradients[k]), RATE)
        expected.append((w_in, w_out)[k] - size[:, None] * gradients[k])
    tables = Tables(table_on(device, w_in), table_on(device, w_out))
    sums = step(tables, block, NEGATIVE, RATE)
    assert_allclose(tables.input.table.cpu(), expected[0], rtol=1e-4, atol=2e-5)
    assert_allclose(tables.output.table.cpu(), expected[1], rtol=1e-4, atol=2e-5)
    wanted = block_loss(w_in.__getitem__, w_out, have, NEGATIVE)
    assert_allclose(sums.cpu(), wanted, rtol=1e-5)


@pytest.mark.parametrize("device", DEVICES)
def test_a_word_met_once_takes_its_whole_step(rng, device):
    words = np.arange(9, dtype=np.int32)
    source = source_of(Ragged.from_lengths(words, [9]), device)
    layout = Layout(1, 1, 9, 2, shrink=False)
    (block,) = draw(source, device, layout, n_shared=1)
    w_in, w_out = random_tables(rng)
    have = as_arrays(block)
    (gradient,) = numerical_gradient(
        lambda: block_loss(w_in.__getitem__, w_out, have, NEGATIVE)[0], w_in
    )
    tables = Tables(table_on(device, w_in), table_on(device, w_out))
    step(tables, block, NEGATIVE, 0.01)
    assert_allclose(tables.input.table.cpu(), w_in - 0.01 * gradient, atol=1e-6)


@pytest.mark.parametrize("device", DEVICES)
def test_blocks_hold_the_corpus_once_and_in_order(corpus, device):
    blocks = draw(source_of(corpus, device), device, Layout(5, 1, 5, 2, shrink=False))
    words = torch.cat([block.words[2:-2] for block in blocks]).cpu()
    documents = torch.cat([block.documents[2:-2] for block in blocks]).cpu()
    assert_array_equal(words[:23], corpus.values)
    assert_array_equal(words[23:], N_WORDS)
    assert_array_equal(documents[:23], np.repeat(np.arange(5), corpus.lengths))
    assert_array_equal(blocks[1].words[:2].cpu(), corpus.values[3:5])
    assert_array_equal(blocks[1].words[-2:].cpu(), corpus.values[10:12])
    assert (blocks[-1].reach.flatten()[-2:] == 0).all()


@pytest.mark.parametrize("device", DEVICES)
def test_shares_of_a_corpus_keep_its_words_and_documents(corpus, device):
    whole = sampled(corpus, np.ones(N_WORDS, np.int64), 0.0, None)
    samples = []
    for number in range(3):
        ranks = Ranks()
        ranks.rank, ranks.size = number, 3
        source = Source.of_share(whole, ranks, device)
        samples.append(source.sample(torch.Generator(device)))
    words, documents = (torch.cat(parts).cpu() for parts in zip(*samples, strict=True))
    assert_array_equal(words, corpus.values)
    assert_array_equal(documents, np.repeat(np.arange(5), corpus.lengths))


@pytest.mark.parametrize("device", DEVICES)
def test_words_are_kept_reaches_and_noise_drawn_as_often_as_they_should(device):
    n = 200_000
    corpus = Ragged.from_lengths(np.arange(n, dtype=np.int32) % 2, [n])
    keep = np.array([2**31 - 1, 2**29 - 1], dtype=np.uint32)
    source = Source(corpus.values, corpus.offsets, keep, np.empty(0, "f4"), device)
    generator = torch.Generator(device).manual_seed(0)
    sample = source.sample(generator)
    kept = np.bincount(sample.words.cpu(), minlength=2)
    assert kept[0] == n / 2
    assert_allclose(kept[1], n / 8, rtol=0.03)
    probabilities = np.array([0.7, 0.1, 0.2])
    noise = Noise.from_probabilities(probabilities, 5, device)
    drawn = np.bincount(noise.draw((n,), generator).cpu(), minlength=3)
    assert_allclose(drawn / n, probabilities, atol=0.01)
    length = -(-len(sample.words) // 4)
    layout = Layout(1, length, 4, 3, shrink=True)
    ((block,),) = source.blocks(sample, noise, layout, 1, generator)
    reach = np.bincount(block.reach.flatten()[: len(sample.words)].cpu(), minlength=4)
    assert reach[0] == 0
    assert_allclose(reach[1:] / reach.sum(), 1 / 3, atol=0.01)


@pytest.mark.parametrize("device", DEVICES)
def test_words_of_one_topic_end_up_near_each_other(topics, device):
    config = replace(CONFIG, epochs=4, learning_rate=0.05)
    result = train_skipgram(*topics, config, seed=0, device=device)
    assert gap_between_topics(result.input) > 0.3
    compiled = train_skipgram(*topics, config, seed=0)
    assert result.losses[-1] < compiled.losses[0] + 0.1


@pytest.mark.parametrize("device", DEVICES)
def test_seeds_fix_the_vectors(topics, device):
    config = replace(CONFIG, sample=1e-2)
    first, again, other = (
        train_skipgram(*topics, config, seed=seed, device=device) for seed in (1, 1, 2)
    )
    assert_array_equal(first.input, again.input)
    assert_array_equal(first.output, again.output)
    assert_array_equal(first.losses, again.losses)
    assert not np.allclose(first.input, other.input)


def test_draws_are_others_in_each_epoch_and_for_each_seed(rng, topics):
    still = replace(CONFIG, learning_rate=1e-12, min_learning_rate=1e-12)
    initial = tuple(rng.normal(size=(2, 100, 12)).astype(np.float32))
    losses = [
        train_skipgram(*topics, still, seed=seed, initial=initial, device=CPU).losses
        for seed in (1, 2)
    ]
    assert len(np.unique(losses)) == 4


def test_each_block_takes_the_rate_of_its_place_in_the_epoch(topics):
    corpus, counts = topics
    tables = tuple(np.zeros((2, 101, 12), dtype=np.float32))
    words = sampled(corpus, counts, 0.0, None)
    schedule = TorchSchedule(words, counts, tables, CONFIG, CPU)
    asked = []

    def rate(done):
        asked.append(done)
        return 0.01

    *_, (done, _, _) = schedule.run_epoch(np.uint64(0), rate)
    assert done == 1.0
    assert_allclose(asked, np.arange(len(asked)) / len(asked))
    assert len(asked) > 100


def test_the_loss_before_anything_is_learned_is_that_of_zero_scores(topics):
    config = replace(CONFIG, learning_rate=1e-9, min_learning_rate=1e-9)
    result = train_skipgram(*topics, config, seed=0, device=CPU)
    assert_allclose(result.losses, 6 * np.log(2), rtol=1e-5)


def test_windows_stop_at_document_boundaries():
    one_word_each = Ragged.from_lengths(np.arange(3, dtype=np.int32), [1, 0, 1, 1])
    ones = np.ones(3, np.int64)
    result = train_skipgram(one_word_each, ones, CONFIG, seed=0, device=CPU)
    assert_array_equal(result.output, 0)
    assert np.isnan(result.losses).all()


@pytest.mark.parametrize("device", DEVICES)
def test_documents_of_weight_zero_teach_nothing(topics, device):
    corpus, counts = topics
    weight = (np.arange(len(corpus)) % 2).astype(np.float32)
    start, result = (
        train_skipgram(
            corpus, counts, replace(CONFIG, epochs=epochs), seed=0, device=device,
            document_weight=weight,
        ) for epochs in (0, 2)
    )  # fmt: skip
    assert_array_equal(result.input[::2], start.input[::2])
    assert not np.allclose(result.input[1::2], start.input[1::2])


def test_training_goes_on_from_given_tables(topics):
    first = train_skipgram(*topics, replace(CONFIG, epochs=3), seed=0, device=CPU)
    kept = first.input.copy()
    more = train_skipgram(
        *topics, CONFIG, seed=1, initial=(first.input, first.output), device=CPU
    )
    assert more.losses[0] < first.losses[0]
    assert_array_equal(first.input, kept)


@pytest.mark.parametrize("bad", [np.nan, 1e25])
def test_a_diverging_run_is_stopped_and_names_the_learning_rate(topics, bad):
    initial = np.full((2, 100, 12), bad, dtype=np.float32)
    with pytest.raises(ValueError, match=r"learning_rate=0\.025"):
        train_skipgram(*topics, CONFIG, seed=0, initial=tuple(initial), device=CPU)


@pytest.mark.parametrize("learning_rate", [0.2, 1.0, 1e4])
def test_rows_met_many_times_in_a_block_are_not_thrown_back_and_forth(learning_rate):
    corpus = Ragged.from_lengths(np.arange(40_000, dtype=np.int32) % 3, [40_000])
    config = replace(CONFIG, learning_rate=learning_rate, epochs=4)
    result = train_skipgram(corpus, np.full(3, 13_334), config, seed=0, device=CPU)
    assert result.losses[-1] < 6 * np.log(2)
    assert np.abs(result.input).max() < 20


def test_progress_is_reported_and_can_stop_the_training(topics):
    train = partial(train_skipgram, *topics, CONFIG, seed=0, device=CPU)
    expect_reports_until_an_interrupt(train)


@pytest.mark.parametrize("corpus", [[], [5]])
def test_corpora_without_pairs_can_be_trained_on(corpus):
    ids = Ragged.from_lengths(np.array(corpus, dtype=np.int32), [len(corpus)])
    result = train_skipgram(ids, np.ones(6, np.int64), CONFIG, seed=0, device=CPU)
    assert np.isnan(result.losses).all()
    assert np.isfinite(result.input).all()


@pytest.mark.parametrize("window", [1, 40, 200])
def test_windows_of_any_length_can_be_learned(topics, window):
    config = replace(CONFIG, window=window, epochs=1, negative=50)
    result = train_skipgram(*topics, config, seed=0, device=CPU)
    assert result.losses[0] < 51 * np.log(2)
