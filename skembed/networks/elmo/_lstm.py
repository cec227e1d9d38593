"""One layer of an LSTM with a projection, over texts of different lengths.

The rows of a batch are sorted by length, the longest first, and laid out step by step:
step t has the tokens number t of all texts that are so long, and no padding. What a
layer's input contributes is one matrix product over many steps; the recurrent part is
computed for the rows that are still active, so that a row's state stays what it was
after its last token.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from skembed.networks._onednn import PackedLinear

# Rows whose input is multiplied at once, so that the result stays near the processor.
_BLOCK_ROWS = {"cpu": 256}
_GPU_BLOCK_ROWS = 8192
# Products of as many rows share what oneDNN compiles for them.
_ROUNDED_TO = 32


class StepOrder:
    """The order in which the tokens of texts are read, by both directions.

    Parameters
    ----------
    lengths : ndarray of shape (n_texts,), int64
        All greater than 0.
    device : torch.device

    Attributes
    ----------
    rows : Tensor of shape (n_texts,), int64
        The texts, the longest first.
    sizes : list of int
        How many texts each step reads.
    index : tuple of Tensor of shape (n_tokens,), int64
        For the forward and the backward direction, the token that stands at each place
        in the order of the steps.

    Examples
    --------
    >>> order = StepOrder(np.array([1, 3]), torch.device("cpu"))
    >>> order.sizes, [index.tolist() for index in order.index]
    ([2, 1, 1], [[1, 0, 2, 3], [3, 0, 2, 1]])
    """

    def __init__(self, lengths: npt.NDArray[np.int64], device: torch.device) -> None:
        rows = np.argsort(-lengths, kind="stable")
        longest_first = lengths[rows]
        steps = np.arange(int(longest_first[0]))
        sizes = np.searchsorted(-longest_first, -steps, side="left")
        step = np.repeat(steps, sizes)
        place = np.arange(len(step)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        first = (np.cumsum(lengths) - lengths)[rows][place]
        forward, backward = first + step, first + longest_first[place] - 1 - step
        self.rows = torch.from_numpy(rows).to(device)
        self.sizes: list[int] = sizes.tolist()
        self.index = (
            torch.from_numpy(forward).to(device),
            torch.from_numpy(backward).to(device),
        )


class Clips(NamedTuple):
    """Bounds of the cells and of the projected outputs; None for no bound."""

    cell: float | None
    projection: float | None


class Lstm(ABC):
    """One layer of one direction, whatever its products are computed in.

    Subclasses say what the input contributes (`_gates`) and how a step is taken
    (`_step`).

    Parameters
    ----------
    weight, projection
        As of `ProjectedLstm`.
    device : torch.device
    """

    def __init__(
        self,
        weight: torch.Tensor,
        projection: torch.Tensor | None,
        device: torch.device,
    ) -> None:
        self.n_cells = weight.shape[1] // 4
        self.n_out = self.n_cells if projection is None else projection.shape[1]
        self._n_rows = _BLOCK_ROWS.get(device.type, _GPU_BLOCK_ROWS)

    @staticmethod
    def stacked(
        weight: torch.Tensor, bias: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return W, turned, and b, with their blocks in the order i, f, o, j.

        The block of j is doubled: as tanh(z) = 2 sigmoid(2z) - 1, one sigmoid then does
        for all four.
        """
        i, j, f, o = weight.t().chunk(4)
        b_i, b_j, b_f, b_o = bias.chunk(4)
        # The forget gate's 1 is not in the files.
        return torch.cat([i, f, o, 2 * j]), torch.cat([b_i, b_f + 1, b_o, 2 * b_j])

    @abstractmethod
    def _gates(self, inputs: torch.Tensor) -> Sequence[torch.Tensor]:
        """Multiply inputs: tensors of which each row belongs to a row of `inputs`."""

    @abstractmethod
    def _step(
        self, gates: Sequence[torch.Tensor], output: torch.Tensor, cell: torch.Tensor
    ) -> None:
        """Read one token of some texts, and update their state in place."""

    def run(
        self,
        inputs: torch.Tensor,
        sizes: Sequence[int],
        output: torch.Tensor,
        cell: torch.Tensor,
    ) -> torch.Tensor:
        """Read texts, step by step.

        Parameters
        ----------
        inputs : Tensor of shape (n_tokens, n_in), float32
            In the order of the steps.
        sizes : sequence of int
            How many texts each step reads.
        output, cell : Tensor of shapes (n_texts, n_out) and (n_texts, n_cells), float32
            The state that each text begins with, the longest first. Updated in place to
            the one that it ends with.

        Returns
        -------
        outputs : Tensor of shape (n_tokens, n_out), float32
        """
        outputs = torch.empty(
            (len(inputs), self.n_out), dtype=torch.float32, device=inputs.device
        )
        for start, stop, steps in self._blocks(sizes):
            gates = self._gates(self._padded(inputs, start, stop))
            place = 0
            for size in steps:
                step = outputs[start + place : start + place + size]
                those = [part[place : place + size] for part in gates]
                self._step(those, output[:size], cell[:size])
                step.copy_(output[:size])
                place += size
        return outputs

    def _blocks(self, sizes: Sequence[int]) -> Iterator[tuple[int, int, list[int]]]:
        """Cut steps into blocks of a bounded number of rows."""
        start, stop, steps = 0, 0, list[int]()
        for size in sizes:
            if steps and stop - start + size > self._n_rows:
                yield start, stop, steps
                start, steps = stop, []
            steps.append(size)
            stop += size
        yield start, stop, steps

    def _padded(self, inputs: torch.Tensor, start: int, stop: int) -> torch.Tensor:
        """Take rows, some more than asked for; the last ones may be repeated."""
        n_rows = -(-(stop - start) // _ROUNDED_TO) * _ROUNDED_TO
        rows = inputs[start : start + n_rows]
        if len(rows) < n_rows:
            rows = torch.cat([rows, rows[:1].expand(n_rows - len(rows), -1)])
        return rows


class ProjectedLstm(Lstm):
    """One layer of one direction.

    With the input x, the output h and the cell c of the step before, and W and b split
    into four blocks,

        i, j, f, o = [x; h] W + b
        c' = clip(sigmoid(f + 1) c + sigmoid(i) tanh(j)),   m = sigmoid(o) tanh(c')
        h' = clip(m W_P)

    The block of j is doubled here, so that one sigmoid does for all four (see
    `Lstm.stacked`); that of c' gives half of m, and W_P is doubled.

    Parameters
    ----------
    weight : Tensor of shape (n_in + n_out, 4 * n_cells), float32
        W, with the blocks in the order i, j, f, o, as in the published files.
    bias : Tensor of shape (4 * n_cells,), float32
    projection : Tensor of shape (n_cells, n_out), float32, or None
        Without it an output is m, and is not clipped.
    clips : Clips
    device : torch.device
    dtype : torch.dtype
        Of the matrix products; everything else is float32.

    References
    ----------
    .. [1] H. Sak, A. Senior and F. Beaufays, "Long Short-Term Memory Recurrent Neural
       Network Architectures for Large Scale Acoustic Modeling", Interspeech 2014.
    """

    def __init__(
        self,
        weight: torch.Tensor,
        bias: torch.Tensor,
        projection: torch.Tensor | None,
        clips: Clips,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        super().__init__(weight, projection, device)
        stacked, stacked_bias = (
            part.to(device, dtype) for part in self.stacked(weight, bias)
        )
        n_in = stacked.shape[1] - self.n_out
        self._input = PackedLinear(stacked[:, :n_in], stacked_bias)
        self._recurrent = PackedLinear(stacked[:, n_in:])
        self._projection = (
            None
            if projection is None
            else PackedLinear((2 * projection.t()).to(device, dtype))
        )
        self._clips, self._dtype = clips, dtype

    def _gates(self, inputs: torch.Tensor) -> Sequence[torch.Tensor]:
        return [self._input(inputs.to(self._dtype))]

    def _step(
        self, gates: Sequence[torch.Tensor], output: torch.Tensor, cell: torch.Tensor
    ) -> None:
        (inputs,) = gates
        summed = self._recurrent.plus(output.to(self._dtype), inputs)
        i, f, o, j = summed.float().sigmoid_().chunk(4, dim=1)
        cell.mul_(f).sub_(i).addcmul_(i, j, value=2)
        if self._clips.cell is not None:
            cell.clamp_(-self._clips.cell, self._clips.cell)
        half = torch.mul(cell, 2).sigmoid_().sub_(0.5).mul_(o)
        if self._projection is None:
            torch.mul(half, 2, out=output)
            return
        output.copy_(self._projection(half.to(self._dtype)))
        if self._clips.projection is not None:
            output.clamp_(-self._clips.projection, self._clips.projection)
