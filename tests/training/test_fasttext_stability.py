"""fastText does not diverge, and rounds learn what steps one after the other do."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skembed._ragged import Ragged
from skembed.datasets import load_textbooks
from skembed.text import TextAnalysis, encode_corpus, ngram_buckets
from skembed.training.fasttext import FastTextConfig, train_fasttext
from skembed.training.skipgram import SkipGramConfig, train_skipgram

CONFIG = FastTextConfig(vector_size=32, epochs=2)


def prepared(texts, min_count, *lengths):
    """The arguments of training, but for its parameters."""
    vocabulary, corpus = encode_corpus(
        texts, TextAnalysis(prepare=str.lower), min_count=min_count
    )
    buckets = ngram_buckets(vocabulary.words, *lengths)
    rows = np.unique(buckets.values, return_inverse=True)[1].astype(np.int32)
    return corpus, vocabulary.counts, Ragged(rows, buckets.offsets)


@pytest.fixture(scope="module")
def texts():
    return load_textbooks(return_X_y=True)[0]


@pytest.fixture(scope="module")
def textbooks(texts):
    return prepared(texts, 5, 3, 6, 2_000_000)


@pytest.mark.slow
@pytest.mark.parametrize("learning_rate", [0.025, 0.05, 0.1])
def test_rounds_learn_what_steps_one_after_the_other_do(textbooks, learning_rate):
    config = replace(CONFIG, learning_rate=learning_rate)
    rounds = train_fasttext(*textbooks, config, seed=0)
    # In one thread, nothing races.
    steps = train_fasttext(*textbooks, replace(config, parallel="hogwild"), seed=0)
    for result in (rounds, steps):
        assert np.isfinite(result.vectors).all()
        assert result.losses.max() < 6 * np.log(2)
    assert_allclose(rounds.losses[-1], steps.losses[-1], rtol=0.1)


@pytest.mark.parametrize("learning_rate", [0.05, 0.1, 0.2])
@pytest.mark.parametrize("n_texts", [1, 3, 30])
def test_small_corpora_do_not_diverge(texts, n_texts, learning_rate):
    config = replace(CONFIG, learning_rate=learning_rate, epochs=20, sample=0)
    arguments = prepared(texts[:n_texts], 1, 3, 6, 2_000_000)
    result = train_fasttext(*arguments, config, seed=0)
    assert np.isfinite(result.vectors).all()
    assert result.losses[-1] < result.losses[0]


@pytest.mark.slow
@pytest.mark.parametrize("parallel", ["reproducible", "hogwild"])
@pytest.mark.parametrize(("window", "negative"), [(10, 10), (20, 5), (20, 20)])
@pytest.mark.parametrize("train", [train_fasttext, train_skipgram])
def test_wide_windows_and_much_noise_do_not_diverge(
    textbooks, train, window, negative, parallel
):
    config = (FastTextConfig if train is train_fasttext else SkipGramConfig)(
        32, window=window, negative=negative, parallel=parallel, epochs=2
    )
    n_arguments = 3 if train is train_fasttext else 2
    result = train(*textbooks[:n_arguments], config, seed=0)
    assert result.losses.max() < 0.9 * (1 + negative) * np.log(2)
    assert result.losses[1] < 1.2 * result.losses[0]


@pytest.mark.parametrize("parallel", ["reproducible", "hogwild"])
@pytest.mark.parametrize("lengths", [(1, 2, 50), (1, 6, 7), (3, 6, 1)])
def test_words_of_many_rows_in_common_do_not_diverge(texts, parallel, lengths):
    """Letters and their pairs, or a few buckets, which are in all words."""
    config = replace(CONFIG, parallel=parallel, epochs=3)
    result = train_fasttext(*prepared(texts[:400], 2, *lengths), config, seed=0)
    assert np.isfinite(result.vectors).all()
    assert result.losses[-1] < 6 * np.log(2)
