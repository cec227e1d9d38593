"""What skip-gram promises as a whole, for every loss and any number of threads."""

import os
import subprocess
import sys
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skembed._ragged import Ragged
from skembed.training.skipgram import SkipGramConfig, train_skipgram
from skembed.training.skipgram._schedule import Schedule
from tests.training.progress import expect_reports_until_an_interrupt
from tests.training.topics import gap_between_topics

LOSSES = ["negative_sampling", "hierarchical_softmax", "softmax"]
CONFIG = SkipGramConfig(vector_size=12, window=3, sample=0, epochs=2)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("parallel", ["reproducible", "hogwild"])
def test_words_of_one_topic_end_up_near_each_other(topics, loss, parallel):
    config = replace(CONFIG, loss=loss, parallel=parallel, epochs=4, learning_rate=0.05)
    result = train_skipgram(*topics, config, seed=0, n_threads=2)
    assert gap_between_topics(result.input) > 0.5
    frozen = replace(config, learning_rate=1e-9, min_learning_rate=1e-9)
    start = train_skipgram(*topics, frozen, seed=0)
    assert result.losses[-1] < start.losses[0] - 0.2


@pytest.mark.parametrize("loss", LOSSES)
def test_vectors_do_not_depend_on_the_number_of_threads(topics, loss):
    config = replace(CONFIG, loss=loss, sample=1e-2)
    one, two, three = (
        train_skipgram(*topics, config, seed=3, n_threads=n) for n in (1, 2, 3)
    )
    for other in (two, three):
        assert_array_equal(one.input, other.input)
        assert_array_equal(one.output, other.output)
        assert_array_equal(one.losses, other.losses)


def test_a_long_corpus_is_trained_in_rounds_without_being_asked(rng, monkeypatch):
    monkeypatch.undo()
    ids = rng.integers(0, 500, 900_000).astype(np.int32)
    corpus, counts = Ragged.from_lengths(ids, [900_000]), np.bincount(ids)
    config = replace(CONFIG, epochs=1)
    one, two, racing = (
        train_skipgram(corpus, counts, config_, seed=0, n_threads=n).input
        for config_, n in [
            (config, 1), (config, 2), (replace(config, parallel="hogwild"), 1)
        ]
    )  # fmt: skip
    assert_array_equal(one, two)
    assert not np.array_equal(one, racing)


def test_seeds_fix_the_vectors(topics):
    first, again, other = (
        train_skipgram(*topics, CONFIG, seed=seed).input for seed in (1, 1, 2)
    )
    assert_array_equal(first, again)
    assert not np.allclose(first, other)


@pytest.mark.parametrize(
    ("loss", "expected"),
    [("negative_sampling", 6 * np.log(2)), ("softmax", np.log(100))],
)
def test_the_loss_before_anything_is_learned_is_that_of_zero_scores(
    topics, loss, expected
):
    config = replace(CONFIG, loss=loss, learning_rate=1e-9, min_learning_rate=1e-9)
    result = train_skipgram(*topics, config, seed=0)
    assert_allclose(result.losses, expected, rtol=1e-5)


def test_windows_stop_at_document_boundaries():
    one_word_each = Ragged.from_lengths(np.arange(3, dtype=np.int32), [1, 0, 1, 1])
    result = train_skipgram(one_word_each, np.ones(3, np.int64), CONFIG, seed=0)
    assert_array_equal(result.output, 0)
    assert np.isnan(result.losses).all()


@pytest.mark.parametrize("parallel", ["reproducible", "hogwild"])
def test_documents_of_weight_zero_teach_nothing(topics, parallel):
    corpus, counts = topics
    weight = (np.arange(len(corpus)) % 2).astype(np.float32)
    config = replace(CONFIG, parallel=parallel)
    start = train_skipgram(corpus, counts, replace(CONFIG, epochs=0), seed=0)
    result = train_skipgram(corpus, counts, config, seed=0, document_weight=weight)
    assert_array_equal(result.input[::2], start.input[::2])
    assert not np.allclose(result.input[1::2], start.input[1::2])


def test_documents_of_weight_one_are_documents_without_weights(topics):
    corpus, counts = topics
    ones = np.ones(len(corpus), dtype=np.float32)
    weighted = train_skipgram(corpus, counts, CONFIG, seed=0, document_weight=ones)
    assert_array_equal(
        weighted.input, train_skipgram(corpus, counts, CONFIG, seed=0).input
    )


