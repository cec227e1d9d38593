"""The LSTM of `skembed.networks.elmo._lstm`, with products of 8-bit integers."""

from collections.abc import Sequence

import numpy as np
import torch

from skembed.networks.elmo._int8 import Int8Linear
from skembed.networks.elmo._kernels import advance
from skembed.networks.elmo._lstm import Clips, Lstm


class Int8Lstm(Lstm):
    """One layer of one direction, on the CPU; see `ProjectedLstm`.

    The input, the output of the step before and what is projected are rounded to 8
    bits, each row with its own scale, for their products alone: what is carried from
    word to word, and all that is done with it, is float32.

    Parameters
    ----------
    weight, bias, projection, clips
        As of `ProjectedLstm`.
    """

    def __init__(
        self,
        weight: torch.Tensor,
        bias: torch.Tensor,
        projection: torch.Tensor | None,
        clips: Clips,
    ) -> None:
        super().__init__(weight, projection, torch.device("cpu"))
        stacked, stacked_bias = self.stacked(weight, bias)
        n_in = stacked.shape[1] - self.n_out
        self._input = Int8Linear(stacked[:, :n_in], stacked_bias)
        self._recurrent = Int8Linear(stacked[:, n_in:])
        self._projection = None if projection is None else Int8Linear(projection.t())
        cell, projected = (np.inf if x is None else x for x in clips)
        self._cell_bound, self._bound = np.float32(cell), float(projected)

    def _gates(self, inputs: torch.Tensor) -> Sequence[torch.Tensor]:
        return self._input.sums(inputs)

    def _step(
        self, gates: Sequence[torch.Tensor], output: torch.Tensor, cell: torch.Tensor
    ) -> None:
        recurrent = self._recurrent.sums(output)
        hidden = output if self._projection is None else torch.empty_like(cell)
        advance(
            *(part.numpy() for part in gates),
            *(part.numpy() for part in recurrent),
            *(self._input.bias, self._cell_bound, cell.numpy(), hidden.numpy()),
        )
        if self._projection is not None:
            output.copy_(self._projection(hidden, self._bound))
