"""How many documents per second become features, against the loop that people write.

python -m benchmarks.bench_transform
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from gensim.models import KeyedVectors

from benchmarks._data import CORPUS, is_here, simple_wikipedia, words_of
from benchmarks._report import write
from benchmarks._timing import median_times
from skembed import SkipGramVectorizer

N_DOCUMENTS = 5_000
N_REPETITIONS = 5
VECTOR_SIZE = 100
NOTES = f"""
{N_DOCUMENTS:,} documents of Simple English Wikipedia, whole or their first 20 words,
vectors of size {VECTOR_SIZE} trained on them, one thread, medians of {N_REPETITIONS}
interleaved runs in one process. The usual loop is
`np.mean([kv[w] for w in doc if w in kv], axis=0)` with gensim's `KeyedVectors` (for
idf, `np.average` with weights); from raw text it splits by
`re.findall(r"\\w+", doc.lower())`. Ratio: how many times as fast as the loop. Both give
the same features to 1e-5, which is asserted.
"""


def mean_loop(documents: Sequence[list[str]], kv: KeyedVectors) -> np.ndarray:
    return np.array(
        [np.mean([kv[w] for w in doc if w in kv], axis=0) for doc in documents]
    )


def idf_loop(
    documents: Sequence[list[str]], kv: KeyedVectors, idf: dict[str, float]
) -> np.ndarray:
    rows = []
    for document in documents:
        known = [word for word in document if word in kv]
        weights = [idf[word] for word in known]
        rows.append(np.average([kv[word] for word in known], axis=0, weights=weights))
    return np.array(rows)


def compare(
    name: str, loop: Callable[[], np.ndarray], ours: Callable[[], np.ndarray]
) -> list[dict[str, Any]]:
    """Check that both give the same, and time them."""
    features = loop()
    np.testing.assert_allclose(ours(), features, rtol=1e-4, atol=1e-5)
    times = median_times({"the usual loop": loop, "skembed": ours}, N_REPETITIONS)
    first = next(iter(times.values()))
    return [
        {
            "case": f"{name}: {case}",
            "unit": "documents/s",
            "value": len(features) / seconds,
            "ratio": first / seconds,
        }
        for case, seconds in times.items()
    ]


def measure() -> list[dict[str, Any]]:
    """Time all cases; no rows if the corpus is not there."""
    if not is_here(CORPUS):
        return []
    whole = simple_wikipedia(N_DOCUMENTS)
    fitted = SkipGramVectorizer(VECTOR_SIZE, epochs=1, random_state=0).fit(whole)
    kv = KeyedVectors(VECTOR_SIZE)
    kv.add_vectors(list(fitted.vocabulary_.words), fitted.word_vectors_.vectors)
    idf = dict(zip(fitted.vocabulary_.words, fitted.idf_.tolist(), strict=True))
    loops = {
        "mean": lambda documents: mean_loop(documents, kv),
        "idf": lambda documents: idf_loop(documents, kv, idf),
    }
    rows = []
    for length, limit in (("articles", None), ("20 words", 20)):
        tokens = [words_of(text)[:limit] for text in whole]
        # What a loop has to be kept from: documents without a known word.
        tokens = [words for words in tokens if any(word in kv for word in words)]
        texts = [" ".join(words) for words in tokens]
        for pooling, loop in loops.items():
            fitted.set_params(pooling=pooling)
            rows += compare(
                f"{length}, raw text, {pooling}",
                lambda loop=loop, texts=texts: loop([words_of(text) for text in texts]),
                lambda texts=texts: fitted.transform(texts),
            )
            rows += compare(
                f"{length}, token lists, {pooling}",
                lambda loop=loop, tokens=tokens: loop(tokens),
                lambda tokens=tokens: fitted.transform(tokens),
            )
    return rows


def main() -> None:
    rows = measure()
    if rows:
        print(write("transform", rows, NOTES))


if __name__ == "__main__":
    main()
