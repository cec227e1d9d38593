"""The steps of fastText's core follow the gradient of the published loss."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skembed._kernels.compiling import compiled
from skembed._kernels.random import mix
from skembed._ragged import Ragged
from skembed.training._aligned import aligned_zeros
from skembed.training.fasttext import FastTextConfig, FastTextTables, train_fasttext
from skembed.training.fasttext._composition import compose, dealt, word_vectors
from skembed.training.fasttext._kernels.words import (
    compose_words,
    spread_changes,
    sum_ways,
)
from skembed.training.fasttext._objective import NgramSampling
from skembed.training.skipgram import _schedule
from skembed.training.skipgram._epochs import sampled
from skembed.training.skipgram._kernels.center import move_center
from skembed.training.skipgram._kernels.span import (
    Round,
    Windows,
    draw_noise,
    sample_span,
)
from skembed.training.skipgram._tables import padded_table
from tests.reference.fasttext import (
    moves_of_rows,
    step_of_rows,
    total_loss,
    word_vector,
)
from tests.reference.skipgram import numerical_gradient

# So small that later steps do not see what earlier ones have changed.
RATE = 1e-5
SIZE = 18  # one whole vector and a part of one
# Word 1 has an n-gram twice, word 2 has none, words 0, 3 and 4 share some.
NGRAMS = [[0, 1, 2], [3, 4, 3], [], [1, 5], [2, 1, 6, 7, 0]]
N_WORDS, N_NGRAMS = len(NGRAMS), 8


def ragged(lists):
    values = np.array([value for row in lists for value in row], dtype=np.int32)
    return Ragged.from_lengths(values, [len(row) for row in lists])


@pytest.fixture
def parts():
    """The rows of each word: its own, and those of its n-grams, which come after."""
    return [np.array([w, *(N_WORDS + np.array(g, int))]) for w, g in enumerate(NGRAMS)]


@pytest.fixture
def rows(rng):
    return rng.normal(size=(N_WORDS + N_NGRAMS, SIZE))


@compiled()
def move(table, word, composition, gradient):
    move_center(table, word, composition, gradient, 0)


def test_a_word_is_the_mean_of_its_rows(rows, parts):
    composition = compose(ragged(NGRAMS))
    vectors = word_vectors(padded_table(*rows.shape, rows), composition, SIZE)
    expected = [word_vector(rows, part) for part in parts]
    assert_allclose(vectors, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("word", range(N_WORDS))
def test_the_vector_of_a_word_goes_where_its_step_points_to(rng, rows, parts, word):
    step = rng.normal(size=SIZE)
    table, gradient = padded_table(*rows.shape, rows), aligned_zeros(1, SIZE)
    gradient[0, :SIZE] = step
    move(table, word, compose(ragged(NGRAMS)), gradient)
    expected = step_of_rows(-step, rows, parts, word)
    assert_allclose(table[:-1, :SIZE], expected, rtol=1e-5, atol=1e-5)
    before, after = (word_vector(r, parts[word]) for r in (rows, expected))
    assert_allclose(after - before, step, rtol=1e-9)


class Examples:
    """What an epoch trains on, by the draws of its spans."""

    def __init__(self, corpus, counts, config, weight, length):
        self.spans = Round(
            0, len(corpus.values), length, config.window, config.shrink_windows,
            np.float32(config.learning_rate), self._key(config),
        )  # fmt: skip
        self.noise = NgramSampling(counts, compose(ragged(NGRAMS)), config).noise
        self.corpus = sampled(corpus, counts, config.sample, weight)
        self.weight = weight

    def _key(self, config):
        seeds = np.random.SeedSequence(0).spawn(config.epochs)
        return seeds[0].generate_state(1, dtype=np.uint64)[0]

    def __iter__(self):
        spans = self.spans
        for number in range(-(-spans.stop // spans.length)):
            windows = Windows(*np.empty((3, spans.length + 20), np.int32))
            n, first, last = sample_span(self.corpus, spans, number, windows)
            noise = self._noise_words(number, last - first)
            for i in range(first, last):
                near = [
                    j
                    for j in range(n)
                    if j != i
                    and abs(j - i) <= windows.reach[i]
                    and windows.document[j] == windows.document[i]
                ]
                start = (i - first) // self.noise.n_centers * self.noise.n_renewed
                shared = noise[start : start + self.noise.n_shared]
                yield (
                    windows.words[i], windows.words[near], shared,
                    len(near) * self.noise.negative / self.noise.n_shared,
                    self.weight[windows.document[i]],
                )  # fmt: skip

    def _noise_words(self, number, n_centers):
        n_tiles = -(-n_centers // self.noise.n_centers)
        n = self.noise.n_shared + self.noise.n_renewed * (n_tiles + 1)
        words = np.empty(n, dtype=np.int32)
        position = int(self.spans.key) + number * self.spans.length
        # Of an int, as numba returns, it would make a signed one.
        key = np.uint64(mix(np.uint64(~position & 0xFFFFFFFFFFFFFFFF)))
        draw_noise(key, self.noise.threshold, self.noise.alias, words, n)
        return words


# A corpus of 120 tokens is one span, trained on the tables themselves; spans of 10 or 7
# tokens make rounds of replicas, the last of which has fewer.
@pytest.mark.parametrize(("parallel", "length"), [("hogwild", 120),
                         ("reproducible", 120), ("reproducible", 10),
                         ("reproducible", 7)])  # fmt: skip
def test_small_steps_follow_the_gradient_of_the_loss(
    rng, monkeypatch, rows, parts, parallel, length
):
    n_rounds, n_replicas = {120: (1, 1), 10: (1, 12), 7: (2, 8)}[length]
    monkeypatch.setattr(_schedule, "MIN_ROUNDS", n_rounds)
    monkeypatch.setattr(_schedule, "MIN_LENGTH", 2000 if length == 120 else length)
    monkeypatch.setattr(_schedule, "N_REPLICAS", n_replicas)
    corpus = Ragged.from_lengths(rng.integers(0, N_WORDS, 120).astype(np.int32),
                                 [50, 0, 1, 69])  # fmt: skip
    counts = np.bincount(corpus.values)
    config = FastTextConfig(
        vector_size=SIZE, window=3, sample=0.05, epochs=1, learning_rate=RATE,
        min_learning_rate=RATE, parallel=parallel,
    )  # fmt: skip
    w_out = rng.normal(size=(N_WORDS, SIZE))
    weight = np.array([1.0, 2.0, 1.0, 0.5], dtype=np.float32)
    examples = list(Examples(corpus, counts, config, weight, length))
    assert 30 < len(examples) < 120

    def loss():
        return total_loss(rows, w_out, parts, examples)

    d_out = numerical_gradient(loss, w_out)[0]
    moved = np.zeros_like(rows)
    for example in examples:
        hidden = word_vector(rows, parts[example[0]])[None]

        def loss_of_one(hidden=hidden, example=example):
            return total_loss(hidden, w_out, [[0]], [(0, *example[1:])])

        gradient = numerical_gradient(loss_of_one, hidden)[0]
        moved += step_of_rows(gradient[0], rows, parts, example[0]) - rows
    tables = FastTextTables(rows[:N_WORDS], rows[N_WORDS:], w_out)
    result = train_fasttext(
        corpus, counts, ragged(NGRAMS), config, seed=0, n_threads=2,
        document_weight=weight, initial=tables,
    )  # fmt: skip
    trained = np.concatenate(result.tables[:2])
    tolerance = 0.01 * np.abs(moved).max()
    assert_allclose((trained - rows) / RATE, moved, atol=tolerance)
    tolerance = 0.01 * np.abs(d_out).max()
    assert_allclose((result.tables.output - w_out) / RATE, -d_out, atol=tolerance)
    n_pairs = sum(weight * len(contexts) for _, contexts, _, _, weight in examples)
    assert_allclose(result.losses, loss() / n_pairs, rtol=0.01)


@pytest.mark.parametrize("n_parts", [1, 2, 3, 8])
def test_rows_shared_by_words_take_the_scaled_sum_of_their_changes(
    rng, rows, parts, n_parts
):
    composition, splits = dealt(compose(ragged(NGRAMS)))
    words, pull = np.array([0, 1, 3, 4]), 0.4
    table = padded_table(*rows.shape, rows)
    vectors, before = padded_table(N_WORDS, SIZE), aligned_zeros(N_WORDS, SIZE)
    for part in range(n_parts):
        compose_words(words, table, composition, vectors, before, part, n_parts)
    expected = [word_vector(rows, parts[w]) for w in words]
    assert_allclose(before[: len(words), :SIZE], expected, rtol=1e-5, atol=1e-6)
    change = rng.normal(size=(N_WORDS, SIZE))
    # So different that the scale of some would be more than 1.
    touches = np.array([1, 2, 500, 3, 9], dtype=np.float32)
    vectors[:-1, :SIZE] += change
    ways = np.full((len(table), 4), 7, np.float32)
    for part in range(n_parts):
        sum_ways(words, touches, composition, splits, ways, pull, part, n_parts)
    for part in range(n_parts):
        spread_changes(
            words, touches, composition, splits, vectors, before, table, ways,
            pull, aligned_zeros(1, SIZE), part, n_parts,
        )  # fmt: skip
    expected = rows + moves_of_rows(rows, parts, words, change, pull * touches)
    assert_allclose(table[:-1, :SIZE], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("n_words", [1, 2, 100])
def test_words_of_the_same_rows_go_as_far_as_one_after_the_other(n_words):
    """Each goes the part a / (1 + a) of its way, all of them n a / (1 + n a)."""
    same = Ragged.from_lengths(np.zeros(3 * n_words, np.int32), np.full(n_words, 3))
    rows = compose(same).rows.copy()
    rows[::4] = n_words
    step = np.full(n_words, 0.25, dtype=np.float32)
    composition, splits = dealt(compose(same)._replace(rows=rows, step=step))
    words, pull = np.arange(n_words), 0.5
    table = padded_table(n_words + 1, SIZE)
    vectors, before = padded_table(n_words, SIZE), aligned_zeros(n_words, SIZE)
    vectors[:-1] = pull / (1 + pull)
    ways = np.empty((len(table), 4), np.float32)
    arguments = words, np.ones(n_words, np.float32)
    sum_ways(*arguments, composition, splits, ways, pull, 0, 1)
    spread_changes(
        *arguments, composition, splits,
        vectors, before, table, ways, pull, aligned_zeros(1, SIZE), 0, 1,
    )  # fmt: skip
    assert_allclose(table[n_words], n_words * pull / (1 + n_words * pull), rtol=1e-5)


def test_another_loss_than_negative_sampling_is_refused():
    corpus, config = ragged([[0, 1]]), replace(FastTextConfig(), loss="softmax")
    with pytest.raises(ValueError, match="got loss='softmax'"):
        train_fasttext(corpus, np.ones(2, int), ragged([[], []]), config, seed=0)
