"""What the pairs of a block ask of all rows, in Triton kernels on a CUDA GPU.

The operations of torch write all that one hands to the next: rows that are gathered,
scores, losses, errors, and several tables of sums. The kernels read the rows of tables
where they are, and write the sums that `unfused` returns, and nothing else.
"""

from functools import cache
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor

from skembed.training._torch.steps import Force
from skembed.training.skipgram._torch.center import Vectors
from skembed.training.skipgram._torch.draws import Block
from skembed.training.skipgram._torch.unfused import Forces

CHUNK = 16
"""Rows that are loaded at a time: the least for matrix products. More take registers
that there are not."""
TILE = 32
"""Words of a program."""
LARGEST = 256
"""Numbers of a row for which programs fit in what a GPU has on its chip."""


@cache
def serves(device: torch.device, vector_size: int) -> bool:
    """Whether the kernels run on a device, for rows of that many numbers.

    They need Triton, which comes with torch where that is built for CUDA on Linux, and
    what GPUs from the A100 on have of shared memory.

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
        and find_spec("triton") is not None
    )


def forces_of(
    vectors: Vectors, outputs: Tensor, block: Block, negative: float
) -> Forces:
    """Tell what all pairs of a block ask of the rows that they are of.

    Parameters
    ----------
    vectors : Vectors
        Of the centres.
    outputs : Tensor of shape (n_rows, vector_size), float32, contiguous
        The output table.
    block : Block
    negative : float
        Noise words for each observed word.

    Returns
    -------
    forces : Forces
        As `unfused` has them, but for rounding.
    """
    # Where there is no Triton, this module can still be imported.
    from skembed.training.skipgram._torch import _triton

    (n_tiles, tile), n_noise = block.reach.shape, block.noise.shape[1]
    n_centers, n_words = block.reach.numel(), len(block.words)
    window = (n_words - n_centers) // 2
    size = outputs.shape[1]
    pulls, pushes = (_unwritten(outputs, n_centers) for _ in range(2))
    on_outputs = _unwritten(outputs, block.noise.numel() + n_words)
    on_noise, on_words = (
        Force(*parts)
        for parts in zip(
            *(part.tensor_split([block.noise.numel()]) for part in on_outputs),
            strict=True,
        )
    )
    sums = outputs.new_empty(n_tiles, 2)
    pairs = (*vectors, outputs, block.words, block.documents, block.reach, block.weight)
    _triton.on_centers[(n_tiles,)](
        *pairs, block.noise, *pulls, *pushes, *on_noise, sums, n_centers, n_words, tile,
        window, n_noise, negative / n_noise, **_sizes(size, tile),
    )  # fmt: skip
    _triton.on_words[(-(-n_words // TILE),)](
        *pairs, *on_words, n_centers, n_words, window, **_sizes(size, TILE)
    )
    return Forces(pulls, pushes, on_outputs, sums.sum(dim=0))


def _unwritten(like: Tensor, n: int) -> Force:
    """Allocate a force on n rows."""
    return Force(like.new_empty(n, like.shape[1]), like.new_empty(n))


def _sizes(vector_size: int, tile: int) -> dict[str, Any]:
    """Choose the sizes of blocks, and how many warps of threads share one."""
    # Matrix products have no side of less than 16.
    width, at_once = (max(16, 1 << (n - 1).bit_length()) for n in (vector_size, tile))
    return {
        "SIZE": vector_size,
        "WIDTH": width,
        "TILE": at_once,
        "CHUNK": CHUNK,
        # So many that a block of sums fits in their registers.
        "num_warps": max(4, width // 16),
        # Said, as Triton is about to change what it does if it is not.
        "enable_fp_fusion": True,
    }
