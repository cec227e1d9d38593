"""Skip-gram with negative sampling over one span of the corpus.

See `step` for the loss, `span` for what a span is.
"""

from typing import NamedTuple

import numba
import numpy as np

from skembed._kernels.compiling import compiled
from skembed._kernels.random import mix
from skembed._kernels.simd import LANES, padded, splat, store
from skembed.training.skipgram._kernels.center import (
    ask_for,
    ask_for_center,
    move_center,
    read_center,
)
from skembed.training.skipgram._kernels.replica import gather, localize_span
from skembed.training.skipgram._kernels.span import draw_noise, sample_span
from skembed.training.skipgram._kernels.step import TILE, tile_step

# How many words ahead of its use a row is asked for.
AHEAD = 8
# A bound on the step size times the pairs of one centre, which are taken at once. Pairs
# taken one after the other could not overshoot so far. On textbooks 10 is stable, and
# 20 diverges; defaults take up to 1.5, those of fastText 3.
MOST_AT_ONCE = np.float32(10.0)
_inline = numba.njit(inline="always")


class Noise(NamedTuple):
    """Where noise words come from, and how many serve a tile.

    Parameters
    ----------
    threshold, alias : ndarray of shape (n_words,), uint32 and int32
        See `skembed.counts.AliasTable`.
    n_centers : int
        Centre words of a tile, up to `TILE`.
    n_shared : int
        Noise words of each tile, a multiple of `GROUP`.
    n_renewed : int
        How many of them are new in the next tile.
    negative : float
        Noise words for each observed word, whose weight the shared ones have together.
    """

    threshold: np.ndarray
    alias: np.ndarray
    n_centers: int
    n_shared: int
    n_renewed: int
    negative: float


@_inline
def _contexts_of(i, n_words, windows, rows, c):
    """Write the rows of the words around word i, in its document; return how many."""
    n = 0
    reach, document = windows.reach[i], windows.document
    for j in range(max(0, i - reach), min(n_words, i + reach + 1)):
        if j != i and document[j] == document[i]:
            rows[c, n] = windows.words[j]
            n += 1
    return n


@_inline
def _set_rates(rates, c, stride, n_places, n_contexts, rate, share):
    """Write the rates of one centre's contexts, and of the noise against them."""
    for k in range(n_places):
        rates[c * stride + k] = rate if k < n_contexts else np.float32(0.0)
    for k in range(n_places, stride):
        rates[c * stride + k] = rate * share * np.float32(n_contexts)


