"""Processes that train together, and the tables that they share."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
import torch.distributed as dist
from torch import Tensor

from skembed.training._torch.moves import move
from skembed.training._torch.segments import Segments
from skembed.training._torch.steps import TINY, Force

PULL = 2.0
"""Part of its way that a row goes in one step, for a learning rate of 1: see
`skembed.training.skipgram._kernels.replica`."""


class Ranks:
    """The processes that train together, if torch.distributed has been initialised.

    Each trains on its share of the work, and from time to time all put together what
    they have changed. Without a process group there is one, and nothing to do.

    Attributes
    ----------
    rank, size : int
        The number of this process, and how many there are.
    """

    def __init__(self) -> None:
        together = dist.is_available() and dist.is_initialized()
        self.rank: int = dist.get_rank() if together else 0
        self.size: int = dist.get_world_size() if together else 1

    def share(self, n: int) -> tuple[int, int]:
        """Return the first of this process' share of n items, and of the next one's."""
        return n * self.rank // self.size, n * (self.rank + 1) // self.size

    def begin(self, *tensors: Tensor) -> None:
        """Have all processes begin with the tensors of the first, in place."""
        if self.size > 1:
            for tensor in tensors:
                dist.broadcast(tensor, 0)

    def total(self, values: Tensor) -> Tensor:
        """Add up the values of all processes."""
        if self.size > 1:
            values = values.clone()
            dist.all_reduce(values)
        return values


def begin_alike(values: npt.NDArray[np.float32], device: torch.device) -> None:
    """Have all processes begin with the values of the first, in place.

    Parameters
    ----------
    values : ndarray of float32, C order
    device : torch.device
        Where processes can reach each other.
    """
    ranks = Ranks()
    if ranks.size > 1:
        tensor = torch.from_numpy(values).to(device)
        ranks.begin(tensor)
        values[...] = tensor.cpu().numpy()


class SharedTable:
    """A table that several processes train on, each on a copy.

    What they have changed is added up as `merge` of the compiled core adds up its
    spans: nearly the sum of the changes for rows that are touched rarely, nearly the
    mean for those that all touch often.

    Parameters
    ----------
    table : Tensor of shape (n_rows, n_columns), float32
        Changed in place, to what the first process has.
    ranks : Ranks
    """

    def __init__(self, table: Tensor, ranks: Ranks) -> None:
        self.table = table
        self._ranks = ranks
        ranks.begin(table)
        if ranks.size > 1:
            self._common = table.clone()
            self._touches = table.new_zeros(len(table))

    def move(
        self,
        segments: Segments,
        forces: Sequence[Force],
        rate: float,
        of: Tensor | None = None,
    ) -> None:
        """Move rows by the sums of their updates, each row once.

        Parameters
        ----------
        segments : Segments
        forces : sequence of one or two Force
            Of one row for each update, whose sums are added up.
        rate : float
        of : Tensor of shape (n_updates,), int64, or None
            Which row of the forces each update takes; None for its own.
        """
        move(self.table, segments, forces, rate, of)
        self._touch(segments)

    def add(self, segments: Segments, changes: Tensor) -> None:
        """Add changes, of shape (n_rows, n_columns), to the rows of segments."""
        self.table.index_add_(0, segments.rows, changes)
        self._touch(segments)

    def _touch(self, segments: Segments) -> None:
        """Count the steps of rows."""
        if self._ranks.size > 1:
            self._touches.index_add_(0, segments.rows, segments.counts)

    def merge(self, rate: float) -> None:
        """Put together what all processes have changed since the last time.

        Parameters
        ----------
        rate : float
            The learning rate. For 0 all changes are added up as they are.
        """
        if self._ranks.size == 1:
            return
        way = PULL * rate * self._touches
        change = self._ranks.total(self.table - self._common)
        if rate > 0:
            alone = self._ranks.total(way / (1 + way))
            way = self._ranks.total(way)
            # Rows that nobody touches have not changed.
            change *= (way / (1 + way) / alone.clamp_min(TINY))[:, None]
        self._common += change
        self.table.copy_(self._common)
        self._touches.zero_()
