"""The torch core of GloVe follows its loss, and keeps the compiled core's word."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from skembed.training._torch.segments import find_segments
from skembed.training.cooccurrence import Cooccurrences
from skembed.training.glove import GloVeConfig, train_glove
from skembed.training.glove._torch import Block, Side, step
from tests.reference.glove import adagrad_step, entry_loss
from tests.reference.skipgram import numerical_gradient
from tests.training.devices import DEVICES, table_on

CPU = torch.device("cpu")
CONFIG = GloVeConfig(vector_size=12, epochs=4)
N_WORDS, SIZE, RATE = 8, 5, 0.5


def block_of(rows, columns, x, x_max, alpha, device):
    rows, columns = torch.tensor(rows), torch.tensor(columns)
    targets, weights = np.log(x), np.minimum((x / x_max) ** alpha, 1)
    numbers = torch.tensor(np.array([targets, weights]), dtype=torch.float32)
    rows, columns, numbers = (part.to(device) for part in (rows, columns, numbers))
    segments = find_segments(torch.stack([rows, columns]))
    return Block(rows, columns, *numbers, *segments)


def parameters(rng):
    """Vectors and biases of both sides, and AdaGrad's sums, in float64."""
    shapes = [(N_WORDS, SIZE)] * 2 + [N_WORDS] * 2
    values = [rng.normal(size=shape) for shape in shapes]
    return values, [rng.uniform(1, 2, size=shape) for shape in shapes]


def side_of(vectors, biases, device, constant, one):
    table = np.empty((N_WORDS, SIZE + 2), dtype=np.float32)
    table[:, :SIZE], table[:, SIZE : SIZE + 2] = vectors, biases[:, None]
    table[:, constant] = one
    return table_on(device, table)


def sides(values, squares, device):
    (w, c, b, d), (w2, c2, b2, d2) = values, squares
    words = (side_of(v, u, device, SIZE + 1, 1.0) for v, u in ((w, b), (w2, b2)))
    contexts = (side_of(v, u, device, SIZE, 1.0) for v, u in ((c, d), (c2, d2)))
    return Side(*words, SIZE + 1), Side(*contexts, SIZE)


def unpacked(words, contexts):
    w, c = words.cpu().numpy(), contexts.cpu().numpy()
    return w[:, :SIZE], c[:, :SIZE], w[:, SIZE], c[:, SIZE + 1]


def gradients_of(values, entries, x_max, alpha):
    """Gradients of each entry's loss, halved as the program does."""
    w, c, b, d = values
    for i, j, x in entries:
        yield [
            part / 2
            for part in numerical_gradient(
                lambda i=i, j=j, x=x: entry_loss(
                    w[i], c[j], b[i], d[j], x, x_max, alpha
                ),
                *values,
            )
        ]


@pytest.mark.parametrize("device", DEVICES)
def test_rows_met_once_take_adagrads_step(rng, device):
    values, squares = parameters(rng)
    rows, columns = rng.permutation(N_WORDS), rng.permutation(N_WORDS)
    x = rng.uniform(0.3, 40, N_WORDS)
    entries = list(zip(rows, columns, x, strict=True))
    each = zip(*gradients_of(values, entries, 10.0, 0.75), strict=True)
    gradients = [np.sum(parts, axis=0) for parts in each]
    # Small enough that no row is held back.
    rate = 0.01
    expected = [
        adagrad_step(*three, rate)
        for three in zip(values, squares, gradients, strict=True)
    ]
    words, contexts = sides(values, squares, device)
    loss = step(words, contexts, block_of(rows, columns, x, 10.0, 0.75, device), rate)
    w, c, b, d = values
    wanted = sum(
        entry_loss(w[i], c[j], b[i], d[j], y, 10.0, 0.75) for i, j, y in entries
    )
    assert_allclose(loss.cpu(), wanted, rtol=1e-4)
    have = unpacked(words.table.table, contexts.table.table)
    have_squares = unpacked(words.squares.table, contexts.squares.table)
    for k in range(4):
        assert_allclose(have[k], expected[k][0], rtol=1e-4, atol=1e-5)
        assert_allclose(have_squares[k], expected[k][1], rtol=1e-4, atol=1e-5)
    assert_array_equal(words.table.table[:, SIZE + 1].cpu(), 1.0)
    assert_array_equal(contexts.table.table[:, SIZE].cpu(), 1.0)


