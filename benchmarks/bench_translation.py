"""Training CoVe's encoder on translations: perplexity, BLEU, and what it is good for.

    python -m benchmarks.bench_translation [FOLDER]

With a folder, the training leaves checkpoints there, and goes on from them.
"""

import gzip
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks._bleu import bleu
from benchmarks._data import SHARED, classification, is_here
from benchmarks._report import write
from skembed import CoVeFeaturizer, WordVectors
from skembed._ragged import Ragged
from skembed.formats import write_lstm_encoder
from skembed.text import newswire_words
from skembed.training.translation import (
    Pairs,
    TranslationConfig,
    TranslationResult,
    train_translation,
    translate,
)

PAIRS, VECTORS = "parallel/multi30k.jsonl.gz", "vectors/glove.6B.50d.top50k.txt.gz"
SETS = ("trec_raw_fine", "sst2")
CONFIG = TranslationConfig(epochs=5)
N_THREADS = 1
MIN_COUNT = 2
BEAM = 5
NOTES = f"""
An English-German translator trained on the 29,000 sentences of Multi30k in lower case,
on the CPU, {N_THREADS} thread, {CONFIG.epochs} epochs, otherwise with the defaults of
`CoVeFeaturizer`; the word vectors are GloVe's of 50 numbers for the 50,000 commonest
words, which are not trained. Perplexity: of a word of the 1,014 sentences of `dev`,
ends included; the unigram model of the training translations has {{unigram:.1f}}. BLEU
of the 1,000 sentences of `test2016`, in lower case, cut as the training text is, beam
{BEAM}: **{{score:.1f}}**; {{n_unknown:.1%}} of the words of the references are unknown
to the translator. Target words/s: {{speed}}. Accuracy: of logistic regression on the
mean of the words' vectors.
"""
Words = list[list[str]]


class Vocabulary(dict[str, int]):
    """Numbers of words, and one more for all others."""

    def __missing__(self, word: str) -> int:
        return len(self)

    def encode(self, texts: Words) -> Ragged:
        ids = np.array([self[word] for text in texts for word in text], np.int32)
        return Ragged.from_lengths(ids, [len(text) for text in texts])


