"""What spans see of the corpus, and how their replicas become one table again."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skembed._ragged import Ragged
from skembed.counts import AliasTable, keep_probability
from skembed.training.skipgram import SkipGramConfig
from skembed.training.skipgram._epochs import sampled
from skembed.training.skipgram._kernels.replica import Replicas, Tables, merge
from skembed.training.skipgram._kernels.span import (
    Round,
    Windows,
    draw_noise,
    sample_span,
)
from skembed.training.skipgram._objectives import OBJECTIVES
from skembed.training.skipgram._schedule import Schedule
from skembed.training.skipgram._tables import padded_table, unpadded

KEY = np.uint64(123456789)


def spans_of(n_tokens, *, start=0, length=None, window=5, shrink=True):
    length = length or n_tokens
    return Round(start, n_tokens, length, window, shrink, np.float32(0.1), KEY)


def windows_of(capacity):
    return Windows(*np.empty((3, capacity), dtype=np.int32))


def naive_pairs(corpus, window):
    lengths = corpus.lengths
    return sum(
        min(n, i + window + 1) - max(0, i - window) - 1
        for n in lengths
        for i in range(n)
    )


@pytest.mark.parametrize("loss", ["negative_sampling", "hierarchical_softmax"])
@pytest.mark.parametrize("parallel", ["reproducible", "hogwild"])
@pytest.mark.parametrize("n_threads", [1, 3])
def test_every_pair_of_the_corpus_is_trained_on_once(rng, loss, parallel, n_threads):
    # From empty to longer than a span: windows must cross spans, not documents.
    lengths = np.concatenate([rng.integers(0, 40, 2000), [30_000, 0, 20_001, 1, 0]])
    corpus = Ragged.from_lengths(
        rng.integers(0, 500, lengths.sum()).astype(np.int32), lengths
    )
    counts = np.bincount(corpus.values)
    config = SkipGramConfig(
        vector_size=2, window=4, shrink_windows=False, parallel=parallel, loss=loss
    )
    objective = OBJECTIVES[loss](counts, config)
    schedule = Schedule(
        sampled(corpus, counts, 0, None),
        (padded_table(500, 2), padded_table(objective.n_outputs, 2)),
        objective,
        config,
        n_threads,
    )
    rounds = list(schedule.run_epoch(KEY, lambda _: 0.01))
    assert len(rounds) > 1
    assert sum(weight for _, _, weight in rounds) == naive_pairs(corpus, 4)


def test_subsampling_keeps_words_as_often_as_word2vec_does(rng):
    ids = rng.choice(5, size=200_000, p=[0.7, 0.2, 0.07, 0.02, 0.01]).astype(np.int32)
    corpus, counts = Ragged.from_lengths(ids, [100_000, 100_000]), np.bincount(ids)
    windows = windows_of(len(ids) + 10)
    n, _, _ = sample_span(
        sampled(corpus, counts, 1e-2, None), spans_of(len(ids)), 0, windows
    )
    kept = np.bincount(windows.words[:n], minlength=5) / counts
    assert_allclose(kept, keep_probability(counts, 1e-2), atol=0.02)


def test_reaches_are_drawn_uniformly_and_independently_of_keeping(rng):
    ids = rng.integers(0, 2, 100_000).astype(np.int32)
    corpus, counts = Ragged.from_lengths(ids, [100_000]), np.bincount(ids)
    windows = windows_of(len(ids) + 10)
    n, _, _ = sample_span(
        sampled(corpus, counts, 0.05, None), spans_of(len(ids)), 0, windows
    )
    share = np.bincount(windows.reach[:n], minlength=6)[1:] / n
    assert len(share) == 5
    assert_allclose(share, 0.2, atol=0.01)


def test_spans_see_what_the_whole_corpus_shows(rng):
    """The draws belong to the tokens: cutting the corpus elsewhere changes nothing."""
    ids = rng.integers(0, 9, 5_000).astype(np.int32)
    corpus = Ragged.from_lengths(ids, [1_234, 3_766])
    corpus = sampled(corpus, np.bincount(ids), 0.05, None)
    whole = windows_of(6_000)
    _, first, last = sample_span(corpus, spans_of(5_000), 0, whole)
    assert first == 0
    words, reach = [], []
    for number in range(8):
        windows = windows_of(1_000)
        spans = spans_of(5_000, length=700)
        _, first_center, last_center = sample_span(corpus, spans, number, windows)
        words.append(windows.words[first_center:last_center])
        reach.append(windows.reach[first_center:last_center])
    assert_array_equal(np.concatenate(words), whole.words[:last])
    assert_array_equal(np.concatenate(reach), whole.reach[:last])


def test_noise_words_follow_their_distribution(rng):
    probability = rng.dirichlet(np.ones(30))
    noise = np.empty(300_000, dtype=np.int32)
    draw_noise(KEY, *AliasTable.from_probabilities(probability), noise, len(noise))
    share = np.bincount(noise, minlength=30) / len(noise)
    assert_allclose(share, probability, atol=4 * np.sqrt(0.25 / len(noise)))


def scaled_sum(old, changes, touches, pull):
    """One row of a table after a round, from what each span has changed in it."""
    if not changes:
        return old
    n = pull * np.array(touches)
    scale = (n.sum() / (1 + n.sum())) / (n / (1 + n)).sum()
    return old + scale * np.sum(changes, axis=0)


@pytest.mark.parametrize("n_parts", [1, 2, 3])
def test_merging_scales_the_sum_of_the_changes_by_their_overlap(rng, n_parts):
    n_words, n_spans, size, pull = 24, 3, 20, 0.4
    tables = rng.normal(size=(2, n_words, size))
    fast = [padded_table(n_words, size, table) for table in tables]
    replicas = Replicas(
        *(padded_table(n_spans * (n_words + 1) - 1, size) for _ in range(2)),
        row_of=np.full((n_words, n_spans), -1, np.int32),
        word_of=np.zeros((n_spans, n_words), np.int32),
        touches=np.zeros((2, n_spans, n_words), np.float32),
        n_copies=np.zeros((2, n_spans), np.int64),
    )
    changes = [[[] for _ in range(n_words)] for _ in range(2)]
    touches = [[[] for _ in range(n_words)] for _ in range(2)]
    for span in range(n_spans):
        n_output = rng.integers(2, n_words)
        n_input = rng.integers(1, n_output)
        words = rng.permutation(n_words)[:n_output]
        replicas.row_of[words, span] = np.arange(n_output)
        replicas.word_of[span, :n_output] = words
        replicas.n_copies[:, span] = n_input, n_output
        for which, n in enumerate((n_input, n_output)):
            for k, word in enumerate(words[:n]):
                change, n_touches = rng.normal(size=size), int(rng.integers(1, 9))
                row = span * (n_words + 1) + k
                replicas[which][row, :size] = tables[which, word] + change
                replicas.touches[which, span, k] = n_touches
                changes[which][word].append(change)
                touches[which][word].append(n_touches)
    for part in range(n_parts):
        merge(Tables(*fast, replicas), pull, part, n_parts)
    for which in range(2):
        expected = [
            scaled_sum(*row, pull)
            for row in zip(tables[which], changes[which], touches[which], strict=True)
        ]
        assert_allclose(fast[which][:-1, :size], expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("shape", [(1, 1), (2500, 20), (7, 16), (3000, 100)])
def test_padding_goes_out_of_a_table_as_it_came_in(rng, shape):
    values = rng.normal(size=shape).astype(np.float32)
    table = unpadded(padded_table(*shape, values), shape[1])
    assert_array_equal(table, values)
    assert table.flags.c_contiguous


def test_short_corpora_are_trained_without_replicas(rng):
    ids = rng.integers(0, 9, 1000).astype(np.int32)
    config = replace(SkipGramConfig(), vector_size=4)
    schedule = Schedule(
        sampled(Ragged.from_lengths(ids, [1000]), np.bincount(ids), 0, None),
        (padded_table(9, 4), padded_table(9, 4)),
        OBJECTIVES["negative_sampling"](np.bincount(ids), config),
        config,
        2,
    )
    assert len(schedule.tables.replicas.word_of) == 0
