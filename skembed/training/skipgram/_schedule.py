"""Who trains on which span of the corpus, and when: rounds of replicas, or one table.

A round gives one span to each of a fixed number of replicas, whatever the number of
threads, and merges them when all are done. "hogwild" (Recht et al. 2011) lets threads
race on the tables themselves: a little faster, and another result at every run. A
corpus too short for rounds, or with too few words, is trained in one thread, on the
tables themselves; so are the losses whose every pair moves the same rows.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np

from skembed.training._aligned import aligned_zeros
from skembed.training.skipgram._config import SkipGramConfig
from skembed.training.skipgram._epochs import Runs
from skembed.training.skipgram._kernels.replica import Replicas, Tables, clear, merge
from skembed.training.skipgram._kernels.span import Corpus, Round, Windows
from skembed.training.skipgram._kernels.step import TILE
from skembed.training.skipgram._objectives import Objective, Part

N_REPLICAS = 8
"""Spans of a round, and so the most threads that can be of use."""
MIN_ROUNDS = 200
"""Rounds of an epoch: with fewer, merged spans would know too little of each other."""
MIN_LENGTH = 500
"""Tokens below which a span is not worth its round."""
PULL = 2.0
"""Part of its way that a row goes in one touch, for a learning rate of 1."""
USUAL_PAIRS = 36
"""`PULL` holds up to so many pairs of a word; beyond, it grows in proportion."""

Run = Callable[[Callable[[Part], None], Sequence[Part]], None]


class Schedule:
    """Trains epoch after epoch on given tables, in place.

    Parameters
    ----------
    corpus : Corpus
    tables : tuple of ndarray
        The padded input and output tables.
    objective : Objective
    config : SkipGramConfig
    n_threads : int
    """

    def __init__(
        self,
        corpus: Corpus,
        tables: tuple[Any, Any],
        objective: Objective,
        config: SkipGramConfig,
        n_threads: int,
    ) -> None:
        self._corpus, self._objective, self._config = corpus, objective, config
        races = config.parallel == "hogwild"
        self._crowding = max(config.n_pairs / USUAL_PAIRS, 1.0)
        self._length = objective.tokens_per_span
        longest = len(corpus.ids) // (N_REPLICAS * MIN_ROUNDS)
        shortest = min(longest, self._length)
        self._merges = not races and objective.can_merge and shortest >= MIN_LENGTH
        self._n_spans = N_REPLICAS if races or self._merges else 1
        if self._merges:
            self._length = shortest
        capacity = self._length + 2 * config.window
        self.tables = Tables(
            *tables, self._replicas(tables[0].shape, objective.capacity(capacity))
        )
        n_parts = min(n_threads, self._n_spans)
        self._parts = [
            Part(
                i,
                n_parts,
                Windows(*np.empty((3, capacity), dtype=np.int32)),
                aligned_zeros(2 * TILE, tables[0].shape[1]),
            )
            for i in range(n_parts)
        ]

    def _replicas(self, shape: tuple[int, int], capacity: int) -> Replicas:
        """Make room for the copies that spans work on, if they do."""
        n_spans = self._n_spans if self._merges else 0
        n_words = shape[0] - 1 if self._merges else 0
        capacity = min(capacity, n_words)
        return Replicas(
            input=aligned_zeros(n_spans * (capacity + 1), shape[1]),
            output=aligned_zeros(n_spans * (capacity + 1), shape[1]),
            row_of=np.full((n_words, n_spans), -1, dtype=np.int32),
            word_of=np.empty((n_spans, capacity), dtype=np.int32),
            touches=np.empty((2, n_spans, capacity), dtype=np.float32),
            n_copies=np.zeros((2, n_spans), dtype=np.int64),
        )

    def run_epoch(
        self, key: np.uint64, rate: Callable[[float], float]
    ) -> Iterator[tuple[float, float, float]]:
        """Train once through the corpus, a round at a time.

        Parameters
        ----------
        key : uint64
            Fixes all draws of the epoch.
        rate : callable
            Gives the step size for the part of the epoch that is done.

        Yields
        ------
        done : float
            The part of the epoch that is done.
        loss, weight : float
            Summed over the pairs of the round.
        """
        n_tokens = len(self._corpus.ids)
        with threads(len(self._parts)) as run:
            for start in range(0, n_tokens, self._n_spans * self._length):
                stop = min(start + self._n_spans * self._length, n_tokens)
                spans = self._round(start, stop, rate(start / n_tokens), key)
                loss, weight = self._run_round(spans, run)
                yield spans.stop / n_tokens, loss, weight

    def _round(self, start: int, stop: int, rate: float, key: np.uint64) -> Round:
        return Round(
            start=start,
            stop=stop,
            length=self._length,
            window=self._config.window,
            shrink=self._config.shrink_windows,
            rate=np.float32(rate),
            key=key,
        )

    def _run_round(self, spans: Round, run: Run) -> tuple[float, float]:
        """Train and merge the spans of a round; return its loss and weight."""
        # The last round may be short.
        results = np.zeros((-(-(spans.stop - spans.start) // spans.length), 2))

        def train(part: Part) -> None:
            self._objective.train(self.tables, self._corpus, spans, part, results)

        def merge_part(part: Part) -> None:
            merge(
                self.tables,
                PULL * self._crowding * float(spans.rate),
                part.number,
                part.of,
            )

        run(train, self._parts)
        if self._merges:
            for number in range(len(results), self._n_spans):
                clear(self.tables.replicas, number)
            run(merge_part, self._parts)
        loss, weight = results.sum(axis=0)
        return float(loss), float(weight)


def torch_schedule(*arguments: Any) -> Runs:
    """Make a `TorchSchedule`: torch is only imported where it trains."""
    from skembed.training.skipgram._torch.schedule import TorchSchedule

    return TorchSchedule(*arguments)


@contextmanager
def threads(n_threads: int) -> Iterator[Run]:
    """Give what runs one part in each thread, this one among them, and waits for all.

    Kernels release the interpreter's lock. Threads are only started if needed.
    """
    with ThreadPoolExecutor(max(n_threads - 1, 1)) as executor:

        def run(do: Callable[[Part], None], parts: Sequence[Part]) -> None:
            others = [executor.submit(do, part) for part in parts[1:]]
            do(parts[0])
            for other in others:
                other.result()

        yield run
