"""Where a transformer's layers are: the modules that a run passes, one by one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import count
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
    n_layers = model.config.get_text_config().num_hidden_layers
    for module in model.modules():
        if isinstance(module, nn.ModuleList) and len(module) == n_layers:
            return list(module)
    return None


# Of each thread its own: several may run one model.
_show: ContextVar[Callable[[torch.Tensor], None]] = ContextVar("skembed_show")


def watch(blocks: list[nn.Module]) -> None:
    """Have blocks show their inputs to `shown`, in which they must run from now on."""
    # A block that occurs twice is watched once.
    for block in dict.fromkeys(blocks):
        block.register_forward_pre_hook(_show_input, with_kwargs=True)


def _show_input(_: nn.Module, args: Any, kwargs: Any) -> None:
    _show.get()(args[0] if args else kwargs["hidden_states"])


@contextmanager
def shown(last: int, visit: Callable[[int, torch.Tensor], None]) -> Iterator[None]:
    """Show the input of every watched block of a run, and end the run at `last`.

    Parameters
    ----------
    last : int
        Raise `LayerReached` once the layer of this number has been shown.
    visit : callable
        Called with the number of each block's turn, from 0, and its input.
    """
    turns = count()

    def show(states: torch.Tensor) -> None:
        layer = next(turns)
        visit(layer, states)
        if layer == last:
            raise LayerReached

    token = _show.set(show)
    try:
        yield
    finally:
        _show.reset(token)
