"""Skip-gram with negative sampling, over words that are made of several rows."""

import numpy as np
import numpy.typing as npt

from skembed.counts import keep_probability
from skembed.training.fasttext._composition import most_rows, overlap, scratch
from skembed.training.fasttext._config import FastTextConfig
from skembed.training.skipgram._copies import Shape, new_copies
from skembed.training.skipgram._kernels.center import Composition
from skembed.training.skipgram._kernels.replica import Replicas
from skembed.training.skipgram._objectives import NegativeSampling


class NgramSampling(NegativeSampling):
    """A word, made of its n-grams, tells its contexts from words drawn at random."""

    def __init__(
        self,
        counts: npt.NDArray[np.int64],
        composition: Composition,
        config: FastTextConfig,
    ) -> None:
        super().__init__(counts, config)
        self._composition = composition
        kept = counts * keep_probability(counts, config.sample)
        self._shared = overlap(composition, kept / kept.sum())

    def replicas(
        self, n_spans: int, n_tokens: int, inputs: Shape, outputs: Shape
    ) -> Replicas:
        """Make room for the words, their n-grams, and the noise words of spans."""
        n_words = min(n_tokens, outputs[0]) if n_spans else 0
        self._capacity = n_words, most_rows(self._composition, n_words)
        return Replicas(
            new_copies(n_spans, self._capacity[1], inputs),
            new_copies(n_spans, n_tokens + self._n_noise(n_tokens), outputs),
        )

    def _own(self) -> Composition:
        return scratch(*self._capacity)
