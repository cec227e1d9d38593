"""oneDNN's matrix product, where it is faster than torch's default one.

On a CPU torch multiplies float32 matrices by MKL, which is slow on processors that are
not Intel's; oneDNN, which torch also carries, gives the same precision and is two to
five times as fast there. On Intel's they are close, so nothing is measured: the same
model gives the same bits each time. torch has no switch for it: its name is private, so
it is used in this file alone, and only where it is there and right.
"""

from functools import cache

import torch
from torch import nn


def product(
    states: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    activation: str = "none",
    algorithm: str = "none",
) -> torch.Tensor:
    """Multiply states of shape (..., n_in) by a weight of shape (n_out, n_in)."""
    result: torch.Tensor = torch.ops.mkldnn._linear_pointwise(
        states, weight, bias, activation, [], algorithm
    )
    return result


def product_and_sum(
    states: torch.Tensor,
    other: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
) -> torch.Tensor:
    """Multiply states of shape (..., n_in), and add others of shape (..., n_out)."""
    result: torch.Tensor = torch.ops.mkldnn._linear_pointwise.binary(
        states, other, weight, bias, "add"
    )
    return result


class PackedLinear:
    """A matrix that states are multiplied by, laid out as it is read fastest.

    The layout is a copy of the weights, made once; it pays where few states at a time
    are multiplied by a large matrix, as by a recurrent layer.

    Parameters
    ----------
    weight : Tensor of shape (n_out, n_in)
    bias : Tensor of shape (n_out,), or None

    Examples
    --------
    >>> linear = PackedLinear(torch.eye(2, 3), torch.ones(2))
    >>> linear(torch.ones(1, 3)).tolist()
    [[2.0, 2.0]]
    >>> linear.plus(torch.ones(1, 3), torch.tensor([[5.0, 6.0]])).tolist()
    [[7.0, 8.0]]
    """

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None = None) -> None:
        self.bias = bias
        self._is_packed = weight.device.type == "cpu" and works(weight.dtype)
        if self._is_packed:
            self._weight = torch.ops.mkldnn._reorder_linear_weight(weight.contiguous())
        else:
            self._weight = weight.contiguous()

    def __call__(self, states: torch.Tensor) -> torch.Tensor:
        """Multiply states of shape (n_states, n_in)."""
        if self._is_packed:
            return product(states, self._weight, self.bias)
        return nn.functional.linear(states, self._weight, self.bias)

    def plus(self, states: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        """Multiply states, and add others of shape (n_states, n_out)."""
        if self._is_packed:
            return product_and_sum(states, other, self._weight, self.bias)
        summed = torch.addmm(other, states, self._weight.t())
        return summed if self.bias is None else summed.add_(self.bias)


@cache
def works(dtype: torch.dtype) -> bool:
    """Whether oneDNN's product is there, and right, for numbers of a format."""
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return False
    if dtype not in (torch.float32, torch.bfloat16):
        return False
    generator = torch.Generator().manual_seed(0)
    states, weight = torch.randn((2, 64, 64), generator=generator).to(dtype)
    bias = torch.randn(64, generator=generator).to(dtype)
    tolerance = 1e-4 if dtype == torch.float32 else 0.2
    with torch.inference_mode():
        try:
            # Where the processor has no such numbers, it has no such product.
            if dtype == torch.bfloat16 and not _has_bfloat16():
                return False
            ours = [product_and_sum(states, states, weight, bias)]
            packed = torch.ops.mkldnn._reorder_linear_weight(weight)
            ours += [product_and_sum(states, states, packed, bias)]
        # Another version of torch may have renamed it, or want other arguments.
        except (AttributeError, RuntimeError, TypeError):
            return False
        truth = nn.functional.linear(states, weight, bias) + states
        return all(
            torch.allclose(one, truth, rtol=1e-5, atol=tolerance) for one in ours
        )


def _has_bfloat16() -> bool:
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
