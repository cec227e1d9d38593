"""Where a transformer's layers are: the modules that a run passes, one by one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn


class LayerReached(Exception):  # noqa: N818 - it ends a run, nothing is wrong
    """The highest layer that was wanted has been shown."""


def find_blocks(model: Any) -> list[nn.Module] | None:
    """Find the modules whose inputs are the layers of a model.

    Parameters
    ----------
    model : transformers.PreTrainedModel

    Returns
    -------
    blocks : list of Module, or None
        One for each layer, or fewer where layers share one (ALBERT); None where the
        model is built in a way that is not known.
    """
    recorded = (getattr(model, "_can_record_outputs", None) or {}).get("hidden_states")
    kind = getattr(recorded, "target_class", recorded)
    if isinstance(kind, type):
        modules: list[nn.Module] = list(model.modules())
        return [module for module in modules if isinstance(module, kind)]
    n_layers = model.config.num_hidden_layers
    for module in model.modules():
        if isinstance(module, nn.ModuleList) and len(module) == n_layers:
            return list(module)
    return None


@contextmanager
def shown(
    blocks: list[nn.Module], last: int, visit: Callable[[int, torch.Tensor], None]
) -> Iterator[None]:
    """Show the input of every block while a model runs, and end the run at `last`.

    Parameters
    ----------
    blocks : list of Module
    last : int
        Raise `LayerReached` once the layer of this number has been shown.
    visit : callable
        Called with the number of each block's turn, from 0, and its input.
    """
    layer = 0

    def before(_: nn.Module, args: Any, kwargs: Any) -> None:
        nonlocal layer
        visit(layer, args[0] if args else kwargs["hidden_states"])
        if layer == last:
            raise LayerReached
        layer += 1

    hooks = [
        block.register_forward_pre_hook(before, with_kwargs=True) for block in blocks
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