@pytest.mark.parametrize("device", DEVICES)
def test_rows_met_several_times_take_one_implicit_step(rng, device):
    values, squares = parameters(rng)
    n = 20
    rows, columns = rng.integers(N_WORDS, size=(2, n))
    entries = list(zip(rows, columns, rng.uniform(0.3, 40, n), strict=True))
    x = np.array([entry[2] for entry in entries])
    words, contexts = sides(values, squares, device)
    step(words, contexts, block_of(rows, columns, x, 10.0, 0.75, device), RATE)
    each = list(gradients_of(values, entries, 10.0, 0.75))
    have = unpacked(words.table.table, contexts.table.table)
    for word in range(N_WORDS):
        # The vector and the bias of a word are one row.
        for side, of_entries in enumerate((rows, columns)):
            mine = np.flatnonzero(of_entries == word)
            z = RATE * np.array(
                [[*each[e][side][word], each[e][2 + side][word]] for e in mine]
            ).reshape(len(mine), SIZE + 1)
            sums = np.append(squares[side][word], squares[2 + side][word])
            grown = sums + (1 - 1 / max(len(mine), 1)) * (z**2).sum(axis=0)
            change = z.sum(axis=0) * 2 / (np.sqrt(sums) + np.sqrt(grown))
            others = [
                np.append(values[1 - side][(columns, rows)[side][e]], 1.0) for e in mine
            ]
            weights = np.minimum((x[mine] / 10.0) ** 0.75, 1)
            bend = sum(
                f * (other @ change) ** 2
                for f, other in zip(weights, others, strict=True)
            )
            way = RATE * bend / (z.sum(axis=0) @ change) if len(mine) else 0.0
            if len(mine):
                change *= (1 + min(way / len(mine), 0.5)) / (1 + way)
            before = np.append(values[side][word], values[2 + side][word])
            after = np.append(have[side][word], have[2 + side][word])
            assert_allclose(after, before - change, rtol=1e-4, atol=1e-5)


def test_the_first_loss_is_that_of_the_compiled_core(counted):
    config = replace(CONFIG, learning_rate=1e-12, epochs=1)
    have, expected = (
        train_glove(counted, 100, config, seed=0, device=device).losses
        for device in (CPU, None)
    )
    assert_allclose(have, expected, rtol=1e-5)


@pytest.mark.parametrize("device", DEVICES)
def test_seeds_fix_the_tables(counted, device):
    first, again, other = (
        train_glove(counted, 100, CONFIG, seed=seed, device=device)
        for seed in (1, 1, 2)
    )
    for have, want in zip(first.tables, again.tables, strict=True):
        assert_array_equal(have, want)
    assert_array_equal(first.losses, again.losses)
    assert not np.allclose(first.tables.input, other.tables.input)


@pytest.mark.parametrize("learning_rate", [0.5, 1e4])
def test_rows_met_many_times_in_a_block_are_not_thrown_back_and_forth(learning_rate):
    # One word has all others in its context: half of a block is of its row.
    n = 3000
    pairs = np.array([np.zeros(n), np.arange(1, n + 1)], dtype=np.int32)
    rows, columns = np.concatenate([pairs, pairs[::-1]], axis=1)
    counts = Cooccurrences(rows, columns, np.full(2 * n, 9, dtype=np.float32))
    config = replace(CONFIG, learning_rate=learning_rate, epochs=10)
    losses = train_glove(counts, n + 1, config, seed=0, device=CPU).losses
    assert losses[-1] < losses[0] / 2


def test_a_diverging_run_is_stopped_and_names_the_learning_rate(counted):
    first = train_glove(counted, 100, replace(CONFIG, epochs=1), seed=0, device=CPU)
    initial = first.tables._replace(input=first.tables.input * np.float32(1e25))
    with pytest.raises(ValueError, match=r"learning_rate=0\.05"):
        train_glove(counted, 100, CONFIG, seed=0, initial=initial, device=CPU)


def test_progress_is_reported_and_can_stop_the_training(counted):
    seen = []

    def progress(epoch, done, loss):
        seen.append((epoch, done, loss))
        return epoch == 1

    result = train_glove(counted, 100, CONFIG, seed=0, device=CPU, progress=progress)
    assert len(result.losses) == 2
    assert [done for _, done, _ in seen].count(1.0) == 2
    assert_allclose([loss for _, done, loss in seen if done == 1.0], result.losses)


def test_an_interrupt_ends_the_training(counted):
    def progress(epoch, done, loss):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_glove(counted, 100, CONFIG, seed=0, device=CPU, progress=progress)


def test_two_entries_can_be_trained_on():
    counts = Cooccurrences(*np.array([[0, 1], [1, 0]], "i4"), np.full(2, 3, "f4"))
    result = train_glove(counts, 2, CONFIG, seed=0, device=CPU)
    assert result.losses[-1] < result.losses[0]
