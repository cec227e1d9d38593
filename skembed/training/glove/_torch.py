"""The torch core of GloVe, for GPUs: AdaGrad on blocks of entries in random order.

The loss is that of the compiled core (see `skembed.training.glove._kernels`), and so
are the rows [w, b, 1] and [c, 1, d]. All entries of a block see the same tables, and
what they ask of a row is added up before it is written. AdaGrad's sum G of a number of
the row then grows by the sum S of all squares at once; with n entries, the step is
divided by the mean of sqrt(G) and sqrt(G + (1 - 1 / n) S), from where to where G would
have grown between them: for one entry, by sqrt(G). That many entries see the same
error, and would correct it each, is what `step_sizes` is for.

For each entry, the rows of both words are read and copied, their copies are read to
score, to be added up, and for both once more squared; sums are read and written once
for each row. With vectors of d floats about 30 d floats move, or 12 kB for d = 100.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from skembed.training._torch.ranks import Ranks, SharedTable
from skembed.training._torch.segments import Segments, find_segments
from skembed.training._torch.steps import TINY, dots, step_sizes
from skembed.training.glove._blocks import Blocks
from skembed.training.glove._config import GloVeConfig, Matrix
from skembed.training.glove._tables import FastTables

MIN_BLOCKS = 400
"""Blocks of an epoch: with fewer, entries would know too little of one another."""
SHORTEST, LONGEST = 512, 65_536
"""Entries of a block. Longer ones would use a GPU no better."""
AT_ONCE = 16
"""Blocks between two reports, and between two merges of several processes."""


class Block(NamedTuple):
    """Entries that are trained on at once.

    Parameters
    ----------
    rows, columns : Tensor of shape (n,), int64
    targets, weights : Tensor of shape (n,), float32
        log x and f(x).
    of_rows, of_columns : Segments
        The distinct rows and columns, and the entries of each.
    """

    rows: Tensor
    columns: Tensor
    targets: Tensor
    weights: Tensor
    of_rows: Segments
    of_columns: Segments


class Side(NamedTuple):
    """The rows of words, or of contexts, with AdaGrad's sums.

    Parameters
    ----------
    table, squares : SharedTable of shape (n_words + 1, vector_size + 2)
    constant : int
        The column of ones, which is no parameter.
    """

    table: SharedTable
    squares: SharedTable
    constant: int


@torch.inference_mode()
def step(words: Side, contexts: Side, block: Block, rate: float) -> Tensor:
    """Take one AdaGrad step on all entries of a block, in place.

    Parameters
    ----------
    words, contexts : Side
    block : Block
    rate : float
        The learning rate.

    Returns
    -------
    loss : Tensor of shape (), float32
        Summed over the entries, before the step.
    """
    w = words.table.table[block.rows]
    c = contexts.table.table[block.columns]
    errors = dots(w, c) - block.targets
    pulls = block.weights * errors
    loss = torch.dot(pulls, errors)
    # Both gradients are those at the old tables.
    _move(words, block.of_rows, c, pulls, block.weights, rate)
    _move(contexts, block.of_columns, w, pulls, block.weights, rate)
    return loss


def _move(
    side: Side,
    segments: Segments,
    others: Tensor,
    pulls: Tensor,
    weights: Tensor,
    rate: float,
) -> None:
    """Move the rows of one side; `others` are the entries' rows of the other one."""
    z = rate * pulls[segments.order]
    gradient = segments.sums(others, z)
    squares = segments.sums(others * others, z * z)
    # A step along the column of ones would be none.
    gradient[:, side.constant] = squares[:, side.constant] = 0.0
    before = side.squares.table[segments.rows]
    later = torch.addcmul(before, 1 - 1 / segments.counts[:, None], squares)
    change = gradient / before.sqrt_().add_(later.sqrt_()).mul_(0.5)
    # What part of their way the rows would go, since the loss is a square.
    along = dots(others, change[segments.row_of])
    bend = segments.sum(weights * along * along)
    way = rate * bend / dots(gradient, change).clamp_min(TINY)
    change *= -step_sizes(segments.counts, way, 1.0)[:, None]
    side.table.add(segments, change)
    side.squares.add(segments, squares)


