"""Matrix products of tiles that stay in the registers until they are done.

A row of the left matrix is broadcast number by number, the right one is read sixteen
columns at a time: each number that is read takes part in several multiplications, and
no sum leaves its register. This is the innermost step of every fast matrix product;
what is around it knows best what to read when, and how the matrices lie in memory.
"""

import numba
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from skembed._kernels.simd import LANES, PLAIN

_float = ir.FloatType()
_vector = ir.VectorType(_float, LANES)
_byte = ir.IntType(8)


def tile_product(n_rows, n_vectors):
    """Make a product of `n_rows` rows and `n_vectors` times `LANES` columns.

    Parameters
    ----------
    n_rows, n_vectors : int
        Their product, a few more and `n_vectors` are the registers that are used.

    Returns
    -------
    multiply : callable
        For compiled functions: ``multiply(a, i, b, h, j, depth, out, k, l)`` writes the
        product of the tiles ``a[i : i + n_rows, :depth]`` and
        ``b[h : h + depth, j : j + n_vectors * LANES]`` to row k and column l of `out`.
        The matrices are float32; their rows may lie anywhere, the numbers of a row next
        to each other.
    """
    plain = _plain_product(n_rows, n_vectors)
    return numba.njit(plain) if PLAIN else _vector_product(n_rows, n_vectors)


def _plain_product(n_rows, n_vectors):
    def multiply(a, i, b, h, j, depth, out, k, l):  # noqa: E741
        for row in range(n_rows):
            for column in range(n_vectors * LANES):
                total = a[i, 0] * 0
                for d in range(depth):
                    total += a[i + row, d] * b[h + d, j + column]
                out[k + row, l + column] = total

    return multiply


def _vector_product(n_rows, n_vectors):
    def codegen(context, builder, signature, args):
        kinds = signature.args
        left = _Rows(context, builder, kinds[0], args[0])
        right = _Rows(context, builder, kinds[2], args[2])
        out = _Rows(context, builder, kinds[6], args[6])
        i, h, j, depth, k, l = (  # noqa: E741
            context.cast(builder, args[n], kinds[n], types.intp)
            for n in (1, 3, 4, 5, 7, 8)
        )
        sums = [
            [cgutils.alloca_once(builder, _vector) for _ in range(n_vectors)]
            for _ in range(n_rows)
        ]
        for slot in (slot for row in sums for slot in row):
            builder.store(ir.Constant(_vector, [0.0] * LANES), slot)
        rows = [left.at(i, row, 0, 0) for row in range(n_rows)]
        with cgutils.for_range(builder, depth, intp=ir.IntType(64)) as loop:
            line = builder.add(h, loop.index)
            columns = [
                builder.load(right.at(line, 0, j, c * LANES, _vector), align=4)
                for c in range(n_vectors)
            ]
            for row, slots in zip(rows, sums, strict=True):
                number = builder.load(builder.gep(row, [loop.index]), align=4)
                many = _splat(builder, number)
                for column, slot in zip(columns, slots, strict=True):
                    total = _fma(builder, many, column, builder.load(slot))
                    builder.store(total, slot)
        for row, slots in enumerate(sums):
            for c, slot in enumerate(slots):
                place = out.at(k, row, l, c * LANES, _vector)
                builder.store(builder.load(slot), place, align=4)
        return context.get_dummy_value()

    @intrinsic
    def multiply(typingctx, a, i, b, h, j, depth, out, k, l):  # noqa: E741
        return types.void(a, i, b, h, j, depth, out, k, l), codegen

    return multiply


class _Rows:
    """Where the rows of a matrix lie."""

    def __init__(self, context, builder, kind, value):
        array = context.make_array(kind)(context, builder, value)
        self.builder = builder
        self.start = builder.bitcast(array.data, _byte.as_pointer())
        self.stride = builder.extract_value(array.strides, 0)

    def at(self, row, row_more, column, column_more, kind=_float):
        """Point to a place; each number of it is a value plus a constant."""
        builder, number = self.builder, ir.IntType(64)
        if row_more:
            row = builder.add(row, number(row_more))
        line = builder.gep(self.start, [builder.mul(row, self.stride)])
        line = builder.bitcast(line, _float.as_pointer())
        place = number(column) if isinstance(column, int) else column
        place = builder.gep(line, [builder.add(place, number(column_more))])
        return builder.bitcast(place, kind.as_pointer())


def _splat(builder, number):
    lanes = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    undefined = ir.Constant(_vector, ir.Undefined)
    one = builder.insert_element(undefined, number, ir.IntType(32)(0))
    return builder.shuffle_vector(one, one, lanes)


def _fma(builder, a, b, c):
    kind = ir.FunctionType(_vector, [_vector] * 3)
    function = cgutils.get_or_insert_function(
        builder.module, kind, "llvm.fmuladd.v16f32"
    )
    return builder.call(function, [a, b, c])


def _plain_transpose(a, i, j, out, k, l):  # noqa: E741
    for row in range(LANES):
        for column in range(LANES):
            out[k + column, l + row] = a[i + row, j + column]


@intrinsic
def _transpose(typingctx, a, i, j, out, k, l):  # noqa: E741
    def codegen(context, builder, signature, args):
        kinds = signature.args
        source = _Rows(context, builder, kinds[0], args[0])
        target = _Rows(context, builder, kinds[3], args[3])
        i, j, k, l = (  # noqa: E741
            context.cast(builder, args[n], kinds[n], types.intp) for n in (1, 2, 4, 5)
        )
        rows = [
            builder.load(source.at(i, row, j, 0, _vector), align=4)
            for row in range(LANES)
        ]
        for step in (1, 2, 4, 8):
            for row in (row for row in range(LANES) if not row & step):
                pair = rows[row], rows[row + step]
                rows[row], rows[row + step] = _exchanged(builder, *pair, step)
        for row, values in enumerate(rows):
            builder.store(values, target.at(k, row, l, 0, _vector), align=4)
        return context.get_dummy_value()

    return types.void(a, i, j, out, k, l), codegen


def _exchanged(builder, a, b, step):
    """Exchange every other `step` lanes of `b` with those of `a` between them."""
    lanes = range(LANES)
    low = [lane + LANES - step if lane & step else lane for lane in lanes]
    high = [lane + LANES if lane & step else lane + step for lane in lanes]
    masks = [ir.Constant(ir.VectorType(ir.IntType(32), LANES), m) for m in (low, high)]
    return tuple(builder.shuffle_vector(a, b, mask) for mask in masks)


transpose = numba.njit(_plain_transpose) if PLAIN else _transpose
