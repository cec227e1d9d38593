"""The gradient step of skip-gram with negative sampling.

The loss of a centre word c with the observed words O around it, maximised in Mikolov et
al. (2013), "Distributed Representations of Words and Phrases and their
Compositionality", equation 4, is minimised here as

    L = sum over o in O of [ -log s(w_out[o] . w_in[c])
                             - sum over n in N of log s(-w_out[n] . w_in[c]) ]

where s is the logistic function and N are `negative` noise words;
``tests/reference/skipgram.py`` spells it out. The noise words are drawn anew for each o
in the paper. Here the same K words serve a tile of consecutive centres, each with the
weight |O| * negative / K, which leaves the expected gradient as it is and turns the
noise into products of small matrices. As in the equation, and unlike in word2vec.c, a
noise word may equal the observed one.
"""

import numba
import numpy as np

from skembed._kernels.compiling import compiled
from skembed._kernels.simd import LANES, fma, load, splat, store, store_sums
from skembed.training._kernels import errors_and_loss

_inline = numba.njit(inline="always")
TILE = 4
GROUP = 4
# Not `fastmath=True`: that assumes no NaN, and a diverged table must stay visible.
_njit = compiled(fastmath={"contract", "nsz"})


@_inline
def score_contexts(hidden, c, w_out, rows, r, k, scores, place):
    """Write the products of hidden vector c with the rows ``rows[r, k : k + 4]``."""
    r0, r1, r2, r3 = rows[r, k], rows[r, k + 1], rows[r, k + 2], rows[r, k + 3]
    a0 = a1 = a2 = a3 = splat(np.float32(0.0))
    for d in range(0, hidden.shape[1], LANES):
        h = load(hidden, c, d)
        a0 = fma(h, load(w_out, r0, d), a0)
        a1 = fma(h, load(w_out, r1, d), a1)
        a2 = fma(h, load(w_out, r2, d), a2)
        a3 = fma(h, load(w_out, r3, d), a3)
    store_sums(scores, place, a0, a1, a2, a3)


@_inline
def move_contexts(hidden, gradient, c, w_out, rows, r, k, errors, place):
    """Add errors times four rows to a gradient, errors times hidden to the rows.

    One row after the other, since two of them may be the same.
    """
    r0, r1, r2, r3 = rows[r, k], rows[r, k + 1], rows[r, k + 2], rows[r, k + 3]
    e0, e1 = splat(errors[place]), splat(errors[place + 1])
    e2, e3 = splat(errors[place + 2]), splat(errors[place + 3])
    for d in range(0, hidden.shape[1], LANES):
        h = load(hidden, c, d)
        g = load(gradient, c, d)
        w0 = load(w_out, r0, d)
        store(w_out, r0, d, fma(e0, h, w0))
        w1 = load(w_out, r1, d)
        store(w_out, r1, d, fma(e1, h, w1))
        w2 = load(w_out, r2, d)
        store(w_out, r2, d, fma(e2, h, w2))
        w3 = load(w_out, r3, d)
        store(w_out, r3, d, fma(e3, h, w3))
        g = fma(e3, w3, fma(e2, w2, fma(e1, w1, fma(e0, w0, g))))
        store(gradient, c, d, g)


@_inline
def _score_noise(hidden, w_out, rows, k, scores, place, stride):
    """Write the products of all hidden vectors with the rows ``rows[k : k + 4]``."""
    r0, r1, r2, r3 = rows[k], rows[k + 1], rows[k + 2], rows[k + 3]
    a0 = a1 = a2 = a3 = b0 = b1 = b2 = b3 = splat(np.float32(0.0))
    c0 = c1 = c2 = c3 = d0 = d1 = d2 = d3 = splat(np.float32(0.0))
    for d in range(0, hidden.shape[1], LANES):
        w0, w1 = load(w_out, r0, d), load(w_out, r1, d)
        w2, w3 = load(w_out, r2, d), load(w_out, r3, d)
        h = load(hidden, 0, d)
        a0, a1, a2, a3 = fma(h, w0, a0), fma(h, w1, a1), fma(h, w2, a2), fma(h, w3, a3)
        h = load(hidden, 1, d)
        b0, b1, b2, b3 = fma(h, w0, b0), fma(h, w1, b1), fma(h, w2, b2), fma(h, w3, b3)
        h = load(hidden, 2, d)
        c0, c1, c2, c3 = fma(h, w0, c0), fma(h, w1, c1), fma(h, w2, c2), fma(h, w3, c3)
        h = load(hidden, 3, d)
        d0, d1, d2, d3 = fma(h, w0, d0), fma(h, w1, d1), fma(h, w2, d2), fma(h, w3, d3)
    store_sums(scores, place, a0, a1, a2, a3)
    store_sums(scores, place + stride, b0, b1, b2, b3)
    store_sums(scores, place + 2 * stride, c0, c1, c2, c3)
    store_sums(scores, place + 3 * stride, d0, d1, d2, d3)


