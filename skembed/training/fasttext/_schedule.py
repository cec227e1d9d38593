"""Rounds of replicas for words that are made of rows."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from skembed._kernels.barrier import abandoned_on_error, new_barrier
from skembed.training._aligned import aligned_zeros
from skembed.training.fasttext._composition import dealt
from skembed.training.fasttext._config import FastTextConfig
from skembed.training.fasttext._kernels.rounds import Drawn, Words, train_rounds
from skembed.training.fasttext._objective import NgramSampling
from skembed.training.skipgram._kernels.center import Composition
from skembed.training.skipgram._kernels.span import Corpus, Round
from skembed.training.skipgram._objectives import Part
from skembed.training.skipgram._schedule import PULL, Run, Schedule, threads
from skembed.training.skipgram._tables import padded_table

NGRAM_PULL = 0.7
"""The part a of its way that a word goes in one touch, as rows see it; see `PULL`.

Less than that of replicas, which hold back already what all words agree upon. On 1.6
million words 0.5 to 1 are as good as single steps, 2 is worse; 0.35 diverges at a
learning rate of 0.1.
"""
MOST_ROUNDS, MOST_PRODUCTS = 16, 1 << 30
"""Rounds that threads go through without an interrupt being answered, and what these
multiply, both at most: some tenths of a second."""


class NgramSchedule(Schedule):
    """Trains epoch after epoch on given tables, in place.

    Where there are rounds of replicas, a round is one of skip-gram: on the vectors of
    its words, which are computed before it. After it, what has changed is added to the
    rows that they are made of. Otherwise each step goes to the rows at once.

    Parameters
    ----------
    corpus : Corpus
    tables : tuple of ndarray
        The padded tables of what words are made of, and of outputs.
    composition : Composition
    objective : NgramSampling
    config : FastTextConfig
    n_threads : int
    """

    def __init__(
        self,
        corpus: Corpus,
        tables: tuple[Any, Any],
        composition: Composition,
        objective: NgramSampling,
        config: FastTextConfig,
        n_threads: int,
    ) -> None:
        rows, output = tables
        vectors = padded_table(len(output) - 1, output.shape[1])
        super().__init__(corpus, (vectors, output), objective, config, n_threads)
        if not self._merges:
            objective.composition = composition
            self.tables = self.tables._replace(input=rows)
            return
        self._noise = objective.noise
        self._pulls = PULL * self._crowding, NGRAM_PULL * self._crowding
        n_spans, n_copies = self.tables.replicas.word_of.shape
        length = self._length + 2 * config.window
        words, document, reach = np.empty((3, n_spans, length), dtype=np.int32)
        n_noise = objective.n_noise(self._length)
        self._drawn = Drawn(
            words,
            document,
            reach,
            noise_rows=np.empty((n_spans, n_noise), dtype=np.int32),
            where=np.empty((n_spans, 3), dtype=np.int64),
        )
        capacity = min(n_spans * n_copies, len(vectors) - 1)
        self._words = Words(
            rows,
            *dealt(composition),
            listed=np.empty((len(self._parts), capacity), dtype=np.int32),
            touches=np.empty((len(self._parts), capacity), dtype=np.float32),
            before=aligned_zeros(capacity, vectors.shape[1]),
            ways=aligned_zeros(1, 4 * len(rows)).reshape(-1, 4),
        )

    def run_epoch(
        self, key: np.uint64, rate: Callable[[float], float]
    ) -> Iterator[tuple[float, float, float]]:
        """Train once through the corpus, some rounds at a time."""
        if not self._merges:
            yield from super().run_epoch(key, rate)
            return
        n_tokens = len(self._corpus.ids)
        bounds = [*range(0, n_tokens, self._n_spans * self._length), n_tokens]
        products = bounds[1] * self._config.n_pairs * self._config.vector_size
        at_once = int(np.clip(MOST_PRODUCTS / products, 1, MOST_ROUNDS))
        with threads(len(self._parts)) as run:
            for first in range(0, len(bounds) - 1, at_once):
                some = bounds[first : first + at_once + 1]
                rates = [rate(start / n_tokens) for start in some[:-1]]
                rounds = self._round(some[0], some[-1], rates[0], key)
                sums = self._run_rounds(rounds, rates, run)
                for stop, (loss, weight) in zip(some[1:], sums, strict=True):
                    yield stop / n_tokens, loss, weight

    def _run_rounds(
        self, rounds: Round, rates: list[float], run: Run
    ) -> list[list[float]]:
        """Train on rounds of these rates; return the loss and weight of each."""
        results = np.zeros((len(rates), self._n_spans, 2))
        steps = np.array(rates, dtype=np.float32)
        barrier = new_barrier(len(self._parts))

        def train(part: Part) -> None:
            with abandoned_on_error(barrier):
                train_rounds(
                    self.tables, self._corpus, rounds, steps, self._pulls,
                    self._noise, self._drawn, self._words, part.vectors, results,
                    barrier, *part[:2],
                )  # fmt: skip

        with abandoned_on_error(barrier):
            run(train, self._parts)
        sums: list[list[float]] = results.sum(axis=1).tolist()
        return sums
