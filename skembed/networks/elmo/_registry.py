"""The networks that this process has loaded, a few at a time."""

from collections.abc import Callable, Hashable

import torch

from skembed.formats import ElmoArrays
from skembed.networks._registry import Registry
from skembed.networks.elmo._network import ElmoNetwork

_networks: Registry[ElmoNetwork] = Registry(n_kept=2)


def made_network(
    key: Hashable,
    load: Callable[[], ElmoArrays],
    device: torch.device,
    dtype: torch.dtype,
) -> ElmoNetwork:
    """Return a network, made now or before.

    Parameters
    ----------
    key : hashable
        What the network depends on.
    load : callable
        Returns the model.
    device : torch.device
    dtype : torch.dtype

    Returns
    -------
    network : ElmoNetwork
    """
    return _networks.get(key, lambda: ElmoNetwork(load(), device, dtype))


def clear_loaded() -> None:
    """Forget all networks that this process has loaded."""
    _networks.clear()
