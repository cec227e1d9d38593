"""Rounds of replicas for words that are made of rows."""

from typing import Any

import numpy as np

from skembed.training._aligned import aligned_zeros
from skembed.training.fasttext._composition import dealt
from skembed.training.fasttext._config import FastTextConfig
from skembed.training.fasttext._kernels.rounds import (
    compose_words,
    count_touches,
    mark_words,
    spread_changes,
    sum_ways,
)
from skembed.training.fasttext._objective import NgramSampling
from skembed.training.skipgram._kernels.center import Composition
from skembed.training.skipgram._kernels.replica import merge
from skembed.training.skipgram._kernels.span import Corpus, Round
from skembed.training.skipgram._objectives import Part
from skembed.training.skipgram._schedule import PULL, Run, Schedule
from skembed.training.skipgram._tables import padded_table

NGRAM_PULL = 0.7
"""The part a of its way that a word goes in one touch, as rows see it, by step size.

Less than that of replicas, which hold back already what all words agree upon. On 1.6
million words 0.5 to 1 are as good as single steps, 2 is worse; 0.35 diverges at a
learning rate of 0.1.
"""


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
        self._rows = rows
        if not self._merges:
            objective.composition = composition
            self.tables = self.tables._replace(input=rows)
            return
        self._composition, self._splits = dealt(composition)
        n_copies = self.tables.replicas.word_of.size
        capacity = min(n_copies, len(vectors) - 1)
        self._before = aligned_zeros(capacity, vectors.shape[1])
        self._touches = np.empty(capacity, dtype=np.float32)
        self._marks = np.zeros(len(vectors) - 1, dtype=np.bool_)
        self._ways = aligned_zeros(1, 4 * len(rows)).reshape(-1, 4)

    def _run_round(self, spans: Round, run: Run) -> tuple[float, float]:
        if not self._merges:
            return super()._run_round(spans, run)
        self._words = words = self._words_of(spans, run)
        vectors, before, composition = (
            self.tables.input, self._before, self._composition,
        )  # fmt: skip

        def compose(part: Part) -> None:
            compose_words(words, self._rows, composition, vectors, before, *part[:2])

        def spread(part: Part) -> None:
            spread_changes(
                words, self._touches, composition, self._splits, vectors, before,
                self._rows, self._ways, _pull(spans), part.vectors, *part[:2],
            )  # fmt: skip

        run(compose, self._parts)
        loss = super()._run_round(spans, run)
        run(spread, self._parts)
        return loss

    def _merge(self, spans: Round, run: Run) -> None:
        """Merge, and measure in the same go how far words went: threads wait less."""
        words, touches = self._words, self._touches
        count_touches(words, self.tables.replicas, touches)

        def merge_part(part: Part) -> None:
            merge(self.tables, PULL * float(spans.rate), *part[:2])
            sum_ways(
                words, touches, self._composition, self._splits, self._ways,
                _pull(spans), *part[:2],
            )  # fmt: skip

        run(merge_part, self._parts)

    def _words_of(self, spans: Round, run: Run) -> Any:
        """List the words of a round, those in windows included."""
        n_spans = -(-(spans.stop - spans.start) // spans.length)

        def mark(part: Part) -> None:
            mark_words(
                self._corpus, spans, *part[:2], n_spans, part.windows, self._marks
            )

        run(mark, self._parts)
        words = np.flatnonzero(self._marks)
        self._marks[words] = False
        return words


def _pull(spans: Round) -> float:
    return NGRAM_PULL * float(spans.rate)
