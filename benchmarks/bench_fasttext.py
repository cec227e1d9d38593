"""fastText against its own C++ program and gensim: speed, quality, unseen words, size.

    python -m benchmarks.bench_fasttext [part]

Parts are speed-1, speed-2 (threads), quality and rest; what each measures is kept until
`write` makes a table of all. Without a part, all are run.

All are given the same words of Simple English Wikipedia and the parameters of fastText:
100 dimensions, n-grams of 3 to 6, 2 million buckets, window 5, 5 negatives, sample
1e-4, step size 0.05.
"""

import json
import pickle
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fasttext
import numpy as np
from gensim.models import FastText

from benchmarks._data import CORPUS, is_here, simple_wikipedia, words_of
from benchmarks._quality import FILES, quality
from benchmarks._report import write
from benchmarks._timing import median_times
from skembed import FastTextVectorizer
from skembed._ragged import Ragged
from skembed.text import TextAnalysis, encode_corpus, ngram_buckets
from skembed.training.fasttext import FastTextConfig, train_fasttext

N_REPETITIONS = 5
N_SEEDS = 3
N_SPEED, N_QUALITY = 6_000, 12_000
N_GRAMS = 3, 6, 2_000_000
# fastText takes 1,024 words of a line at a time, gensim drops what is beyond 10,000.
LONGEST_LINE = 1_000
PARTS = ("speed-1", "speed-2", "quality", "rest")
NOTES = f"""
Simple English Wikipedia, 100 dimensions, n-grams of 3 to 6 in 2 million buckets, window
5, 5 negatives, sample 1e-4, learning rate 0.05. Speed: its first {N_SPEED:,} documents,
medians of {N_REPETITIONS} interleaved runs of one epoch, in words of the vocabulary a
second; of fastText the difference between two epochs and one, so that what its program
does before training is not counted; of gensim `train` alone; of skembed all of training
with the hashing of n-grams. Ratios are to fastText. Quality: its first {N_QUALITY:,}
documents, 5 epochs, 2 threads, means of {N_SEEDS} seeds: Spearman correlation with
people's judgements, accuracy on Google's analogies among the 30,000 most frequent
words, accuracy of logistic regression on mean vectors. Unseen words: vectors of words
that the model does not know. Pickles: of a model of 10,000 words, as a multiple of the
rows that its words and their n-grams have.
"""


class Corpus:
    """The same documents as each of the programs wants them."""

    def __init__(self, n_documents: int, folder: Path) -> None:
        texts = simple_wikipedia(N_QUALITY)[:n_documents]
        self.vocabulary, self.ids = encode_corpus(
            texts, TextAnalysis(prepare=str.lower), min_count=5
        )
        known = self.vocabulary.index
        self.lines = []
        for text in texts:
            words = [word for word in words_of(text) if word in known]
            for i in range(0, len(words), LONGEST_LINE):
                self.lines.append(words[i : i + LONGEST_LINE])
        self.file = folder / f"{n_documents}.txt"
        self.file.write_text("\n".join(map(" ".join, self.lines)) + "\n")
        self.n_words = len(self.ids.values)


def fasttext_model(corpus: Corpus, threads: int, epochs: int) -> Any:
    return fasttext.train_unsupervised(
        str(corpus.file), model="skipgram", thread=threads, epoch=epochs, verbose=0
    )


def gensim_model(corpus: Corpus, threads: int, epochs: int, seed: int) -> Any:
    """Prepare gensim; the vocabulary is not part of the measured time."""
    model = FastText(
        vector_size=100, window=5, negative=5, sample=1e-4, sg=1, min_count=5,
        alpha=0.05, min_alpha=0, ns_exponent=0.5, workers=threads, epochs=epochs,
        seed=seed,
    )  # fmt: skip
    model.build_vocab(corpus_file=str(corpus.file))

    def train() -> None:
        model.train(
            corpus_file=str(corpus.file), total_examples=model.corpus_count,
            epochs=epochs, total_words=model.corpus_total_words,
        )  # fmt: skip

    return model, train


def skembed_vectors(
    corpus: Corpus, threads: int, epochs: int, seed: int, parallel: str
) -> np.ndarray:
    buckets = ngram_buckets(corpus.vocabulary.words, *N_GRAMS)
    rows = np.unique(buckets.values, return_inverse=True)[1].astype(np.int32)
    result = train_fasttext(
        corpus.ids,
        corpus.vocabulary.counts,
        Ragged(rows, buckets.offsets),
        FastTextConfig(epochs=epochs, parallel=parallel),  # type: ignore[arg-type]
        seed=seed,
        n_threads=threads,
    )
    return result.vectors


def row(case: str, **values: Any) -> dict[str, Any]:
    keys = "threads", "unit", "value", "ratio", "ratio to gensim"
    return {"case": case, **{key: values.get(key, "") for key in keys}}