@compiled(error_model="numpy")
def _train_tiles(
    w_in, w_out, windows, n_words, first, last, document_weight, noise_rows, noise,
    window, rate, vectors, far, composition,
):  # fmt: skip
    """Train on the centre words of a span, in place, a tile at a time.

    Parameters
    ----------
    w_in, w_out : ndarray of shape (n_rows + 1, n_columns), float32, C order
        See `Tables`.
    windows : Windows
        With rows of these tables.
    n_words, first, last : int
        From `sample_span`.
    document_weight : ndarray of shape (n_documents,) or (0,), float32
    noise_rows : ndarray of shape (>= n_shared + n_renewed * (n_tiles + 1),), int32
        Tile t uses `n_shared` of them, from t * n_renewed on.
    noise : Noise
    window : int
    rate : float32
    vectors : ndarray of shape (2 * TILE, n_columns), float32
        Scratch space, overwritten.
    far : bool
        Whether the tables are too large for the cache: rows are then asked for ahead.
    composition : Composition or None
        What words are made of; None if word w has row w.

    Returns
    -------
    loss, weight : float
        The summed loss of all pairs, and how many there were, both weighted: as their
        documents are, less where a step would have been too large.
    """
    n_columns = w_in.shape[1]
    n_places = padded(2 * window)
    stride = n_places + noise.n_shared
    hidden, gradient = vectors[:TILE], vectors[TILE:]
    scores = np.zeros(TILE * stride, dtype=np.float32)
    rates = np.zeros(TILE * stride, dtype=np.float32)
    signs = np.ones(TILE * stride, dtype=np.float32)
    for c in range(TILE):
        for k in range(n_places):
            signs[c * stride + k] = np.float32(-1.0)
    context_rows = np.zeros((TILE, n_places), dtype=np.int32)
    n_contexts = np.zeros(TILE, dtype=np.int32)
    share = np.float32(noise.negative / noise.n_shared)
    loss, total_weight = 0.0, 0.0
    for tile in range(-(-(last - first) // noise.n_centers)):
        start = first + tile * noise.n_centers
        stop = min(start + noise.n_centers, last)
        for c in range(TILE):
            # A tile may be short: its missing centres have no contexts.
            i = min(start + c, last - 1)
            if far:
                ahead = windows.words[min(i + AHEAD, last - 1)]
                ask_for_center(w_in, ahead, composition)
                ask_for(w_out, windows.words[min(i + window + AHEAD, n_words - 1)])
            n = _contexts_of(i, n_words, windows, context_rows, c)
            n_contexts[c] = n if start + c < stop else 0
            weight = np.float32(1.0)
            if len(document_weight):
                weight = document_weight[windows.document[i]]
            n_pairs = np.float32(max(n_contexts[c], 1)) * (1 + noise.negative)
            size = min(rate * weight, MOST_AT_ONCE / np.float32(n_pairs))
            total_weight += size / rate * n_contexts[c]
            _set_rates(rates, c, stride, n_places, n_contexts[c], size, share)
            for d in range(0, n_columns, LANES):
                store(gradient, c, d, splat(np.float32(0.0)))
            if start + c < stop:
                read_center(w_in, windows.words[i], composition, hidden, c)
        first_noise = tile * noise.n_renewed
        if far:
            for k in range(noise.n_renewed):
                ask_for(w_out, noise_rows[first_noise + noise.n_shared + k])
        loss += tile_step(
            hidden, gradient, w_out, context_rows, n_contexts, noise_rows, first_noise,
            noise.n_shared, rates, signs, scores,
        )  # fmt: skip
        for c in range(stop - start):
            move_center(w_in, windows.words[start + c], composition, gradient, c)
    return loss / rate, total_weight


@compiled()
def prepare_span(replicas, corpus, spans, number, windows, noise, noise_rows):
    """Draw what a span is trained on, and find the copies that it works on.

    Parameters
    ----------
    replicas : Replicas
        The span's copies are listed anew, where there are replicas.
    corpus : Corpus
    spans : Round
    number : int
        Which span of the round to take.
    windows : Windows of capacity length + 2 * window
        Overwritten.
    noise : Noise
    noise_rows : ndarray of shape (n_shared + n_renewed * (n_tiles + 1),), int32
        Overwritten.

    Returns
    -------
    n_words, first, last : int
        From `sample_span`.
    """
    n_words, first, last = sample_span(corpus, spans, number, windows)
    n_tiles = -(-(last - first) // noise.n_centers)
    n_noise = noise.n_shared + noise.n_renewed * (n_tiles + 1)
    noise_key = mix(~(spans.key + np.uint64(spans.start + number * spans.length)))
    draw_noise(noise_key, noise.threshold, noise.alias, noise_rows, n_noise)
    if len(replicas.word_of) > 0:
        localize_span(replicas, number, windows.words, n_words, noise_rows, n_noise)
    return n_words, first, last


@compiled()
def train_span(
    tables, corpus, spans, number, windows, where, noise, noise_rows, vectors,
    composition,
):  # fmt: skip
    """Train on a span that is prepared, in place.

    Parameters
    ----------
    tables : Tables
        The span's replica is changed, or the tables where there are none.
    corpus : Corpus
    spans : Round
    number : int
    windows : Windows
    where : tuple of three ints
        From `prepare_span`.
    noise : Noise
    noise_rows : ndarray of shape (n,), int32
    vectors : ndarray of shape (2 * TILE, n_columns), float32
        Scratch space, overwritten.
    composition : Composition or None
        What words are made of; None if word w has row w, as in replicas.

    Returns
    -------
    loss, weight : float
        The summed loss of all pairs, and how many there were, both weighted.
    """
    w_in, w_out, replicas = tables
    far = len(replicas.word_of) == 0
    if not far:
        words, n_copies = replicas.word_of[number], replicas.n_copies[:, number]
        row = number * (len(words) + 1)
        w_in = gather(w_in, words, n_copies[0], row, replicas.input)
        w_out = gather(w_out, words, n_copies[1], row, replicas.output)
    return _train_tiles(
        w_in, w_out, windows, *where, corpus.document_weight, noise_rows, noise,
        spans.window, spans.rate, vectors, far, composition,
    )  # fmt: skip


@compiled()
def train_round(
    tables, corpus, spans, part, n_parts, windows, vectors, results, noise, noise_rows,
    composition,
):  # fmt: skip
    """Train on every n_parts-th span of a round, in place.

    Parameters
    ----------
    tables : Tables
        The spans' replicas are changed, or the tables where there are none.
    corpus : Corpus
    spans : Round
    part, n_parts : int
        Take the spans `part`, `part` + `n_parts`, ...
    windows : Windows of capacity length + 2 * window
        Scratch space, overwritten.
    vectors : ndarray of shape (2 * TILE, n_columns), float32
        Scratch space, overwritten.
    results : ndarray of shape (n_spans, 2), float64
        Overwritten with the summed loss of each span's pairs, and how many there were,
        both weighted.
    noise : Noise
    noise_rows : ndarray of shape (n_shared + n_renewed * (n_tiles + 1),), int32
        Scratch space, overwritten.
    composition : Composition or None
        What words are made of; None if word w has row w, as in replicas.
    """
    for number in range(part, len(results), n_parts):
        where = prepare_span(
            tables.replicas, corpus, spans, number, windows, noise, noise_rows
        )
        results[number, 0], results[number, 1] = train_span(
            tables, corpus, spans, number, windows, where, noise, noise_rows, vectors,
            composition,
        )  # fmt: skip
