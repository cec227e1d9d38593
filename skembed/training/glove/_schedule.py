"""Who trains on which entries, and when: threads on blocks that do not meet."""

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np

from skembed.training._threads import Map, threads
from skembed.training.glove._blocks import N_BLOCKS, Blocks
from skembed.training.glove._config import GloVeConfig
from skembed.training.glove._kernels import train_blocks
from skembed.training.glove._tables import FastTables

# Entries to train on without an interrupt being answered.
_ENTRIES_AT_ONCE = 1 << 21


class Runs(Protocol):
    """What runs one epoch on tables that it has, such as a `Schedule`."""

    def run_epoch(self, seed: np.random.SeedSequence) -> Iterator[tuple[int, float]]:
        """Do what `Schedule.run_epoch` does."""


class Schedule:
    """Trains epoch after epoch on given tables, in place.

    Parameters
    ----------
    blocks : Blocks
        Shuffled in place.
    tables : tuple of ndarray
    config : GloVeConfig
    n_threads : int
    """

    def __init__(
        self, blocks: Blocks, tables: FastTables, config: GloVeConfig, n_threads: int
    ) -> None:
        self._blocks, self._tables, self._config = blocks, tables, config
        self._n_threads = min(n_threads, N_BLOCKS)

    def run_epoch(self, seed: np.random.SeedSequence) -> Iterator[tuple[int, float]]:
        """Train once on all entries, some at a time, in random order.

        Parameters
        ----------
        seed : SeedSequence
            Fixes the order.

        Yields
        ------
        n_entries : int
            How many have been trained on since the last time.
        loss : float
            The sum of their losses.
        """
        rng = np.random.default_rng(seed)
        key = np.uint64(rng.integers(2**63, dtype=np.uint64))
        with threads(self._n_threads) as thread_map:
            for diagonal in rng.permutation(N_BLOCKS).tolist():
                # Its blocks, one after the other.
                rows = np.arange(N_BLOCKS)
                numbers = rows * N_BLOCKS + (rows + diagonal) % N_BLOCKS
                lengths = np.diff(self._blocks.bounds)[numbers]
                n_pieces = max(-(-int(lengths.sum()) // _ENTRIES_AT_ONCE), 1)
                for piece in range(n_pieces):
                    loss = self._train_piece(
                        (diagonal, piece, n_pieces), key, thread_map
                    )
                    stops = lengths * (piece + 1) // n_pieces
                    yield int((stops - lengths * piece // n_pieces).sum()), loss

    def _train_piece(
        self, where: tuple[int, int, int], key: np.uint64, thread_map: Map
    ) -> float:
        losses = np.zeros(N_BLOCKS)
        entries, bounds = self._blocks[:2]

        def train(part: int) -> None:
            train_blocks(
                entries, bounds, N_BLOCKS, *where, part, self._n_threads, self._tables,
                self._config.vector_size, np.float32(self._config.learning_rate), key,
                losses,
            )  # fmt: skip

        list(thread_map(train, range(self._n_threads)))
        return float(losses.sum())


def torch_schedule(*arguments: Any) -> Runs:
    """Make a `TorchSchedule`: torch is only imported where it trains."""
    from skembed.training.glove._torch import TorchSchedule

    return TorchSchedule(*arguments)
