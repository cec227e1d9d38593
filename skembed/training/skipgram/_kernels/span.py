"""What skip-gram sees of a span of the corpus: kept words, windows, noise words.

All draws are made from the position of a token, never from a state passed on, so that a
span's training does not depend on who trains it, or when.
"""

from typing import NamedTuple

import numba
import numpy as np

from skembed._kernels.compiling import compiled
from skembed._kernels.random import below, mix

# Tokens beyond a span to look through for its windows: where subsampling drops nearly
# all of them, there would be no end to it.
FARTHEST = 10_000
_njit = compiled()


class Corpus(NamedTuple):
    """What spans are taken from.

    Parameters
    ----------
    ids : ndarray of shape (n_tokens,), int32
    offsets : ndarray of shape (n_documents + 1,), int64
    keep : ndarray of shape (n_words,), uint32
        Of 2 ** 31 draws, how many (less one) keep a token of that word.
    document_weight : ndarray of shape (n_documents,) or (0,), float32
        Factor of the rate for each document's centres; empty for 1.
    """

    ids: np.ndarray
    offsets: np.ndarray
    keep: np.ndarray
    document_weight: np.ndarray


class Windows(NamedTuple):
    """The words of a span that subsampling keeps, with their windows.

    Parameters
    ----------
    words : ndarray of shape (capacity,), int32
        The words, or their rows in replicas. Windows reach beyond the span, and so do
        they.
    document : ndarray of shape (capacity,), int32
        Number of each word's document: windows do not cross its ends.
    reach : ndarray of shape (capacity,), int32
        How far each word's window goes to either side.
    """

    words: np.ndarray
    document: np.ndarray
    reach: np.ndarray


@numba.njit(inline="always")
def _kept(corpus, key, position):
    draw = mix(key + np.uint64(position)) >> np.uint64(33)
    return draw <= corpus.keep[corpus.ids[position]]


class Round(NamedTuple):
    """Spans that are trained side by side: runs of tokens, one after the other.

    Parameters
    ----------
    start, stop : int
        The tokens from `start` to `stop` - 1, whose words are the centres.
    length : int
        Tokens of each span; the last may have fewer.
    window : int
    shrink : bool
        Whether each window's reach is drawn from 1 to `window`, or is `window`.
    rate : float32
        The step size.
    key : uint64
        Fixes all draws.
    """

    start: int
    stop: int
    length: int
    window: int
    shrink: bool
    rate: np.float32
    key: np.uint64


@_njit
def _document_of(offsets, position):
    """Number of the document that a token is in, by bisection."""
    low, high = 0, len(offsets) - 1
    while high - low > 1:
        middle = (low + high) // 2
        if offsets[middle] <= position:
            low = middle
        else:
            high = middle
    # Of documents that start here, all but the last are empty.
    while offsets[low + 1] <= position:
        low += 1
    return low


@_njit
def sample_span(corpus, spans, number, windows):
    """Collect the words that subsampling keeps, and those that windows reach beyond.

    Parameters
    ----------
    corpus : Corpus
    spans : Round
    number : int
        Which span of the round to take.
    windows : Windows of capacity length + 2 * window
        Overwritten.

    Returns
    -------
    n, first, last : int
        How many words were written, and which of them are centres.
    """
    window, key = spans.window, spans.key
    start = spans.start + number * spans.length
    stop = min(start + spans.length, spans.stop)
    ids, offsets = corpus.ids, corpus.offsets
    words, document, reach = windows.words, windows.document, windows.reach
    doc = _document_of(offsets, start)
    # Backwards to the words before the span, in the document that it starts in.
    n = 0
    position = start - 1
    end = max(offsets[doc], start - FARTHEST)
    while position >= end and n < window:
        if _kept(corpus, key, position):
            n += 1
            words[window - n] = ids[position]
        position -= 1
    first = n
    for i in range(first):
        words[i] = words[window - first + i]
        document[i] = doc
    for position in range(start, stop):
        while position >= offsets[doc + 1]:
            doc += 1
        if _kept(corpus, key, position):
            words[n] = ids[position]
            document[n] = doc
            reach[n] = window
            if spans.shrink:
                # The lower half of the bits: the upper one decided to keep the word.
                bits = mix(key + np.uint64(position)) << np.uint64(32)
                reach[n] = 1 + below(bits, window)
            n += 1
    last = n
    position = stop
    end = min(offsets[doc + 1], stop + FARTHEST)
    while position < end and n < last + window:
        if _kept(corpus, key, position):
            words[n] = ids[position]
            document[n] = doc
            n += 1
        position += 1
    return n, first, last


@_njit
def draw_noise(key, threshold, alias, noise, n):
    """Fill ``noise[:n]`` with words drawn from an alias table.

    Parameters
    ----------
    key : uint64
    threshold, alias : ndarray of shape (n_words,), uint32 and int32
        See `skembed.counts.AliasTable`.
    noise : ndarray of shape (>= n,), int32
        Overwritten.
    n : int
    """
    n_words = len(alias)
    for k in range(n):
        bits = mix(key + np.uint64(k))
        slot = below(bits, n_words)
        stays = (bits & np.uint64(0xFFFFFFFF)) <= np.uint64(threshold[slot])
        noise[k] = slot if stays else alias[slot]
