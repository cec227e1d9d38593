"""Rounds of replicas, one after the other, in threads that only wait for each other.

A round is one of skip-gram, on the vectors of its words. These are computed before it;
after it, what has changed is added to the rows that they are made of. Each of these
steps takes as long as it takes to wake a thread: so threads go through many rounds
without sleeping, see `skembed._kernels.barrier`.
"""

from typing import NamedTuple

import numba
import numpy as np

from skembed._kernels.barrier import wait_for_all
from skembed._kernels.compiling import compiled
from skembed.training.fasttext._kernels.words import (
    compose_words,
    list_words,
    spread_changes,
    sum_ways,
)
from skembed.training.skipgram._kernels.center import Composition
from skembed.training.skipgram._kernels.negative import prepare_span, train_span
from skembed.training.skipgram._kernels.replica import clear, merge
from skembed.training.skipgram._kernels.span import Round, Windows


class Drawn(NamedTuple):
    """What is drawn for the spans of a round: scratch space.

    Parameters
    ----------
    words, document, reach : ndarray of shape (n_spans, capacity), int32
        See `Windows`.
    noise_rows : ndarray of shape (n_spans, n), int32
        Their noise words.
    where : ndarray of shape (n_spans, 3), int64
        How many words there are, and which of them are centres.
    """

    words: np.ndarray
    document: np.ndarray
    reach: np.ndarray
    noise_rows: np.ndarray
    where: np.ndarray


class Words(NamedTuple):
    """What the words of a round are made of, and scratch space for what they do.

    Parameters
    ----------
    table : ndarray of shape (n_rows + 1, n_columns), float32
        What words are made of. Updated in place.
    composition : Composition
        Its rows are sorted by `deal_rows`.
    splits : ndarray of shape (8 * n_words + 1,), int64
        From `deal_rows`.
    listed : ndarray of shape (n_threads, capacity), int32
        The words of a round. Each thread lists all of them: to wait for another's list
        would take longer.
    touches : ndarray of shape (n_threads, capacity), float32
        How often each of these is touched.
    before : ndarray of shape (capacity, n_columns), float32
        Their vectors before the round.
    ways : ndarray of shape (n_rows, 4), float32
        See `sum_ways`.
    """

    table: np.ndarray
    composition: Composition
    splits: np.ndarray
    listed: np.ndarray
    touches: np.ndarray
    before: np.ndarray
    ways: np.ndarray


@numba.njit(inline="always")
def _count_spans(spans):
    """Count the spans of a round: the last one may have fewer."""
    return -(-(spans.stop - spans.start) // spans.length)


@numba.njit(inline="always")
def _windows_of(drawn, number):
    return Windows(drawn.words[number], drawn.document[number], drawn.reach[number])


@compiled()
def _prepare_spans(replicas, corpus, spans, drawn, noise, part, n_parts):
    """Prepare every n_parts-th span; forget those that this round does not have."""
    n_spans = _count_spans(spans)
    for number in range(part, len(drawn.where), n_parts):
        if number < n_spans:
            where = prepare_span(
                replicas, corpus, spans, number, _windows_of(drawn, number), noise,
                drawn.noise_rows[number],
            )  # fmt: skip
            for k in range(3):
                drawn.where[number, k] = where[k]
        else:
            clear(replicas, number)


@compiled()
def _train_spans(tables, corpus, spans, drawn, noise, vectors, results, part, n_parts):
    """Train on every n_parts-th span, on its replica."""
    for number in range(part, _count_spans(spans), n_parts):
        where = drawn.where[number]
        results[number, 0], results[number, 1] = train_span(
            tables, corpus, spans, number, _windows_of(drawn, number),
            (where[0], where[1], where[2]), noise, drawn.noise_rows[number], vectors,
            None,
        )  # fmt: skip


@compiled()
def train_rounds(
    tables, corpus, rounds, rates, pulls, noise, drawn, words, vectors, results,
    barrier, part, n_parts,
):  # fmt: skip
    """Do one thread's part of some rounds, in place.

    Parameters
    ----------
    tables : Tables
        Of words and outputs. The words' vectors need not be those of their rows.
    corpus : Corpus
    rounds : Round
        All of them together; its rate is not used.
    rates : ndarray of shape (n_rounds,), float32
        The step size of each.
    pulls : tuple of two floats
        The part of its way that a vector goes in one touch, as replicas and as rows see
        it, for a learning rate of 1.
    noise : Noise
    drawn : Drawn
    words : Words
    vectors : ndarray of shape (2 * TILE, n_columns), float32
        The thread's own scratch space.
    results : ndarray of shape (n_rounds, n_spans, 2), float64
        Overwritten with the summed loss of each span's pairs, and how many there were,
        both weighted.
    barrier : ndarray of int64
        From `skembed._kernels.barrier.new_barrier`.
    part, n_parts : int
    """
    per_round = len(drawn.where) * rounds.length
    composition, splits, ways = words.composition, words.splits, words.ways
    n_waits = 0
    for k in range(len(rates)):
        start = rounds.start + k * per_round
        spans = Round(
            start, min(start + per_round, rounds.stop), rounds.length, rounds.window,
            rounds.shrink, rates[k], rounds.key,
        )  # fmt: skip
        pull, ngram_pull = pulls[0] * rates[k], pulls[1] * rates[k]
        # Others may still move rows, which this does not touch.
        _prepare_spans(tables.replicas, corpus, spans, drawn, noise, part, n_parts)
        if not wait_for_all(barrier, part, n_parts, n_waits + 1):
            return
        touches = words.touches[part]
        n_words = list_words(tables.replicas, words.listed[part], touches)
        listed = words.listed[part, :n_words]
        compose_words(
            listed, words.table, composition, tables.input, words.before, part, n_parts
        )
        if not wait_for_all(barrier, part, n_parts, n_waits + 2):
            return
        _train_spans(
            tables, corpus, spans, drawn, noise, vectors, results[k], part, n_parts
        )
        if not wait_for_all(barrier, part, n_parts, n_waits + 3):
            return
        merge(tables, pull, part, n_parts)
        sum_ways(listed, touches, composition, splits, ways, ngram_pull, part, n_parts)
        n_waits += 4
        if not wait_for_all(barrier, part, n_parts, n_waits):
            return
        spread_changes(
            listed, touches, composition, splits, tables.input, words.before,
            words.table, ways, ngram_pull, vectors, part, n_parts,
        )  # fmt: skip
