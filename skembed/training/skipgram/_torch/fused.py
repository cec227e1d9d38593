"""What the pairs of a block ask of all rows, in Triton kernels on a CUDA GPU.

The operations of torch write all that one hands to the next: rows that are gathered,
scores, losses, errors, and several tables of sums. The kernels read the rows of tables
where they are, and write the sums that `unfused` returns, and nothing else.
"""

from typing import Any

from torch import Tensor

from skembed.training._torch.fused import launch, options, width_of
from skembed.training._torch.steps import Force
from skembed.training.skipgram._torch.center import Vectors
from skembed.training.skipgram._torch.draws import Block
from skembed.training.skipgram._torch.unfused import Forces

CHUNK = 16
"""Rows that are loaded at a time: the least for matrix products. More take registers
that there are not."""
TILE = 32
"""Words of a program."""


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
    launch(
        _triton.on_centers, n_tiles, *pairs, block.noise, *pulls, *pushes, *on_noise,
        sums, n_centers, n_words, tile, window, n_noise, negative / n_noise,
        **_sizes(size, tile),
    )  # fmt: skip
    launch(
        _triton.on_words, -(-n_words // TILE), *pairs, *on_words, n_centers, n_words,
        window, **_sizes(size, TILE),
    )  # fmt: skip
    return Forces(pulls, pushes, on_outputs, sums.sum(dim=0))


def _unwritten(like: Tensor, n: int) -> Force:
    """Allocate a force on n rows."""
    return Force(like.new_empty(n, like.shape[1]), like.new_empty(n))


def _sizes(vector_size: int, tile: int) -> dict[str, Any]:
    """Choose the sizes of blocks."""
    width, at_once = width_of(vector_size), width_of(tile)
    return {
        "SIZE": vector_size,
        "WIDTH": width,
        "TILE": at_once,
        "CHUNK": CHUNK,
        # Where rows are short, scores take most registers.
        **options(max(width, 64) * at_once),
    }
