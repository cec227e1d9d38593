"""Highway layers: what they carry on, and what they change."""

import torch

from skembed.networks._onednn import PackedLinear
from skembed.networks.elmo._int8 import Int8Linear
from skembed.networks.elmo._kernels import mix_highway


class Highway:
    """A layer h <- g relu(W h + b) + (1 - g) h, with a gate g = sigmoid(W' h + b').

    Parameters
    ----------
    weight : Tensor of shape (2 * width, width)
        W, then W'. Its dtype is that of all that is computed.
    bias : Tensor of shape (2 * width,)
    """

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor) -> None:
        self._linear = PackedLinear(weight, bias)

    def __call__(self, states: torch.Tensor) -> torch.Tensor:
        """Change states of shape (n_states, width)."""
        transform, carry = self._linear(states).chunk(2, dim=1)
        return torch.lerp(states, transform.relu(), carry.sigmoid())


class Int8Highway:
    """The same, with a product of 8-bit integers, on the CPU.

    Parameters
    ----------
    weight : Tensor of shape (2 * width, width), float32
    bias : Tensor of shape (2 * width,), float32
    """

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor) -> None:
        self._linear = Int8Linear(weight, bias)

    def __call__(self, states: torch.Tensor) -> torch.Tensor:
        """Change states of shape (n_states, width), float32."""
        sums, scales = self._linear.sums(states)
        changed = states.clone()
        mix_highway(sums.numpy(), scales.numpy(), self._linear.bias, changed.numpy())
        return changed
