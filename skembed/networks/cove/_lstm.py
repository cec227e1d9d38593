"""Word vectors through a bidirectional LSTM of several layers, without padding.

Each text is read within its own length, from the zero state in both directions. As
libraries know only padded batches, a direction is read in short stretches of steps:
each takes the texts that still go on, with the state that the one before left. The
input's product of a stretch is then one matrix product, and little is padding.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from skembed.formats import lstm_sizes
from skembed.networks._network import Visit

Float32Array = npt.NDArray[np.float32]

# Steps of a stretch: enough for a large matrix product, few enough for little padding.
_STRETCH = 64


class BidirectionalLstm:
    """Layers of LSTMs, each of which reads texts forwards and backwards.

    Parameters
    ----------
    weights : mapping of str to ndarray, float32
        Of an ``nn.LSTM(..., bidirectional=True)``, from `read_lstm_encoder`.
    device : torch.device
    dtype : torch.dtype
        What it computes in.

    Attributes
    ----------
    widths : tuple of int
        Features of each layer. Layer 0 is the vectors that it reads; each above is
        [forward states ; backward states].
    """

    def __init__(
        self,
        weights: Mapping[str, Float32Array],
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        sizes = lstm_sizes(weights)
        self.device, self._dtype = device, dtype
        self.widths = (sizes.input_size, *[2 * sizes.hidden_size] * sizes.n_layers)
        self._layers = [
            tuple(
                _one_direction(weights, f"l{layer}{suffix}").to(device, dtype)
                for suffix in ("", "_reverse")
            )
            for layer in range(sizes.n_layers)
        ]

    @torch.inference_mode()
    def run(
        self,
        vectors: Float32Array,
        offsets: npt.NDArray[np.int64],
        last: int,
        visit: Visit,
    ) -> None:
        """Show the states of layers 0 to `last`, one layer at a time.

        Parameters
        ----------
        vectors : ndarray of shape (n_tokens, input_size), float32
            Those of all texts, one text after the other. Shown as they are.
        offsets : ndarray of shape (n_texts + 1,), int64
            Where each text begins and ends; none is empty.
        last : int
        visit : callable
            Called with each layer's number and its states, of shape (n_tokens, width).
        """
        states = torch.from_numpy(vectors).to(self.device)
        visit(0, states)
        states = states.to(self._dtype)
        stretches = _stretches(offsets, self.device) if last else []
        for number, directions in enumerate(self._layers[:last], start=1):
            states = _both_directions(directions, states, stretches)
            visit(number, states)


class _Stretch(NamedTuple):
    """Some steps through the texts that are long enough.

    Parameters
    ----------
    places : tuple of two Tensors of shape (n_steps, n_texts), int64
        Which token each text is at, forward and backward; behind its end, any.
    goes_on : Tensor of shape (n_steps, n_texts), bool
        Whether it has not ended.
    """

    places: tuple[torch.Tensor, torch.Tensor]
    goes_on: torch.Tensor


def _stretches(offsets: npt.NDArray[np.int64], device: torch.device) -> list[_Stretch]:
    """Plan the way through texts that lie end to end, the longest ones first."""
    lengths = np.diff(offsets)
    order = np.argsort(-lengths, kind="stable")
    starts, lengths = offsets[:-1][order], lengths[order]
    stretches = []
    for begin in range(0, int(lengths[0]), _STRETCH):
        n_texts = int((lengths > begin).sum())
        first, most = starts[:n_texts], lengths[:n_texts] - 1
        steps = np.arange(begin, min(begin + _STRETCH, int(lengths[0])))[:, None]
        forward = first + np.minimum(steps, most)
        backward = first + np.maximum(most - steps, 0)
        places = tuple(torch.from_numpy(x).to(device) for x in (forward, backward))
        goes_on = torch.from_numpy(steps <= most).to(device)
        stretches.append(_Stretch((places[0], places[1]), goes_on))
    return stretches


def _one_direction(weights: Mapping[str, Float32Array], suffix: str) -> nn.LSTM:
    """Make an LSTM of one layer and direction of a larger one.

    One by one, since only so are padded texts not read from their padding backwards.
    """
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    arrays = {name: weights[f"{name}_{suffix}"] for name in names}
    n_gates, n_inputs = arrays["weight_ih"].shape
    # Without memory, and without drawing weights, until it is given them.
    lstm = nn.LSTM(n_inputs, n_gates // 4, device="meta")
    state = {f"{name}_l0": torch.from_numpy(np.array(x)) for name, x in arrays.items()}
    lstm.load_state_dict(state, assign=True)
    return lstm.eval().requires_grad_(requires_grad=False)


def _both_directions(
    directions: tuple[nn.LSTM, ...], states: torch.Tensor, stretches: list[_Stretch]
) -> torch.Tensor:
    """Read all texts forward and backward.

    Parameters
    ----------
    directions : two of nn.LSTM
    states : Tensor of shape (n_tokens, n_inputs)
    stretches : list of _Stretch

    Returns
    -------
    states : Tensor of shape (n_tokens, 2 * hidden_size)
    """
    size = directions[0].hidden_size
    result = states.new_empty((len(states), 2 * size))
    for number, lstm in enumerate(directions):
        half = result[:, number * size : (number + 1) * size]
        carried: tuple[torch.Tensor, ...] | None = None
        for stretch in stretches:
            places, goes_on = stretch.places[number], stretch.goes_on
            if carried is not None:
                # The texts that have ended meanwhile were the last ones.
                carried = tuple(x[:, : places.shape[1]].contiguous() for x in carried)
            output, carried = lstm(states[places], carried)
            half[places[goes_on]] = output[goes_on]
    return result
