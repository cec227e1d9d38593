import errno
import gc
from functools import partial
from pathlib import Path
from tempfile import gettempdir

import joblib
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skembed._ragged import Ragged
from skembed.text import TextAnalysis, _chunks, _encode, encode, encode_corpus
from skembed.text._spool import Spool


@pytest.fixture
def small_memory(monkeypatch):
    """Hold at most 20 ids in memory, so that a small corpus is a large one."""
    monkeypatch.setattr(_chunks, "_MAX_CHARS", 8)
    monkeypatch.setattr(_encode, "Spool", partial(Spool, max_in_memory=20))


def files_shown(folder):
    """What is mapped into this process's memory from a folder, deleted or not."""
    maps = Path("/proc/self/maps")
    lines = maps.read_text().splitlines() if maps.exists() else []
    return [line for line in lines if str(folder) in line]


def documents_of(rng):
    return [" ".join(words) for words in rng.choice(list("abcdefgh"), size=(30, 5))]


def test_ids_on_disk_are_those_in_memory(rng, tmp_path, monkeypatch, small_memory):
    documents = documents_of(rng)
    vocabulary, on_disk = encode_corpus(
        documents, TextAnalysis(), min_count=18, spool_dir=tmp_path
    )
    known = encode(documents, TextAnalysis(), vocabulary, spool_dir=tmp_path)
    monkeypatch.undo()
    expected, in_memory = encode_corpus(documents, TextAnalysis(), min_count=18)
    assert 20 < len(in_memory.values) < 150
    assert vocabulary == expected
    for corpus in (on_disk, known):
        assert_array_equal(corpus.values, in_memory.values)
        assert_array_equal(corpus.offsets, in_memory.offsets)
        assert corpus.values.dtype == np.int32


def test_the_file_is_gone_with_the_array(rng, tmp_path, small_memory):
    _, corpus = encode_corpus(documents_of(rng), TextAnalysis(), spool_dir=tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert bool(files_shown(tmp_path)) == Path("/proc/self/maps").exists()
    del corpus
    gc.collect()
    assert files_shown(tmp_path) == []


def test_the_file_is_gone_if_reading_fails(rng, tmp_path, small_memory):
    with pytest.raises(TypeError, match="Document 30"):
        encode_corpus([*documents_of(rng), 3], TextAnalysis(), spool_dir=tmp_path)
    gc.collect()
    assert list(tmp_path.iterdir()) == []
    assert files_shown(tmp_path) == []


def test_processes_get_what_is_on_disk(rng, tmp_path, small_memory):
    _, corpus = encode_corpus(documents_of(rng), TextAnalysis(), spool_dir=tmp_path)
    parallel = joblib.Parallel(n_jobs=2, max_nbytes=1)
    sums = parallel(joblib.delayed(np.sum)(corpus.values) for _ in range(2))
    assert sums == [corpus.values.sum()] * 2


@pytest.mark.parametrize("of_caller", [True, False])
def test_a_full_disk_is_named_with_what_mends_it(tmp_path, monkeypatch, of_caller):
    class FullDisk:
        def write(self, data):
            raise OSError(errno.ENOSPC, "No space left on device")

        def close(self):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("skembed.text._spool.TemporaryFile", lambda **_: FullDisk())
    ids = Ragged.from_lengths(np.arange(4, dtype=np.int32), [1, 3])
    folder, mend = (tmp_path, "spool_dir") if of_caller else (None, "TMPDIR")
    with (
        pytest.raises(OSError, match=rf"No space left.*{mend}") as caught,
        Spool(folder, max_in_memory=2) as spool,
    ):
        spool.append(ids)
    assert caught.value.errno == errno.ENOSPC
    assert str(folder or gettempdir()) in str(caught.value)


@pytest.mark.parametrize("max_in_memory", [0, 3, 1000])
def test_documents_come_back_as_they_were_appended(rng, max_in_memory):
    batches = [
        Ragged.from_lengths(rng.integers(9, size=6).astype(np.int32), [2, 0, 4])
        for _ in range(50)
    ]
    with Spool(max_in_memory=max_in_memory) as spool:
        for batch in batches:
            spool.append(batch)
        corpus = spool.collect()
    assert_array_equal(corpus.values, np.concatenate([b.values for b in batches]))
    assert_array_equal(corpus.lengths, [2, 0, 4] * 50)


def test_dropped_ids_take_no_memory():
    rare = " ".join(map(str, range(5000)))
    _, corpus = encode_corpus([rare, "a a"], TextAnalysis(), min_count=2)
    assert corpus.values.base.nbytes == corpus.values.nbytes == 8
