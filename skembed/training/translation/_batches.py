"""Pairs of texts that a step of training takes together, padded to one length."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from skembed._ragged import Ragged
from skembed.training.translation._config import Pairs

Ids = npt.NDArray[np.int64]

# Batches whose pairs are sorted by length together, so that little is padding.
_POOL = 50


class Batch(NamedTuple):
    """Some pairs, time first.

    Parameters
    ----------
    source : ndarray of shape (n_steps, n_pairs), int64
        Rows of word vectors; 0 behind the end.
    lengths : ndarray of shape (n_pairs,), int64
        Of the sources, at least 1.
    inputs, outputs : ndarray of shape (n_target_steps, n_pairs), int64
        What the decoder reads, which begins with the boundary, and what it is to say,
        which ends with it; the boundary behind the end.
    is_output : ndarray of shape (n_target_steps, n_pairs), bool
        False behind the end.
    """

    source: Ids
    lengths: Ids
    inputs: Ids
    outputs: Ids
    is_output: npt.NDArray[np.bool_]

    @property
    def n_outputs(self) -> int:
        """How many words are to be said, ends included."""
        return int(self.is_output.sum())


def epoch_order(
    pairs: Pairs, batch_size: int, rng: np.random.Generator
) -> list[npt.NDArray[np.int64]]:
    """Draw which pairs the batches of an epoch hold.

    Parameters
    ----------
    pairs : Pairs
    batch_size : int
    rng : numpy.random.Generator

    Returns
    -------
    rows : list of ndarray of int64
        Each pair once; those of a batch are of similar length.
    """
    order = rng.permutation(len(pairs.source))
    n_pool = _POOL * batch_size
    batches = []
    for start in range(0, len(order), n_pool):
        pool = order[start : start + n_pool]
        lengths = pairs.source.lengths[pool], pairs.target.lengths[pool]
        batches += cut(pool[np.lexsort(lengths[::-1])], batch_size)
    return [batches[i] for i in rng.permutation(len(batches))]


def cut(order: npt.NDArray[np.int64], batch_size: int) -> list[npt.NDArray[np.int64]]:
    """Cut an order into batches.

    Examples
    --------
    >>> [rows.tolist() for rows in cut(np.arange(3), 2)]
    [[0, 1], [2]]
    """
    return [order[i : i + batch_size] for i in range(0, len(order), batch_size)]


def by_length(pairs: Pairs, batch_size: int, boundary: int) -> Iterator[Batch]:
    """Yield all pairs in batches of similar length, always the same ones."""
    order = np.lexsort((pairs.target.lengths, pairs.source.lengths))
    for rows in cut(order, batch_size):
        yield make_batch(pairs, rows, boundary)


def make_batch(pairs: Pairs, rows: npt.NDArray[np.int64], boundary: int) -> Batch:
    """Pad some pairs.

    Parameters
    ----------
    pairs : Pairs
    rows : ndarray of shape (n_pairs,), int64
    boundary : int
        The id of the end of a text, and of its begin.

    Examples
    --------
    >>> source = Ragged.from_lengths(np.array([4, 5, 6]), [1, 2])
    >>> target = Ragged.from_lengths(np.array([1, 2, 0]), [2, 1])
    >>> batch = make_batch(Pairs(source, target), np.array([0, 1]), boundary=9)
    >>> batch.source.T.tolist(), batch.lengths.tolist()
    ([[4, 0], [5, 6]], [1, 2])
    >>> batch.inputs.T.tolist(), batch.outputs.T.tolist()
    ([[9, 1, 2], [9, 0, 9]], [[1, 2, 9], [0, 9, 9]])
    >>> batch.n_outputs
    5
    """
    lengths, n_words = pairs.source.lengths[rows], pairs.target.lengths[rows]
    said = padded(pairs.target, rows, boundary)
    end = np.full((1, len(rows)), boundary)
    return Batch(
        source=padded(pairs.source, rows, 0),
        lengths=lengths,
        inputs=np.concatenate([end, said]),
        outputs=np.concatenate([said, end]),
        is_output=np.arange(len(said) + 1)[:, None] <= n_words,
    )


def padded(ids: Ragged, rows: npt.NDArray[np.int64], filler: int) -> Ids:
    """Lay some texts side by side, time first, shape (n_steps, n_texts)."""
    lengths = ids.lengths[rows]
    steps = np.arange(lengths.max(initial=0))[:, None]
    is_word = steps < lengths
    places = ids.offsets[rows] + np.minimum(steps, lengths - 1)
    return np.where(is_word, ids.values[places], filler).astype(np.int64)
