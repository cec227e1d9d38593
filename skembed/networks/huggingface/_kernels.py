"""Attention on a CPU, for texts of any lengths that stand in one row.

Of each text and head, the keys are laid out column by column; then a few queries at a
time are multiplied with all keys, their scores become weights while they are in the
nearest cache, and the weights are multiplied with the values.
"""

import numpy as np

from skembed._kernels.compiling import compiled
from skembed._kernels.exponential import LOG2_E, power_of_two
from skembed._kernels.simd import LANES, largest_lane, load, maximum, padded
from skembed._kernels.tiles import tile_product, transpose

_F = np.float32

# Of 32 registers, 24 hold sums, four a row of the right matrix, one a number of the
# left one.
_ROWS = 6
_six_by_four = tile_product(_ROWS, 4)
_six_by_two = tile_product(_ROWS, 2)
_six_by_one = tile_product(_ROWS, 1)
_one_by_one = tile_product(1, 1)

_njit = compiled()


@_njit
def _multiply(n_rows, a, i, b, h, depth, n_columns, out, k):
    """Write ``a[i : i + n_rows, :depth] @ b[h : h + depth, :n_columns]`` to `out`.

    There are `_ROWS` rows, or one.
    """
    column = 0
    if n_rows == 1:
        while n_columns - column >= LANES:
            _one_by_one(a, i, b, h, column, depth, out, k, column)
            column += LANES
        return
    while n_columns - column >= 4 * LANES:
        _six_by_four(a, i, b, h, column, depth, out, k, column)
        column += 4 * LANES
    if n_columns - column >= 2 * LANES:
        _six_by_two(a, i, b, h, column, depth, out, k, column)
        column += 2 * LANES
    if n_columns - column >= LANES:
        _six_by_one(a, i, b, h, column, depth, out, k, column)


@_njit
def _lay_out(key, text, packed):
    """Turn the keys of a text into columns; those beyond its end mean nothing."""
    start, stop = text
    n_tokens, size = key.shape
    length = stop - start
    column = 0
    while column < length and start + column + LANES <= n_tokens:
        for d in range(0, size, LANES):
            transpose(key, start + column, d, packed, d, column)
        column += LANES
    for j in range(column, length):
        for d in range(size):
            packed[d, j] = key[start + j, d]


@_njit
def _largest(scores, row, n_columns):
    largest = load(scores, row, 0)
    for column in range(LANES, n_columns, LANES):
        largest = maximum(load(scores, row, column), largest)
    return largest_lane(largest)


# A sum in a given order would keep the loop from vectors.
@compiled(fastmath={"contract", "nsz", "reassoc"})
def _exponentiate(scores, row, n_columns, factor, largest):
    """Turn scores s into exp(scale * (s - largest)), `factor` being scale * log2(e).

    What lies far below the largest score has no weight. A NaN stays one.

    Returns
    -------
    total : float32
    """
    total = _F(0.0)
    for j in range(n_columns):
        e = power_of_two(factor * (scores[row, j] - largest))
        scores[row, j] = e
        total += e
    return total


@_njit
def _weigh(scores, row, n_seen, n_keys, factor):
    """Turn scores into weights that are yet to be divided by what is returned."""
    width = padded(n_keys)
    for j in range(n_seen, width):
        scores[row, j] = -np.inf
    largest = _largest(scores, row, width)
    total = _exponentiate(scores, row, width, factor, largest)
    for j in range(n_seen, n_keys):
        scores[row, j] = _F(0.0)
    return total


@compiled(error_model="numpy")
def _attend_text(query, packed, value, scores, text, factor, is_causal, out):
    """Attend with one head within one text; see `attend`."""
    start, stop = text
    length, size = stop - start, query.shape[1]
    n_rows = _ROWS if length >= _ROWS else 1
    first = 0
    while first < length:
        # The last rows are done with those before them, a second time.
        first = min(first, length - n_rows)
        row = start + first
        n_keys = first + n_rows if is_causal else length
        _multiply(n_rows, query, row, packed, 0, size, padded(n_keys), scores, 0)
        for i in range(n_rows):
            n_seen = first + i + 1 if is_causal else length
            # The total takes a place that no score needs.
            scores[i, -1] = _weigh(scores, i, n_seen, n_keys, factor)
        _multiply(n_rows, scores, 0, value, start, n_keys, out.shape[1], out, row)
        for i in range(n_rows):
            share = _F(1.0) / scores[i, -1]
            for d in range(out.shape[1]):
                out[row + i, d] *= share
        first += n_rows


@_njit
def attend(query, key, value, offsets, scale, is_causal, out):
    """Attend within each text: out = softmax(scale * query @ key.T) @ value.

    Parameters
    ----------
    query : ndarray of shape (n_heads, n_tokens, size), float32
        `size` is a multiple of `LANES`. As of `key` and `value`, the numbers of a row
        are next to each other.
    key : ndarray of shape (n_key_heads, n_tokens, size), float32
        Each head of keys serves n_heads / n_key_heads neighboring heads of queries.
    value : ndarray of shape (n_key_heads, n_tokens, value_size), float32
        `value_size` is a multiple of `LANES`, too.
    offsets : ndarray of shape (n_texts + 1,), int64
        Text i has the tokens from ``offsets[i]`` to ``offsets[i + 1] - 1``.
    scale : float32
    is_causal : bool
        Whether a token sees none that come after it.
    out : ndarray of shape (n_tokens, n_heads, value_size), float32
        Overwritten.
    """
    n_heads, _, size = query.shape
    n_sharing = n_heads // key.shape[0]
    longest = 0
    for text in range(len(offsets) - 1):
        longest = max(longest, offsets[text + 1] - offsets[text])
    packed = np.empty((size, padded(longest)), np.float32)
    scores = np.empty((_ROWS, padded(longest) + LANES), np.float32)
    factor = _F(scale) * LOG2_E
    # Texts within heads: to cut a head out costs as much as a short text.
    for head in range(n_heads):
        q, k, v = query[head], key[head // n_sharing], value[head // n_sharing]
        mixed = out[:, head]
        for i in range(len(offsets) - 1):
            text = offsets[i], offsets[i + 1]
            _lay_out(k, text, packed)
            _attend_text(q, packed, v, scores, text, factor, is_causal, mixed)
