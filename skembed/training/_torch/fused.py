"""What is asked of rows is added up in Triton kernels, on CUDA GPUs.

The operations of torch write, and read again, what several forces ask for together,
the sum of each row beside each of its updates, and how stiff each is. A kernel reads
the forces, and moves the rows.
"""

from collections.abc import Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch
from torch import Tensor

from skembed.training._torch.segments import FEW, Segments
from skembed.training._torch.steps import TINY, WHOLE, Force

LARGEST = 256
"""Numbers of a row for which programs fit in what a GPU has on its chip."""
MANY = 64
"""Updates of a row, if it has more than `FEW`, that are read at a time, ..."""
MOST = 8192
"""... and how many numbers they may have together, for the registers of a program."""


OLDEST = (3, 7)
"""The first version of Triton that is known to compile the kernels; 3.2 does not."""


@cache
def serves(device: torch.device, vector_size: int) -> bool:
    """Whether the kernels run on a device, for rows of that many numbers.

    They need Triton, which comes with torch where that is built for CUDA on Linux (3.7
    with torch 2.13), and what GPUs from the A100 on have of shared memory.

    Examples
    --------
    >>> serves(torch.device("cpu"), 100)
    False
    """
    return (
        device.type == "cuda"
        # Devices of AMD have the same name.
        and torch.version.cuda is not None
        and torch.cuda.get_device_capability(device) >= (8, 0)
        and vector_size <= LARGEST
        and _triton_version() >= OLDEST
    )


def _triton_version() -> tuple[int, int]:
    """Return the version of Triton, (0, 0) if there is none."""
    try:
        major, minor = version("triton").split(".")[:2]
    except PackageNotFoundError:
        return 0, 0
    return int(major), int(minor)


def width_of(n: int) -> int:
    """Return the size of a block that holds n: a power of two, and 16 or more.

    Examples
    --------
    >>> width_of(100)
    128
    """
    return max(16, 1 << (n - 1).bit_length())


def options(n_numbers: int) -> dict[str, Any]:
    """Choose how Triton compiles a kernel, by how many numbers its largest block has.

    Each of the 32 threads of a warp holds 16 of them: with more, what it computes with
    them would not fit in its registers.
    """
    return {
        "num_warps": max(1, n_numbers // (32 * 16)),
        # Said, as Triton is about to change what it does if it is not.
        "enable_fp_fusion": True,
    }


def launch(kernel: Any, n_programs: int, *arguments: Any, **sizes: Any) -> None:
    """Launch a kernel on the device of its first argument, a tensor.

    Triton asks for the current device, which may be another one.
    """
    with torch.cuda.device(arguments[0].get_device()):
        kernel[(n_programs,)](*arguments, **sizes)


def resultant(segments: Segments, forces: Sequence[Force]) -> tuple[Tensor, Tensor]:
    """Add up forces by row; see `skembed.training._torch.moves.resultant`."""
    sums = forces[0].sums.new_empty(len(segments.rows), forces[0].sums.shape[1])
    stiffness = sums.new_empty(len(sums))
    _settle(segments, forces, None, sums, stiffness, 0.0)
    return sums, stiffness


def move(
    table: Tensor,
    segments: Segments,
    forces: Sequence[Force],
    rate: float,
    of: Tensor | None = None,
) -> None:
    """Move rows of a table; see `skembed.training._torch.moves.move`."""
    if of is not None:
        # The kernel finds them there, so that they need not be copied.
        segments = segments._replace(order=of[segments.order])
    _settle(segments, forces, table, None, None, rate)


def _settle(
    segments: Segments,
    forces: Sequence[Force],
    table: Tensor | None,
    sums: Tensor | None,
    stiffness: Tensor | None,
    rate: float,
) -> None:
    """Launch the kernel, for rows of few updates and for those of many."""
    # Where there is no Triton, this module can still be imported.
    from skembed.training._torch import _triton

    force, more = forces[0], forces[1] if len(forces) > 1 else (None, None)
    size = force.sums.shape[1]
    width = width_of(size)
    at_once = (segments.few, FEW), (segments.many, min(MANY, MOST // width))
    for which, chunk in at_once:
        if len(which):
            launch(
                _triton.settle, len(which), which, segments.starts, segments.order,
                *force, *more, segments.rows, segments.counts, table, sums, stiffness,
                len(segments.rows), len(segments.order), rate, SIZE=size, WIDTH=width,
                CHUNK=chunk, TINY=TINY, WHOLE=WHOLE, **options(chunk * width),
            )  # fmt: skip
