"""How fast the most similar words are found, beside gensim.

python -m benchmarks.bench_neighbors
"""

from typing import Any

import numpy as np
from gensim.models import KeyedVectors

from benchmarks._report import write
from benchmarks._timing import median_times
from skembed import WordVectors

N_WORDS, VECTOR_SIZE = 100_000, 100
N_QUERIES = 1_000
# Asking gensim about all of them takes seconds, and each takes as long as the others.
N_ASKED_ONE_BY_ONE = 50
N_REPETITIONS = 5
NOTES = f"""
The 10 most similar of {N_WORDS:,} words with random vectors of {VECTOR_SIZE} numbers,
medians of {N_REPETITIONS} interleaved runs in one process, with the threads that BLAS
takes of itself. Both give the same words, which is asserted. gensim has no call for
many queries; its time for {N_QUERIES:,} is that of a loop, measured on
{N_ASKED_ONE_BY_ONE} of them. Ratio: how many times as fast as gensim.
"""


def make_vectors() -> tuple[WordVectors, KeyedVectors]:
    """The same words in both, with their norms computed."""
    words = [f"word{i}" for i in range(N_WORDS)]
    vectors = np.random.default_rng(0).normal(size=(N_WORDS, VECTOR_SIZE))
    ours = WordVectors(words, vectors)
    theirs = ours.to_gensim()
    theirs.fill_norms()
    return ours, theirs


def check_answers(ours: WordVectors, theirs: KeyedVectors, queries: list[str]) -> None:
    """A fast wrong answer is no result."""
    rows, _ = ours.neighbors(queries[:N_ASKED_ONE_BY_ONE])
    for query, found in zip(queries, rows, strict=False):
        expected = [word for word, _ in theirs.most_similar(query)]
        assert [ours.index_to_key[row] for row in found] == expected
        assert [word for word, _ in ours.most_similar(query)] == expected


def measure() -> list[dict[str, Any]]:
    ours, theirs = make_vectors()
    queries = ours.index_to_key[:: N_WORDS // N_QUERIES]
    check_answers(ours, theirs, queries)
    few = queries[:N_ASKED_ONE_BY_ONE]
    times = median_times(
        {
            "one by one: gensim": lambda: [theirs.most_similar(word) for word in few],
            "one by one: skembed": lambda: [ours.most_similar(word) for word in few],
            "at once: skembed": lambda: ours.neighbors(queries),
        },
        N_REPETITIONS,
    )
    per_query = {
        "1 query: gensim": times["one by one: gensim"] / len(few),
        "1 query: skembed": times["one by one: skembed"] / len(few),
        f"{N_QUERIES:,} queries: gensim": times["one by one: gensim"] / len(few),
        f"{N_QUERIES:,} queries: skembed": times["at once: skembed"] / len(queries),
    }
    gensims = per_query["1 query: gensim"]
    return [
        {
            "case": case,
            "unit": "queries/s",
            "value": 1 / seconds,
            "ratio": gensims / seconds,
        }
        for case, seconds in per_query.items()
    ]


if __name__ == "__main__":
    print(write("neighbors", measure(), NOTES))
