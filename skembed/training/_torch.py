"""What the torch cores share: sums of updates by row, and processes that share work."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor
from torch.nn.functional import embedding_bag

PIECE = 32
"""Updates of one row that are added up one after the other."""
TINY = torch.finfo(torch.float32).tiny
"""What stands in for a divisor of 0."""
WHOLE = 0.5
"""Part of its way that a row may go in a single step without being held back."""
PULL = 2.0
"""Part of its way that a row goes in one step, for a learning rate of 1: see
`skembed.training.skipgram._kernels.replica`."""


class Segments(NamedTuple):
    """Which updates are of the same row, so that each row is written once.

    Adding updates to a table one by one would need atomic additions, whose order is
    another one at every run, and which wait for one another on the rows of frequent
    words. So updates are sorted by row and added up first, in two levels: a row with a
    thousand updates is no longer work than thirty rows of thirty.

    Parameters
    ----------
    rows : Tensor of shape (n_rows,), int64
        The rows, each once, in ascending order.
    counts : Tensor of shape (n_rows,), float32
        How many updates each has.
    order : Tensor of shape (n_updates,), int64
        The updates, sorted by row.
    pieces : Tensor of shape (n_pieces,), int64
        Where in `order` each piece begins: up to `PIECE` updates of one row.
    first_pieces : Tensor of shape (n_rows,), int64
        The first piece of each row.
    row_of : Tensor of shape (n_updates,), int64
        Which of `rows` each update is of.
    """

    rows: Tensor
    counts: Tensor
    order: Tensor
    pieces: Tensor
    first_pieces: Tensor
    row_of: Tensor

    def sums(self, updates: Tensor, weights: Tensor | None = None) -> Tensor:
        """Add up the updates of each row.

        Parameters
        ----------
        updates : Tensor of shape (n, n_columns), float32
            Those that `order` names.
        weights : Tensor of shape (n_updates,), float32, or None
            Factors of the updates, sorted as `order` is; None for 1.

        Returns
        -------
        sums : Tensor of shape (n_rows, n_columns), float32
        """
        parts = embedding_bag(
            self.order, updates, self.pieces, mode="sum", per_sample_weights=weights
        )
        if len(self.pieces) == len(self.rows):
            return parts
        every = torch.arange(len(parts), device=parts.device)
        return embedding_bag(every, parts, self.first_pieces, mode="sum")

    def sum(self, values: Tensor) -> Tensor:
        """Add up the values, of shape (n,), of each row; shape (n_rows,)."""
        return self.sums(values[:, None])[:, 0]


def find_segments(rows: Tensor) -> list[Segments]:
    """Sort the updates of several blocks by row, each block for itself.

    Parameters
    ----------
    rows : Tensor of shape (n_blocks, n_updates), int64
        The row that each update is of.

    Returns
    -------
    segments : list of n_blocks Segments

    Examples
    --------
    >>> (segments,) = find_segments(torch.tensor([[5, 2, 5]]))
    >>> segments.rows, segments.counts
    (tensor([2, 5]), tensor([1., 2.]))
    >>> segments.sums(torch.tensor([[1.0], [10.0], [100.0]]))
    tensor([[ 10.],
            [101.]])
    """
    n_updates = rows.shape[1]
    rows, order = torch.sort(rows, dim=1, stable=True)
    is_first = torch.ones_like(rows, dtype=torch.bool)
    is_first[:, 1:] = rows[:, 1:] != rows[:, :-1]
    row_of = torch.empty_like(order).scatter_(1, order, is_first.cumsum(dim=1) - 1)
    is_piece = is_first.clone()
    is_piece[:, ::PIECE] = True
    # The sizes of all blocks are waited for at once.
    sizes = torch.stack([is_piece.sum(dim=1), is_first.sum(dim=1)]).tolist()
    block, starts = is_piece.nonzero(as_tuple=True)
    of_first = is_first[block, starts].nonzero()[:, 0]
    segments = []
    piece = row = 0
    for k, (n_pieces, n_rows) in enumerate(zip(*sizes, strict=True)):
        pieces = starts[piece : piece + n_pieces]
        first_pieces = of_first[row : row + n_rows] - piece
        firsts = pieces[first_pieces]
        ends = torch.cat([firsts[1:], firsts.new_full((1,), n_updates)])
        counts = (ends - firsts).to(torch.float32)
        segments.append(
            Segments(rows[k, firsts], counts, order[k], pieces, first_pieces, row_of[k])
        )
        piece, row = piece + n_pieces, row + n_rows
    return segments


class Force(NamedTuple):
    """What other vectors v ask of some rows, each with its strength e.

    Parameters
    ----------
    sums : Tensor of shape (n, n_columns), float32
        The sum of e v over those that pull at a row at a time, or push it.
    strength : Tensor of shape (n,), float32
        The sum of e.
    """

    sums: Tensor
    strength: Tensor

    def stiffness(self, direction: Tensor) -> Tensor:
        """Tell how a move in a direction, one for each row, would change the force.

        Where the force is the derivative of log s, it changes by e v (v . move) or
        less. The mean of the v stands for them: if they agree, that is all there is,
        and if they do not, moves of one do not disturb the other.
        """
        along = (self.sums * direction).sum(dim=1)
        return along.square_() / self.strength.clamp_min(TINY)


def resultant(segments: Segments, forces: Sequence[Force]) -> tuple[Tensor, Tensor]:
    """Add up forces by row.

    Parameters
    ----------
    segments : Segments
    forces : sequence of Force
        Of one row for each update.

    Returns
    -------
    sums : Tensor of shape (n_rows, n_columns), float32
    stiffness : Tensor of shape (n_rows,), float32
        Along the sums.
    """
    updates = forces[0].sums
    for force in forces[1:]:
        updates = updates + force.sums
    sums = segments.sums(updates)
    directions = sums[segments.row_of]
    squares = forces[0].stiffness(directions)
    for force in forces[1:]:
        squares += force.stiffness(directions)
    lengths = (sums * sums).sum(dim=1)
    return sums, segments.sum(squares) / lengths.clamp_min(TINY)


def step_sizes(counts: Tensor, stiffness: Tensor, rate: float) -> Tensor:
    """Give the step size of rows that take several steps at once.

    Each step closes some part of what is left of the way, and so n of them, one after
    the other, never go beyond. Taken at once, from where the row was before, their sum
    would: the rows of frequent words would be thrown back and forth, ever farther. With
    H = rate * stiffness, which is the part of its way that a short sum goes, the sum is
    scaled by

        (1 + min(H / n, WHOLE)) / (1 + H)

    as an implicit step would be, which goes the part H / (1 + H), and such that a row
    that takes a single step takes all of it, if it is not too long.

    Parameters
    ----------
    counts : Tensor of shape (n_rows,), float32
        How many steps each row takes.
    stiffness : Tensor of shape (n_rows,), float32
        The second derivative of the loss along the sum of the steps.
    rate : float
        The learning rate.

    Returns
    -------
    sizes : Tensor of shape (n_rows,), float32
    """
    way = rate * stiffness
    return rate * (1 + (way / counts).clamp_max(WHOLE)) / (1 + way)


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

    def move(self, segments: Segments, forces: Sequence[Force], rate: float) -> None:
        """Move rows by the sums of their updates, each row once.

        Parameters
        ----------
        segments : Segments
        forces : sequence of Force
            Of one row for each update, whose sums are added up.
        rate : float
        """
        sums, stiffness = resultant(segments, forces)
        sums *= step_sizes(segments.counts, stiffness, rate)[:, None]
        self.add(segments, sums)

    def add(self, segments: Segments, changes: Tensor) -> None:
        """Add changes, of shape (n_rows, n_columns), to the rows of segments."""
        self.table.index_add_(0, segments.rows, changes)
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
