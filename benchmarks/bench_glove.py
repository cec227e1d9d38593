"""Co-occurrence counting and GloVe against Stanford's programs and plain loops.

    python -m benchmarks.bench_glove [counting] [memory] [training] [quality] \\
        [quality-stanford]

Without arguments, all parts are measured; of parts that are not, the figures are
kept from the last run. Stanford's sources are looked for where `_stanford.py` says.
"""

import sys
import time
from collections import defaultdict
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._data import CORPUS, is_here, simple_wikipedia
from benchmarks._memory import peak_of
from benchmarks._quality import FILES, over_seeds, quality
from benchmarks._report import write_parts
from benchmarks._stanford import Stanford, can_build
from benchmarks._timing import median_times
from skembed._ragged import Ragged
from skembed.text import TextAnalysis, Vocabulary, encode, encode_corpus
from skembed.training.cooccurrence import Cooccurrences, count_cooccurrences
from skembed.training.glove import GloVeConfig, train_glove
from skembed.training.ppmi import PPMIConfig, factorize_ppmi

N_REPETITIONS = 5
N_SPEED, N_QUALITY = 12_000, 40_000
N_LOOPED_DOCUMENTS, N_LOOPED_ENTRIES = 40, 20_000
MAX_MEMORY = (50, 200, 1000, 4000)
N_SEEDS = 3
WINDOW, SIZE, EPOCHS, X_MAX = 15, 50, 15, 10.0
Rows = list[dict[str, Any]]
NOTES = f"""
Simple English Wikipedia, words that occur at least 5 times, window {WINDOW}, both
sides, {SIZE} dimensions, x_max {X_MAX:g}: the settings of Stanford's demo. Its programs
are built with gcc -O3 -march=native.

- counting: {N_SPEED:,} documents, in million words a second. Stanford's `cooccur` reads
  words, and has one thread; skembed's core is given ids, or words ("from text"). The
  two give the same entries, and the same values once these are float32. The loop is
  Python's, with a dict, on {N_LOOPED_DOCUMENTS} documents.
- memory: what counting these documents takes at most above the corpus, in a process of
  its own, for several values of `max_memory`. The counts themselves are part of it as
  far as they are not in files.
- training: one epoch on these counts (time of one epoch, less that of none), in million
  entries a second. The loop takes numpy's steps, on {N_LOOPED_ENTRIES:,} entries.
- quality: {N_QUALITY:,} documents, {EPOCHS} epochs, 2 threads, means of {N_SEEDS}
  seeds (PPMI has none): Spearman correlation with people's judgements, accuracy on
  Google's analogies among the 30,000 most frequent words, accuracy of logistic
  regression on mean vectors.

Speed: medians of {N_REPETITIONS} interleaved runs. Ratio: to Stanford's program with as
many threads, or its only one.
"""


def load(n_documents: int) -> Any:
    """Return a vocabulary and encoded documents."""
    texts = simple_wikipedia(N_QUALITY)[:n_documents]
    return encode_corpus(texts, TextAnalysis(prepare=str.lower), min_count=5)


def row(case: str, threads: int, rate: float, ratio: float) -> dict[str, Any]:
    """Make a row of a speed table."""
    return {"case": case, "threads": threads, "M/s": rate, "ratio": ratio}


def loop_count(documents: list[list[int]]) -> dict[tuple[int, int], float]:
    """Count as one would write it down."""
    sums: dict[tuple[int, int], float] = defaultdict(float)
    for words in documents:
        for i, word in enumerate(words):
            for j in range(max(i - WINDOW, 0), i):
                sums[word, words[j]] += 1.0 / (i - j)
                sums[words[j], word] += 1.0 / (i - j)
    return sums


