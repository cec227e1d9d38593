"""Where torch computes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

DTYPES = ("float32", "bfloat16", "float16")
"""The names of the number formats that networks may run in."""


def resolve_devices(device: Any) -> "tuple[torch.device, ...]":
    """Return the devices that the parameter `device` asks for.

    Parameters
    ----------
    device : str, torch.device, or a sequence of them
        "auto" is the GPU where there is one, else the CPU.

    Returns
    -------
    devices : tuple of torch.device, not empty

    Raises
    ------
    ValueError
        If there is no such device, or torch cannot use it.

    Examples
    --------
    >>> resolve_devices("cpu")
    (device(type='cpu'),)
    """
    several = isinstance(device, Sequence) and not isinstance(device, str)
    names = tuple(device) if several else (device,)
    if not names:
        msg = f"device must name at least one device, got {device!r}."
        raise ValueError(msg)
    return tuple(_resolve(name) for name in names)


def _resolve(name: Any) -> "torch.device":
    import torch

    if isinstance(name, str) and name == "auto":
        return torch.device(_best())
    try:
        device = torch.device(name)
    except (RuntimeError, TypeError) as error:
        msg = (
            "device must be 'auto', or what torch.device takes, such as 'cpu', 'cuda' "
            f"or 'cuda:1', got {name!r}."
        )
        raise ValueError(msg) from error
    if not _is_there(device):
        msg = (
            f"device={name!r} is not there: torch {torch.__version__} finds "
            f"{torch.cuda.device_count()} CUDA devices"
            f"{' and MPS' if torch.backends.mps.is_available() else ''}. "
            "Set device='auto' or device='cpu'."
        )
        raise ValueError(msg)
    return device


def _best() -> str:
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _is_there(device: "torch.device") -> bool:
    import torch

    if device.type == "cuda":
        return (device.index or 0) < torch.cuda.device_count()
    if device.type == "mps":
        return torch.backends.mps.is_available()
    return device.type == "cpu"
