"""What the pairs of a block ask of all rows, in operations of torch.

A tile of T consecutive centres has T + 2 window contexts, which are consecutive words
too: the rows of a block's words are read once, the contexts of a tile are a view of
them, and all scores of a tile are one small matrix product, of which a band is used.
Each operation reads what the one before has written: `fused` moves less.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import softplus

from skembed.training._torch.steps import Force
from skembed.training.skipgram._torch.center import Vectors
from skembed.training.skipgram._torch.draws import Block


class Forces(NamedTuple):
    """What the pairs of a block ask for.

    Parameters
    ----------
    pulls : Force
        Of its contexts on each centre.
    pushes : Force
        Of its noise on each centre.
    on_outputs : Force
        Of centres on each noise word, tile by tile, then on each word of the block.
    sums : Tensor of shape (2,), float32
        The summed loss of all pairs, and how many there were, both weighted.
    """

    pulls: Force
    pushes: Force
    on_outputs: Force
    sums: Tensor


class _Errors(NamedTuple):
    """The parts of a step's gradient, of the shapes of scores."""

    contexts: Tensor
    noise: Tensor
    sums: Tensor


def forces_of(
    vectors: Vectors, outputs: Tensor, block: Block, negative: float
) -> Forces:
    """Tell what all pairs of a block ask of the rows that they are of.

    Parameters
    ----------
    vectors : Vectors
        Of the centres.
    outputs : Tensor of shape (n_rows, vector_size), float32
        The output table.
    block : Block
    negative : float
        Noise words for each observed word.

    Returns
    -------
    forces : Forces
    """
    n_tiles, tile = block.reach.shape
    window = (len(block.words) - n_tiles * tile) // 2
    hidden = vectors.table[vectors.rows].view(n_tiles, tile, -1)
    words, noise = outputs[block.words], outputs[block.noise]
    contexts = _tiles(words, n_tiles, tile)
    errors = _errors(hidden, contexts, noise, block, negative)
    pulls = Force(
        torch.bmm(errors.contexts, contexts).flatten(0, 1),
        errors.contexts.sum(dim=2).flatten(),
    )
    pushes = Force(
        _product(errors.noise, noise, sign=-1).flatten(0, 1),
        errors.noise.sum(dim=2).flatten(),
    )
    ones = torch.ones_like(hidden[:, :, :1])
    on_outputs = Force(
        _of_outputs(errors, hidden, window, of_noise=-1),
        _of_outputs(errors, ones, window, of_noise=1)[:, 0],
    )
    return Forces(pulls, pushes, on_outputs, errors.sums)


def _tiles(values: Tensor, n_tiles: int, tile: int) -> Tensor:
    """View the words around each tile, which overlap: (n_tiles, tile + 2 window)."""
    around = len(values) - (n_tiles - 1) * tile
    stride = values.stride()
    shape = (n_tiles, around, *values.shape[1:])
    return values.as_strided(shape, (tile * stride[0], *stride))


def _windows(block: Block, n_around: int) -> Tensor:
    """Say which words around a tile are contexts of which centre; bool."""
    n_tiles, tile = block.reach.shape
    window = (n_around - tile) // 2
    device = block.reach.device
    center = torch.arange(window, window + tile, dtype=torch.int32, device=device)
    place = torch.arange(n_around, dtype=torch.int32, device=device)
    distance = (place - center[:, None]).abs()
    # A word is no context of itself.
    distance[distance == 0] = window + 1
    own = _tiles(block.documents[window:-window], n_tiles, tile)
    around = _tiles(block.documents, n_tiles, tile)
    within = distance <= block.reach[:, :, None]
    return within.logical_and_(own[:, :, None] == around[:, None, :])


def _errors(
    hidden: Tensor, contexts: Tensor, noise: Tensor, block: Block, negative: float
) -> _Errors:
    """Score all pairs of a block; give the steps they ask for, and the sums."""
    weights = _windows(block, contexts.shape[1]).to(hidden.dtype)
    if block.weight is not None:
        weights *= block.weight[:, :, None]
    n_observed = weights.sum(dim=2, keepdim=True)
    share = n_observed * (negative / noise.shape[1])

    observed = _product(hidden, contexts.mT, sign=-1)
    against = torch.bmm(hidden, noise.mT)
    loss = torch.dot(softplus(observed).flatten(), weights.flatten())
    loss += torch.dot(softplus(against).sum(dim=2).flatten(), share.flatten())
    return _Errors(
        observed.sigmoid_().mul_(weights),
        against.sigmoid_().mul_(share),
        torch.stack([loss, n_observed.sum()]),
    )


def _product(left: Tensor, right: Tensor, sign: int) -> Tensor:
    """Multiply matrices, and their product by 1 or -1, in one go."""
    return torch.baddbmm(left.new_empty(()), left, right, beta=0, alpha=sign)


def _of_outputs(errors: _Errors, values: Tensor, window: int, of_noise: int) -> Tensor:
    """Sum the errors of each noise word and each word, times the centres' values.

    Parameters
    ----------
    errors : _Errors
    values : Tensor of shape (n_tiles, tile, n_columns), float32
    window : int
    of_noise : int
        The sign of the errors of noise.

    Returns
    -------
    sums : Tensor of shape (n_noise + n_words, n_columns), float32
        Of the noise words of all tiles, then of the words of the block, for which what
        several tiles give is added up.
    """
    n_tiles, tile, n_columns = values.shape
    n_noise, around = errors.noise.shape[2], errors.contexts.shape[2]
    n_later = -(-2 * window // tile)
    n_rows = n_tiles * n_noise + (n_tiles + n_later) * tile
    sums = values.new_zeros(n_rows, n_columns)
    noise = sums[: n_tiles * n_noise].view(n_tiles, n_noise, n_columns)
    words = sums[n_tiles * n_noise :].view(n_tiles + n_later, tile, n_columns)
    noise.baddbmm_(errors.noise.mT, values, beta=0, alpha=of_noise)
    for later in range(n_later + 1):
        # The words around a tile reach into the next one, or into several.
        first, last = later * tile, min((later + 1) * tile, around)
        part = words[later : later + n_tiles, : last - first]
        part.baddbmm_(errors.contexts[:, :, first:last].mT, values)
    return sums[: n_rows - n_later * tile + 2 * window]
