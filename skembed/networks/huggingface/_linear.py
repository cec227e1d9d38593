"""Linear layers that use oneDNN's matrix product instead of torch's default one.

On a CPU torch multiplies float32 matrices by MKL, which is slow on processors that are
not Intel's; oneDNN, which torch also carries, gives the same precision and is two to
five times as fast there. On Intel's they are close, so nothing is measured: the same
model gives the same bits each time. torch has no switch for it: its name is private, so
it is used in this file alone, and only where it is there and right.
"""

from functools import cache
from typing import Any

import torch
from torch import nn
from transformers.pytorch_utils import Conv1D


class OneDnnLinear(nn.Module):
    """A linear layer, with the activation after it.

    Parameters
    ----------
    weight : Tensor of shape (n_out, n_in), float32
        Used as it is: memory-mapped weights stay shared between processes.
    bias : Tensor of shape (n_out,), or None
    activation : {"none", "gelu", "relu"}, default="none"
    algorithm : {"none", "tanh"}, default="none"
        How GELU is evaluated.
    """

    def __init__(
        self,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        activation: str = "none",
        algorithm: str = "none",
    ) -> None:
        super().__init__()
        self.weight, self.bias = weight, bias
        self.activation, self.algorithm = activation, algorithm

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """Multiply states of shape (..., n_in), giving (..., n_out)."""
        return _product(states, self.weight, self.bias, self.activation, self.algorithm)


def _product(
    states: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    activation: str = "none",
    algorithm: str = "none",
) -> torch.Tensor:
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


def speed_up_linear(model: Any) -> Any | None:
    """Replace a model's linear layers, in place.

    Parameters
    ----------
    model : Module

    Returns
    -------
    model : Module or None
        The same; None where nothing would be faster.
    """
    if model.device.type != "cpu" or not _works(model.dtype):
        return None
    for module in list(model.modules()):
        for name, child in module.named_children():
            replacement = _replacement(child)
            if replacement is not None:
                setattr(module, name, replacement)
    return model


def _replacement(module: nn.Module) -> OneDnnLinear | None:
    # Subclasses do something else: quantised or adapted layers.
    if type(module) is nn.Linear:
        return OneDnnLinear(module.weight, module.bias)
    if type(module) is Conv1D:
        return OneDnnLinear(module.weight.t(), module.bias)
    return None


@cache
def _works(dtype: torch.dtype) -> bool:
    """Whether oneDNN's product is there, and right."""
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
            ours = product_and_sum(states, states, weight, bias)
        # Another version of torch may have renamed it, or want other arguments.
        except (AttributeError, RuntimeError, TypeError):
            return False
        truth = nn.functional.linear(states, weight, bias) + states
        return torch.allclose(ours, truth, rtol=1e-5, atol=tolerance)


def _has_bfloat16() -> bool:
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