def sentences() -> dict[str, dict[str, Words]]:
    """The words of each part in each language."""
    parts: dict[str, dict[str, Words]] = {}
    with gzip.open(SHARED / PAIRS, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            part = parts.setdefault(row["split"], {"en": [], "de": []})
            for language, texts in part.items():
                texts.append(newswire_words(row[language].lower())[0])
    return parts


def vocabulary(texts: Words, min_count: int) -> Vocabulary:
    counts = Counter(word for text in texts for word in text).most_common()
    words = [word for word, n in counts if n >= min_count]
    return Vocabulary((word, number) for number, word in enumerate(words))


def unigram_perplexity(training: Ragged, held_out: Ragged, n_words: int) -> float:
    """Of words and ends; a word that does not occur has occurred half a time."""
    counts = np.bincount(training.values, minlength=n_words) + 0.5
    ends = len(training)
    log_p = np.log(np.append(counts, ends) / (counts.sum() + ends))
    said = np.concatenate([held_out.values, np.full(len(held_out), n_words)])
    return float(np.exp(-log_p[said].mean()))


class Speed:
    """Words of translations per second, of what this process has trained."""

    def __init__(self, n_words: int) -> None:
        self.n_words, self.first = n_words, (0.0, 0.0)
        self.last = self.first

    def __call__(self, epoch: int, done: float, loss: float) -> bool:
        self.last = epoch + done, time.perf_counter()
        if not self.first[1]:
            self.first = self.last
        if done == 1:
            print(f"epoch {epoch + 1}: loss {loss:.3f}", flush=True)
        return False

    def __str__(self) -> str:
        n_epochs, seconds = np.subtract(self.last, self.first)
        return f"{n_epochs * self.n_words / seconds:,.0f}" if seconds else "unknown"


def word_vectors(vectors: WordVectors, words: Sequence[str]) -> np.ndarray:
    """Rows of words, and one of zeros for all others."""
    rows = np.zeros((len(words) + 1, vectors.vector_size), dtype=np.float32)
    for row, word in zip(rows, words, strict=False):
        if word in vectors:
            row[:] = vectors[word]
    return rows


def train(
    parts: dict[str, dict[str, Words]], vectors: WordVectors, folder: Path | None
) -> tuple[TranslationResult, dict[str, Any]]:
    """Train a translator, and tell how well it translates."""
    # What training does not know may have a vector.
    every = [text for part in parts.values() for text in part["en"]]
    english = vocabulary(every, min_count=1)
    german = vocabulary(parts["train"]["de"], MIN_COUNT)
    table = word_vectors(vectors, list(english))
    pairs = {
        name: Pairs(english.encode(part["en"]), german.encode(part["de"]))
        for name, part in parts.items()
    }
    target, n_words = pairs["train"].target, len(german) + 1
    speed = Speed(len(target.values) + len(target))
    result = train_translation(
        pairs["train"],
        table,
        n_words,
        CONFIG,
        held_out=pairs["dev"],
        seed=0,
        device="cpu",
        n_threads=N_THREADS,
        checkpoint=folder,
        progress=speed,
    )
    said = translate(
        result, pairs["test2016"].source, table, CONFIG, beam_size=BEAM, device="cpu"
    )
    words = [*german, "<unk>"]
    translations = [[words[i] for i in said[row]] for row in range(len(said))]
    truth = pairs["test2016"].target
    unigram = unigram_perplexity(target, pairs["dev"].target, n_words)
    facts = {
        "score": bleu(translations, parts["test2016"]["de"]),
        "n_unknown": float((truth.values == len(german)).mean()),
        "unigram": unigram,
        "speed": speed,
    }
    return result, facts


def accuracies(result: TranslationResult, vectors: WordVectors) -> dict[str, str]:
    """How well texts are told apart by the vectors alone, and with the encoder."""
    with TemporaryDirectory() as name:
        path = Path(name) / "encoder.safetensors"
        write_lstm_encoder(path, result.encoder)
        given: dict[str, dict[str, Any]] = {
            "vectors": {"layers": 0},
            "layer 1": {"layers": 1},
            "layer 2": {"layers": 2},
            "vectors and layers 1, 2": {"layers": "all"},
        }
        return {
            case: " / ".join(
                f"{accuracy(CoVeFeaturizer(vectors, encoder=path, **layers), name):.3f}"
                for name in SETS
            )
            for case, layers in given.items()
        }


def accuracy(featurizer: CoVeFeaturizer, name: str) -> float:
    parts = classification(name)
    model = make_pipeline(
        featurizer, StandardScaler(), LogisticRegression(C=0.1, max_iter=500)
    )
    return float(model.fit(*parts["train"]).score(*parts["test"]))


def main(arguments: Sequence[str] = ()) -> None:
    files = (PAIRS, VECTORS, *(f"textcls/{name}.jsonl.gz" for name in SETS))
    if not is_here(*files):
        return
    vectors = WordVectors.load(SHARED / VECTORS)
    folder = Path(arguments[0]) if arguments else None
    result, facts = train(sentences(), vectors, folder)
    rows: list[dict[str, Any]] = [
        {"case": f"epoch {number}", "loss": f"{loss:.3f}", "perplexity": f"{held:.2f}",
         f"accuracy, {' / '.join(SETS)}": ""}
        for number, (loss, held) in enumerate(result.history, start=1)
    ]  # fmt: skip
    for case, scores in accuracies(result, vectors).items():
        rows.append(dict(zip(rows[0], (case, "", "", scores), strict=True)))
    print(write("translation", rows, NOTES.format(**facts)))


if __name__ == "__main__":
    main(sys.argv[1:])
