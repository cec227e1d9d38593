import numpy as np
import pytest

from skembed._ragged import Ragged
from skembed.training.cooccurrence import count_cooccurrences
from skembed.training.skipgram import _schedule

N_DOCUMENTS, LENGTH, N_RANKS = 3000, 30, 50


@pytest.fixture(autouse=True)
def _rounds_for_all_but_the_shortest(monkeypatch):
    """Let corpora that are quick to train on be trained on in rounds of replicas."""
    monkeypatch.setattr(_schedule, "MIN_ROUNDS", 50)
    monkeypatch.setattr(_schedule, "MIN_LENGTH", 200)


@pytest.fixture(scope="session")
def topics():
    """A corpus of 90,000 tokens, and its counts.

    Each document is about one of two topics: even words are of one, odd words of the
    other, and word 2 k + topic is the topic's k-th in frequency.
    """
    rng = np.random.default_rng(0)
    weight = 1.0 / np.sqrt(np.arange(1, N_RANKS + 1))
    ranks = rng.choice(N_RANKS, size=N_DOCUMENTS * LENGTH, p=weight / weight.sum())
    topic = np.repeat(np.arange(N_DOCUMENTS) % 2, LENGTH)
    corpus = Ragged.from_lengths(
        (2 * ranks + topic).astype(np.int32), np.full(N_DOCUMENTS, LENGTH)
    )
    # Training does not need the counts to fall exactly, only hierarchical softmax does.
    return corpus, np.sort(np.bincount(corpus.values))[::-1].copy()


@pytest.fixture(scope="session")
def counted(topics):
    """How often the 100 words of this corpus stand near one another."""
    return count_cooccurrences(topics[0], 2 * N_RANKS, window=5)
