"""Word trigrams, smoothed by Jelinek and Mercer's interpolation: a plain baseline."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

N_BUCKETS = 16
_N_ROUNDS = 20
Sentences = Sequence[Sequence[int]]


class Trigrams:
    """P(w | u, v), mixed of the shares of trigrams, bigrams and words.

    The weights of the mix depend on how often the context ``u v`` was seen, in powers
    of two, and are those that make other sentences likeliest (Jelinek and Mercer 1980,
    "Interpolated estimation of Markov source parameters from sparse data").

    Parameters
    ----------
    sentences : sequence of sequences of int
        The word ids of each; a boundary on both sides is added.
    n_words : int
        Of the vocabulary. The id of the boundary is `n_words`.
    """

    def __init__(self, sentences: Sentences, n_words: int) -> None:
        self._boundary, n_outcomes = n_words, n_words + 1
        self._counts = [Counter(), Counter()]
        words: Counter[int] = Counter()
        for context, word in self._places(sentences):
            words[word] += 1
            for counts, known in zip(self._counts, (context[1:], context), strict=True):
                counts[known, word] += 1
                counts[known] += 1
        n = words.total()
        self._shares = np.array([words[w] + 1 for w in range(n_outcomes)])
        self._shares = self._shares / (n + n_outcomes)
        self.weights = np.full((N_BUCKETS, 3), 1 / 3)

    def _places(self, sentences: Sentences):
        for sentence in sentences:
            u = v = self._boundary
            for word in [*sentence, self._boundary]:
                yield (u, v), word
                u, v = v, word

    def _parts(self, sentences: Sentences) -> tuple[np.ndarray, np.ndarray]:
        """The three shares of each word in its place, and the bucket of its context."""
        parts, seen = [], []
        for context, word in self._places(sentences):
            row = [self._shares[word]]
            for counts, known in zip(self._counts, (context[1:], context), strict=True):
                row.append(counts[known, word] / max(counts[known], 1))
            parts.append(row)
            seen.append(self._counts[1][context])
        buckets = np.log2(np.array(seen) + 1.0).astype(int)
        return np.array(parts), np.minimum(buckets, N_BUCKETS - 1)

    def fit_weights(self, sentences: Sentences) -> None:
        """Choose the weights by expectation maximisation on other sentences."""
        parts, buckets = self._parts(sentences)
        for _ in range(_N_ROUNDS):
            shares = parts * self.weights[buckets]
            shares /= shares.sum(axis=1, keepdims=True)
            for bucket in np.unique(buckets):
                self.weights[bucket] = shares[buckets == bucket].mean(axis=0)

    def perplexity(self, sentences: Sentences) -> float:
        """Of the words and ends of sentences."""
        parts, buckets = self._parts(sentences)
        return float(
            np.exp(-np.log((parts * self.weights[buckets]).sum(axis=1)).mean())
        )

    def unigram_perplexity(self, sentences: Sentences) -> float:
        """The same, of words alone, each with 1 added to its count."""
        words = [word for _, word in self._places(sentences)]
        return float(np.exp(-np.log(self._shares[words]).mean()))


def interpolated_trigrams(sentences: Sentences, n_words: int) -> Trigrams:
    """Count all sentences, with the weights that 1 of 20 has given to the others.

    Parameters
    ----------
    sentences : sequence of sequences of int
    n_words : int
    """
    rest = [s for i, s in enumerate(sentences) if i % 20]
    model = Trigrams(rest, n_words)
    model.fit_weights(sentences[::20])
    full = Trigrams(sentences, n_words)
    full.weights = model.weights
    return full
