"""How fast published vectors are loaded, in how much memory, and how large pickles are.

    python -m benchmarks.bench_load [published] [made] [fasttext] [pickles]

Without arguments, all parts are measured; of parts that are not, the figures are kept
from the last run.
"""

import gzip
import json
import pickle
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from gensim.models import KeyedVectors

import skembed
from benchmarks._data import SHARED, is_here
from benchmarks._report import write_parts
from benchmarks._timing import median_times
from skembed import SubwordVectors, WordVectors
from skembed.datasets import load_textbooks
from skembed.formats import FastTextModel, FastTextSettings, write_fasttext

N_REPETITIONS = 5
GLOVE = "vectors/glove.6B.50d.top50k.txt.gz"
N_WORDS, VECTOR_SIZE, N_WANTED = 400_000, 100, 10_000
N_FASTTEXT_WORDS, BUCKET = 50_000, 1_000_000
NOTES = f"""
Medians of {N_REPETITIONS} interleaved runs of one thread, files in the system's cache.
Ratio: how many times as fast as gensim, or how much of its memory. GloVe's text: the
first 50,000 words of GloVe 6B 50d, and {N_WORDS:,} words of {VECTOR_SIZE} numbers of
five decimals, made here; gensim reads them by
`load_word2vec_format(no_header=True)`. A subset is {N_WANTED:,} words spread over the
file. fastText: {N_FASTTEXT_WORDS:,} words of 3 to 10 letters, {BUCKET:,} buckets, size
{VECTOR_SIZE}, {4e-6 * VECTOR_SIZE * (N_FASTTEXT_WORDS + BUCKET):.0f} MB of inputs; each
load in a new process, the peak above what the imports and a first small load had taken.
That all vectors are the same is asserted. Pickles: of estimators fitted to the bundled
textbooks, as a multiple of the float32 rows of words and n-grams that they use; vectors
that were given as `pretrained` are a parameter, and with `fine_tune` pickled beside the
tuned ones, unless a path is given.
"""
_LOAD = """
import json, sys, time
from pathlib import Path
import numpy as np
from benchmarks._memory import peak_of

def load_gensim(path):
    from gensim.models.fasttext import load_facebook_vectors
    return load_facebook_vectors(path)

def load_skembed(path):
    from skembed import SubwordVectors
    return SubwordVectors.from_fasttext(path, **json.loads(sys.argv[3]))

load = {"gensim": load_gensim, "skembed": load_skembed}[sys.argv[2]]
import gensim
load(str(Path(gensim.__file__).parent / "test/test_data/toy-model.bin"))
start = time.perf_counter()
vectors, n_bytes = peak_of(lambda: load(sys.argv[1]))
seconds = time.perf_counter() - start
total = float(np.abs(vectors[vectors.index_to_key[::1000]]).sum())
print(json.dumps({"seconds": seconds, "bytes": n_bytes, "sum": total}))
"""


def row(case: str, unit: str, value: float, ratio: float | str = "") -> dict[str, Any]:
    return {"case": case, "unit": unit, "value": value, "ratio": ratio}


def compare(
    name: str, theirs: Callable[[], KeyedVectors], ours: Callable[[], WordVectors]
) -> list[dict[str, Any]]:
    """Check that both load the same, and time them."""
    loaded = ours()
    assert np.array_equal(theirs()[loaded.index_to_key], loaded.vectors)
    times = median_times({"gensim": theirs, "skembed": ours}, N_REPETITIONS)
    return [
        row(f"{name}, {program}", "s", seconds, times["gensim"] / seconds)
        for program, seconds in times.items()
    ]


def glove_text(name: str, path: Path) -> list[dict[str, Any]]:
    return compare(
        name,
        lambda: KeyedVectors.load_word2vec_format(path, no_header=True),
        lambda: WordVectors.load(path),
    )


def published_text(folder: Path) -> list[dict[str, Any]]:
    if not is_here(GLOVE):
        return []
    path = folder / "published.txt"
    path.write_bytes(gzip.decompress((SHARED / GLOVE).read_bytes()))
    return glove_text("GloVe text, 50,000 x 50", path)


