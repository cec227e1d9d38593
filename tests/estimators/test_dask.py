"""A cluster of two processes reads documents and counts, to the same result."""

import os
import re

import pytest
from joblib import parallel_config
from numpy.testing import assert_array_equal
from sklearn.base import clone

from skembed import GloVeVectorizer, PPMIVectorizer
from skembed.datasets import load_textbooks
from skembed.text import _batches
from skembed.training.cooccurrence import _count

GLOVE = GloVeVectorizer(vector_size=4, epochs=1, stop_words="english", random_state=0)
PLAIN = clone(GLOVE).set_params(stop_words=None, token_pattern=None)
PPMI = PPMIVectorizer(vector_size=4, window=2)


@pytest.fixture(scope="module")
def cluster():
    """Two worker processes, of one thread each."""
    # Here, as importing it takes a second.
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            dashboard_address=":0",
            host="127.0.0.1",
        ) as workers,
        Client(workers) as client,
    ):
        yield client


@pytest.fixture
def spread(monkeypatch, cluster):
    """Cut work into small pieces, and give it to the cluster."""
    monkeypatch.setattr(_batches, "_MAX_CHARS", 4000)
    monkeypatch.setattr(_count, "_MOST_ENTRIES", 10_000)
    with parallel_config(backend="dask"):
        yield cluster


@pytest.fixture(scope="module")
def texts():
    return load_textbooks(subset="train").data[:60]


def noting_tokenizer(log):
    """Make a tokenizer that notes which process it is called in."""

    def tokenizer(text):
        with log.open("a", encoding="utf-8") as file:
            file.write(f"{os.getpid()}\n")
        return re.findall(r"\w+", text)

    return tokenizer


def n_compiled_counters():
    """How often the counting kernel was compiled, in the process that calls this."""
    from skembed.training.cooccurrence._kernels import count_rows

    return len(count_rows.signatures)


@pytest.mark.slow
@pytest.mark.parametrize("estimator", [GLOVE, PPMI])
def test_a_cluster_fits_and_transforms_to_the_same_bits(estimator, texts, spread):
    own = clone(estimator)
    with parallel_config(backend="threading"):
        features = own.fit_transform(texts)
    others = clone(estimator)
    assert_array_equal(others.fit_transform(texts), features)
    assert_array_equal(others.transform(texts), features)
    assert others.vocabulary_ == own.vocabulary_
    assert sum(spread.run(n_compiled_counters).values()) > 0


@pytest.mark.slow
def test_both_processes_of_a_cluster_split_documents(texts, spread, tmp_path):
    log = tmp_path / "log"
    vectorizer = clone(PLAIN).set_params(tokenizer=noting_tokenizer(log))
    workers = {str(pid) for pid in spread.run(os.getpid).values()}
    for step in (vectorizer.fit, vectorizer.transform):
        step(texts)
        assert set(log.read_text(encoding="utf-8").split()) == workers
        log.unlink()


@pytest.mark.slow
def test_one_job_stays_in_this_process(texts, spread, tmp_path):
    log = tmp_path / "log"
    clone(PLAIN).set_params(tokenizer=noting_tokenizer(log), n_jobs=1).fit(texts)
    assert set(log.read_text(encoding="utf-8").split()) == {str(os.getpid())}


@pytest.mark.slow
def test_a_document_that_is_none_is_named_as_if_it_were_read_here(texts, spread):
    with pytest.raises(ValueError, match="Row 50 of X is missing"):
        clone(GLOVE).fit([*texts[:50], None])
    with pytest.raises(TypeError, match="document 50"):
        clone(GLOVE).fit([*(text.split() for text in texts[:50]), ["a", 3]])
