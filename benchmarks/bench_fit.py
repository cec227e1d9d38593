"""What a whole fit costs: time from raw text, memory, compilation, growth.

python -m benchmarks.bench_fit
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gensim.models import Word2Vec

from benchmarks._data import CORPUS, is_here, simple_wikipedia, words_of
from benchmarks._report import RESULTS, write
from skembed import SkipGramVectorizer

N_REPETITIONS = 5
N_DOCUMENTS = 25_000
N_MEMORY = 100_000
SIZES = (6_000, 12_000, 24_000, 48_000, 96_000)
NOTES = f"""
Simple English Wikipedia, medians of {N_REPETITIONS} runs. Whole fit:
{N_DOCUMENTS:,} documents, 5 epochs, 2 threads, from `str` to vectors, against gensim
fed with lists of words that are ready. Memory: the peak of a fit of {N_MEMORY:,}
documents (1 epoch) above what the process held before, as a multiple of two tables of
float32, 4 bytes a token and the vocabulary. First fits: one epoch of 120,000 words in a
new process, with nothing compiled and with what an earlier process has compiled.
Import: of skembed after scikit-learn, in a new process.
"""
_FIRST_FIT = """
import time, numpy, skembed
words = numpy.random.default_rng(0).integers(500, size=(4000, 30)).astype(str)
texts = [" ".join(row) for row in words]
start = time.perf_counter()
skembed.SkipGramVectorizer(epochs=1, random_state=0).fit(texts)
print(time.perf_counter() - start)
"""
_IMPORT = """
import time, sklearn.base, sklearn.feature_extraction.text, sklearn.utils.validation
start = time.perf_counter()
import skembed
print(time.perf_counter() - start)
"""
_MEMORY = """
import sys
from benchmarks._data import simple_wikipedia
from benchmarks._memory import peak_of
from skembed import SkipGramVectorizer

texts = simple_wikipedia(int(sys.argv[1]))
vectorizer = SkipGramVectorizer(epochs=1, random_state=0, n_jobs=2)
vectorizer.fit(texts[:2000])  # loads the compiled code
_, peak = peak_of(lambda: vectorizer.fit(texts))
vectors = vectorizer.word_vectors_
words = sum(map(sys.getsizeof, vectors.index_to_key)) + 16 * len(vectors)
tokens = 4 * int(vectors.counts.sum())
print(peak / (2 * vectors.vectors.nbytes + tokens + words))
"""


def in_new_process(code: str, *arguments: str, **environment: str) -> float:
    """The number that a program prints."""
    result = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, **environment}, capture_output=True, text=True, check=True,
        cwd=Path(__file__).parents[1],
    )  # fmt: skip
    return float(result.stdout)


def median_time(run: Callable[[], object]) -> float:
    times = []
    for _ in range(N_REPETITIONS):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def fit(texts: list[str], epochs: int = 5) -> SkipGramVectorizer:
    return SkipGramVectorizer(epochs=epochs, n_jobs=2, random_state=0).fit(texts)


def whole_fit() -> list[dict[str, Any]]:
    texts = simple_wikipedia(max(SIZES))[:N_DOCUMENTS]
    lists = [words_of(text) for text in texts]

    def gensim() -> None:
        Word2Vec(lists, sg=1, vector_size=100, epochs=5, workers=2, sample=1e-3, seed=1)

    fit(texts[:1000])
    ours, theirs = median_time(lambda: fit(texts)), median_time(gensim)
    return [
        row("whole fit, gensim from lists of words", "s", theirs, 1.0),
        row("whole fit, skembed from str", "s", ours, theirs / ours),
    ]


def row(case: str, unit: str, value: float, ratio: float | str = "") -> dict[str, Any]:
    return {"case": case, "unit": unit, "value": value, "ratio": ratio}


def memory() -> list[dict[str, Any]]:
    multiple = in_new_process(_MEMORY, str(N_MEMORY))
    return [row("peak memory of fit", "x tables + tokens + vocabulary", multiple)]


def first_fits() -> list[dict[str, Any]]:
    cold, warm = [], []
    for _ in range(N_REPETITIONS):
        with tempfile.TemporaryDirectory() as folder:
            cold.append(in_new_process(_FIRST_FIT, NUMBA_CACHE_DIR=folder))
            warm.append(in_new_process(_FIRST_FIT, NUMBA_CACHE_DIR=folder))
    imports = [in_new_process(_IMPORT) for _ in range(N_REPETITIONS)]
    return [
        row("first fit, nothing compiled", "s", statistics.median(cold)),
        row("first fit, compiled before", "s", statistics.median(warm)),
        row("import skembed after scikit-learn", "s", statistics.median(imports)),
    ]


def growth() -> list[dict[str, Any]]:
    """Time of one epoch's fit against the size of the corpus, and its plot."""
    texts = simple_wikipedia(max(SIZES))
    n_words, seconds = [], []
    for size in SIZES:
        n_words.append(sum(len(words_of(text)) for text in texts[:size]))
        seconds.append(median_time(lambda size=size: fit(texts[:size], epochs=1)))
    _plot(n_words, seconds)
    rates = [n / s / 1e6 for n, s in zip(n_words, seconds, strict=True)]
    return [
        row(
            f"fit of {n / 1e6:.1f} M words, 1 epoch", "M words/s", rate, rate / rates[0]
        )
        for n, rate in zip(n_words, rates, strict=True)
    ]


def _plot(n_words: list[int], seconds: list[float]) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, ax = plt.subplots(figsize=(5, 3.5), layout="constrained")
    millions = [n / 1e6 for n in n_words]
    ax.plot(millions, seconds, "o-", label="measured")
    slope = seconds[-1] / millions[-1]
    ax.plot([0, millions[-1]], [0, seconds[-1]], ":", label=f"{slope:.2f} s / M words")
    ax.set(xlabel="million words", ylabel="seconds", title="One epoch's fit, 2 threads")
    ax.legend()
    figure.savefig(RESULTS / "fit_growth.png", dpi=100)


def main() -> None:
    if is_here(CORPUS):
        rows = whole_fit() + memory() + first_fits() + growth()
        print(write("fit", rows, NOTES))


if __name__ == "__main__":
    main()
