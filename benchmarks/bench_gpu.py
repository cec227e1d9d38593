"""Vectors of words on a GPU: words per second, and how much memory traffic they cost.

    python -m benchmarks.bench_gpu

The torch cores run on the first CUDA device if there is one, and at small size on the
CPU if there is none, where their speed means nothing: there the table says what a word
costs, and that the vectors are as good as those of the compiled core.
"""

import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch

from benchmarks._data import CORPUS, is_here, simple_wikipedia
from benchmarks._quality import FILES, quality
from benchmarks._report import write
from benchmarks._traffic import kernels, traffic_of
from skembed._ragged import Ragged
from skembed.text import TextAnalysis, encode_corpus, ngram_buckets
from skembed.training._torch.segments import find_segments
from skembed.training.cooccurrence import count_cooccurrences
from skembed.training.fasttext import FastTextConfig, train_fasttext
from skembed.training.glove import GloVeConfig, train_glove
from skembed.training.skipgram import SkipGramConfig, train_skipgram

GPU = torch.cuda.is_available()
DEVICE = torch.device("cuda" if GPU else "cpu")
N_REPETITIONS = 5 if GPU else 1
N_DOCUMENTS = 195_000 if GPU else 6_000
EPOCHS = 5
WAYS = ("compiled", "torch", "Triton")
COPY_BYTES = 1 << (30 if GPU else 27)
TIMED = f"medians of {N_REPETITIONS} epochs" if GPU else "of one epoch"
WHERE = "one GPU" if GPU else "the CPU, as there is no CUDA device: no rates of a GPU"
NOTES = f"""
Simple English Wikipedia, its first {N_DOCUMENTS:,} documents, on {WHERE}.
Skip-gram and fastText with their defaults, 100 dimensions: million words a second.
GloVe: 50 dimensions, window 15, without a GPU on a tenth of the documents; million
counts a second. Compiled: in 2 threads. Triton: kernels in place of most operations of
torch, of which without a GPU only the bytes are counted. Adding: million updates of 100
numbers a second, to the rows of the vocabulary. Rates are {TIMED}. Bytes: what
operations and kernels read and write for each word, count or update, of which caches
serve a part, and their share of the bandwidth that a copy of {COPY_BYTES >> 20} MiB
reaches.
Quality after {EPOCHS} epochs, one seed; columns as for skipgram.
"""


def seconds(run: Callable[[], object]) -> float:
    """Time a run, until the device is done."""
    if GPU:
        torch.cuda.synchronize()
    start = time.perf_counter()
    run()
    if GPU:
        torch.cuda.synchronize()
    return time.perf_counter() - start


