"""GloVe: word vectors whose products are the logarithms of co-occurrence counts."""

from collections.abc import Callable

import numpy as np

from skembed.training._threads import Map, threads
from skembed.training.cooccurrence import Cooccurrences
from skembed.training.glove._blocks import N_BLOCKS, Blocks, into_blocks
from skembed.training.glove._config import GloVeConfig, GloVeResult, GloVeTables
from skembed.training.glove._kernels import train_blocks
from skembed.training.glove._tables import (
    FastTables,
    pack_tables,
    random_tables,
    unpack_tables,
)

__all__ = [
    "GloVeConfig",
    "GloVeResult",
    "GloVeTables",
    "random_tables",
    "train_glove",
]

Progress = Callable[[int, float, float], object]

# A loss of so many times that of all scores 0 is not a model any more.
_DIVERGED = 30.0
# Entries to train on without an interrupt being answered.
_ENTRIES_AT_ONCE = 1 << 21


def train_glove(
    counts: Cooccurrences,
    n_words: int,
    config: GloVeConfig,
    *,
    seed: int,
    n_threads: int = 1,
    initial: GloVeTables | None = None,
    progress: Progress | None = None,
) -> GloVeResult:
    """Learn vectors and biases of words from co-occurrence counts.

    Parameters
    ----------
    counts : Cooccurrences
    n_words : int
    config : GloVeConfig
    seed : int
        Fixes the initial tables and the order of entries in each epoch.
    n_threads : int
        The result does not depend on it. More than 16 are of no use.
    initial : GloVeTables or None
        To start from, copied. None: random ones.
    progress : callable or None
        Called several times in each epoch with the epoch (from 0), the part of it that
        is done and the mean loss in it so far. A true result stops the training after
        the epoch; what it raises, at once.

    Returns
    -------
    result : GloVeResult

    Raises
    ------
    ValueError
        If there are no counts, or some that are not positive, or `initial` has another
        shape, or training diverges.

    Examples
    --------
    >>> pairs = np.array([[0, 1], [1, 0]], dtype=np.int32)
    >>> counts = Cooccurrences(*pairs, np.full(2, 3, dtype=np.float32))
    >>> result = train_glove(counts, 2, GloVeConfig(vector_size=4, epochs=3), seed=0)
    >>> result.tables.input.shape, result.losses.shape
    ((2, 4), (3,))
    """
    _check_counts(counts, n_words)
    seeds = np.random.SeedSequence(seed)
    if initial is None:
        rng = np.random.default_rng(seeds)
        initial = random_tables(n_words, config.vector_size, rng)
    _check_initial(initial, n_words, config.vector_size)
    tables = pack_tables(initial)
    blocks = into_blocks(counts, config)
    losses: list[float] = []
    with threads(min(n_threads, N_BLOCKS)) as thread_map:
        for epoch, child in enumerate(seeds.spawn(config.epochs)):
            run = _Epoch(blocks, tables, config, min(n_threads, N_BLOCKS), epoch)
            stop = run.train(child, thread_map, progress)
            losses.append(run.mean_loss)
            if stop or _has_settled(losses, config.tol):
                break
    return GloVeResult(unpack_tables(tables, config.vector_size), np.array(losses))


class _Epoch:
    """One pass over all entries.

    Parameters
    ----------
    blocks : Blocks
    tables : tuple of ndarray
        Changed in place.
    config : GloVeConfig
    n_threads : int
    number : int
    """

    def __init__(
        self,
        blocks: Blocks,
        tables: FastTables,
        config: GloVeConfig,
        n_threads: int,
        number: int,
    ) -> None:
        self._blocks, self._tables, self._config = blocks, tables, config
        self._n_threads, self._number = n_threads, number
        self._loss, self._n_done = 0.0, 0

    @property
    def mean_loss(self) -> float:
        """Mean loss of the entries so far."""
        return self._loss / self._n_done if self._n_done else np.nan

    def train(
        self, seed: np.random.SeedSequence, thread_map: Map, progress: Progress | None
    ) -> bool:
        """Train on all diagonals, in random order; say whether to stop afterwards."""
        rng = np.random.default_rng(seed)
        key = np.uint64(rng.integers(2**63, dtype=np.uint64))
        stop = False
        for diagonal in rng.permutation(N_BLOCKS).tolist():
            # Its blocks, one after the other.
            rows = np.arange(N_BLOCKS)
            numbers = rows * N_BLOCKS + (rows + diagonal) % N_BLOCKS
            lengths = np.diff(self._blocks.bounds)[numbers]
            n_pieces = max(-(-int(lengths.sum()) // _ENTRIES_AT_ONCE), 1)
            for piece in range(n_pieces):
                self._train_piece((diagonal, piece, n_pieces), key, thread_map)
                done = lengths * (piece + 1) // n_pieces - lengths * piece // n_pieces
                self._n_done += int(done.sum())
                self._check()
                if progress is not None and done.any():
                    part = self._n_done / len(self._blocks.entries)
                    stop = bool(progress(self._number, part, self.mean_loss)) or stop
        return stop

    def _train_piece(
        self, where: tuple[int, int, int], key: np.uint64, thread_map: Map
    ) -> None:
        losses = np.zeros(N_BLOCKS)
        entries, bounds = self._blocks[:2]

        def train(part: int) -> None:
            train_blocks(
                entries, bounds, N_BLOCKS, *where, part, self._n_threads, self._tables,
                self._config.vector_size, np.float32(self._config.learning_rate), key,
                losses,
            )  # fmt: skip

        list(thread_map(train, range(self._n_threads)))
        self._loss += float(losses.sum())

    def _check(self) -> None:
        # The weights stand for errors of 1 where all logarithms are 0.
        limit = _DIVERGED * (self._blocks.initial_loss + self._blocks.total_weight)
        if not self._loss <= limit:
            msg = (
                f"Training diverged in epoch {self._number + 1}: the loss has become "
                "infinite or far larger than at the start. Lower "
                f"learning_rate={self._config.learning_rate}."
            )
            raise ValueError(msg)


def _has_settled(losses: list[float], tol: float | None) -> bool:
    """Whether the last epoch has hardly lowered the loss."""
    if tol is None or len(losses) < 2:
        return False
    return not losses[-1] < (1.0 - tol) * losses[-2]


def _check_initial(initial: GloVeTables, n_words: int, vector_size: int) -> None:
    shapes = [(n_words, vector_size)] * 2 + [(n_words,)] * 2
    for name, table, shape in zip(initial._fields, initial, shapes, strict=True):
        if table.shape != shape:
            msg = (
                f"initial.{name} must have the shape {shape} of n_words and "
                f"config.vector_size, got {table.shape}."
            )
            raise ValueError(msg)


def _check_counts(counts: Cooccurrences, n_words: int) -> None:
    if not len(counts.rows):
        msg = (
            "There are no co-occurrences to learn from: no document has two known "
            "words. Lower min_count, or pass documents of several words."
        )
        raise ValueError(msg)
    low, high = counts.values.min(), counts.values.max()
    if not 0 < low <= high < np.inf:
        msg = f"Counts must be positive and finite, got values from {low} to {high}."
        raise ValueError(msg)
    highest = max(counts.rows.max(), counts.columns.max())
    lowest = min(counts.rows.min(), counts.columns.min())
    if lowest < 0 or highest >= n_words:
        msg = (
            f"Rows and columns must be from 0 to n_words - 1 = {n_words - 1}, got "
            f"{lowest} to {highest}."
        )
        raise ValueError(msg)