def made_text(folder: Path) -> list[dict[str, Any]]:
    words = [f"w{i}" for i in range(N_WORDS)]
    rng = np.random.default_rng(0)
    path = folder / "made.txt"
    with path.open("w", encoding="utf-8") as file:
        for word in words:
            numbers = rng.normal(size=VECTOR_SIZE).tolist()
            file.write(f"{word} {' '.join(f'{x:.5f}' for x in numbers)}\n")
    wanted = words[:: N_WORDS // N_WANTED]
    whole = WordVectors.load(path)
    some = WordVectors.load(path, vocabulary=wanted)
    assert np.array_equal(whole[wanted], some.vectors)
    whole.save(folder / "made.bin")
    rows = glove_text(f"GloVe text, {N_WORDS:,} x {VECTOR_SIZE}", path)
    rows += subset(path, wanted, theirs=rows[0]["value"])
    rows += compare(
        f"word2vec binary, {N_WORDS:,} x {VECTOR_SIZE}",
        lambda: KeyedVectors.load_word2vec_format(folder / "made.bin", binary=True),
        lambda: WordVectors.load(folder / "made.bin"),
    )
    return rows


def subset(path: Path, wanted: list[str], theirs: float) -> list[dict[str, Any]]:
    """Time a subset, beside gensim's whole file: it cannot read less."""
    times = median_times(
        {"subset": lambda: WordVectors.load(path, vocabulary=wanted)}, N_REPETITIONS
    )
    name = f"GloVe text, {N_WANTED:,} of these words, skembed"
    return [row(name, "s", times["subset"], theirs / times["subset"])]


def fasttext(folder: Path) -> list[dict[str, Any]]:
    """Time and memory of a model of fastText, in new processes."""
    path = folder / "model.bin"
    write_fasttext(path, _model())
    cases: dict[str, Sequence[str]] = {
        "gensim": ["gensim", "{}"],
        "skembed (n-grams on the disk, the default)": ["skembed", "{}"],
        "skembed (n-grams of the vocabulary in memory)": [
            "skembed",
            '{"keep": "vocabulary"}',
        ],
        "skembed (all n-grams in memory)": ["skembed", '{"mmap": false}'],
    }
    runs: dict[str, list[dict[str, float]]] = {case: [] for case in cases}
    for _ in range(N_REPETITIONS):
        for case, arguments in cases.items():
            runs[case].append(_in_new_process(path, *arguments))
    sums = [run["sum"] for case in runs.values() for run in case]
    np.testing.assert_allclose(sums, sums[0], rtol=1e-6)
    medians = {
        case: {
            measure: statistics.median(run[measure] for run in runs[case])
            for measure in ("seconds", "bytes")
        }
        for case in cases
    }
    return [
        row(f"fastText .bin, {case}", "s", *_against_gensim(medians, case, "seconds"))
        for case in cases
    ] + [
        row(f"peak, {case}", "MB", *_against_gensim(medians, case, "bytes"))
        for case in cases
    ]


def _against_gensim(
    medians: dict[str, dict[str, float]], case: str, measure: str
) -> tuple[float, float]:
    """How many times as fast, or which share of the memory."""
    ours, theirs = medians[case][measure], medians["gensim"][measure]
    if measure == "seconds":
        return ours, theirs / ours
    return ours / 1e6, ours / theirs


def _model() -> FastTextModel:
    rng = np.random.default_rng(0)
    letters = rng.integers(97, 123, size=(2 * N_FASTTEXT_WORDS, 10)).astype(np.uint8)
    lengths = rng.integers(3, 11, size=len(letters))
    spelled = (
        bytes(line[:n]).decode() for line, n in zip(letters, lengths, strict=True)
    )
    words = list(dict.fromkeys(spelled))[:N_FASTTEXT_WORDS]
    n_rows = len(words) + BUCKET
    return FastTextModel(
        FastTextSettings(vector_size=VECTOR_SIZE, bucket=BUCKET),
        words,
        np.arange(len(words), 0, -1),
        labels=[],
        label_counts=np.zeros(0, dtype=np.int64),
        n_tokens=10**6,
        inputs=rng.normal(size=(n_rows, VECTOR_SIZE)).astype(np.float32),
        outputs=np.zeros((len(words), VECTOR_SIZE), dtype=np.float32),
    )


def _in_new_process(path: Path, *arguments: str) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-c", _LOAD, str(path), *arguments],
        cwd=Path(__file__).parents[1], capture_output=True, text=True, check=True,
    )  # fmt: skip
    result: dict[str, float] = json.loads(done.stdout)
    return result


def pickles(_folder: Path) -> list[dict[str, Any]]:
    """Size of a pickle, as a multiple of the rows that `transform` needs."""
    texts = load_textbooks(subset="train").data
    learned = skembed.SkipGramVectorizer(random_state=0).fit(texts).word_vectors_
    estimators: dict[str, Any] = {
        "SkipGramVectorizer": skembed.SkipGramVectorizer(epochs=1),
        "GloVeVectorizer": skembed.GloVeVectorizer(epochs=1),
        "PPMIVectorizer": skembed.PPMIVectorizer(),
        "FastTextVectorizer": skembed.FastTextVectorizer(epochs=1),
        "SkipGramVectorizer, pretrained": skembed.SkipGramVectorizer(
            pretrained=learned
        ),
        "SkipGramVectorizer, pretrained, fine_tune": skembed.SkipGramVectorizer(
            pretrained=learned, fine_tune=True, epochs=1
        ),
    }
    rows = []
    for name, estimator in estimators.items():
        size = len(pickle.dumps(estimator.fit(texts)))
        vectors = estimator.word_vectors_
        used = vectors.vectors.nbytes
        if isinstance(vectors, SubwordVectors):
            used += vectors.ngrams.vectors.nbytes
        rows.append(row(f"pickle, {name}", "MB", size / 1e6, size / used))
    return rows


PARTS = {
    "published": published_text,
    "made": made_text,
    "fasttext": fasttext,
    "pickles": pickles,
}


def main(chosen: list[str] | None = None) -> None:
    print(write_parts("load", PARTS, chosen, NOTES))


if __name__ == "__main__":
    main(sys.argv[1:])