def copy_bandwidth() -> float:
    """Bytes per second that a copy reads and writes."""
    source = torch.ones(COPY_BYTES // 4, device=DEVICE)
    target = torch.empty_like(source)
    times = [seconds(lambda: target.copy_(source)) for _ in range(10)]
    return 2 * COPY_BYTES / statistics.median(times)


def rows_of(
    core: str, n: int, words: list[str], train: Any, ways: tuple[str, ...]
) -> list[dict[str, Any]]:
    """Measure a core: compiled, in operations of torch, and with Triton's kernels.

    Parameters
    ----------
    core : str
    n : int
        Words or counts of an epoch.
    words : list of str
    train : callable
        Takes a device and the number of epochs, and returns the vectors of words.
    ways : tuple of str
        Of "compiled", "torch" and "Triton".
    """
    rows = []
    for way in ways:
        device = None if way == "compiled" else DEVICE
        with kernels(way == "Triton"):
            run = partial(train, device, 1)
            n_bytes = "" if device is None else traffic_of(run) / n
            case = f"{core}, {way}" if device is None else f"{core}, {way}, {device}"
            if way == "Triton" and not GPU:
                rows.append(dict.fromkeys(rows[0], "") | cells(case, "", n_bytes))
                continue
            # All is compiled, or warm, when it is timed.
            scores = quality(words, train(device, EPOCHS))
            rate = n / statistics.median(seconds(run) for _ in range(N_REPETITIONS))
        rows.append({**cells(case, rate, n_bytes), **scores})
    return rows


def cells(case: str, rate: Any, n_bytes: Any) -> dict[str, Any]:
    """Say what was measured, or "" for what was not."""
    share = rate and n_bytes and rate * n_bytes / copy_bandwidth()
    speed = rate and rate / 1e6
    row = {"case": case, "M/s": speed, "bytes": n_bytes, "of bandwidth": share}
    print(row, flush=True)
    return row


def skipgram_rows(corpus: Ragged, vocabulary: Any) -> list[dict[str, Any]]:
    """Rows of skip-gram."""

    def train(device: Any, epochs: int) -> np.ndarray:
        config = SkipGramConfig(epochs=epochs)
        return train_skipgram(
            corpus, vocabulary.counts, config, seed=1, n_threads=2, device=device
        ).input

    words = list(vocabulary.words)
    return rows_of("skip-gram", len(corpus.values), words, train, WAYS)


def fasttext_rows(corpus: Ragged, vocabulary: Any) -> list[dict[str, Any]]:
    """Rows of fastText."""
    words = list(vocabulary.words)
    buckets = ngram_buckets(words, 3, 6, 2_000_000)
    _, numbers = np.unique(buckets.values, return_inverse=True)
    ngrams = Ragged(numbers.astype(np.int32), buckets.offsets)

    def train(device: Any, epochs: int) -> np.ndarray:
        config = FastTextConfig(epochs=epochs)
        return train_fasttext(
            corpus, vocabulary.counts, ngrams, config, seed=1, n_threads=2,
            device=device,
        ).vectors  # fmt: skip

    return rows_of("fastText", len(corpus.values), words, train, WAYS)


def glove_rows(corpus: Ragged, vocabulary: Any) -> list[dict[str, Any]]:
    """Rows of GloVe."""
    words = list(vocabulary.words)
    counts = count_cooccurrences(corpus, len(words), window=15, n_threads=2)

    def train(device: Any, epochs: int) -> np.ndarray:
        tables = train_glove(
            counts, len(words), GloVeConfig(epochs=epochs), seed=1, n_threads=2,
            device=device,
        ).tables  # fmt: skip
        return tables.input + tables.output

    return rows_of("GloVe", len(counts.rows), words, train, WAYS[:2])


def adding_rows(corpus: Ragged, vocabulary: Any) -> list[dict[str, Any]]:
    """Rows of adding updates to a table: one by one, or sorted and added up first.

    One by one needs atomic additions on a GPU, which wait for one another where many
    are of the same row, as in a text, and hardly do where rows are drawn uniformly.
    """
    n, n_words = 1 << 16, len(vocabulary.words)
    table = torch.zeros(n_words, 100, device=DEVICE)
    updates = torch.ones(n, 100, device=DEVICE)
    drawn = {
        "uniform rows": np.random.default_rng(0).integers(0, n_words, n),
        "rows of a text": corpus.values[:n].astype(np.int64),
    }

    def atomic(rows: torch.Tensor) -> None:
        table.index_add_(0, rows, updates)

    def combined(rows: torch.Tensor) -> None:
        (segments,) = find_segments(rows[None])
        table.index_add_(0, segments.rows, segments.sums(updates))

    measured = []
    for how in (atomic, combined):
        for which, values in drawn.items():
            run = partial(how, torch.from_numpy(values).to(DEVICE))
            rate = n / statistics.median([seconds(run) for _ in range(20)][1:])
            case = f"adding, {how.__name__}, {which}"
            measured.append(cells(case, rate, traffic_of(run) / n))
    return measured


def main() -> None:
    if not is_here(CORPUS, *FILES):
        return
    texts = simple_wikipedia(N_DOCUMENTS)
    vocabulary, corpus = encode_corpus(
        texts, TextAnalysis(prepare=str.lower), min_count=5
    )
    # A tenth of the words have enough pairs where there is no GPU.
    few = len(corpus) if GPU else len(corpus) // 10
    start = Ragged(corpus.values[: corpus.offsets[few]], corpus.offsets[: few + 1])
    rows = skipgram_rows(corpus, vocabulary) + fasttext_rows(corpus, vocabulary)
    rows += glove_rows(start, vocabulary)
    blank = dict.fromkeys(rows[0], "")
    rows += [{**blank, **row} for row in adding_rows(corpus, vocabulary)]
    print(write("gpu", rows, NOTES))


if __name__ == "__main__":
    main()
