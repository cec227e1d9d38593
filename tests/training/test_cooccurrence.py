"""Co-occurrence counts are exact, whoever counts them and wherever they are kept."""

import errno
import tracemalloc
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skembed._ragged import Ragged
from skembed.training import cooccurrence
from skembed.training.cooccurrence import (
    Cooccurrences,
    _count,
    _entries,
    _subsample,
    count_cooccurrences,
    count_part,
    merge_counts,
)
from skembed.training.cooccurrence._count import Places, row_blocks
from skembed.training.cooccurrence._subsample import subsample
from skembed.training.cooccurrence._units import whole_steps
from tests.reference.cooccurrence import as_arrays, cooccurrences

N_WORDS = 150


@pytest.fixture
def corpus(rng):
    """Documents from empty to longer than any window; some words never occur."""
    lengths = [0, 1, 2, 0, 700, *rng.integers(0, 30, 40), 0]
    ids = (N_WORDS * rng.random(sum(lengths)) ** 3).astype(np.int32)
    return Ragged.from_lengths(ids, lengths)


def assert_same(counts, expected):
    for have, want in zip(counts, expected, strict=True):
        assert_array_equal(have, want)
        assert have.dtype == want.dtype


@pytest.mark.parametrize("window", [1, 4, 15, 22])
@pytest.mark.parametrize("weighting", ["harmonic", "uniform"])
@pytest.mark.parametrize("symmetric", [True, False])
def test_counts_equal_an_obvious_loop_exactly(corpus, window, weighting, symmetric):
    counts = count_cooccurrences(
        corpus, N_WORDS, window=window, weighting=weighting, symmetric=symmetric
    )
    assert_same(counts, as_arrays(cooccurrences(corpus, window, weighting, symmetric)))


@pytest.mark.parametrize("window", [60, 10_000])
def test_counts_of_wide_windows_are_right_to_rounding(corpus, window):
    counts = count_cooccurrences(corpus, N_WORDS, window=window)
    rows, columns, values = as_arrays(cooccurrences(corpus, window))
    assert_array_equal(counts.rows, rows)
    assert_array_equal(counts.columns, columns)
    assert_allclose(counts.values, values, rtol=3e-7)


def test_documents_count_by_their_weights(rng, corpus):
    weight = rng.uniform(0, 3, len(corpus)) * (rng.random(len(corpus)) < 0.7)
    counts = count_cooccurrences(corpus, N_WORDS, window=5, document_weight=weight)
    expected = as_arrays(cooccurrences(corpus, 5, weights=weight))
    assert_array_equal(counts.rows, expected[0])
    assert_array_equal(counts.columns, expected[1])
    assert_allclose(counts.values, expected[2], rtol=3e-7)


@pytest.mark.parametrize("value", [1.0, 3.0, 1e-9])
def test_documents_of_equal_weight_scale_the_counts(corpus, value):
    plain = count_cooccurrences(corpus, N_WORDS, window=15)
    weight = np.full(len(corpus), value)
    counts = count_cooccurrences(corpus, N_WORDS, window=15, document_weight=weight)
    assert_allclose(counts.values, plain.values * value, rtol=2e-7)
    if value == 1.0:
        assert_same(counts, plain)


def test_documents_without_weight_have_no_entries(corpus):
    weight = np.zeros(len(corpus))
    counts = count_cooccurrences(corpus, N_WORDS, window=3, document_weight=weight)
    assert [len(column) for column in counts] == [0, 0, 0]


@pytest.mark.parametrize("n_threads", [2, 3, 8])
@pytest.mark.parametrize("max_memory", [1, 3000, 2**30])
def test_threads_and_memory_change_no_bit(corpus, monkeypatch, n_threads, max_memory):
    expected = count_cooccurrences(corpus, N_WORDS, window=7)
    monkeypatch.setattr(_count, "_TOKENS_AT_ONCE", 100)
    counts = count_cooccurrences(
        corpus, N_WORDS, window=7, n_threads=n_threads, max_memory=max_memory
    )
    assert_same(counts, expected)


