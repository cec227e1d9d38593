"""What a biLM learns from a user's texts on one core of a CPU.

    python -m benchmarks.bench_bilm [reuters] [textbooks]

Its perplexity after each epoch, beside that of words alone and of trigrams on the same
text. Without arguments, both corpora are measured; of one that is not, the figures are
kept from the last run.
"""

import gzip
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np

from benchmarks._data import SHARED, is_here
from benchmarks._ngrams import interpolated_trigrams
from benchmarks._report import RESULTS, write
from skembed._ragged import Ragged
from skembed.datasets import load_textbooks
from skembed.text import character_ids
from skembed.training.bilm import BiLMConfig, hold_out, train_bilm

REUTERS = "textcls/reuters_r8.jsonl.gz"
CONFIG = BiLMConfig(epochs=3)
Rows = list[dict[str, Any]]
NOTES = f"""
Texts are cut into sentences after `.`, `!` and `?`, and into words and marks; capitals
are made small. Every word is in the vocabulary. {CONFIG.validation_fraction:.0%} of the
sentences are held out, on which perplexity is that of a word, or a sentence's end, over
the whole vocabulary; of the biLM as the mean of both directions, of trigrams as that of
the models of the text and of its reverse.

- unigrams: counts of words plus 1.
- trigrams: interpolated with bigrams and unigrams, with weights by how often the
  context was seen, learned from 5% of the training sentences (Jelinek and Mercer).
- biLM: the default settings, {CONFIG.epochs} epochs, 1 thread. CPU seconds are those
  since the start, the measuring of perplexity included; words are counted once, though
  two directions predict each.
"""


def split(texts: Iterable[str]) -> list[list[str]]:
    """Cut texts into sentences of words."""
    found = []
    for text in texts:
        for sentence in re.split(r"(?<=[.!?])\s+", text.lower()):
            words = re.findall(r"\w+|[^\w\s]", sentence)
            if words:
                found.append(words)
    return found


def reuters() -> list[str]:
    with gzip.open(SHARED / REUTERS, "rt") as lines:
        rows = [json.loads(line) for line in lines]
    return [row["text"] for row in rows if row["split"] == "train"]


def textbooks() -> list[str]:
    return load_textbooks(subset="all").data


CORPORA = {"reuters": reuters, "textbooks": textbooks}


def encode(sentences: list[list[str]]) -> tuple[list[str], Ragged]:
    """The words, the most frequent first, and the ids of each sentence."""
    counts = Counter(word for sentence in sentences for word in sentence)
    words = [word for word, _ in counts.most_common()]
    number = {word: i for i, word in enumerate(words)}
    ids = [number[word] for sentence in sentences for word in sentence]
    lengths = [len(sentence) for sentence in sentences]
    return words, Ragged.from_lengths(np.array(ids, dtype=np.int32), lengths)


def baselines(training: Ragged, held_out: Ragged, n_words: int) -> Rows:
    """Perplexities of counts."""
    both: dict[str, list[float]] = {"unigrams": [], "trigrams": []}
    start = time.process_time()
    for order in (1, -1):
        known, asked = (
            [sentence[::order].tolist() for sentence in part]
            for part in (training, held_out)
        )
        model = interpolated_trigrams(known, n_words)
        both["unigrams"].append(model.unigram_perplexity(asked))
        both["trigrams"].append(model.perplexity(asked))
    seconds = (time.process_time() - start) / 2
    return [
        row(name, float(np.exp(np.log(found).mean())), *found, cpu=seconds)
        for name, found in both.items()
    ]


def row(model: str, *perplexities: float, cpu: float, rate: float | str = "") -> dict:
    keys = "perplexity", "forward", "backward"
    measured = dict(zip(keys, perplexities, strict=True))
    return {"model": model, **measured, "CPU seconds": cpu, "words/CPU second": rate}


def language_model(training: Ragged, held_out: Ragged, words: list[str]) -> Rows:
    """Perplexity after each epoch, and what it took."""
    start, reports = time.process_time(), []

    def progress(epoch: int, *_: float) -> None:
        reports.append((epoch, time.process_time() - start))

    characters = character_ids(words, CONFIG.architecture.max_characters)
    result = train_bilm(
        training, characters, CONFIG, seed=0, held_out=held_out, progress=progress
    )
    reports.append((len(result.history), time.process_time() - start))
    rows = []
    for number, epoch in enumerate(result.history, start=1):
        # An epoch ends with its measurement, before the next one's first report.
        seconds = min(when for i, when in reports if i == number)
        n_words = len(training.values) * number
        mean = epoch.perplexity.mean
        sides = epoch.perplexity.forward, epoch.perplexity.backward
        name = f"biLM, epoch {number}"
        rows.append(row(name, mean, *sides, cpu=seconds, rate=n_words / seconds))
    return rows


def measure(name: str) -> Rows:
    words, corpus = encode(split(CORPORA[name]()))
    training, held_out = hold_out(corpus, CONFIG.validation_fraction, seed=0)
    sizes = {
        "corpus": name,
        "training words": len(training.values),
        "vocabulary": len(words),
    }
    rows = baselines(training, held_out, len(words))
    rows += language_model(training, held_out, words)
    return [{**sizes, **measured} for measured in rows]


def kept_rows() -> Rows:
    """The rows of the last run."""
    path = RESULTS / "bilm.json"
    return json.loads(path.read_text())["rows"] if path.exists() else []


def main(chosen: list[str] | None = None) -> None:
    rows = kept_rows()
    for name in chosen or CORPORA:
        if name == "reuters" and not is_here(REUTERS):
            continue
        measured = measure(name)
        print(measured, flush=True)
        rows = [r for r in rows if r["corpus"] != name] + measured
        rows.sort(key=lambda r: list(CORPORA).index(r["corpus"]))
        write("bilm", rows, NOTES)


if __name__ == "__main__":
    main(sys.argv[1:])
