"""Rows are moved by all that is asked of them at once."""

from collections.abc import Sequence

from torch import Tensor

from skembed.training._torch import fused
from skembed.training._torch.segments import Segments
from skembed.training._torch.steps import TINY, Force, dots, step_sizes


def resultant(segments: Segments, forces: Sequence[Force]) -> tuple[Tensor, Tensor]:
    """Add up forces by row.

    Parameters
    ----------
    segments : Segments
    forces : sequence of one or two Force
        Of one row for each update.

    Returns
    -------
    sums : Tensor of shape (n_rows, n_columns), float32
    stiffness : Tensor of shape (n_rows,), float32
        Along the sums.
    """
    sums = forces[0].sums
    has_kernels = fused.serves(sums.device, sums.shape[1])
    return (fused.resultant if has_kernels else unfused_resultant)(segments, forces)


def move(
    table: Tensor,
    segments: Segments,
    forces: Sequence[Force],
    rate: float,
    of: Tensor | None = None,
) -> None:
    """Move rows of a table by the sums of their updates, each row once.

    Parameters
    ----------
    table : Tensor of shape (n_rows, n_columns), float32, contiguous
        Changed in place.
    segments : Segments
    forces : sequence of one or two Force
        Of one row for each update, whose sums are added up.
    rate : float
        The learning rate; see `skembed.training._torch.steps.step_sizes`.
    of : Tensor of shape (n_updates,), int64, or None
        Which row of the forces each update takes; None for its own.
    """
    has_kernels = fused.serves(table.device, table.shape[1])
    (fused.move if has_kernels else unfused_move)(table, segments, forces, rate, of)


def unfused_resultant(
    segments: Segments, forces: Sequence[Force]
) -> tuple[Tensor, Tensor]:
    """Add up forces by row in operations of torch; see `resultant`."""
    updates = forces[0].sums
    for force in forces[1:]:
        updates = updates + force.sums
    sums = segments.sums(updates)
    directions = sums[segments.row_of]
    squares = forces[0].stiffness(directions)
    for force in forces[1:]:
        squares += force.stiffness(directions)
    return sums, segments.sum(squares) / dots(sums, sums).clamp_min(TINY)


def unfused_move(
    table: Tensor,
    segments: Segments,
    forces: Sequence[Force],
    rate: float,
    of: Tensor | None = None,
) -> None:
    """Move rows of a table in operations of torch; see `move`."""
    if of is not None:
        forces = [Force(force.sums[of], force.strength[of]) for force in forces]
    sums, stiffness = unfused_resultant(segments, forces)
    sums *= step_sizes(segments.counts, stiffness, rate)[:, None]
    table.index_add_(0, segments.rows, sums)
