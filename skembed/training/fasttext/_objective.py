"""Skip-gram with negative sampling, over words that are made of several rows."""

import numpy as np
import numpy.typing as npt

from skembed.counts import keep_probability
from skembed.training.fasttext._composition import overlap
from skembed.training.fasttext._config import FastTextConfig
from skembed.training.skipgram._kernels.center import Composition
from skembed.training.skipgram._kernels.step import TILE
from skembed.training.skipgram._objectives import NegativeSampling


class NgramSampling(NegativeSampling):
    """A word, made of its n-grams, tells its contexts from words drawn at random.

    The more words have in common, the more steps that are taken at once add up: tiles
    and spans are then shorter.
    """

    # Words that have rows in common would learn too late what others of a long span
    # have learned; and they tell their contexts from fewer words.
    _n_shared = 24
    _n_renewed = 4
    # Not less than `MIN_LENGTH`, or there would be no rounds at all.
    _longest_span = 500

    def __init__(
        self,
        counts: npt.NDArray[np.int64],
        composition: Composition,
        config: FastTextConfig,
    ) -> None:
        super().__init__(counts, config)
        kept = counts * keep_probability(counts, config.sample)
        pull = config.learning_rate * overlap(composition, kept / kept.sum())
        limit = self._most_of_tile / (pull * config.n_pairs)
        n_centers = int(np.clip(limit, 1, min(TILE, self.noise.n_centers)))
        self.noise = self.noise._replace(n_centers=n_centers)
        limit = self._most_of_span / pull
        self.tokens_per_span = int(np.clip(limit, 1, self.tokens_per_span))
