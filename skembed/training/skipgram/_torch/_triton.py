"""Triton kernels of a skip-gram step: scores never leave the chip.

As attention does it, a program holds some rows, and goes through the rows that they are
scored against, some at a time: it loads these once, and adds up what they ask for. Each
sum belongs to one program, so that nothing is added atomically, and runs agree bit for
bit. `skembed.training.skipgram._torch.unfused` spells the same out in torch, and
`skembed.training.skipgram._torch.fused` launches these.
"""

import triton
import triton.language as tl

from skembed.training._torch._triton import load_rows, store_rows

# What begins elsewhere in memory for each block: see `skembed.training._torch._triton`.
_OF_BLOCK = ["rows", "words", "documents", "reach", "weight"]


@triton.jit
def _product(left, right):
    """Multiply matrices in float32, which tensor cores would round to fewer bits."""
    return tl.dot(left, right, input_precision="ieee")


@triton.jit
def _loss_and_error(x):
    """Give log(1 + e^x), the loss of a score of -x, and its derivative by x."""
    small = tl.exp(-tl.abs(x))
    loss = tl.maximum(x, 0.0) + tl.log(1.0 + small)
    return loss, tl.where(x < 0, small, 1.0) / (1.0 + small)


@triton.jit
def _weights(centers, places, documents, reach, weight, n_centers, n_words, window):
    """Weigh all pairs of some centres and places of words: 0 for those in no window.

    One of them is a row, the other a column. They may lie outside the block.
    """
    is_center = (centers >= 0) & (centers < n_centers)
    is_word = (places >= 0) & (places < n_words)
    own = tl.load(documents + centers + window, is_center, other=-1)
    around = tl.load(documents + places, is_word, other=-1)
    longest = tl.load(reach + centers, is_center, other=0)
    distance = tl.abs(centers + window - places)
    # What is no centre, or padding, has no reach.
    is_pair = (distance > 0) & (distance <= longest) & (own == around)
    weights = is_pair.to(tl.float32)
    if weight is not None:
        weights *= tl.load(weight + centers, is_center, other=0.0)
    return weights


@triton.jit(do_not_specialize_on_alignment=[*_OF_BLOCK, "noise"])
def on_centers(
    vectors,
    rows,
    outputs,
    words,
    documents,
    reach,
    weight,
    noise,
    pulls,
    pull_strength,
    pushes,
    push_strength,
    on_noise,
    noise_strength,
    sums,
    n_centers,
    n_words,
    tile,
    window,
    n_noise,
    noise_weight,
    SIZE: tl.constexpr,
    WIDTH: tl.constexpr,
    TILE: tl.constexpr,
    CHUNK: tl.constexpr,
):
    """Add up what contexts ask of a tile's centres, and what these and noise ask for.

    Each program takes one tile, of up to TILE centres, and CHUNK contexts or noise
    words at a time. ``noise_weight`` is that of a noise word for each observed one.
    """
    number = tl.program_id(0)
    centers = number * tile + tl.arange(0, TILE)
    in_tile = tl.arange(0, TILE) < tile
    own = tl.load(rows + centers, in_tile, other=0)
    hidden = load_rows(vectors, own, in_tile, SIZE, WIDTH)
    # Those beyond the tile are of the next one.
    windowed = tl.where(in_tile, centers, n_centers)

    loss = tl.zeros((TILE,), tl.float32)
    n_observed = tl.zeros((TILE,), tl.float32)
    strength = tl.zeros((TILE,), tl.float32)
    force = tl.zeros((TILE, WIDTH), tl.float32)
    n_around = tile + 2 * window
    for first in range(0, n_around, CHUNK):
        place = first + tl.arange(0, CHUNK)
        exists = place < n_around
        places = number * tile + place
        word = tl.load(words + places, exists, other=0)
        around = load_rows(outputs, word, exists, SIZE, WIDTH)
        weights = _weights(
            windowed[:, None], places[None, :],
            documents, reach, weight, n_centers, n_words, window,
        )  # fmt: skip
        losses, errors = _loss_and_error(-_product(hidden, tl.trans(around)))
        errors *= weights
        loss += tl.sum(losses * weights, 1)
        n_observed += tl.sum(weights, 1)
        strength += tl.sum(errors, 1)
        force += _product(errors, around)
    store_rows(pulls, centers, in_tile, force, SIZE, WIDTH)
    tl.store(pull_strength + centers, strength, in_tile)

    share = n_observed * noise_weight
    strength = tl.zeros((TILE,), tl.float32)
    force = tl.zeros((TILE, WIDTH), tl.float32)
    for first in range(0, n_noise, CHUNK):
        place = first + tl.arange(0, CHUNK)
        exists = place < n_noise
        place += number * n_noise
        word = tl.load(noise + place, exists, other=0)
        against = load_rows(outputs, word, exists, SIZE, WIDTH)
        weights = tl.where(exists[None, :], share[:, None], 0.0)
        losses, errors = _loss_and_error(_product(hidden, tl.trans(against)))
        errors *= weights
        loss += tl.sum(losses * weights, 1)
        strength += tl.sum(errors, 1)
        force -= _product(errors, against)
        of_noise = -_product(tl.trans(errors), hidden)
        store_rows(on_noise, place, exists, of_noise, SIZE, WIDTH)
        tl.store(noise_strength + place, tl.sum(errors, 0), exists)
    store_rows(pushes, centers, in_tile, force, SIZE, WIDTH)
    tl.store(push_strength + centers, strength, in_tile)
    tl.store(sums + 2 * number, tl.sum(loss, 0))
    tl.store(sums + 2 * number + 1, tl.sum(n_observed, 0))


@triton.jit(do_not_specialize_on_alignment=_OF_BLOCK)
def on_words(
    vectors,
    rows,
    outputs,
    words,
    documents,
    reach,
    weight,
    forces,
    strengths,
    n_centers,
    n_words,
    window,
    SIZE: tl.constexpr,
    WIDTH: tl.constexpr,
    TILE: tl.constexpr,
    CHUNK: tl.constexpr,
):
    """Add up what centres ask of the words in their windows.

    Each program takes TILE words. It scores them once more, as windows cross the ends
    of tiles: to write what each tile asks for, and add it up, would move more.
    """
    start = tl.program_id(0) * TILE
    places = start + tl.arange(0, TILE)
    exists = places < n_words
    own = tl.load(words + places, exists, other=0)
    around = load_rows(outputs, own, exists, SIZE, WIDTH)

    strength = tl.zeros((TILE,), tl.float32)
    force = tl.zeros((TILE, WIDTH), tl.float32)
    # A centre's place is `window` after its number.
    stop = tl.minimum(start + TILE, n_centers)
    for first in range(start - 2 * window, stop, CHUNK):
        centers = first + tl.arange(0, CHUNK)
        is_near = (centers >= 0) & (centers < stop)
        row = tl.load(rows + centers, is_near, other=0)
        hidden = load_rows(vectors, row, is_near, SIZE, WIDTH)
        weights = _weights(
            centers[None, :], places[:, None],
            documents, reach, weight, n_centers, n_words, window,
        )  # fmt: skip
        _, errors = _loss_and_error(-_product(around, tl.trans(hidden)))
        errors *= weights
        strength += tl.sum(errors, 1)
        force += _product(errors, hidden)
    store_rows(forces, places, exists, force, SIZE, WIDTH)
    tl.store(strengths + places, strength, exists)
