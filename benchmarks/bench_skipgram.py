"""Skip-gram against gensim: words per second, and what the vectors are worth.

    python -m benchmarks.bench_skipgram

Both are given the same words of Simple English Wikipedia, and the parameters of
word2vec: 100 dimensions, window 5, 5 negatives, sample 1e-3. gensim reads a file of
lines (its fastest way) or lists of words; skembed's core is given encoded words:
reading raw text is measured by `bench_text` and `bench_fit`.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from gensim.models import Word2Vec

from benchmarks._corpus import Corpus
from benchmarks._data import CORPUS, is_here, simple_wikipedia
from benchmarks._quality import FILES, quality
from benchmarks._report import write
from skembed.training.skipgram import SkipGramConfig, train_skipgram

N_REPETITIONS = 5
N_SEEDS = 3
N_SPEED, N_QUALITY = 12_000, 40_000
# gensim drops what is beyond 10,000 words of a line.
LONGEST_LINE = 10_000
NOTES = f"""
Simple English Wikipedia, 100 dimensions, window 5, 5 negatives, sample 1e-3. Speed: its
first {N_SPEED:,} documents, medians of {N_REPETITIONS} interleaved runs, in words of
the vocabulary a second; ratio to the better of gensim's modes with as many threads and
epochs. Quality: its first {N_QUALITY:,} documents, 5 epochs, 2 threads, means of
{N_SEEDS} seeds: Spearman correlation with people's judgements, accuracy on Google's
analogies among the 30,000 most frequent words, accuracy of logistic regression on mean
vectors.
"""


def gensim_model(
    corpus: Corpus, threads: int, epochs: int, seed: int, mode: str
) -> Any:
    """Prepare gensim; the vocabulary is not part of the measured time."""
    model = Word2Vec(
        vector_size=100, window=5, negative=5, sample=1e-3, sg=1, min_count=5,
        workers=threads, epochs=epochs, seed=seed,
    )  # fmt: skip
    source = _gensim_source(corpus, mode)
    model.build_vocab(**source)

    def train() -> None:
        model.train(
            **source, total_examples=model.corpus_count, epochs=epochs,
            total_words=model.corpus_total_words,
        )  # fmt: skip

    return model, train


def _gensim_source(corpus: Corpus, mode: str) -> dict[str, Any]:
    if mode == "file":
        return {"corpus_file": str(corpus.file)}
    return {"corpus_iterable": corpus.lists}


def skembed_vectors(
    corpus: Corpus, threads: int, epochs: int, seed: int, parallel: str
) -> np.ndarray:
    config = SkipGramConfig(epochs=epochs, parallel=parallel)  # type: ignore[arg-type]
    counts = corpus.vocabulary.counts
    result = train_skipgram(corpus.ids, counts, config, seed=seed, n_threads=threads)
    return result.input


def contenders(
    corpus: Corpus, threads: int, epochs: int
) -> dict[str, Callable[[], Callable[[], object]]]:
    """Name each program, and what prepares one run of it."""

    def gensim(mode: str) -> Callable[[], Callable[[], object]]:
        return lambda: gensim_model(corpus, threads, epochs, 0, mode)[1]

    def skembed(parallel: str) -> Callable[[], Callable[[], object]]:
        return lambda: lambda: skembed_vectors(corpus, threads, epochs, 0, parallel)

    return {
        "gensim, lists of words": gensim("lists"),
        "gensim, file": gensim("file"),
        "skembed, unpinned (hogwild)": skembed("hogwild"),
        "skembed, reproducible": skembed("reproducible"),
    }


def speed(corpus: Corpus, threads: int, epochs: int) -> list[dict[str, Any]]:
    """Words per second of each, runs of all of them taking turns."""
    prepare = contenders(corpus, threads, epochs)
    times: dict[str, list[float]] = {name: [] for name in prepare}
    for _ in range(N_REPETITIONS):
        for name, ready in prepare.items():
            run = ready()
            start = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - start)
    rate = {
        name: epochs * corpus.n_words / statistics.median(seconds) / 1e6
        for name, seconds in times.items()
    }
    gensim = max(value for name, value in rate.items() if name.startswith("gensim"))
    return [
        {
            "case": name, "threads": threads, "epochs": epochs,
            "M words/s": value, "ratio": value / gensim,
        }
        for name, value in rate.items()
    ]  # fmt: skip


def mean_quality(corpus: Corpus) -> dict[str, dict[str, float]]:
    """Scores of each program's vectors, means over the seeds."""

    def gensim(seed: int) -> tuple[list[str], np.ndarray]:
        model, train = gensim_model(corpus, 2, 5, seed, "file")
        train()
        return model.wv.index_to_key, model.wv.vectors

    def skembed(parallel: str) -> Callable[[int], tuple[list[str], np.ndarray]]:
        words = list(corpus.vocabulary.words)
        return lambda seed: (words, skembed_vectors(corpus, 2, 5, seed, parallel))

    models = {
        "gensim, file": gensim,
        "skembed, unpinned (hogwild)": skembed("hogwild"),
        "skembed, reproducible": skembed("reproducible"),
    }
    means = {}
    for name, train in models.items():
        scores = [quality(*train(seed)) for seed in range(1, N_SEEDS + 1)]
        means[name] = {
            key: float(np.mean([s[key] for s in scores])) for key in scores[0]
        }
        print(name, means[name], flush=True)
    return means


def measure(folder: Path) -> list[dict[str, Any]]:
    """All rows of the table: speed, and beside the last of each its quality."""
    corpus = Corpus(simple_wikipedia(N_SPEED), folder, LONGEST_LINE)
    # Compiled before it is measured.
    skembed_vectors(corpus, 2, 1, 0, "reproducible")
    rows = []
    for threads, epochs in ((1, 1), (2, 1), (2, 5)):
        rows += speed(corpus, threads, epochs)
        print(rows[-4:], flush=True)
    scores = mean_quality(Corpus(simple_wikipedia(N_QUALITY), folder, LONGEST_LINE))
    for row in rows:
        best = row["threads"] == 2 and row["epochs"] == 5
        own = scores.get(row["case"], {}) if best else {}
        names = next(iter(scores.values()))
        row.update({name: own.get(name, "") for name in names})
    return rows


def main() -> None:
    if is_here(CORPUS, *FILES):
        with tempfile.TemporaryDirectory() as folder:
            print(write("skipgram", measure(Path(folder)), NOTES))


if __name__ == "__main__":
    main()
