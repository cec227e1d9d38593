"""fastText against its own C++ program and gensim: speed, quality, unseen words, size.

    python -m benchmarks.bench_fasttext [part ...]

Parts are speed-1, speed-2 (threads), speed-2-long (more documents), quality-fasttext,
quality-gensim, quality-skembed, each of these with -long, and rest; without one, all
are run. Rows of parts that are not run stay as they are.

All are given the same words of Simple English Wikipedia and the parameters of fastText:
100 dimensions, n-grams of 3 to 6, 2 million buckets, window 5, 5 negatives, sample
1e-4, step size 0.05.
"""

import pickle
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import fasttext
import numpy as np
from gensim.models import FastText

from benchmarks._corpus import Corpus
from benchmarks._data import CORPUS, is_here, simple_wikipedia, words_of
from benchmarks._quality import FILES, over_seeds, quality
from benchmarks._report import write_parts
from benchmarks._timing import median_times
from skembed import FastTextVectorizer
from skembed._ragged import Ragged
from skembed.text import ngram_buckets
from skembed.training.fasttext import FastTextConfig, train_fasttext

N_REPETITIONS = 5
N_SEEDS, N_SEEDS_LONG = 4, 2
N_SPEED, N_LONG = 3_000, 10_000
N_QUALITY, N_QUALITY_LONG = 4_000, 16_000
N_GRAMS = 3, 6, 2_000_000
PROGRAMS = "fasttext", "gensim", "skembed"
# fastText takes 1,024 words of a line at a time, gensim drops what is beyond 10,000.
LONGEST_LINE = 1_000
NOTES = f"""
Simple English Wikipedia, 100 dimensions, n-grams of 3 to 6 in 2 million buckets, window
5, 5 negatives, sample 1e-4, learning rate 0.05.

- Speed: its first {N_SPEED:,} documents, and {N_LONG:,}, whose tables are larger;
  medians of {N_REPETITIONS} interleaved runs, in words of the vocabulary a second
  of one epoch: of fastText and of skembed the difference between two epochs and one,
  of gensim `train` alone, so that nothing before training is counted; then of skembed
  all of it, with the hashing of n-grams and the drawing and copying of tables. Ratios
  are to fastText; to gensim where the column says so.
- Quality: its first {N_QUALITY:,} documents, means of {N_SEEDS} seeds, and
  {N_QUALITY_LONG:,}, means of {N_SEEDS_LONG}; 5 epochs, 2 threads: Spearman
  correlation with people's judgements, accuracy on Google's analogies among the 30,000
  most frequent words, accuracy of logistic regression on mean vectors.
- Unseen words: vectors of words that the model does not know.
- Pickles: of a model of 10,000 words, as a multiple of the rows that its words and
  their n-grams have.
"""


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


def speed(
    folder: Path, threads: int, n_documents: int = N_SPEED, of: str = ""
) -> list[dict[str, Any]]:
    """Words per second of each, runs of all of them taking turns."""
    corpus = Corpus(simple_wikipedia(n_documents), folder, LONGEST_LINE)
    seconds: dict[str, list[float]] = {}

    def epoch_of(case: str, train: Callable[[int], Any]) -> float:
        """Keep what the second epoch takes; return what training of one takes."""
        times = []
        for epochs in (1, 2):
            start = time.perf_counter()
            train(epochs)
            times.append(time.perf_counter() - start)
        seconds.setdefault(case, []).append(times[1] - times[0])
        return times[0]

    # Compiled before it is measured.
    for parallel in ("hogwild", "reproducible"):
        skembed_vectors(corpus, threads, 1, 0, parallel)
    for _ in range(N_REPETITIONS):
        epoch_of("fastText (C++)", lambda n: fasttext_model(corpus, threads, n))
        train = gensim_model(corpus, threads, 1, 0)[1]
        start = time.perf_counter()
        train()
        seconds.setdefault("gensim", []).append(time.perf_counter() - start)
        for case, parallel in (("reproducible",) * 2, ("unpinned", "hogwild")):
            whole = epoch_of(
                f"skembed, {case}",
                lambda n, parallel=parallel: skembed_vectors(
                    corpus, threads, n, 0, parallel
                ),
            )
            with_all = f"skembed, {case}, with all before and after"
            seconds.setdefault(with_all, []).append(whole)
    rate = {
        case: corpus.n_words / statistics.median(times) / 1e6
        for case, times in seconds.items()
    }
    return [
        row(
            f"training{of}, {case}", threads=threads, unit="M words/s", value=value,
            ratio=value / rate["fastText (C++)"],
            **{"ratio to gensim": value / rate["gensim"]},
        )
        for case, value in rate.items()
    ]  # fmt: skip


def qualities(
    folder: Path, program: str, n_documents: int, n_seeds: int, of: str = ""
) -> list[dict[str, Any]]:
    """Scores of a program's vectors: means over the seeds, and how they differ."""
    corpus = Corpus(simple_wikipedia(n_documents), folder, LONGEST_LINE)

    def original(_: int) -> tuple[list[str], np.ndarray]:
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
        "fasttext": {"fastText (C++)": original},
        "gensim": {"gensim": gensim},
        "skembed": {
            "skembed, reproducible": skembed("reproducible"),
            "skembed, unpinned": skembed("hogwild"),
        },
    }[program]
    rows = []
    for name, train in models.items():
        scores = [quality(*train(seed)) for seed in range(1, n_seeds + 1)]
        means, spread = over_seeds(scores)
        rows.append({"case": f"quality{of}, {name}", "threads": 2, **means})
        rows.append({"case": "greatest less least of its seeds", **spread})
        print(rows[-2:], flush=True)
    return rows


def rest(folder: Path) -> list[dict[str, Any]]:
    """Unseen words per second, and sizes of pickles."""
    corpus = Corpus(simple_wikipedia(N_SPEED), folder, LONGEST_LINE)
    vectorizer = FastTextVectorizer(
        max_vocab_size=10_000, epochs=1, random_state=0, lowercase=False
    ).fit(corpus.lists)
    ours = vectorizer.word_vectors_
    limited = FastText(vector_size=100, sg=1, max_final_vocab=10_000, min_count=5)
    limited.build_vocab(corpus_iterable=corpus.lists)
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


PARTS = {
    "speed-1": partial(speed, threads=1),
    "speed-2": partial(speed, threads=2),
    "speed-2-long": partial(
        speed, threads=2, n_documents=N_LONG, of=f" on {N_LONG:,} documents"
    ),
    **{
        f"quality-{program}{suffix}": partial(
            qualities, program=program, n_documents=n_documents, n_seeds=n_seeds, of=of
        )
        for suffix, n_documents, n_seeds, of in (
            ("", N_QUALITY, N_SEEDS, ""),
            (
                "-long",
                N_QUALITY_LONG,
                N_SEEDS_LONG,
                f" on {N_QUALITY_LONG:,} documents",
            ),
        )
        for program in PROGRAMS
    },
    "rest": rest,
}


def main(chosen: list[str] | None = None) -> None:
    if is_here(CORPUS, *FILES):
        print(write_parts("fasttext", PARTS, chosen, NOTES))


if __name__ == "__main__":
    main(sys.argv[1:])
