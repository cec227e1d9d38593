"""Updates of the same row are added up before they are written."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

PIECE = 32
"""Updates of one row that are added up one after the other."""
FEW = 16
"""Updates of one row that a kernel adds up at once, as most rows have no more."""


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
    starts : Tensor of shape (n_rows,), int64
        Where in `order` the updates of each row begin.
    few, many : Tensor of shape (n,), int64
        Which of `rows` have up to `FEW` updates, and which have more.
    """

    rows: Tensor
    counts: Tensor
    order: Tensor
    pieces: Tensor
    first_pieces: Tensor
    row_of: Tensor
    starts: Tensor
    few: Tensor
    many: Tensor

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
    number = is_first.cumsum(dim=1) - 1
    row_of = torch.empty_like(order).scatter_(1, order, number)
    is_piece = is_first.clone()
    is_piece[:, ::PIECE] = True
    is_many = torch.zeros_like(is_first)
    is_many[:, :-FEW] = is_first[:, :-FEW] & (rows[:, FEW:] == rows[:, :-FEW])
    # The sizes of all blocks are waited for at once.
    sizes = torch.stack([part.sum(dim=1) for part in (is_piece, is_first, is_many)])
    block, starts = is_piece.nonzero(as_tuple=True)
    of_first = is_first[block, starts].nonzero()[:, 0]
    all_few, all_many = number[is_first & ~is_many], number[is_many]
    segments = []
    piece = row = long = 0
    for k, (n_pieces, n_rows, n_many) in enumerate(sizes.T.tolist()):
        pieces = starts[piece : piece + n_pieces]
        first_pieces = of_first[row : row + n_rows] - piece
        firsts = pieces[first_pieces]
        ends = torch.cat([firsts[1:], firsts.new_full((1,), n_updates)])
        segments.append(
            Segments(
                rows=rows[k, firsts],
                counts=(ends - firsts).to(torch.float32),
                order=order[k],
                pieces=pieces,
                first_pieces=first_pieces,
                row_of=row_of[k],
                starts=firsts,
                few=all_few[row - long : row - long + n_rows - n_many],
                many=all_many[long : long + n_many],
            )
        )
        piece, row, long = piece + n_pieces, row + n_rows, long + n_many
    return segments