def test_places_are_listed_for_as_few_words_as_memory_has_room_for(corpus, monkeypatch):
    listed = []
    of_words = Places.of_words

    def spy(corpus, counts, first, last, n_threads):
        places = of_words(corpus, counts, first, last, n_threads)
        listed.append((last - first, len(places.positions)))
        return places

    monkeypatch.setattr(Places, "of_words", spy)
    count_cooccurrences(corpus, N_WORDS, window=2, max_memory=24 * 50)
    assert sum(n_words for n_words, _ in listed) == N_WORDS
    assert sum(n_places for _, n_places in listed) == len(corpus.values)
    assert all(n_places <= 50 or n_words == 1 for n_words, n_places in listed)


@pytest.mark.parametrize("max_memory", [2**20, 2**21, 2**22])
def test_counting_takes_no_more_memory_than_allowed(rng, monkeypatch, max_memory):
    monkeypatch.setattr(_count, "_TOKENS_AT_ONCE", 10_000)
    ids = (5000 * rng.random(200_000) ** 2).astype(np.int32)
    corpus = Ragged.from_lengths(ids, np.full(2000, 100))

    def count():
        return count_cooccurrences(corpus, 5000, window=10, max_memory=max_memory)

    # Not all fit into the half that is for entries.
    assert sum(column.nbytes for column in count()) > max_memory / 2
    tracemalloc.start()
    count()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    a_few_arrays_of_words = 10 * 8 * 5000
    assert peak < max_memory + a_few_arrays_of_words


def test_every_word_is_in_one_block(rng):
    counts = rng.integers(0, 20, 100)
    blocks = list(row_blocks(counts, 12 * 30))
    assert [first for first, _ in blocks[1:]] == [last for _, last in blocks[:-1]]
    assert (blocks[0][0], blocks[-1][1]) == (0, 100)
    assert list(row_blocks(counts[:0], 100)) == []


def test_subsampling_leaves_out_frequent_words_at_the_published_rate(rng):
    # The third of the words that are not frequent stay, all of them.
    lengths = np.full(3000, 20)
    ids = np.where(rng.random(60_000) < 2 / 3, 0, rng.integers(1, 1000, 60_000))
    corpus = Ragged.from_lengths(ids.astype(np.int32), lengths)
    kept = subsample(corpus, 1000, sample=2e-3, seed=1)
    assert len(kept) == len(corpus)
    f = np.bincount(corpus.values)[0] / 60_000
    rate = np.bincount(kept.values)[0] / np.bincount(corpus.values)[0]
    assert_allclose(rate, np.sqrt(2e-3 / f) + 2e-3 / f, rtol=0.1)
    for i in (0, 7, 2999):
        assert_array_equal(kept[i][kept[i] > 0], corpus[i][corpus[i] > 0])


def test_counts_of_a_subsampled_corpus_are_those_of_what_is_left(corpus, monkeypatch):
    monkeypatch.setattr(_subsample, "_TOKENS_AT_ONCE", 100)
    settings = {"sample": 1e-2, "seed": 5}
    kept = subsample(corpus, N_WORDS, **settings)
    assert 0 < len(kept.values) < len(corpus.values)
    counts = count_cooccurrences(corpus, N_WORDS, window=4, **settings)
    assert_same(counts, count_cooccurrences(kept, N_WORDS, window=4))
    other = subsample(corpus, N_WORDS, sample=1e-2, seed=6)
    assert not np.array_equal(other.lengths, kept.lengths)


def parts_of(corpus, bounds):
    for start, stop in pairwise(bounds):
        documents = [corpus[i] for i in range(start, stop)]
        values = np.concatenate([np.empty(0, np.int32), *documents])
        yield Ragged.from_lengths(values, [len(document) for document in documents])


