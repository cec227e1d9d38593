"""A round of fastText knows its words, and how often its spans touch them."""

from collections import Counter

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skembed.training.fasttext._kernels.words import list_words
from skembed.training.skipgram._kernels.replica import (
    Replicas,
    clear,
    localize_span,
)

N_SPANS, N_WORDS, LENGTH = 4, 12, 9


@pytest.fixture
def replicas():
    table = np.zeros((1, 16), dtype=np.float32)
    return Replicas(
        table,
        table,
        row_of=np.full((N_WORDS, N_SPANS), -1, dtype=np.int32),
        word_of=np.empty((N_SPANS, N_WORDS), dtype=np.int32),
        touches=np.empty((2, N_SPANS, N_WORDS), dtype=np.float32),
        n_copies=np.zeros((2, N_SPANS), dtype=np.int64),
    )


def test_words_are_listed_once_with_all_touches(rng, replicas):
    listed = np.empty(N_WORDS, dtype=np.int32)
    touches = np.empty(N_WORDS, dtype=np.float32)
    for n_spans in (N_SPANS, N_SPANS, 2):
        met = Counter()
        for span in range(n_spans):
            words = rng.integers(0, N_WORDS, LENGTH).astype(np.int32)
            noise = rng.integers(0, N_WORDS, 5).astype(np.int32)
            met.update(words.tolist())
            localize_span(replicas, span, words, LENGTH, noise, len(noise))
        for span in range(n_spans, N_SPANS):
            clear(replicas, span)
        n = list_words(replicas, listed, touches)
        assert_array_equal(listed[:n], list(met))
        assert_array_equal(touches[:n], list(met.values()))
