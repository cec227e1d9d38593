"""Matrix products of 8-bit integers, which stand for rows of float32.

A matrix has a scale for each output and is rounded once; states have one for each row
and are rounded whenever they are multiplied, so that no row depends on another. Sums
are integers, and exact in any order: a row gives the same bits in every batch.

oneDNN's product is used by the name that torch's own compiler uses for quantised
models, ``onednn::qlinear_pointwise``, with the matrix laid out beforehand. Of what
torch has, it alone is fast for few rows: ``_int_mm`` lays the matrix out in every call,
and ``quantized::linear_dynamic`` has one scale for all rows. It wants states without a
sign; with one, it is a thousand times as slow.
"""

from functools import cache

import numpy as np
import torch

from skembed.networks._onednn import PackedLinear
from skembed.networks.elmo._kernels import quantize, scale_rows

_LARGEST, _ZERO = 127, 128
_TINIEST = 1e-30
# So many products of two numbers up to 127 have an exact sum in float32.
_EXACT = 1024


class Int8Linear:
    """A matrix in 8-bit integers, with a scale for each output.

    Parameters
    ----------
    weight : Tensor of shape (n_out, n_in), float32
    bias : Tensor of shape (n_out,), float32, or None

    Examples
    --------
    >>> linear = Int8Linear(torch.eye(2, 3), torch.ones(2))
    >>> linear(torch.tensor([[2.0, 0.0, 1.0]])).tolist()
    [[3.0, 1.0]]
    """

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None = None) -> None:
        scales = weight.abs().amax(dim=1).clamp_min(_TINIEST) / _LARGEST
        integers = torch.round(weight / scales[:, None]).to(torch.int8).contiguous()
        kind = _OneDnnProduct if has_product() else _PlainProduct
        self._product = kind(integers, scales)
        self.bias = (torch.zeros_like(scales) if bias is None else bias).numpy()

    def __call__(self, states: torch.Tensor, bound: float = np.inf) -> torch.Tensor:
        """Multiply states of shape (n_states, n_in), float32, and clip what comes."""
        sums, scales = self.sums(states)
        out = sums.numpy()
        scale_rows(out, scales.numpy(), self.bias, np.float32(bound), out)
        return sums

    def sums(self, states: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Multiply states, but for their scales and the bias.

        Parameters
        ----------
        states : Tensor of shape (n_states, n_in), float32

        Returns
        -------
        sums : Tensor of shape (n_states, n_out), float32
        scales : Tensor of shape (n_states,), float32
            What each row is to be multiplied by.
        """
        levels = torch.empty(states.shape, dtype=torch.uint8)
        scales = torch.empty(len(states), dtype=torch.float32)
        quantize(states.contiguous().numpy(), levels.numpy(), scales.numpy())
        return self._product(levels), scales


class _OneDnnProduct:
    """Integers by oneDNN; `levels` less 128 are what they are multiplied by."""

    def __init__(self, integers: torch.Tensor, scales: torch.Tensor) -> None:
        self._packed = torch.ops.onednn.qlinear_prepack(integers, None)
        self._scales = scales
        self._zeros = torch.zeros(len(scales), dtype=torch.int64)

    def __call__(self, levels: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = torch.ops.onednn.qlinear_pointwise(
            *(levels, 1.0, _ZERO),
            *(self._packed, self._scales, self._zeros, None),
            *(1.0, 0, torch.float32),
            *("none", [], ""),
        )
        return result


class _PlainProduct:
    """The same by float32, where there is nothing better: right, but no faster."""

    def __init__(self, integers: torch.Tensor, scales: torch.Tensor) -> None:
        starts = range(0, integers.shape[1], _EXACT)
        self._parts = [slice(start, start + _EXACT) for start in starts]
        self._linear = [PackedLinear(integers[:, part].float()) for part in self._parts]
        self._scales = scales

    def __call__(self, levels: torch.Tensor) -> torch.Tensor:
        states = levels.float() - _ZERO
        sums = torch.zeros(len(states), len(self._scales))
        for part, linear in zip(self._parts, self._linear, strict=True):
            sums += linear(states[:, part])
        return sums * self._scales


@cache
def has_product() -> bool:
    """Whether oneDNN's product is there, right, and fast.

    Without instructions for it, it may lose what does not fit into 16 bits.
    """
    generator = torch.Generator().manual_seed(0)
    levels = torch.randint(1, 256, (8, 64), generator=generator, dtype=torch.uint8)
    integers = torch.randint(-127, 128, (64, 64), generator=generator).to(torch.int8)
    levels[0], integers[0] = 255, _LARGEST
    scales = torch.rand(64, generator=generator)
    with torch.inference_mode():
        try:
            if not torch.cpu._is_vnni_supported():
                return False
            ours = _OneDnnProduct(integers, scales)(levels)
        # Another version of torch may have renamed it, or want other arguments.
        except (AttributeError, RuntimeError, TypeError):
            return False
        return torch.allclose(ours, _PlainProduct(integers, scales)(levels), rtol=1e-6)