def speed(folder: Path, threads: int) -> list[dict[str, Any]]:
    """Words per second of each, runs of all of them taking turns."""
    corpus = Corpus(N_SPEED, folder)
    seconds: dict[str, list[float]] = {}

    def timed(case: str, run: Callable[[], Any], before: float = 0.0) -> float:
        start = time.perf_counter()
        run()
        elapsed = time.perf_counter() - start - before
        seconds.setdefault(case, []).append(elapsed)
        return elapsed

    # Compiled before it is measured.
    for parallel in ("hogwild", "reproducible"):
        skembed_vectors(corpus, threads, 1, 0, parallel)
    for _ in range(N_REPETITIONS):
        start = time.perf_counter()
        fasttext_model(corpus, threads, 1)
        one = time.perf_counter() - start
        timed("fastText (C++)", lambda: fasttext_model(corpus, threads, 2), one)
        timed("gensim", gensim_model(corpus, threads, 1, 0)[1])
        for case, parallel in (("reproducible",) * 2, ("unpinned", "hogwild")):
            timed(
                f"skembed, {case}",
                lambda parallel=parallel: skembed_vectors(
                    corpus, threads, 1, 0, parallel
                ),
            )
    rate = {
        case: corpus.n_words / statistics.median(times) / 1e6
        for case, times in seconds.items()
    }
    return [
        row(
            f"training, {case}", threads=threads, unit="M words/s", value=value,
            ratio=value / rate["fastText (C++)"],
            **{"ratio to gensim": value / rate["gensim"]},
        )
        for case, value in rate.items()
    ]  # fmt: skip


def mean_quality(folder: Path) -> list[dict[str, Any]]:
    """Scores of each program's vectors, means over the seeds."""
    corpus = Corpus(N_QUALITY, folder)

    def program(_: int) -> tuple[list[str], np.ndarray]:
        # It has no seed in its Python interface; threads make each run another one.
        model = fasttext_model(corpus, 2, 5)
        words = [word for word in model.get_words() if word != "</s>"]
        return words, np.array([model.get_word_vector(word) for word in words])

    def gensim(seed: int) -> tuple[list[str], np.ndarray]:
        model, train = gensim_model(corpus, 2, 5, seed)
        train()
        return model.wv.index_to_key, model.wv.vectors

    def skembed(parallel: str) -> Callable[[int], tuple[list[str], np.ndarray]]:
        words = list(corpus.vocabulary.words)
        return lambda seed: (words, skembed_vectors(corpus, 2, 5, seed, parallel))

    models = {
        "fastText (C++)": program,
        "gensim": gensim,
        "skembed, reproducible": skembed("reproducible"),
        "skembed, unpinned": skembed("hogwild"),
    }
    rows = []
    for name, train in models.items():
        scores = [quality(*train(seed)) for seed in range(1, N_SEEDS + 1)]
        for key in scores[0]:
            mean = float(np.mean([score[key] for score in scores]))
            rows.append(row(f"{key}, {name}", threads=2, unit="score", value=mean))
        print(rows[-len(scores[0]) :], flush=True)
    # All programs' scores on a set, one below the other.
    n_sets = len(rows) // len(models)
    return [rows[m * n_sets + k] for k in range(n_sets) for m in range(len(models))]


def rest(folder: Path) -> list[dict[str, Any]]:
    """Unseen words per second, and sizes of pickles."""
    corpus = Corpus(N_SPEED, folder)
    vectorizer = FastTextVectorizer(
        max_vocab_size=10_000, epochs=1, random_state=0, lowercase=False
    ).fit(corpus.lines)
    ours = vectorizer.word_vectors_
    limited = FastText(vector_size=100, sg=1, max_final_vocab=10_000, min_count=5)
    limited.build_vocab(corpus_iterable=corpus.lines)
    theirs = limited.wv
    texts = simple_wikipedia(N_QUALITY)
    unseen = list(
        {word for text in texts for word in words_of(text)} - set(ours.key_to_index)
    )

    def gensim_vectors() -> None:
        for word in unseen[:10_000]:
            theirs.get_vector(word)

    times = median_times(
        {"gensim": gensim_vectors, "skembed": lambda: ours.vectors_of(unseen)},
        N_REPETITIONS,
    )
    rates = {
        "gensim": 10_000 / times["gensim"] / 1e6,
        "skembed": len(unseen) / times["skembed"] / 1e6,
    }
    rows = [
        row(
            f"unseen words, {case}", threads=1, unit="M words/s", value=rate,
            **{"ratio to gensim": rate / rates["gensim"]},
        )
        for case, rate in rates.items()
    ]  # fmt: skip
    n_bytes = 400 * (len(ours) + len(ours.ngrams.buckets))
    sizes = {"gensim": _pickle_size(theirs), "skembed": _pickle_size(vectorizer)}
    rows += [
        row(
            f"pickle, {case} ({size / 1e6:,.0f} MB)", unit="x rows in use",
            value=size / n_bytes, **{"ratio to gensim": sizes["gensim"] / size},
        )
        for case, size in sizes.items()
    ]  # fmt: skip
    return rows


def _pickle_size(thing: Any) -> int:
    class Counter:
        n = 0

        def write(self, data: Any) -> int:
            size = memoryview(data).nbytes
            self.n += size
            return size

    counter = Counter()
    pickle.Pickler(counter, protocol=5).dump(thing)
    return counter.n


def part_file(part: str) -> Path:
    return Path(tempfile.gettempdir()) / f"skembed-bench-fasttext-{part}.json"


def run_part(part: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if part.startswith("speed"):
            rows = speed(folder, int(part[-1]))
        else:
            rows = mean_quality(folder) if part == "quality" else rest(folder)
    part_file(part).write_text(json.dumps(rows))
    print(json.dumps(rows, indent=1), flush=True)


def main() -> None:
    if not is_here(CORPUS, *FILES):
        return
    asked = sys.argv[1:] if sys.argv[0].endswith("bench_fasttext.py") else []
    for part in PARTS if not asked else set(asked) & set(PARTS):
        run_part(part)
    if not asked or "write" in asked:
        rows = [
            row for part in PARTS for row in json.loads(part_file(part).read_text())
        ]
        print(write("fasttext", rows, NOTES))


if __name__ == "__main__":
    main()