@_inline
def _four(errors, place):
    """Spread four neighbouring errors over a vector each."""
    return (
        splat(errors[place]),
        splat(errors[place + 1]),
        splat(errors[place + 2]),
        splat(errors[place + 3]),
    )


@_inline
def _add_four(e, x, total):
    """Add the sum of four products to a vector."""
    return fma(e[3], x[3], fma(e[2], x[2], fma(e[1], x[1], fma(e[0], x[0], total))))


@_inline
def _move_noise(hidden, gradient, w_out, rows, k, errors, place, stride):
    """Do for all hidden vectors and four noise rows what `move_contexts` does for one.

    The sixteen errors stay in registers; a row is read and written once.
    """
    a, b = _four(errors, place), _four(errors, place + stride)
    c, e = _four(errors, place + 2 * stride), _four(errors, place + 3 * stride)
    for d in range(0, hidden.shape[1], LANES):
        h = (
            load(hidden, 0, d),
            load(hidden, 1, d),
            load(hidden, 2, d),
            load(hidden, 3, d),
        )
        w0 = load(w_out, rows[k], d)
        store(w_out, rows[k], d, _add_four((a[0], b[0], c[0], e[0]), h, w0))
        w1 = load(w_out, rows[k + 1], d)
        store(w_out, rows[k + 1], d, _add_four((a[1], b[1], c[1], e[1]), h, w1))
        w2 = load(w_out, rows[k + 2], d)
        store(w_out, rows[k + 2], d, _add_four((a[2], b[2], c[2], e[2]), h, w2))
        w3 = load(w_out, rows[k + 3], d)
        store(w_out, rows[k + 3], d, _add_four((a[3], b[3], c[3], e[3]), h, w3))
        w = (w0, w1, w2, w3)
        store(gradient, 0, d, _add_four(a, w, load(gradient, 0, d)))
        store(gradient, 1, d, _add_four(b, w, load(gradient, 1, d)))
        store(gradient, 2, d, _add_four(c, w, load(gradient, 2, d)))
        store(gradient, 3, d, _add_four(e, w, load(gradient, 3, d)))


@_njit
def tile_step(
    hidden, gradient, w_out, context_rows, n_contexts, noise_rows, first_noise, n_noise,
    rates, signs, scores,
):  # fmt: skip
    """Move a tile of hidden vectors towards their contexts, and away from the noise.

    All gradients are those at the old tables; only where two rows are the same word's,
    the second sees what the first has changed.

    Parameters
    ----------
    hidden : ndarray of shape (TILE, n_columns), float32
    gradient : ndarray of shape (TILE, n_columns), float32
        What to add to the hidden vectors, added to in place.
    w_out : ndarray of shape (n_rows + 1, n_columns), float32
        Updated in place. The last row pads groups, and stays as it is.
    context_rows : ndarray of shape (TILE, n_places), int32
        ``context_rows[c, : n_contexts[c]]`` are the rows of the words around centre c;
        what follows, up to a whole group, is overwritten.
    n_contexts : ndarray of shape (TILE,), int32
    noise_rows : ndarray of shape (n,), int32
        Rows of noise words: `n_noise` from `first_noise` on, whole groups.
    rates : ndarray of shape (TILE * (n_places + n_noise),), float32
        For each hidden vector in turn, the step size times each pair's weight: first
        for the places of contexts (0 where there is none), then for the noise.
    signs : ndarray of the same shape, float32
        -1 for places, 1 for noise.
    scores : ndarray of the same shape, float32
        Scratch space, overwritten.

    Returns
    -------
    loss : float32
        The loss of the pairs, times their rates.
    """
    n_places = context_rows.shape[1]
    stride = n_places + n_noise
    for c in range(TILE):
        n = n_contexts[c]
        for k in range(n, -(-n // GROUP) * GROUP):
            context_rows[c, k] = len(w_out) - 1
        for k in range(0, n, GROUP):
            score_contexts(hidden, c, w_out, context_rows, c, k, scores, c * stride + k)
    for k in range(0, n_noise, GROUP):
        _score_noise(
            hidden, w_out, noise_rows, first_noise + k, scores, n_places + k, stride
        )
    loss = errors_and_loss(scores, signs, rates)
    for c in range(TILE):
        for k in range(0, n_contexts[c], GROUP):
            move_contexts(
                hidden, gradient, c, w_out, context_rows, c, k, scores, c * stride + k
            )
    for k in range(0, n_noise, GROUP):
        _move_noise(
            hidden, gradient, w_out, noise_rows, first_noise + k, scores, n_places + k,
            stride,
        )  # fmt: skip
    return loss
