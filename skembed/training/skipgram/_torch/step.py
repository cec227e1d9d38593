"""The gradient step of skip-gram with negative sampling, for a block of centre words.

The loss is that of the compiled core (see `skembed.training.skipgram._kernels.step`):
the K noise words of a tile serve all its centres, each with the weight
|O| * negative / K. All gradients of a block are those at the old tables.

What a step costs is memory traffic: ``benchmarks/bench_gpu.py`` counts the bytes, and
compares them with what the device can move. With vectors of 100 floats and a window of
5, skip-gram moves some 22 kB for each word of a corpus in operations of torch, and some
7 kB in Triton's kernels, which do the same where they can run. Caches of a GPU serve a
part of both.
"""

import torch
from torch import Tensor

from skembed.training._torch.fused import serves
from skembed.training.skipgram._torch import fused, unfused
from skembed.training.skipgram._torch.center import Tables
from skembed.training.skipgram._torch.draws import Block


@torch.inference_mode()
def step(tables: Tables, block: Block, negative: float, rate: float) -> Tensor:
    """Take one gradient step on all pairs of a block, in place.

    Parameters
    ----------
    tables : Tables
    block : Block
    negative : float
        Noise words for each observed word, whose weight the shared ones have together.
    rate : float
        The learning rate.

    Returns
    -------
    sums : Tensor of shape (2,), float32
        The summed loss of all pairs, and how many there were, both weighted.
    """
    outputs = tables.output.table
    centers = tables.centers(block)
    has_kernels = serves(outputs.device, outputs.shape[1])
    forces_of = fused.forces_of if has_kernels else unfused.forces_of
    forces = forces_of(centers.vectors(), outputs, block, negative)
    centers.move([forces.pulls, forces.pushes], rate)
    tables.output.move(block.output_rows, [forces.on_outputs], rate)
    return forces.sums
