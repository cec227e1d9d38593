"""Steps of a transformer's block that oneDNN does along with a matrix product.

What follows a linear layer, its activation or the sum with the block's input, costs a
pass over the states of its own, unless the product writes them so in the first place.
Which modules can be replaced is told by the names of their children, since families
write the same step with the same few names. `HuggingFaceNetwork` compares what comes
out with what the model itself gives.
"""

from typing import Any

import torch
from torch import nn
from transformers import activations

from skembed.networks._onednn import product_and_sum
from skembed.networks.huggingface._linear import OneDnnLinear

# A linear layer, and the activation after it.
_ACTIVATED = (
    ("dense", "intermediate_act_fn"),  # BERT, RoBERTa, ELECTRA, MPNet, DeBERTa
    ("lin1", "activation"),  # DistilBERT
    ("ffn", "activation"),  # ALBERT
    ("c_fc", "act"),  # GPT-2
)
# A linear layer, the sum with what came in, a layer norm: BERT and its kin.
_SUMMED = {"dense", "LayerNorm", "dropout"}


class SummedLinear(nn.Module):
    """A linear layer, the sum with the states that the block began with, a norm.

    Parameters
    ----------
    linear : OneDnnLinear
    norm : Module
    """

    def __init__(self, linear: OneDnnLinear, norm: nn.Module) -> None:
        super().__init__()
        self.linear, self.norm = linear, norm

    def forward(self, states: torch.Tensor, begin: torch.Tensor) -> torch.Tensor:
        """Return norm(linear(states) + begin)."""
        summed = product_and_sum(states, begin, self.linear.weight, self.linear.bias)
        normed: torch.Tensor = self.norm(summed)
        return normed


def fuse(model: Any) -> None:
    """Fuse what can be fused with a model's `OneDnnLinear` layers, in place."""
    for module in list(model.modules()):
        children = dict(module.named_children())
        for linear, activation in _ACTIVATED:
            _fuse_activation(module, children.get(linear), activation)
        for name, child in children.items():
            parts = dict(child.named_children())
            dense = parts.get("dense")
            if parts.keys() == _SUMMED and isinstance(dense, OneDnnLinear):
                setattr(module, name, SummedLinear(dense, parts["LayerNorm"]))


def _fuse_activation(module: nn.Module, linear: Any, activation: str) -> None:
    fused = _name_of(getattr(module, activation, None))
    if isinstance(linear, OneDnnLinear) and fused is not None:
        linear.activation, linear.algorithm = fused
        setattr(module, activation, nn.Identity())


def _name_of(activation: Any) -> tuple[str, str] | None:
    """Return oneDNN's names of an activation, or None where it has none."""
    if isinstance(activation, nn.GELU):
        return "gelu", activation.approximate
    if isinstance(activation, activations.GELUActivation):
        return "gelu", "none"
    if isinstance(activation, (activations.NewGELUActivation, activations.GELUTanh)):
        return "gelu", "tanh"
    return ("relu", "none") if isinstance(activation, nn.ReLU) else None