def counting(folder: Path) -> Rows:
    """Million words a second of each."""
    vocabulary, corpus = load(N_SPEED)
    n_words = len(vocabulary)
    stanford = Stanford(folder, vocabulary, corpus) if can_build() else None
    spaced = [" ".join(vocabulary.words[i] for i in document) for document in corpus]
    few = [corpus[i].tolist() for i in range(N_LOOPED_DOCUMENTS)]

    def count(threads: int, ids: Ragged = corpus) -> Cooccurrences:
        return count_cooccurrences(ids, n_words, window=WINDOW, n_threads=threads)

    def count_text(threads: int) -> Cooccurrences:
        analysis = TextAnalysis(split=str.split)
        return count(threads, encode(spaced, analysis, vocabulary))

    cases: dict[tuple[str, int], Callable[[], object]] = {
        ("a loop in Python", 1): lambda: loop_count(few),
        **{("skembed", n): lambda n=n: count(n) for n in (1, 2)},
        **{("skembed, from text", n): lambda n=n: count_text(n) for n in (1, 2)},
    }
    if stanford is not None:
        cases["Stanford", 1] = lambda: stanford.count(WINDOW)
    for warm_up in (count, count_text):
        warm_up(1)
    times = median_times(cases, N_REPETITIONS)
    if stanford is not None:
        for ours, theirs in zip(count(2), stanford.counts(), strict=True):
            np.testing.assert_array_equal(ours, theirs)
    sizes = {"a loop in Python": sum(map(len, few))}
    rates = {
        key: sizes.get(key[0], len(corpus.values)) / seconds / 1e6
        for key, seconds in times.items()
    }
    base = rates.get(("Stanford", 1), np.nan)
    return [row(*key, rate, rate / base) for key, rate in rates.items()]


def memory(_folder: Path) -> Rows:
    """Peaks of memory, each in a new process."""
    with get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        return pool.map(_peak_of_counting, MAX_MEMORY, chunksize=1)


def _peak_of_counting(n_megabytes: int) -> dict[str, Any]:
    vocabulary, corpus = load(N_SPEED)

    def count() -> Cooccurrences:
        return count_cooccurrences(
            corpus, len(vocabulary), window=WINDOW, n_threads=2, max_memory=limit
        )

    # What is compiled stays in memory.
    limit = 1e6 * n_megabytes
    some = Ragged.from_lengths(corpus.values[:1000], [1000])
    count_cooccurrences(some, len(vocabulary), window=WINDOW, n_threads=2)
    counts, peak = peak_of(count)
    return {
        "case": f"skembed, max_memory of {n_megabytes:,} MB",
        "threads": 2,
        "peak MB": peak / 1e6,
        "MB of counts": sum(column.nbytes for column in counts) / 1e6,
    }


def loop_train(counts: Cooccurrences, n_words: int) -> None:
    """Take AdaGrad's steps as one would write them down in numpy."""
    rng = np.random.default_rng(0)
    w, c = (rng.random((n_words, SIZE)) - 0.5) / SIZE, np.zeros((n_words, SIZE))
    b, d = np.zeros(n_words), np.zeros(n_words)
    squares = [np.ones_like(table) for table in (w, c, b, d)]
    for i, j, x in zip(*counts, strict=True):
        error = w[i] @ c[j] + b[i] + d[j] - np.log(x)
        z = 0.05 * min((x / X_MAX) ** 0.75, 1.0) * error
        steps = (w, i, z * c[j]), (c, j, z * w[i]), (b, i, z), (d, j, z)
        for (table, k, step), sums in zip(steps, squares, strict=True):
            table[k] -= step / np.sqrt(sums[k])
            sums[k] += step**2


