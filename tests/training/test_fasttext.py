"""What fastText promises as a whole, for any number of threads."""

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skembed._ragged import Ragged
from skembed.training.fasttext import (
    FastTextConfig,
    own_rows,
    train_fasttext,
)
from skembed.training.fasttext._composition import compose, overlap
from tests.training.topics import gap_between_topics

CONFIG = FastTextConfig(vector_size=12, window=3, sample=0, epochs=2)


@pytest.fixture(scope="module")
def ngrams():
    """Of 100 words, each n-gram is of two that are in the same topic."""
    words = np.arange(100)
    rows = np.stack([words, 100 + 2 * (words // 4) + words % 2], axis=1)
    return Ragged.from_lengths(rows.ravel().astype(np.int32), np.full(100, 2))


def assert_same(one, other):
    assert_array_equal(one.vectors, other.vectors)
    assert_array_equal(one.losses, other.losses)
    for left, right in zip(one.tables, other.tables, strict=True):
        assert_array_equal(left, right)


@pytest.mark.parametrize("parallel", ["reproducible", "hogwild"])
def test_words_of_one_topic_end_up_near_each_other(topics, ngrams, parallel):
    config = replace(CONFIG, parallel=parallel, epochs=4)
    result = train_fasttext(*topics, ngrams, config, seed=0, n_threads=2)
    assert gap_between_topics(result.vectors) > 0.5
    frozen = replace(config, learning_rate=1e-9)
    start = train_fasttext(*topics, ngrams, frozen, seed=0)
    assert result.losses[-1] < start.losses[0] - 0.2


def test_vectors_do_not_depend_on_the_number_of_threads(topics, ngrams):
    config = replace(CONFIG, sample=1e-2)
    one, two, three = (
        train_fasttext(*topics, ngrams, config, seed=3, n_threads=n) for n in (1, 2, 3)
    )
    assert_same(one, two)
    assert_same(one, three)


def test_seeds_fix_the_vectors(topics, ngrams):
    first, again, other = (
        train_fasttext(*topics, ngrams, CONFIG, seed=seed) for seed in (1, 1, 2)
    )
    assert_same(first, again)
    assert not np.allclose(first.vectors, other.vectors)


def test_first_vectors_are_drawn_as_by_the_program(topics, ngrams):
    config = replace(CONFIG, epochs=0)
    tables = train_fasttext(*topics, ngrams, config, seed=0).tables
    rows = np.concatenate(tables[:2]) * 12
    assert_allclose([rows.min(), rows.max()], [-1, 1], atol=0.01)
    assert_allclose(rows.std(), 1 / np.sqrt(3), rtol=0.03)
    assert not tables.output.any()


def test_the_loss_before_anything_is_learned_is_that_of_zero_scores(topics, ngrams):
    config = replace(CONFIG, learning_rate=1e-9)
    result = train_fasttext(*topics, ngrams, config, seed=0)
    assert_allclose(result.losses, 6 * np.log(2), rtol=1e-5)


def test_words_without_context_teach_nothing(ngrams):
    alone = Ragged.from_lengths(np.arange(100, dtype=np.int32), np.ones(100, int))
    result = train_fasttext(alone, np.ones(100, np.int64), ngrams, CONFIG, seed=0)
    assert_array_equal(result.tables.output, 0)
    assert np.isnan(result.losses).all()


@pytest.mark.parametrize("parallel", ["reproducible", "hogwild"])
def test_documents_of_weight_zero_teach_nothing(topics, ngrams, parallel):
    corpus, counts = topics
    weight = (np.arange(len(corpus)) % 2).astype(np.float32)
    config = replace(CONFIG, parallel=parallel)
    start = train_fasttext(corpus, counts, ngrams, replace(CONFIG, epochs=0), seed=0)
    result = train_fasttext(
        corpus, counts, ngrams, config, seed=0, document_weight=weight
    )
    assert_array_equal(result.vectors[::2], start.vectors[::2])
    assert not np.allclose(result.vectors[1::2], start.vectors[1::2])


def test_training_goes_on_from_given_tables(topics, ngrams):
    first = train_fasttext(*topics, ngrams, replace(CONFIG, epochs=3), seed=0)
    before = [table.copy() for table in first.tables]
    more = train_fasttext(*topics, ngrams, CONFIG, seed=1, initial=first.tables)
    again = train_fasttext(*topics, ngrams, CONFIG, seed=1)
    assert more.losses[0] < again.losses[0] - 0.05
    for table, old in zip(first.tables, before, strict=True):
        assert_array_equal(table, old)


def test_own_rows_are_those_with_which_words_have_given_vectors(rng):
    ngrams = Ragged.from_lengths(np.array([3, 0, 0, 1, 2], np.int32), [3, 0, 2])
    vectors, rows = (rng.normal(size=(n, 5)).astype(np.float32) for n in (3, 4))
    own = own_rows(vectors, rows, ngrams)
    for word, of_word in enumerate(ngrams):
        mean = np.vstack([own[word], rows[of_word]]).mean(axis=0)
        assert_allclose(mean, vectors[word], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("parallel", ["reproducible", "hogwild"])
def test_a_diverging_run_is_stopped_and_names_the_learning_rate(
    topics, ngrams, parallel
):
    config = replace(CONFIG, learning_rate=1e4, parallel=parallel)
    with pytest.raises(ValueError, match=r"learning_rate=10000\.0"):
        train_fasttext(*topics, ngrams, config, seed=0)


@pytest.mark.parametrize("parallel", ["reproducible", "hogwild"])
def test_one_bucket_for_all_words_does_not_diverge(topics, parallel):
    """Each word has it 20 times: steps that add up to 20 of them would."""
    shared = Ragged.from_lengths(np.zeros(2000, dtype=np.int32), np.full(100, 20))
    config = replace(CONFIG, parallel=parallel)
    result = train_fasttext(*topics, shared, config, seed=0, n_threads=2)
    assert np.isfinite(result.vectors).all()
    assert result.losses[-1] < 6 * np.log(2)


def test_overlap_is_what_words_have_in_common():
    weight = np.full(4, 0.25)
    nothing = Ragged.from_lengths(np.arange(4, dtype=np.int32), np.ones(4, int))
    same = Ragged.from_lengths(np.zeros(400, np.int32), np.full(4, 100))
    assert_allclose(overlap(compose(nothing), weight), 0.25)
    assert_allclose(overlap(compose(same), weight), 1, atol=0.02)


def test_a_true_result_of_progress_stops_after_the_epoch(topics, ngrams):
    def progress(epoch, done, loss):
        return epoch == 1 and done < 0.5

    config = replace(CONFIG, epochs=9)
    result = train_fasttext(*topics, ngrams, config, seed=0, progress=progress)
    assert len(result.losses) == 2


def test_progress_can_stop_the_training_at_once(topics, ngrams):
    seen = []

    def progress(epoch, done, loss):
        seen.append(loss)
        if epoch == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_fasttext(*topics, ngrams, CONFIG, seed=0, n_threads=2, progress=progress)
    assert len(seen) > 10
    assert np.isfinite(seen).all()


@pytest.mark.parametrize("vector_size", [1, 16, 33])
def test_vectors_of_any_size_can_be_learned(topics, ngrams, vector_size):
    config = replace(CONFIG, vector_size=vector_size, epochs=1)
    result = train_fasttext(*topics, ngrams, config, seed=0)
    assert result.vectors.shape == (100, vector_size)
    assert result.tables.ngrams.shape == (150, vector_size)
    assert np.isfinite(result.vectors).all()


def test_a_vocabulary_of_one_word_without_ngrams_can_be_trained():
    corpus = Ragged.from_lengths(np.zeros(50, dtype=np.int32), [50])
    none = Ragged.from_lengths(np.zeros(0, dtype=np.int32), [0])
    result = train_fasttext(corpus, np.array([50]), none, CONFIG, seed=0)
    assert np.isfinite(result.vectors).all()
    assert result.tables.ngrams.shape == (0, 12)


def test_plain_vectors_give_the_same_results(tmp_path):
    """The fallback of the vector primitives, in a process that uses it."""
    code = """if True:
        import sys, numpy as np
        from skembed._ragged import Ragged
        from skembed.training.fasttext import FastTextConfig, train_fasttext
        corpus = Ragged.from_lengths(np.arange(150, dtype=np.int32) % 7, [120, 30])
        ngrams = Ragged.from_lengths(np.arange(21, dtype=np.int32) % 9, [3] * 7)
        config = FastTextConfig(vector_size=20, window=2, epochs=1)
        result = train_fasttext(corpus, np.full(7, 30), ngrams, config, seed=5)
        np.save(sys.argv[1], result.vectors)
    """
    vectors = []
    for name, settings in [("plain", {"NUMBA_DISABLE_JIT": "1"}), ("fast", {})]:
        file = tmp_path / f"{name}.npy"
        environment = {**os.environ, **settings}
        subprocess.run([sys.executable, "-c", code, file], check=True, env=environment)
        vectors.append(np.load(file))
    assert_allclose(*vectors, rtol=1e-4, atol=1e-7)


FAILURE = """
from concurrent.futures import ThreadPoolExecutor
import numpy as np
from skembed._ragged import Ragged
from skembed.training.fasttext import FastTextConfig, _schedule, train_fasttext
from skembed.training.skipgram import _schedule as rounds

rounds.MIN_ROUNDS, rounds.MIN_LENGTH = 1, 100
train_rounds, submit = _schedule.train_rounds, ThreadPoolExecutor.submit

def fail_in_second(*arguments):
    if arguments[-2] == 1:
        raise MemoryError
    train_rounds(*arguments)

def start_one(self, *arguments):
    if self._threads:
        raise MemoryError
    return submit(self, *arguments)

if {in_thread}:
    _schedule.train_rounds = fail_in_second
else:
    ThreadPoolExecutor.submit = start_one
ids = np.arange(9000, dtype=np.int32) % 97
ngrams = Ragged.from_lengths(np.arange(97, dtype=np.int32), np.ones(97, int))
corpus, counts = Ragged.from_lengths(ids, [9000]), np.bincount(ids)
try:
    train_fasttext(
        corpus, counts, ngrams, FastTextConfig(8, sample=0), seed=0, n_threads=3
    )
except MemoryError:
    print("told")
"""


@pytest.mark.parametrize("in_thread", [True, False])
def test_threads_do_not_wait_for_one_that_fails_or_is_not_there(in_thread):
    program = FAILURE.replace("{in_thread}", str(in_thread))
    done = subprocess.run(
        [sys.executable, "-c", program],
        check=True, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.stdout == "told\n"