@pytest.mark.parametrize("window", [5, 60])
@pytest.mark.parametrize("max_memory", [1, 2**30])
def test_merged_parts_are_the_counts_of_the_whole_to_the_bit(
    corpus, monkeypatch, tmp_path, window, max_memory
):
    monkeypatch.setattr(cooccurrence, "_MERGED_AT_ONCE", 64)
    settings = {"window": window, "max_memory": max_memory, "directory": tmp_path}
    n_tokens = len(corpus.values)
    parts = [
        count_part(part, N_WORDS, n_tokens=n_tokens, **settings)
        for part in parts_of(corpus, [0, 3, 20, 20, len(corpus)])
    ]
    merged = merge_counts(parts, max_memory=max_memory, directory=tmp_path)
    assert_same(merged, count_cooccurrences(corpus, N_WORDS, window=window))
    assert list(tmp_path.iterdir()) == []


def test_parts_in_other_units_are_refused(corpus):
    parts = [
        count_part(corpus, N_WORDS, n_tokens=len(corpus.values), window=window)
        for window in (2, 3)
    ]
    with pytest.raises(ValueError, match=r"one unit.*same window"):
        merge_counts(parts)


def test_a_part_larger_than_the_whole_is_refused(corpus):
    with pytest.raises(ValueError, match="n_tokens must be that of the whole"):
        count_part(corpus, N_WORDS, n_tokens=5, window=2)


def test_nothing_merges_to_nothing():
    none = Cooccurrences(np.empty(0, "i4"), np.empty(0, "i4"), np.empty(0, "f4"))
    assert_same(merge_counts([]), none)
    empty = count_part(Ragged.from_lengths(none.rows, []), 3, n_tokens=0, window=2)
    assert_same(merge_counts([empty, empty]), none)


@pytest.mark.parametrize("lengths", [[], [0, 0], [1, 1, 1]])
def test_documents_of_one_word_have_no_entries(lengths):
    ids = np.arange(sum(lengths), dtype=np.int32)
    counts = count_cooccurrences(Ragged.from_lengths(ids, lengths), 3, window=5)
    assert [len(column) for column in counts] == [0, 0, 0]


@pytest.mark.parametrize("bad", [-1, N_WORDS])
def test_ids_out_of_range_are_refused(corpus, bad):
    corpus.values[5] = bad
    with pytest.raises(ValueError, match="n_words"):
        count_cooccurrences(corpus, N_WORDS, window=2)


class FullDisk:
    """A file that takes nothing."""

    def __init__(self, **_):
        pass

    def write(self, _):
        raise OSError(errno.ENOSPC, "No space left on device")

    def close(self):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_is_reported_with_what_to_do(corpus, monkeypatch):
    monkeypatch.setattr(_entries, "TemporaryFile", FullDisk)
    with pytest.raises(OSError, match=r"No space left.*Raise max_memory") as raised:
        count_cooccurrences(corpus, N_WORDS, window=3, max_memory=1)
    assert raised.value.errno == errno.ENOSPC


def test_temporary_files_have_no_name(corpus, tmp_path):
    counts = count_cooccurrences(
        corpus, N_WORDS, window=3, max_memory=1, directory=tmp_path
    )
    assert len(counts.rows)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("n_threads", [1, 2])
def test_an_interrupt_ends_the_counting(corpus, monkeypatch, n_threads):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(_entries.EntryStore, "append", interrupt)
    with pytest.raises(KeyboardInterrupt):
        count_cooccurrences(corpus, N_WORDS, window=3, n_threads=n_threads)


@pytest.mark.parametrize("n_tokens", [1, 10**6, 10**12])
@pytest.mark.parametrize("window", [1, 22, 40, 10_000])
@pytest.mark.parametrize("has_weights", [True, False])
def test_no_sum_overflows(n_tokens, window, has_weights):
    steps, unit = whole_steps(window, "harmonic", n_tokens, has_weights=has_weights)
    assert 2 * n_tokens * sum(map(int, steps)) < 2**63
    if n_tokens <= 10**6:
        nearest = [Fraction(int(unit), d) for d in range(1, window + 1)]
        error = [abs(s - f) for s, f in zip(steps[1:].tolist(), nearest, strict=True)]
        assert max(error) <= Fraction(1, 2)
