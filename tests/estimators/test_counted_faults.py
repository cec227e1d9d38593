"""What an interrupt or a full disk leaves of estimators of co-occurrence counts."""

import tempfile
import threading
from contextlib import contextmanager

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone

from skembed import GloVeVectorizer, PPMIVectorizer

GLOVE = GloVeVectorizer(vector_size=4, min_count=1, epochs=2, random_state=0)
PPMI = PPMIVectorizer(vector_size=4, min_count=1)
# In gibibytes: less than any entry takes, so that counts go to temporary files.
TINY = 1e-12

COOCCURRENCE = "skembed.training.cooccurrence"
COUNTING = {
    "reading": "skembed.estimators._word_vectorizer.encode_corpus",
    "counting words": f"{COOCCURRENCE}.word_counts",
    "listing places": f"{COOCCURRENCE}._count.list_places",
    "counting rows": f"{COOCCURRENCE}._count.count_rows",
    "rounding": f"{COOCCURRENCE}._rounded",
    "spilling": f"{COOCCURRENCE}._entries.EntryStore._write",
    "collecting": f"{COOCCURRENCE}._entries.mmap",
    "keeping": "skembed.estimators._word_vectorizer.WordVectors",
}
PHASES = [
    *((GLOVE, spot) for spot in COUNTING.values()),
    (GLOVE, "skembed.training.glove.into_blocks"),
    (GLOVE, "skembed.training.glove._schedule.train_blocks"),
    (GLOVE, "skembed.training.glove.unpack_tables"),
    *((PPMI, spot) for spot in COUNTING.values()),
    (PPMI, "skembed.training.ppmi._truncated_svd"),
]


@pytest.fixture
def temporary(monkeypatch, tmp_path):
    """A folder of its own for temporary files."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize(("estimator", "spot"), PHASES)
def test_an_interrupt_in_any_phase_leaves_an_earlier_fit_and_no_files(
    animals, monkeypatch, temporary, tmp_path, estimator, spot, n_jobs
):
    def interrupt(*_, **__):
        interrupted.append(spot)
        raise KeyboardInterrupt

    interrupted = []
    model = clone(estimator).set_params(max_memory=TINY, n_jobs=n_jobs).fit(animals)
    before = model.transform(animals)
    model.set_params(memory=tmp_path / "cache", vector_size=3)
    n_threads = threading.active_count()
    with monkeypatch.context() as patch:
        patch.setattr(spot, interrupt)
        with pytest.raises(KeyboardInterrupt):
            model.fit(animals)
    assert interrupted
    assert_array_equal(model.transform(animals), before)
    assert threading.active_count() <= n_threads
    assert list(temporary.iterdir()) == []
    # Nothing half done is kept, and nothing is in the way.
    expected = clone(model).set_params(memory=None).fit_transform(animals)
    assert_array_equal(model.fit_transform(animals), expected)


@contextmanager
def no_file_larger_than(n_bytes):
    """Bound what this process may write to a file, as a full disk does."""
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize("estimator", [GLOVE, PPMI])
def test_files_that_cannot_grow_are_explained_and_leave_an_earlier_fit(
    animals, temporary, estimator
):
    model = clone(estimator).set_params(max_memory=TINY).fit(animals)
    before = model.transform(animals)
    with (
        no_file_larger_than(40),
        pytest.raises(OSError, match=r"could not grow in .*temporary.*max_memory"),
    ):
        model.fit(animals)
    assert_array_equal(model.transform(animals), before)
    assert list(temporary.iterdir()) == []
    # With room in memory, no file is written.
    with no_file_larger_than(40):
        model.set_params(max_memory=1.0).fit(animals)
    assert np.isfinite(model.transform(animals)).all()