def test_training_goes_on_from_given_tables(topics):
    first = train_skipgram(*topics, replace(CONFIG, epochs=3), seed=0)
    kept = first.input.copy()
    more = train_skipgram(*topics, CONFIG, seed=1, initial=(first.input, first.output))
    assert more.losses[0] < first.losses[0]
    assert_array_equal(first.input, kept)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_diverging_run_is_stopped_and_names_the_learning_rate(topics, loss):
    config = replace(CONFIG, loss=loss, learning_rate=1e4)
    with pytest.raises(ValueError, match=r"learning_rate=10000\.0"):
        train_skipgram(*topics, config, seed=0)


def test_training_stops_when_the_loss_stalls(topics):
    config = replace(CONFIG, epochs=9, tol=10.0, n_iter_no_change=2)
    assert len(train_skipgram(*topics, config, seed=0).losses) == 3


def test_a_true_result_of_progress_stops_after_the_epoch(topics):
    def progress(epoch, done, loss):
        return epoch == 1 and done < 0.5

    config = replace(CONFIG, epochs=9)
    assert len(train_skipgram(*topics, config, seed=0, progress=progress).losses) == 2


def test_the_step_size_falls_linearly_from_the_first_to_the_last(topics, monkeypatch):
    rates = []
    run_epoch = Schedule.run_epoch

    def spy(self, key, rate):
        rates.extend([rate(0.0), rate(0.5)])
        return run_epoch(self, key, rate)

    monkeypatch.setattr(Schedule, "run_epoch", spy)
    config = replace(CONFIG, epochs=2, learning_rate=0.04, min_learning_rate=0.02)
    train_skipgram(*topics, config, seed=0)
    assert_allclose(rates, [0.04, 0.035, 0.03, 0.025])


@pytest.mark.parametrize("n_threads", [1, 2])
def test_progress_is_reported_and_can_stop_the_training(topics, n_threads):
    train = partial(train_skipgram, *topics, CONFIG, seed=0, n_threads=n_threads)
    expect_reports_until_an_interrupt(train)


@pytest.mark.parametrize("vector_size", [1, 16, 33])
@pytest.mark.parametrize("loss", LOSSES)
def test_vectors_of_any_size_can_be_learned(topics, loss, vector_size):
    config = replace(CONFIG, loss=loss, vector_size=vector_size, epochs=1)
    result = train_skipgram(*topics, config, seed=0)
    n_outputs = 99 if loss == "hierarchical_softmax" else 100
    assert result.input.shape == (100, vector_size)
    assert result.output.shape == (n_outputs, vector_size)
    assert np.isfinite(result.input).all()


@pytest.mark.parametrize("loss", LOSSES)
def test_a_vocabulary_of_one_word_can_be_trained(loss):
    corpus = Ragged.from_lengths(np.zeros(50, dtype=np.int32), [50])
    config = replace(CONFIG, loss=loss)
    result = train_skipgram(corpus, np.array([50]), config, seed=0)
    assert np.isfinite(result.input).all()


def test_plain_vectors_give_the_same_results(topics, tmp_path):
    """The fallback of the vector primitives, in a process that uses it."""
    code = """if True:
        import sys, numpy as np
        from skembed._kernels import simd
        from skembed._ragged import Ragged
        from skembed.training.skipgram import SkipGramConfig, train_skipgram
        assert simd.PLAIN
        corpus = Ragged.from_lengths(np.arange(200, dtype=np.int32) % 7, [150, 50])
        config = SkipGramConfig(vector_size=20, window=2, epochs=1)
        result = train_skipgram(corpus, np.full(7, 30), config, seed=5)
        np.save(sys.argv[1], result.input)
    """
    file = tmp_path / "plain.npy"
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    subprocess.run([sys.executable, "-c", code, file], check=True, env=environment)
    corpus = Ragged.from_lengths(np.arange(200, dtype=np.int32) % 7, [150, 50])
    config = SkipGramConfig(vector_size=20, window=2, epochs=1)
    result = train_skipgram(corpus, np.full(7, 30), config, seed=5)
    assert_allclose(np.load(file), result.input, rtol=1e-4, atol=1e-7)