def training(folder: Path) -> Rows:
    """Million entries a second of each."""
    vocabulary, corpus = load(N_SPEED)
    n_words = len(vocabulary)
    counts = count_cooccurrences(corpus, n_words, window=WINDOW, n_threads=2)
    rng = np.random.default_rng(0)
    chosen = rng.permutation(len(counts.rows))[:N_LOOPED_ENTRIES]
    few = Cooccurrences(*(column[chosen] for column in counts))

    def train(threads: int, epochs: int) -> None:
        config = GloVeConfig(vector_size=SIZE, x_max=X_MAX, epochs=epochs)
        train_glove(counts, n_words, config, seed=0, n_threads=threads)

    cases: dict[Any, Callable[[], object]] = {
        ("a loop of numpy", 1, 1): lambda: loop_train(few, n_words),
        **{
            ("skembed", n, epochs): lambda n=n, epochs=epochs: train(n, epochs)
            for n in (1, 2)
            for epochs in (0, 1)
        },
    }
    if can_build():
        stanford = Stanford(folder, vocabulary, corpus)
        stanford.count(WINDOW)
        stanford.counts()
        cases |= {
            ("Stanford", n, epochs): lambda n=n, epochs=epochs: stanford.train(
                SIZE, epochs, n, X_MAX
            )
            for n in (1, 2)
            for epochs in (0, 1)
        }
    train(1, 1)
    times = median_times(cases, N_REPETITIONS)
    rates = {
        (case, n): (len(few.rows) if "loop" in case else len(counts.rows))
        / (times[case, n, 1] - times.get((case, n, 0), 0.0))
        / 1e6
        for case, n, epochs in times
        if epochs
    }
    return [
        row(*key, rate, rate / rates.get(("Stanford", key[1]), np.nan))
        for key, rate in rates.items()
    ]


def qualities(_folder: Path) -> Rows:
    """Scores of our vectors, and the time that training took."""
    vocabulary, corpus = load(N_QUALITY)
    n_words = len(vocabulary)
    counts = count_cooccurrences(corpus, n_words, window=WINDOW, n_threads=2)

    def glove(seed: int) -> np.ndarray:
        config = GloVeConfig(vector_size=SIZE, x_max=X_MAX, epochs=EPOCHS)
        tables = train_glove(counts, n_words, config, seed=seed, n_threads=2).tables
        return tables.input + tables.output

    def ppmi(_seed: int) -> np.ndarray:
        near = count_cooccurrences(
            corpus, n_words, window=5, weighting="uniform", n_threads=2
        )
        return factorize_ppmi(near, n_words, PPMIConfig(vector_size=SIZE)).input

    return [
        *scored("skembed", vocabulary, glove, N_SEEDS),
        *scored("skembed, PPMI, window 5", vocabulary, ppmi, 1),
    ]


def stanfords_quality(folder: Path) -> Rows:
    """Scores of Stanford's vectors, from the same words of the same documents."""
    if not can_build():
        return []
    vocabulary, corpus = load(N_QUALITY)
    stanford = Stanford(folder, vocabulary, corpus)
    stanford.count(WINDOW)
    stanford.counts()

    def train(seed: int) -> np.ndarray:
        stanford.train(SIZE, EPOCHS, 2, X_MAX, seed)
        return stanford.vectors(SIZE)

    return scored("Stanford", vocabulary, train, N_SEEDS)


def scored(
    case: str, vocabulary: Vocabulary, train: Callable[[int], np.ndarray], n_seeds: int
) -> Rows:
    """Make rows of the table of qualities: means of seeds, and how they differ."""
    scores = []
    for seed in range(1, n_seeds + 1):
        start = time.perf_counter()
        vectors = train(seed)
        seconds = time.perf_counter() - start
        scores.append({"seconds": seconds} | quality(list(vocabulary.words), vectors))
        print(case, scores[-1], flush=True)
    means, spread = over_seeds(scores)
    rows: Rows = [{"case": case} | means]
    if n_seeds > 1:
        rows.append({"case": "greatest less least of its seeds"} | spread)
    return rows


PARTS = {
    "counting": counting,
    "memory": memory,
    "training": training,
    "quality": qualities,
    "quality-stanford": stanfords_quality,
}


def main(chosen: list[str] | None = None) -> None:
    if is_here(CORPUS, *FILES):
        print(write_parts("glove", PARTS, chosen, NOTES))


if __name__ == "__main__":
    main(sys.argv[1:])
