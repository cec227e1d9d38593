"""Where torch computes, and whether it is needed to train vectors of words."""

import ctypes
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

DTYPES = ("float32", "bfloat16", "float16")
"""The names of the number formats that networks may run in."""

CPU_DTYPES = ("int8",)
"""Those that some networks may run in beside, on a CPU alone."""

WORTH_A_GPU = 100_000_000
"""Words, or counts, of all epochs from which on starting a GPU pays: a CPU takes them
in some ten seconds, and importing torch and starting a GPU takes several."""


def resolve_devices(device: Any, dtype: str = DTYPES[0]) -> "tuple[torch.device, ...]":
    """Return the devices that the parameter `device` asks for.

    Parameters
    ----------
    device : str, torch.device, or a sequence of them
        "auto" is the GPU where there is one that knows `dtype`, else the CPU.
    dtype : str
        The number format that a network is to run in.

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
    check_device(device, dtype)
    names = _names(device)
    if dtype in CPU_DTYPES:
        names = tuple("cpu" if _is_auto(name) else name for name in names)
    return tuple(_resolve(name) for name in names)


def check_device(device: Any, dtype: str = DTYPES[0]) -> None:
    """Raise for what is no name of a device, whether or not there is such a device.

    Parameters
    ----------
    device : str, torch.device, or a sequence of them
    dtype : str
        The number format that a network is to run in.

    Raises
    ------
    ValueError
        If it is none, or one that does not know `dtype`.
    """
    for name in _names(device):
        # To know these, torch need not be imported.
        if name in ("auto", "cpu"):
            continue
        if _named(name).type != "cpu" and dtype in CPU_DTYPES:
            msg = (
                f"dtype={dtype!r} is for the CPU alone, got device={name!r}. Set "
                "device='cpu', or dtype='bfloat16'."
            )
            raise ValueError(msg)


def _names(device: Any) -> tuple[Any, ...]:
    several = isinstance(device, Sequence) and not isinstance(device, str)
    names = tuple(device) if several else (device,)
    if not names:
        msg = f"device must name at least one device, got {device!r}."
        raise ValueError(msg)
    return names


@contextmanager
def torch_threads(n_threads: int | None) -> Iterator[None]:
    """Have torch use so many threads of the CPU meanwhile; None leaves them.

    Examples
    --------
    >>> import torch
    >>> with torch_threads(1):
    ...     torch.get_num_threads()
    1
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(n_threads or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _resolve(name: Any) -> "torch.device":
    import torch

    if _is_auto(name):
        return torch.device(_best())
    device = _named(name)
    if not _is_there(device):
        msg = (
            f"device={name!r} is not there: torch {torch.__version__} finds "
            f"{torch.cuda.device_count()} CUDA devices"
            f"{' and MPS' if torch.backends.mps.is_available() else ''}. "
            "Set device='auto' or device='cpu'."
        )
        raise ValueError(msg)
    return device


def _is_auto(name: Any) -> bool:
    return isinstance(name, str) and name == "auto"


def _named(name: Any) -> "torch.device":
    import torch

    try:
        return torch.device(name)
    except (RuntimeError, TypeError) as error:
        msg = (
            "device must be 'auto', or what torch.device takes, such as 'cpu', 'cuda' "
            f"or 'cuda:1', got {name!r}."
        )
        raise ValueError(msg) from error


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


def training_device(device: str, n_steps: int) -> "torch.device | None":
    """Return where torch is to train vectors of words; None for compiled code.

    On a CPU they are trained without torch. "auto" takes a GPU if there is one and the
    work is worth starting it. The GPU's driver is asked first, so that torch is not
    imported in vain.

    Parameters
    ----------
    device : str
        "auto", "cpu", or a device for torch.
    n_steps : int
        How many words, or counts, there are in all epochs.

    Returns
    -------
    device : torch.device or None

    Raises
    ------
    ValueError
        If there is no such device.

    Examples
    --------
    >>> training_device("auto", 1000), training_device("cpu", 10**12)
    (None, None)
    """
    if device == "cpu":
        return None
    if device == "auto":
        if n_steps < WORTH_A_GPU or not count_gpus():
            return None
        import torch

        return torch.device("cuda") if torch.cuda.is_available() else None
    (there,) = resolve_devices(device)
    return None if there.type == "cpu" else there


def trains_together(device: "torch.device | None") -> bool:
    """Whether other processes take part in what torch trains on a device."""
    if device is None:
        return False
    import torch.distributed as dist

    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


def count_gpus() -> int:
    """Count the GPUs that NVIDIA's driver manages, without starting any of them.

    A process that has started one cannot be forked any more; NVML, the library that
    also ``nvidia-smi`` asks, starts none. Which of them a process may use, it does not
    know.
    """
    count = ctypes.c_uint(0)
    for name in ("libnvidia-ml.so.1", "nvml.dll"):
        try:
            nvml = ctypes.CDLL(name)
        except OSError:
            continue
        if nvml.nvmlInit_v2() == 0:
            nvml.nvmlDeviceGetCount_v2(ctypes.byref(count))
            nvml.nvmlShutdown()
    return count.value
