"""What is computed together."""

from itertools import pairwise

import numpy as np
import pytest

from skembed.encoding import _batches
from skembed.encoding._batches import batches, chunks


@pytest.fixture
def lengths(rng):
    return rng.integers(0, 60, 200)


@pytest.mark.parametrize("n_tokens", [1, 30, 59, 500, 10**6])
@pytest.mark.parametrize("padded", [False, True])
def test_batches_hold_each_window_with_tokens_once(lengths, n_tokens, padded):
    parts = list(batches(lengths, n_tokens, padded=padded))
    rows = np.concatenate(parts)
    assert sorted(rows) == np.flatnonzero(lengths).tolist()
    # The longest first, and equal ones side by side, in their order.
    assert rows.tolist() == sorted(rows, key=lambda row: (-lengths[row], row))
    for part in parts:
        size = lengths[part].max() * len(part) if padded else lengths[part].sum()
        assert size <= n_tokens or len(part) == 1


def test_batches_are_as_few_as_their_order_allows(lengths):
    parts = list(batches(lengths, 500))
    for part, following in pairwise(parts):
        assert lengths[part].sum() + lengths[following[0]] > 500
    parts = list(batches(lengths, 500, padded=True))
    for part, following in pairwise(parts):
        assert lengths[part[0]] * (len(part) + 1) > 500
        assert lengths[following[0]] <= lengths[part[-1]]


@pytest.mark.parametrize("lengths", [[], [0, 0]])
def test_without_tokens_there_are_no_batches(lengths):
    assert list(batches(np.array(lengths, dtype=np.int64), 10)) == []


def test_chunks_hold_each_text_once_and_the_longest_first(rng, monkeypatch):
    monkeypatch.setattr(_batches, "CHUNK_CHARACTERS", 100)
    texts = ["x" * n for n in rng.integers(0, 40, 150)] + ["y" * 1000]
    texts += [["ab", "c"], [], ["d"] * 30]
    parts = list(chunks(texts))
    rows = np.concatenate(parts)
    assert sorted(rows) == list(range(len(texts)))
    assert rows[0] == 150
    sizes = [sum(map(len, text)) + len(text) if isinstance(text, list) else len(text)
             for text in texts]  # fmt: skip
    assert np.diff([sizes[row] for row in rows]).max() <= 0
    for part in parts:
        assert sum(sizes[row] for row in part[1:]) <= 100


def test_no_texts_have_no_chunks():
    assert list(chunks([])) == []
