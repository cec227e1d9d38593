"""What encoding asks of a network, whatever its kind."""

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import torch

from skembed._ragged import Ragged
from skembed.networks._windows import Windows

Visit = Callable[[int, torch.Tensor], None]


class Network(Protocol):
    """A frozen network that makes layers of states from windows of token ids.

    Attributes
    ----------
    widths : tuple of int
        Features of each layer: of the embedding output, which is layer 0, then of each
        block's output.
    device : torch.device
        Where the states are.
    pads : bool
        Whether short windows cost as much as the longest one they run with.
    """

    widths: tuple[int, ...]
    device: torch.device
    pads: bool

    def run(self, ids: Ragged, last: int, visit: Visit) -> None:
        """Show the states of layers 0 to `last`, one layer at a time.

        Parameters
        ----------
        ids : Ragged of int32
            The token ids of each window; none is empty. Windows of equal length should
            be neighbors: they are computed together.
        last : int
            The highest layer that is wanted: what is above is not computed.
        visit : callable
            Called with each layer's number and its states, of shape (n_tokens, width):
            those of all windows, one after the other. They may be overwritten after the
            call.
        """


@runtime_checkable
class CarryingNetwork(Protocol):
    """A `Network` with a state, which goes on from one window of a text to the next.

    Windows can then follow one another without an overlap, and a long text gives what
    it would give in one piece.
    """

    widths: tuple[int, ...]
    device: torch.device
    pads: bool

    def carry(
        self, windows: Windows, last: int
    ) -> Callable[[npt.NDArray[np.int64]], Any]:
        """Find out what each window begins with.

        Parameters
        ----------
        windows : Windows
            All windows of some texts.
        last : int
            The highest layer that is wanted.

        Returns
        -------
        begins : callable
            Gives, for the numbers of some windows, what `run` wants of them.
        """

    def run(self, ids: Ragged, last: int, visit: Visit, begin: Any = None) -> None:
        """Do what `Network.run` does, for windows that begin with what was carried."""
