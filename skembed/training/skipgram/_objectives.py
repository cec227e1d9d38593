"""The losses of skip-gram, each as one object that trains on a round of spans.

An objective knows what the rows of the output table are, what it draws, and which
kernel to call. Where spans come from, who trains them and what becomes of the replicas
is not its business.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from skembed.counts import (
    AliasTable,
    huffman_tree,
    keep_probability,
    noise_distribution,
)
from skembed.training.skipgram._config import SkipGramConfig
from skembed.training.skipgram._kernels import hierarchical, negative, softmax
from skembed.training.skipgram._kernels.center import Composition
from skembed.training.skipgram._kernels.replica import Tables
from skembed.training.skipgram._kernels.span import Corpus, Round, Windows
from skembed.training.skipgram._kernels.step import GROUP, TILE

Counts = npt.NDArray[np.int64]


class Part(NamedTuple):
    """One thread's part of a round: the spans `number`, `number` + `of`, ...

    Parameters
    ----------
    number, of : int
    windows : Windows
    vectors : ndarray of shape (2 * TILE, n_columns), float32
        The thread's scratch space.
    """

    number: int
    of: int
    windows: Windows
    vectors: npt.NDArray[np.float32]


class Objective(Protocol):
    """What the schedule asks of a loss."""

    n_outputs: int
    """Rows of the output table."""
    initial_loss: float
    """Mean loss of a pair while all scores are 0, in nats."""
    tokens_per_span: int
    """How long a span may be, for rounds to be short and to be merged well."""
    can_merge: bool
    """Whether replicas are much smaller than the tables."""

    def capacity(self, n_tokens: int) -> int:
        """Count the words whose rows a span of n_tokens can touch at most."""

    def train(
        self, tables: Tables, corpus: Corpus, spans: Round, part: Part, results: Any
    ) -> None:
        """Train a part of a round, in place.

        The weighted loss and number of each span's pairs are written to `results`, of
        shape (n_spans, 2), float64.
        """


class NegativeSampling:
    """A word tells its contexts from words drawn at random."""

    can_merge = True
    composition: Composition | None = None
    """What words are made of; None if word w has row w."""
    # Enough that sharing them costs no quality, few enough to stay in the first cache.
    _n_shared = 16
    _n_renewed = 2
    # Steps that are taken at once must not add up to more than this part of the way: of
    # one tile's noise, and of one span's replica.
    _most_of_tile = 0.12
    _most_of_span = 1.0
    _longest_span = 2500

    def __init__(self, counts: Counts, config: SkipGramConfig) -> None:
        self.n_outputs = len(counts)
        self.initial_loss = (1 + config.negative) * float(np.log(2))
        distribution = noise_distribution(counts, config.ns_exponent)
        kept = counts * keep_probability(counts, config.sample)
        pull = config.learning_rate * distribution.max() * config.n_pairs
        self.noise = negative.Noise(
            *AliasTable.from_probabilities(distribution),
            n_centers=int(np.clip(self._most_of_tile / pull, 1, TILE)),
            n_shared=max(self._n_shared, -(-config.negative // GROUP) * GROUP),
            n_renewed=self._n_renewed,
            negative=float(config.negative),
        )
        most_frequent = max(distribution.max(), kept.max() / kept.sum())
        limit = self._most_of_span / (config.learning_rate * most_frequent)
        self.tokens_per_span = int(np.clip(limit, 1, self._longest_span))

    def n_noise(self, n_tokens: int) -> int:
        """Count the noise words of a span, at most."""
        n_tiles = -(-n_tokens // self.noise.n_centers)
        return self.noise.n_shared + self.noise.n_renewed * (n_tiles + 1)

    def capacity(self, n_tokens: int) -> int:
        """Count the words and noise words of a span."""
        return n_tokens + self.n_noise(n_tokens)

    def train(
        self, tables: Tables, corpus: Corpus, spans: Round, part: Part, results: Any
    ) -> None:
        """Train a part of a round, in place."""
        noise_rows = np.empty(self.n_noise(spans.length), dtype=np.int32)
        negative.train_round(
            tables, corpus, spans, *part, results, self.noise, noise_rows,
            self.composition,
        )  # fmt: skip


class HierarchicalSoftmax:
    """A word tells its contexts' ways down a binary tree.

    Every pair moves the nodes near the root, on which replicas would not agree.
    """

    can_merge = False
    tokens_per_span = 2500

    def __init__(self, counts: Counts, config: SkipGramConfig) -> None:  # noqa: ARG002
        self._tree = huffman_tree(counts)
        depths = np.diff(self._tree.offsets)
        self.n_outputs = max(len(counts) - 1, 1)
        self.initial_loss = float(np.log(2) * np.average(depths, weights=counts))
        # Whole groups of nodes.
        self._depth = -(-int(depths.max(initial=1)) // GROUP) * GROUP

    def capacity(self, n_tokens: int) -> int:  # noqa: ARG002
        """Give 0: there are no replicas."""
        return 0

    def train(
        self, tables: Tables, corpus: Corpus, spans: Round, part: Part, results: Any
    ) -> None:
        """Train a part of a round, in place."""
        nodes = np.empty((len(part.windows.words), self._depth), dtype=np.int32)
        hierarchical.train_round(
            tables, corpus, spans, *part, results, self._tree, nodes
        )


class Softmax:
    """A word gives the probability of every word to be its context.

    Every pair moves every row of the output table: replicas would be whole tables.
    """

    can_merge = False

    def __init__(self, counts: Counts, config: SkipGramConfig) -> None:  # noqa: ARG002
        self.n_outputs = len(counts)
        self.initial_loss = float(np.log(len(counts)))
        self.tokens_per_span = max(8, 1_000_000 // len(counts))

    def capacity(self, n_tokens: int) -> int:  # noqa: ARG002
        """Give 0: there are no replicas."""
        return 0

    def train(
        self, tables: Tables, corpus: Corpus, spans: Round, part: Part, results: Any
    ) -> None:
        """Train a part of a round, in place."""
        softmax.train_round(tables, corpus, spans, *part, results)


OBJECTIVES: dict[str, Callable[[Counts, SkipGramConfig], Objective]] = {
    "negative_sampling": NegativeSampling,
    "hierarchical_softmax": HierarchicalSoftmax,
    "softmax": Softmax,
}
