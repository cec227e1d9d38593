"""The gradient step of GloVe, and the order in which entries are trained on.

The loss of Pennington et al. (2014), "GloVe: Global Vectors for Word Representation",
equations 8 and 9, for an entry of row i, column j and value x, is

    J = f(x) (w[i] . c[j] + b[i] + d[j] - log x)^2,   f(x) = min((x / x_max)^alpha, 1)

and ``tests/reference/glove.py`` spells it out. Steps are AdaGrad's, in the form of the
program published with the paper: with g the gradient of J / 2 and r the learning rate,

    z = r g,   parameter -= z / sqrt(G),   G += z^2

where G starts at 1. Biases move by the same rule. (Since 2019 the published program
leaves r out for them; here it is as in the paper.)

Rows of the tables hold a word's vector, bias and a 1, such that their product is the
sum of all: [w, b, 1, 0 ...] . [c, 1, d, 0 ...] = w . c + b + d.
"""

import math

import numba
import numpy as np

from skembed._kernels.compiling import compiled
from skembed._kernels.random import below, mix
from skembed._kernels.simd import LANES, float_from_bits, prefetch

# How many entries ahead of their use rows are asked for.
AHEAD = 6
# Not `fastmath=True`: that assumes no NaN, and a diverged table must stay visible.
# Which order sums are made in, the compiler decides once and for all.
_options = {"error_model": "numpy", "fastmath": {"contract", "nsz", "reassoc"}}
_inline = numba.njit(inline="always")


@compiled()
def count_blocks(rows, columns, n_blocks, sizes):
    """Count the entries of each block, adding to `sizes`, (n_blocks ** 2,), int64."""
    for k in range(len(rows)):
        sizes[rows[k] % n_blocks * n_blocks + columns[k] % n_blocks] += 1


@compiled()
def fill_blocks(rows, columns, targets, weights, n_blocks, cursor, entries):
    """Copy entries to the blocks that they belong to.

    Parameters
    ----------
    rows, columns : ndarray of shape (n,), int32
    targets, weights : ndarray of shape (n,), int32
        The bits of the float32 log x and f(x).
    n_blocks : int
    cursor : ndarray of shape (n_blocks ** 2,), int64
        Where the next entry of each block goes; moved on in place.
    entries : ndarray of shape (n_entries, 4), int32
        Written to.
    """
    for k in range(len(rows)):
        block = rows[k] % n_blocks * n_blocks + columns[k] % n_blocks
        place = cursor[block]
        cursor[block] = place + 1
        entries[place, 0] = rows[k]
        entries[place, 1] = columns[k]
        entries[place, 2] = targets[k]
        entries[place, 3] = weights[k]


@_inline
def _draw(entries, k, last, key):
    """Swap an entry with one after it, drawn at random: a step of a shuffle."""
    j = k + below(mix(key + np.uint64(k)), last - k)
    for part in range(4):
        kept = entries[k, part]
        entries[k, part] = entries[j, part]
        entries[j, part] = kept


@_inline
def _ask_for(tables, i, j):
    """Have the rows of an entry fetched into the cache."""
    for d in range(0, tables[0].shape[1], LANES):
        prefetch(tables[0], i, d)
        prefetch(tables[1], j, d)
        prefetch(tables[2], i, d)
        prefetch(tables[3], j, d)


@compiled(**_options)
def entry_step(w, c, w_squares, c_squares, target, weight, rate, size):
    """Take one AdaGrad step on one entry, in place.

    Parameters
    ----------
    w, c : ndarray of shape (n_columns,), float32
        The row [vector, bias, 1, 0 ...] of the word, and [vector, 1, bias, 0 ...] of
        the word in its context.
    w_squares, c_squares : ndarray of shape (n_columns,), float32
        The sums G.
    target, weight : float32
        log x and f(x).
    rate : float32
        The learning rate.
    size : int
        Length of the vectors.

    Returns
    -------
    loss : float32
        Before the step.
    """
    n_columns = len(w)
    score = np.float32(0.0)
    for k in range(n_columns):
        score += w[k] * c[k]
    error = score - target
    z = rate * weight * error
    for k in range(n_columns):
        # Both gradients are those at the old tables.
        old_w, old_c = w[k], c[k]
        z_w, z_c = z * old_c, z * old_w
        w[k] = old_w - z_w / np.float32(math.sqrt(w_squares[k]))
        c[k] = old_c - z_c / np.float32(math.sqrt(c_squares[k]))
        w_squares[k] += z_w * z_w
        c_squares[k] += z_c * z_c
    # What multiplies the other word's bias is no parameter.
    w[size + 1] = c[size] = np.float32(1.0)
    w_squares[size + 1] = c_squares[size] = np.float32(1.0)
    return weight * error * error


@compiled(**_options)
def train_blocks(
    entries, bounds, n_blocks, diagonal, piece, n_pieces, part, n_parts, tables, size,
    rate, key, losses,
):  # fmt: skip
    """Train on a piece of the blocks of one diagonal, in place, in random order.

    No two blocks of a diagonal have a row or a column in common, so that several
    threads can each take some of them, to the same result as one.

    Parameters
    ----------
    entries : ndarray of shape (n_entries, 4), int32
        From `fill_blocks`. Shuffled in place.
    bounds : ndarray of shape (n_blocks ** 2 + 1,), int64
        Where each block begins.
    n_blocks : int
    diagonal : int
        The block of columns of the first block of rows.
    piece, n_pieces : int
        Which part of each block to take; pieces are to be taken in their order.
    part, n_parts : int
        Take the blocks of rows `part`, `part` + `n_parts`, ...
    tables : tuple of four ndarray of shape (n_words, n_columns), float32
        Words, contexts, and AdaGrad's sums for both.
    size : int
        Length of the vectors.
    rate : float32
    key : uint64
        Fixes the order.
    losses : ndarray of shape (n_blocks,), float64
        Overwritten with the summed loss of each block's piece.
    """
    for row in range(part, n_blocks, n_parts):
        block = row * n_blocks + (row + diagonal) % n_blocks
        first, last = bounds[block], bounds[block + 1]
        start = first + (last - first) * piece // n_pieces
        stop = first + (last - first) * (piece + 1) // n_pieces
        for k in range(start, min(start + AHEAD, stop)):
            _draw(entries, k, last, key)
        loss = 0.0
        for k in range(start, stop):
            if k + AHEAD < stop:
                _draw(entries, k + AHEAD, last, key)
                _ask_for(tables, entries[k + AHEAD, 0], entries[k + AHEAD, 1])
            i, j = entries[k, 0], entries[k, 1]
            target = float_from_bits(entries[k, 2])
            weight = float_from_bits(entries[k, 3])
            loss += entry_step(
                tables[0][i], tables[1][j], tables[2][i], tables[3][j], target, weight,
                rate, size,
            )  # fmt: skip
        losses[row] = loss
