"""How fast raw documents become a vocabulary and token ids, in one thread.

python -m benchmarks.bench_text
"""

import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

from gensim.models import Word2Vec
from gensim.utils import simple_preprocess
from sklearn.feature_extraction.text import CountVectorizer

from benchmarks._data import CORPUS, is_here, simple_wikipedia
from benchmarks._report import write
from benchmarks._timing import median_times
from skembed.text import TextAnalysis, encode, encode_corpus

N_DOCUMENTS = 40_000
N_REPETITIONS = 5
NOTES = f"""
{N_DOCUMENTS:,} documents of Simple English Wikipedia, one thread, medians of
{N_REPETITIONS} interleaved runs in one process, by the thread's own processor time.
Ratio: how many times as fast as the first row of its group for the same text.

All of a group give the same words and the same ids in the same order, which is
asserted, except gensim: its `simple_preprocess` makes other words (2 to 15 letters).
"Nothing compiled" and "compiled before" are the first call in a new process, on two
words, without and with numba's cache on disk, most of it numba's own start.
"""
LOWERCASED = TextAnalysis(prepare=str.lower)
analyze = CountVectorizer(token_pattern=r"(?u)\b\w+\b").build_analyzer()

_FIRST_CALLS = ("nothing compiled", "compiled before")
_FIRST_CALL = """
import time
import sklearn.feature_extraction.text
from skembed.text import TextAnalysis, encode_corpus
start = time.perf_counter()
encode_corpus(["two words"], TextAnalysis())
print(time.perf_counter() - start)
"""


def count_and_look_up(documents: Sequence[list[str]]) -> tuple[list[str], list[Any]]:
    """The usual Python: words by frequency, and the ids of each document."""
    counts = Counter(chain.from_iterable(documents))
    index = {word: i for i, (word, _) in enumerate(counts.most_common())}
    return list(index), [[index[word] for word in words] for words in documents]


def with_sklearn(documents: Sequence[str]) -> tuple[list[str], list[Any]]:
    return count_and_look_up([analyze(document) for document in documents])


def with_gensim(documents: Sequence[str]) -> tuple[list[str], list[Any]]:
    words = [simple_preprocess(document) for document in documents]
    # One number per word, so that the time is the vocabulary's, not the table's.
    model = Word2Vec(vector_size=1, min_count=1)
    model.build_vocab(words)
    index = model.wv.key_to_index
    return list(index), [[index[word] for word in document] for document in words]


def rows_of(cases: dict[str, Callable[[], Any]], n_words: int) -> list[dict[str, Any]]:
    times = median_times(cases, N_REPETITIONS, time.thread_time)
    first = next(iter(times.values()))
    return [
        {
            "case": case,
            "unit": "M words/s",
            "value": n_words / seconds / 1e6,
            "ratio": first / seconds,
        }
        for case, seconds in times.items()
    ]


def first_calls() -> list[dict[str, Any]]:
    """Time the first call in new processes, the first of which has to compile."""
    with tempfile.TemporaryDirectory() as cache:
        seconds = [
            float(
                subprocess.run(
                    [sys.executable, "-c", _FIRST_CALL],
                    env={**os.environ, "NUMBA_CACHE_DIR": cache},
                    capture_output=True,
                    check=True,
                    text=True,
                ).stdout
            )
            for _ in range(2)
        ]
    return [
        {"case": case, "unit": "s", "value": value, "ratio": seconds[0] / value}
        for case, value in zip(_FIRST_CALLS, seconds, strict=True)
    ]


def measure() -> list[dict[str, Any]]:
    """Time all cases; no rows if the corpus is not there."""
    if not is_here(CORPUS):
        return []
    documents = simple_wikipedia(N_DOCUMENTS)
    words = [analyze(document) for document in documents]
    vocabulary, corpus = encode_corpus(documents, LOWERCASED)
    expected_words, expected_ids = count_and_look_up(words)
    assert list(vocabulary.words) == expected_words
    assert [ids.tolist() for ids in map(corpus.__getitem__, range(len(corpus)))] == (
        expected_ids
    )
    index = vocabulary.index
    n_words = len(corpus.values)
    fit = {
        "str to vocabulary and ids: scikit-learn analyzer, Counter, dict": lambda: (
            with_sklearn(documents)
        ),
        "str to vocabulary and ids: gensim simple_preprocess, build_vocab": lambda: (
            with_gensim(documents)
        ),
        "str to vocabulary and ids: skembed": lambda: encode_corpus(
            documents, LOWERCASED
        ),
    }
    look_up = {
        "str to known ids: scikit-learn analyzer, dict": lambda: [
            [index[word] for word in analyze(document) if word in index]
            for document in documents
        ],
        "str to known ids: skembed": lambda: encode(documents, LOWERCASED, vocabulary),
    }
    from_lists = {
        "token lists to vocabulary and ids: Counter, dict": lambda: count_and_look_up(
            words
        ),
        "token lists to vocabulary and ids: skembed": lambda: encode_corpus(
            words, LOWERCASED
        ),
    }
    groups = (fit, look_up, from_lists)
    return [row for cases in groups for row in rows_of(cases, n_words)] + first_calls()


def main() -> None:
    rows = measure()
    if rows:
        print(write("text", rows, NOTES))


if __name__ == "__main__":
    main()
