"""Sentences to batches of inputs and targets, for both directions."""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from skembed._ragged import Ragged
from skembed.training.bilm._config import BiLMConfig

Int32Array = npt.NDArray[np.int32]
Int64Array = npt.NDArray[np.int64]


class Batch(NamedTuple):
    """What one step reads, and what it should predict.

    Parameters
    ----------
    inputs, targets : ndarray of shape (2, n_steps, n_lanes), int32
        Word ids, forward and backward; each direction reads from step 0 on. A target
        is -1 where nothing is to be predicted.
    """

    inputs: Int32Array
    targets: Int32Array

    @property
    def n_targets(self) -> int:
        """How many words each direction has to predict."""
        return int(np.count_nonzero(self.targets[0] >= 0))


def frame(corpus: Ragged, begin: int, end: int) -> Ragged:
    """Put the ids of the two boundaries around each sentence.

    Parameters
    ----------
    corpus : Ragged of int32
    begin, end : int
        Ids of the words that stand for the boundaries.

    Examples
    --------
    >>> corpus = Ragged.from_lengths(np.array([5, 6, 7], dtype=np.int32), [2, 1])
    >>> frame(corpus, 8, 9).values
    array([8, 5, 6, 9, 8, 7, 9], dtype=int32)
    """
    lengths = corpus.lengths + 2
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    values = np.empty(offsets[-1], dtype=np.int32)
    values[offsets[:-1]] = begin
    values[offsets[1:] - 1] = end
    inside = np.ones(len(values), dtype=bool)
    inside[offsets[:-1]] = inside[offsets[1:] - 1] = False
    values[inside] = corpus.values
    return Ragged(values, offsets)


def sentence_batches(
    framed: Ragged, unroll: int, batch_tokens: int, rng: np.random.Generator | None
) -> Iterator[Batch]:
    """Batch sentences of like length, each in a lane of its own.

    Parameters
    ----------
    framed : Ragged of int32
        Sentences with their boundaries.
    unroll : int
        Longer ones are cut.
    batch_tokens : int
        Most tokens of a batch, padding included, where a sentence is not longer.
    rng : numpy.random.Generator or None
        Shuffles sentences of the same length, and batches. None keeps their order.

    Yields
    ------
    batch : Batch
    """
    starts, lengths = _pieces(framed, unroll)
    noise = np.zeros(len(lengths)) if rng is None else rng.random(len(lengths))
    order = np.lexsort((noise, lengths))
    bounds = _bounds(lengths[order], batch_tokens)
    numbers = np.arange(len(bounds) - 1)
    if rng is not None:
        rng.shuffle(numbers)
    for number in numbers.tolist():
        rows = order[bounds[number] : bounds[number + 1]]
        yield _padded(framed.values, starts[rows], lengths[rows])


def _pieces(framed: Ragged, unroll: int) -> tuple[Int64Array, Int64Array]:
    """Where sentences, or pieces of long ones, start, and how many targets they have.

    A piece of n targets is n + 1 words: forward, the first is read and the others are
    predicted; backward, the last is read.
    """
    n_targets = framed.lengths - 1
    n_pieces = -(-n_targets // unroll)
    sentence = np.repeat(np.arange(len(framed)), n_pieces)
    first = np.concatenate([[0], np.cumsum(n_pieces)])[:-1]
    inside = (np.arange(len(sentence)) - first[sentence]) * unroll
    lengths = np.minimum(n_targets[sentence] - inside, unroll)
    return framed.offsets[:-1][sentence] + inside, lengths


def _bounds(lengths: Int64Array, batch_tokens: int) -> list[int]:
    """Cut lengths that rise into batches: where they begin, and the last one ends."""
    bounds = [0]
    for i, length in enumerate(lengths.tolist()):
        if i > bounds[-1] and (i + 1 - bounds[-1]) * length > batch_tokens:
            bounds.append(i)
    return [*bounds, len(lengths)]


def _padded(values: Int32Array, starts: Int64Array, lengths: Int64Array) -> Batch:
    steps = np.arange(lengths.max() + 1)[:, np.newaxis]
    is_inside = steps <= lengths
    forward = np.where(is_inside, starts + steps, starts)
    backward = np.where(is_inside, starts + lengths - steps, starts)
    words = values[np.stack([forward, backward])]
    targets = np.where(is_inside[1:], words[:, 1:], -1)
    return Batch(words[:, :-1], targets)


def stream_batches(
    framed: Ragged, unroll: int, batch_tokens: int, rng: np.random.Generator
) -> Iterator[Batch]:
    """Read one stream of shuffled sentences at several places, step after step.

    The backward stream is the forward one from its end. Batch after batch, a lane goes
    on where it was. The end of a sentence is no input, as it predicts nothing, and its
    begin no target.

    Parameters
    ----------
    framed : Ragged of int32
    unroll : int
        Steps of a batch.
    batch_tokens : int
        Most tokens of a batch.
    rng : numpy.random.Generator

    Yields
    ------
    batch : Batch
        All of the same number of lanes.
    """
    order = rng.permutation(len(framed))
    lengths = framed.lengths[order] - 1
    starts = np.concatenate([[0], np.cumsum(lengths)])
    places = np.arange(starts[-1]) + np.repeat(
        framed.offsets[:-1][order] - starts[:-1], lengths
    )
    n_lanes, n_steps = _stream_shape(len(places), unroll, batch_tokens)
    is_padding = np.arange(n_lanes * n_steps) >= len(places)
    streams = []
    for read, predict in ((places, places + 1), (places[::-1] + 1, places[::-1])):
        pair = [
            np.resize(framed.values[ids], n_lanes * n_steps) for ids in (read, predict)
        ]
        pair[1][is_padding] = -1
        streams.append([stream.reshape(n_lanes, n_steps).T for stream in pair])
    inputs, targets = (np.stack(part) for part in zip(*streams, strict=True))
    for start in range(0, n_steps, unroll):
        window = slice(start, start + unroll)
        yield Batch(inputs[:, window], targets[:, window])


def _stream_shape(n_places: int, unroll: int, batch_tokens: int) -> tuple[int, int]:
    """How many lanes a stream is read in, and how long they are."""
    n_lanes = max(1, min(batch_tokens, n_places) // unroll)
    return n_lanes, math.ceil(n_places / n_lanes)


def epoch_batches(
    framed: Ragged, config: BiLMConfig, rng: np.random.Generator
) -> Iterator[Batch]:
    """Batch a corpus for one epoch, as `config.packing` says."""
    batches = stream_batches if config.packing == "stream" else sentence_batches
    return batches(framed, config.unroll, config.batch_tokens, rng)


def count_batches(framed: Ragged, config: BiLMConfig) -> int:
    """How many batches `epoch_batches` gives, in each epoch."""
    if config.packing == "stream":
        n_places = len(framed.values) - len(framed)
        n_steps = _stream_shape(n_places, config.unroll, config.batch_tokens)[1]
        return math.ceil(n_steps / config.unroll)
    lengths = np.sort(_pieces(framed, config.unroll)[1])
    return len(_bounds(lengths, config.batch_tokens)) - 1
