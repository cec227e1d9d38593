"""Linear layers of a transformer that use oneDNN's matrix product."""

from typing import Any

import torch
from torch import nn
from transformers.pytorch_utils import Conv1D

from skembed.networks._onednn import product, works


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
        return product(states, self.weight, self.bias, self.activation, self.algorithm)


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
    if model.device.type != "cpu" or not works(model.dtype):
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
