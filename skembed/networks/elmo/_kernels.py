"""What is between the 8-bit matrix products of an LSTM, row by row.

A row is handled by the same instructions whatever is around it, so that it gives the
same bits in every batch. A number that is off in its last bit may be rounded to another
8-bit integer, which is a difference that one would see.
"""

import numpy as np

from skembed._kernels.compiling import compiled
from skembed._kernels.exponential import sigmoid
from skembed._kernels.simd import float_from_bits

_F = np.float32
_LARGEST = _F(127.0)
# Levels have no sign: 128 stands for 0. The half is for rounding.
_ZERO_AND_HALF = _F(128.5)
_TINIEST = _F(1e-30)
_INFINITY = _F(np.inf)
_ABSOLUTE = np.int32(0x7FFFFFFF)

_njit = compiled(error_model="numpy")


@_njit
def _largest(row):
    """Return the largest absolute value; as integers, their bits are as ordered."""
    largest = np.int32(0)
    for bits in row.view(np.int32):
        largest = max(largest, np.int32(bits & _ABSOLUTE))
    return float_from_bits(largest)


@_njit
def quantize(states, levels, scales):
    """Write each row as scale * (level - 128), with levels from 1 to 255.

    Parameters
    ----------
    states : ndarray of shape (n_rows, n_columns), float32
    levels : ndarray of shape (n_rows, n_columns), uint8
        Overwritten.
    scales : ndarray of shape (n_rows,), float32
        Overwritten by the largest absolute value of each row, divided by 127; by NaN
        if that is not finite.
    """
    for row in range(len(states)):
        largest = max(_largest(states[row]), _TINIEST)
        factor = _LARGEST / largest
        for column in range(states.shape[1]):
            level = states[row, column] * factor + _ZERO_AND_HALF
            levels[row, column] = np.uint8(np.int32(level))
        # A number above all others would be taken for one below.
        scales[row] = largest / _LARGEST if largest < _INFINITY else np.float32(np.nan)


@_njit
def scale_rows(sums, scales, bias, bound, out):
    """Write ``clip(scales[:, None] * sums + bias, -bound, bound)``.

    Parameters
    ----------
    sums : ndarray of shape (n_rows, n_columns), float32
    scales : ndarray of shape (n_rows,), float32
    bias : ndarray of shape (n_columns,), float32
    bound : float32
    out : ndarray of shape (n_rows, n_columns), float32
        Overwritten; it may be `sums`.
    """
    for row in range(len(sums)):
        scale = scales[row]
        for column in range(sums.shape[1]):
            value = sums[row, column] * scale + bias[column]
            out[row, column] = min(max(value, -bound), bound)


@_njit
def advance(inputs, input_scales, recurrent, scales, bias, bound, cell, hidden):
    """Take one step of an LSTM, given its matrix products.

    See `skembed.networks.elmo._lstm.ProjectedLstm`, also for what is doubled.

    Parameters
    ----------
    inputs : ndarray of shape (n_texts, 4 * n_cells), float32
        The product of the input, with the gates i, f, o and j, but for the scales of
        its rows. Overwritten.
    input_scales : ndarray of shape (n_texts,), float32
    recurrent : ndarray of shape (n_texts, 4 * n_cells), float32
        The product of the output of the step before, but for `scales`.
    scales : ndarray of shape (n_texts,), float32
    bias : ndarray of shape (4 * n_cells,), float32
    bound : float32
        Of the cells.
    cell : ndarray of shape (n_texts, n_cells), float32
        Updated in place.
    hidden : ndarray of shape (n_texts, n_cells), float32
        Overwritten by what is projected.
    """
    n_cells = cell.shape[1]
    for text in range(len(cell)):
        input_scale, scale = input_scales[text], scales[text]
        for k in range(4 * n_cells):
            z = inputs[text, k] * input_scale + (recurrent[text, k] * scale + bias[k])
            inputs[text, k] = sigmoid(z)
        # Short loops: the compiler gives up on one that writes beside many arrays.
        i = inputs[text, :n_cells]
        f = inputs[text, n_cells : 2 * n_cells]
        o = inputs[text, 2 * n_cells : 3 * n_cells]
        j = inputs[text, 3 * n_cells :]
        for k in range(n_cells):
            new = f[k] * cell[text, k] + i[k] * (_F(2.0) * j[k] - _F(1.0))
            cell[text, k] = min(max(new, -bound), bound)
        for k in range(n_cells):
            squashed = _F(2.0) * sigmoid(_F(2.0) * cell[text, k]) - _F(1.0)
            hidden[text, k] = o[k] * squashed


@_njit
def mix_highway(sums, scales, bias, states):
    """Turn states h into g relu(t) + (1 - g) h, where g = sigmoid(c).

    Parameters
    ----------
    sums : ndarray of shape (n_rows, 2 * n_columns), float32
        t and c side by side, but for `scales` and `bias`.
    scales : ndarray of shape (n_rows,), float32
    bias : ndarray of shape (2 * n_columns,), float32
    states : ndarray of shape (n_rows, n_columns), float32
        Updated in place.
    """
    n_columns = states.shape[1]
    for row in range(len(states)):
        scale = scales[row]
        for k in range(n_columns):
            t = max(sums[row, k] * scale + bias[k], _F(0.0))
            gate = sigmoid(sums[row, n_columns + k] * scale + bias[n_columns + k])
            states[row, k] += gate * (t - states[row, k])
