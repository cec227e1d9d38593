"""GloVe follows its paper, and gives the same tables to any number of threads."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skembed.training.cooccurrence import Cooccurrences
from skembed.training.glove import GloVeConfig, GloVeTables, _schedule, train_glove
from skembed.training.glove._blocks import N_BLOCKS, into_blocks
from skembed.training.glove._kernels import entry_step
from skembed.training.glove._tables import pack_tables, random_tables, unpack_tables
from tests.reference.glove import adagrad_step, entry_loss
from tests.reference.skipgram import numerical_gradient
from tests.training.devices import DEVICES
from tests.training.progress import expect_reports_until_an_interrupt

CONFIG = GloVeConfig(vector_size=12, epochs=4)
N_WORDS = 100


def assert_same(result, other):
    for have, want in zip(result.tables, other.tables, strict=True):
        assert_array_equal(have, want)
    assert_array_equal(result.losses, other.losses)


@pytest.mark.parametrize("size", [1, 14, 15, 50])
@pytest.mark.parametrize("x", [0.3, 9.0, 40.0])
def test_a_step_is_adagrads_on_the_published_loss(rng, size, x):
    # Far from 0: an update of the wrong table first would show.
    rate, x_max, alpha = 0.5, 10.0, 0.75
    w, c, *biases = rng.normal(size=size), rng.normal(size=size), *rng.normal(size=2)
    b, d = np.array(biases[:1]), np.array(biases[1:])
    squares = [rng.uniform(1, 2, part.shape) for part in (w, c, b, d)]

    def loss():
        return entry_loss(w, c, b[0], d[0], x, x_max, alpha)

    gradients = numerical_gradient(loss, w, c, b, d)
    expected = [
        adagrad_step(part, sums, gradient / 2, rate)
        for part, sums, gradient in zip((w, c, b, d), squares, gradients, strict=True)
    ]
    tables = pack_tables(GloVeTables(w[None], c[None], b, d))
    sums = pack_tables(GloVeTables(squares[0][None], squares[1][None], *squares[2:]))
    for table, values in zip(tables[2:], sums[:2], strict=True):
        # Where there is no parameter, the sum stays 1.
        table[values != 0] = values[values != 0]
    weight = np.float32(min((x / x_max) ** alpha, 1.0))
    value = entry_step(
        tables[0][0], tables[1][0], tables[2][0], tables[3][0], np.float32(np.log(x)),
        weight, np.float32(rate), size,
    )  # fmt: skip
    assert_allclose(value, loss(), rtol=1e-4)
    for k, fast in enumerate(unpack_tables(tables, size)):
        assert_allclose(fast.ravel(), expected[k][0], rtol=1e-4, atol=1e-5)
    for k, fast in enumerate(unpack_tables((*tables[2:], *tables[:2]), size)):
        assert_allclose(fast.ravel(), expected[k][1], rtol=1e-4, atol=1e-5)
    assert_array_equal(tables[0][0, size + 1], 1.0)
    assert_array_equal(tables[1][0, size], 1.0)
    for table in tables[:2]:
        assert_array_equal(table[0, size + 2 :], 0.0)


# None is the compiled core.
@pytest.mark.parametrize("device", [None, *DEVICES])
def test_products_approach_the_logarithms_of_the_counts(counted, device):
    # Small steps: once large ones have reached the minimum, the loss goes up and down.
    config = replace(CONFIG, epochs=30, learning_rate=0.02, x_max=1000.0)
    result = train_glove(counted, N_WORDS, config, seed=0, device=device)
    w, c, b, d = result.tables
    i, j = counted.rows, counted.columns
    scores = (w[i] * c[j]).sum(axis=1) + b[i] + d[j]
    assert np.corrcoef(scores, np.log(counted.values))[0, 1] > 0.9
    assert (np.diff(result.losses) < 0).all()
    assert result.losses[-1] < result.losses[0] / 5


def test_the_first_loss_is_that_of_the_initial_tables(counted):
    config = replace(CONFIG, learning_rate=1e-12, epochs=1)
    losses = train_glove(counted, N_WORDS, config, seed=0).losses
    x = counted.values.astype(np.float64)
    weights = np.minimum((x / config.x_max) ** config.alpha, 1)
    tables = random_tables(
        N_WORDS, 12, np.random.default_rng(np.random.SeedSequence(0))
    )
    w, c, b, d = (table.astype(np.float64) for table in tables)
    i, j = counted.rows, counted.columns
    error = (w[i] * c[j]).sum(axis=1) + b[i] + d[j] - np.log(x)
    assert_allclose(losses, (weights * error**2).mean(), rtol=1e-5)


def test_tables_do_not_depend_on_the_number_of_threads(counted, monkeypatch):
    monkeypatch.setattr(_schedule, "_ENTRIES_AT_ONCE", 100)
    one, two, many = (
        train_glove(counted, N_WORDS, CONFIG, seed=3, n_threads=n) for n in (1, 2, 40)
    )
    assert_same(one, two)
    assert_same(one, many)


def test_seeds_fix_the_tables(counted):
    first, again, other = (
        train_glove(counted, N_WORDS, CONFIG, seed=seed) for seed in (1, 1, 2)
    )
    assert_same(first, again)
    assert not np.allclose(first.tables.input, other.tables.input)


def test_every_entry_is_in_its_block_once(counted):
    blocks = into_blocks(counted, CONFIG)
    rows, columns = blocks.entries[:, 0], blocks.entries[:, 1]
    block = rows % N_BLOCKS * N_BLOCKS + columns % N_BLOCKS
    expected = np.repeat(np.arange(N_BLOCKS**2), np.diff(blocks.bounds))
    assert_array_equal(block, expected)
    order = np.lexsort((columns, rows))
    assert_array_equal(rows[order], counted.rows)
    assert_array_equal(columns[order], counted.columns)
    targets, weights = blocks.entries[order, 2:].copy().view(np.float32).T
    assert_allclose(targets, np.log(counted.values), rtol=1e-6, atol=1e-7)
    expected = np.minimum((counted.values / 10.0) ** 0.75, 1)
    assert_allclose(weights, expected, rtol=1e-5)


def test_entries_are_trained_on_once_per_epoch_in_another_order(counted, monkeypatch):
    seen = []
    train_blocks = _schedule.train_blocks

    def spy(entries, *rest):
        train_blocks(entries, *rest)
        seen.append(entries.copy())

    monkeypatch.setattr(_schedule, "train_blocks", spy)
    train_glove(counted, N_WORDS, replace(CONFIG, epochs=2), seed=0)
    first, second = seen[N_BLOCKS - 1], seen[-1]
    assert not np.array_equal(first, second)
    keys = [
        np.sort(e[:, 0].astype(np.int64) * N_WORDS + e[:, 1]) for e in (first, second)
    ]
    assert_array_equal(*keys)


def test_training_goes_on_from_given_tables(counted):
    first = train_glove(counted, N_WORDS, CONFIG, seed=0)
    kept = first.tables.input.copy()
    more = train_glove(counted, N_WORDS, CONFIG, seed=1, initial=first.tables)
    assert more.losses[0] < first.losses[0]
    assert_array_equal(first.tables.input, kept)


@pytest.mark.parametrize("table", ["input", "output", "input_bias", "output_bias"])
def test_given_tables_of_another_shape_are_refused(counted, table):
    tables = train_glove(counted, N_WORDS, replace(CONFIG, epochs=1), seed=0).tables
    tables = tables._replace(**{table: getattr(tables, table)[1:]})
    with pytest.raises(ValueError, match=rf"initial\.{table} must have .*\(100.*\(99"):
        train_glove(counted, N_WORDS, CONFIG, seed=0, initial=tables)


def test_training_ends_once_the_loss_hardly_falls(counted):
    config = replace(CONFIG, epochs=30, learning_rate=0.02)
    all_losses = train_glove(counted, N_WORDS, config, seed=0).losses
    losses = train_glove(counted, N_WORDS, replace(config, tol=0.1), seed=0).losses
    assert_array_equal(losses, all_losses[: len(losses)])
    falls = 1 - losses[1:] / losses[:-1]
    assert (falls[:-1] > 0.1).all()
    assert falls[-1] <= 0.1
    assert len(losses) < 30


def test_a_diverging_run_is_stopped_and_names_the_learning_rate(counted):
    config = replace(CONFIG, learning_rate=1e4)
    with pytest.raises(ValueError, match=r"learning_rate=10000\.0"):
        train_glove(counted, N_WORDS, config, seed=0)


def test_a_true_result_of_progress_stops_after_the_epoch(counted):
    def progress(epoch, done, loss):
        return epoch == 1 and done < 0.5

    result = train_glove(counted, N_WORDS, CONFIG, seed=0, progress=progress)
    assert len(result.losses) == 2


@pytest.mark.parametrize("n_threads", [1, 2])
def test_progress_is_reported_and_can_stop_the_training(counted, n_threads):
    train = partial(train_glove, counted, N_WORDS, CONFIG, seed=0, n_threads=n_threads)
    expect_reports_until_an_interrupt(train)


def test_the_end_of_an_epoch_is_reported_once_for_few_entries():
    counts = Cooccurrences(*np.array([[0, 1], [1, 0]], "i4"), np.ones(2, "f4"))
    ends = []
    train_glove(
        counts, 2, CONFIG, seed=0, progress=lambda _, done, __: ends.append(done)
    )
    assert ends.count(1.0) == CONFIG.epochs


def test_no_entries_are_refused():
    none = Cooccurrences(np.empty(0, "i4"), np.empty(0, "i4"), np.empty(0, "f4"))
    with pytest.raises(ValueError, match="no co-occurrences"):
        train_glove(none, 3, CONFIG, seed=0)


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf])
def test_counts_must_be_positive_and_finite(counted, bad):
    values = counted.values.copy()
    values[7] = bad
    with pytest.raises(ValueError, match="positive and finite"):
        train_glove(counted._replace(values=values), N_WORDS, CONFIG, seed=0)


def test_words_out_of_range_are_refused(counted):
    with pytest.raises(ValueError, match="n_words"):
        train_glove(counted, N_WORDS - 10, CONFIG, seed=0)
