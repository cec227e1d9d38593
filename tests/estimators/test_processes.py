"""The same vectors, in whatever process and by however many."""

import multiprocessing
import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor

import joblib
import numpy as np
import pytest
from joblib import Parallel, delayed
from numpy.testing import assert_array_equal
from sklearn.base import clone

from skembed import SkipGramVectorizer
from skembed.estimators import _skipgram

SCRIPT = """
import sys, numpy as np
from skembed import SkipGramVectorizer
vectorizer = SkipGramVectorizer(vector_size=4, min_count=1, epochs=2, random_state=0)
vectorizer.fit([line.rstrip("\\n") for line in open(sys.argv[1])])
np.save(sys.argv[2], vectorizer.word_vectors_.vectors)
"""


@pytest.mark.slow
@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_another_process_and_hash_seed_give_the_same_vectors(
    vectorizer, two_topics, tmp_path, hash_seed
):
    (tmp_path / "texts").write_text("\n".join(two_topics), encoding="utf-8")
    arguments = [SCRIPT, tmp_path / "texts", tmp_path / "vectors.npy"]
    environment = os.environ | {"PYTHONHASHSEED": hash_seed}
    subprocess.run([sys.executable, "-c", *arguments], env=environment, check=True)
    vectors = vectorizer.fit(two_topics).word_vectors_.vectors
    assert_array_equal(np.load(tmp_path / "vectors.npy"), vectors)


@pytest.fixture(scope="module")
def long_corpus():
    """Enough words for threads to share: 200,000, in documents of 100."""
    rng = np.random.default_rng(0)
    zipf = 1 / np.arange(1, 1001)
    words = rng.choice(1000, size=(2000, 100), p=zipf / zipf.sum())
    return [[f"w{i}" for i in document] for document in words]


def test_any_number_of_jobs_gives_the_same_vectors(long_corpus):
    one, two, three = (
        SkipGramVectorizer(vector_size=8, epochs=1, random_state=0, n_jobs=n_jobs)
        .fit(long_corpus)
        .word_vectors_.vectors
        for n_jobs in (1, 2, 3)
    )
    assert_array_equal(one, two)
    assert_array_equal(one, three)


class Caught(Exception):  # noqa: N818
    pass


def n_threads_of(vectorizer):
    """Fit up to the training, and return how many threads it would have had."""

    def caught(*_, n_threads, **__):
        raise Caught(n_threads)

    train, _skipgram.train_skipgram = _skipgram.train_skipgram, caught
    try:
        vectorizer.fit(["a b"])
    except Caught as error:
        return error.args[0]
    finally:
        _skipgram.train_skipgram = train


@pytest.mark.parametrize(("n_jobs", "n_threads"), [(None, 1), (1, 1), (2, 2), (7, 7)])
def test_threads_are_as_many_as_asked_for(vectorizer, n_jobs, n_threads):
    assert n_threads_of(vectorizer.set_params(n_jobs=n_jobs)) == n_threads


def test_all_threads_are_those_of_the_machine(vectorizer):
    assert n_threads_of(vectorizer.set_params(n_jobs=-1)) == joblib.cpu_count()


def test_a_parallel_config_is_honoured(vectorizer):
    with joblib.parallel_config(backend="threading", n_jobs=3):
        assert n_threads_of(vectorizer) == 3


@pytest.mark.slow
def test_workers_do_not_start_more_threads(vectorizer):
    jobs = [delayed(n_threads_of)(clone(vectorizer)) for _ in range(2)]
    assert Parallel(n_jobs=2)(jobs) == [1, 1]


def transform(vectorizer, documents):
    return vectorizer.transform(documents)


def fit(vectorizer, documents):
    return vectorizer.fit(documents).transform(documents)


@pytest.mark.slow
@pytest.mark.parametrize("task", [fit, transform])
def test_loky_workers_fit_and_transform(vectorizer, animals, task):
    expected = vectorizer.fit_transform(animals)
    for features in Parallel(n_jobs=2)(
        delayed(task)(vectorizer, animals) for _ in "ab"
    ):
        assert_array_equal(features, expected)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning")
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_forked_and_spawned_workers_fit_and_transform(vectorizer, animals, method):
    # The parent has compiled, trained and started threads before it forks.
    expected = vectorizer.set_params(n_jobs=2).fit_transform(animals)
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        for task in (fit, transform):
            features = pool.submit(task, vectorizer, animals).result(timeout=60)
            assert_array_equal(features, expected)


@pytest.mark.slow
def test_importing_brings_in_nothing_heavy():
    code = (
        "import sys, skembed;"
        "heavy = {'torch', 'transformers', 'matplotlib', 'gensim', 'polars', 'tqdm'};"
        "assert not heavy & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
