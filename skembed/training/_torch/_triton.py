"""The Triton kernel that moves rows, and what kernels share.

Rows have SIZE numbers, and fill blocks of the next power of two, WIDTH. SIZE is known
to the compiler, which then loads several numbers at once. How many rows there are, and
where in memory lists of them begin, is another thing for each block: that of these
something is a multiple of 16 is not to be compiled for.
"""

import triton
import triton.language as tl


@triton.jit
def load_rows(table, rows, exists, SIZE: tl.constexpr, WIDTH: tl.constexpr):
    """Load rows, (n, WIDTH): zeros for those that do not exist."""
    column = tl.arange(0, WIDTH)
    mask = exists[:, None] & (column < SIZE)[None, :]
    return tl.load(table + rows[:, None] * SIZE + column[None, :], mask, other=0.0)


@triton.jit
def store_rows(table, rows, exists, values, SIZE: tl.constexpr, WIDTH: tl.constexpr):
    """Store values of shape (n, WIDTH) as those rows that exist."""
    column = tl.arange(0, WIDTH)
    mask = exists[:, None] & (column < SIZE)[None, :]
    at = rows.to(tl.int64)[:, None] * SIZE + column[None, :]
    tl.store(table + at, values, mask)


@triton.jit
def _bend(sums, strength, updates, exists, direction, SIZE, WIDTH, TINY: tl.constexpr):
    """Give the stiffness of forces along a direction, times its squared length."""
    along = load_rows(sums, updates, exists, SIZE, WIDTH) * direction[None, :]
    along = tl.sum(along, 1)
    divisor = tl.maximum(tl.load(strength + updates, exists, other=0.0), TINY)
    return tl.sum(along * along / divisor, 0)


@triton.jit(
    do_not_specialize=["n_rows", "n_updates"],
    do_not_specialize_on_alignment=["which", "starts", "order", "rows", "counts"],
)
def settle(
    which,
    starts,
    order,
    sums,
    strength,
    more_sums,
    more_strength,
    rows,
    counts,
    table,
    resultants,
    stiffnesses,
    n_rows,
    n_updates,
    rate,
    SIZE: tl.constexpr,
    WIDTH: tl.constexpr,
    CHUNK: tl.constexpr,
    TINY: tl.constexpr,
    WHOLE: tl.constexpr,
):
    """Add up what is asked of a row, and move it; or write the sum and its stiffness.

    Each program takes one row of those that `which` lists, and CHUNK updates at a time,
    twice: the second time for the stiffness along the sum, from a cache if they are
    few. The row is moved if there is a `table`.
    """
    number = tl.load(which + tl.program_id(0))
    start = tl.load(starts + number)
    stop = tl.load(starts + number + 1, number + 1 < n_rows, other=n_updates)
    place = tl.arange(0, CHUNK)

    total = tl.zeros((WIDTH,), tl.float32)
    for first in range(start, stop, CHUNK):
        exists = first + place < stop
        update = tl.load(order + first + place, exists, other=0)
        total += tl.sum(load_rows(sums, update, exists, SIZE, WIDTH), 0)
        if more_sums is not None:
            total += tl.sum(load_rows(more_sums, update, exists, SIZE, WIDTH), 0)

    bend = 0.0
    for first in range(start, stop, CHUNK):
        exists = first + place < stop
        update = tl.load(order + first + place, exists, other=0)
        bend += _bend(sums, strength, update, exists, total, SIZE, WIDTH, TINY)
        if more_sums is not None:
            bend += _bend(
                more_sums, more_strength, update, exists, total, SIZE, WIDTH, TINY
            )
    stiffness = bend / tl.maximum(tl.sum(total * total, 0), TINY)

    column = tl.arange(0, WIDTH)
    if table is not None:
        # See `skembed.training._torch.steps.step_sizes`.
        way = rate * stiffness
        part = tl.minimum(way / tl.load(counts + number), WHOLE)
        at = table + tl.load(rows + number) * SIZE + column
        moved = tl.load(at, column < SIZE, other=0.0)
        moved += rate * (1 + part) / (1 + way) * total
        tl.store(at, moved, column < SIZE)
    else:
        tl.store(resultants + number * SIZE + column, total, column < SIZE)
        tl.store(stiffnesses + number, stiffness)
