"""How good word vectors are: similarity, analogies, classification."""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks._data import SHARED, classification
from skembed import WordVectors
from skembed.evaluation import analogies, word_similarity

SETS = ("sst2", "trec_raw_fine")
FILES = (
    "wordsim/EN-WS-353-ALL.txt",
    "wordsim/EN-MEN-TR-3k.txt",
    "analogy/questions-words.txt",
    *(f"textcls/{name}.jsonl.gz" for name in SETS),
)


def quality(words: list[str], vectors: np.ndarray) -> dict[str, float]:
    """Score vectors on all sets: Spearman correlations, and accuracies."""
    word_vectors = WordVectors(words, vectors)
    scores = {
        name: word_similarity(word_vectors, SHARED / file).spearman
        for name, file in zip(("WordSim-353", "MEN"), FILES, strict=False)
    }
    result = analogies(word_vectors, SHARED / FILES[2], restrict_vocab=30_000)
    scores["analogies"] = result.total.accuracy
    for name in SETS:
        scores[name.split("_")[0].upper()] = _accuracy(word_vectors, name)
    return scores


def over_seeds(
    scores: list[dict[str, float]],
) -> tuple[dict[str, float], dict[str, float]]:
    """Return the means of scores, and how far they lie apart."""
    columns = {key: [score[key] for score in scores] for key in scores[0]}
    means = {key: float(np.mean(values)) for key, values in columns.items()}
    return means, {key: float(np.ptp(values)) for key, values in columns.items()}


def _accuracy(word_vectors: WordVectors, name: str) -> float:
    """Accuracy of logistic regression on the mean vectors of a set's test part."""
    parts = classification(name)
    features = {part: _means(word_vectors, texts) for part, (texts, _) in parts.items()}
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=500))
    model.fit(features["train"], parts["train"][1])
    return float(model.score(features["test"], parts["test"][1]))


def _means(word_vectors: WordVectors, texts: list[list[str]]) -> np.ndarray:
    rows = np.zeros((len(texts), word_vectors.vector_size), dtype=np.float32)
    for row, words in zip(rows, texts, strict=True):
        known = [word for word in words if word in word_vectors]
        if known:
            row[:] = word_vectors[known].mean(axis=0)
    return rows
