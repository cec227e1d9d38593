"""How far rows go that take many steps at once."""

from typing import NamedTuple

import torch
from torch import Tensor

TINY = torch.finfo(torch.float32).tiny
"""What stands in for a divisor of 0."""
WHOLE = 0.5
"""Part of its way that a row may go in a single step without being held back."""


def dots(left: Tensor, right: Tensor) -> Tensor:
    """Multiply each row with the other table's, (n,), without a table of products."""
    return torch.einsum("ij,ij->i", left, right)


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
        return dots(self.sums, direction).square_() / self.strength.clamp_min(TINY)


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