class TorchSchedule:
    """Trains epoch after epoch on given tables, in place.

    Parameters
    ----------
    blocks : Blocks
        The entries. How they are cut into blocks does not matter here.
    tables : tuple of ndarray
        See `pack_tables`. An epoch leaves them as it has trained them, the same in all
        processes.
    config : GloVeConfig
    device : torch.device
    """

    def __init__(
        self,
        blocks: Blocks,
        tables: FastTables,
        config: GloVeConfig,
        device: torch.device,
    ) -> None:
        size, n_words = config.vector_size, len(tables[0])
        self._rate, self._device = config.learning_rate, device
        self._tables = [table[:, : size + 2] for table in tables]
        self._ranks = Ranks()
        w, c = (self._shared(table, 0.0) for table in self._tables[:2])
        w_squares, c_squares = (self._shared(table, 1.0) for table in self._tables[2:])
        self._words = Side(w, w_squares, constant=size + 1)
        self._contexts = Side(c, c_squares, constant=size)
        own = blocks.entries[self._ranks.rank :: self._ranks.size]
        # What stands in where a block is not full: an entry of weight 0.
        nothing = np.array([[n_words, n_words, 0, 0]], dtype=np.int32)
        self._entries = torch.from_numpy(np.concatenate([own, nothing])).to(device)
        self._n_entries = len(own)
        per_process = -(-len(blocks.entries) // self._ranks.size)
        length = int(np.clip(per_process // MIN_BLOCKS, SHORTEST, LONGEST))
        self._n_blocks = max(-(-per_process // length), 1)
        self._length = -(-per_process // self._n_blocks)

    def _shared(self, values: Matrix, stand_in: float) -> SharedTable:
        """Copy a table to the device, with a row that stands in for no word."""
        table = torch.full((len(values) + 1, values.shape[1]), stand_in)
        table[:-1] = torch.from_numpy(values)
        return SharedTable(table.to(self._device), self._ranks)

    def run_epoch(self, seed: np.random.SeedSequence) -> Iterator[tuple[int, float]]:
        """Train once on all entries; see `Schedule.run_epoch`.

        In several processes, each trains on its share, and all yield the same.
        """
        generator = torch.Generator(self._device)
        key = int(seed.generate_state(1, dtype=np.uint64)[0])
        generator.manual_seed((key + self._ranks.rank) % (1 << 63))
        order = self._draw_order(generator)
        for first in range(0, self._n_blocks, AT_ONCE):
            chosen = order[first : first + AT_ONCE]
            loss = torch.zeros((), device=self._device)
            for block in self._blocks(chosen):
                loss += step(self._words, self._contexts, block, self._rate)
            for side in (self._words, self._contexts):
                side.table.merge(self._rate)
                side.squares.merge(0.0)
            n_entries = (chosen < self._n_entries).sum()
            sums = self._ranks.total(torch.stack([loss, n_entries]))
            yield int(sums[1]), float(sums[0])
        self._read_back()

    def _draw_order(self, generator: torch.Generator) -> Tensor:
        """Draw which entries each block has, (n_blocks, length)."""
        n_places = self._n_blocks * self._length
        order = torch.full((n_places,), self._n_entries, device=self._device)
        torch.randperm(
            self._n_entries, generator=generator, out=order[: self._n_entries]
        )
        return order.view(self._n_blocks, self._length)

    def _blocks(self, chosen: Tensor) -> list[Block]:
        """Gather the entries of several blocks, (n_blocks, length)."""
        entries = self._entries[chosen]
        rows, columns = entries[:, :, 0].long(), entries[:, :, 1].long()
        numbers = entries[:, :, 2:].contiguous().view(torch.float32)
        targets, weights = numbers.unbind(dim=2)
        of_rows, of_columns = find_segments(rows), find_segments(columns)
        parts = (rows, columns, targets, weights, of_rows, of_columns)
        return [Block(*block) for block in zip(*parts, strict=True)]

    def _read_back(self) -> None:
        """Copy what has been trained to where it came from."""
        trained = (
            self._words.table,
            self._contexts.table,
            self._words.squares,
            self._contexts.squares,
        )
        for table, shared in zip(self._tables, trained, strict=True):
            table[...] = shared.table[:-1].cpu().numpy()
