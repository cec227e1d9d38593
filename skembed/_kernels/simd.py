"""Sixteen float32 at a time: the vector primitives of the training kernels.

Numba has no vector type, and a loop over a row of unknown length ends in scalars. So
this file gives it one, ``<16 x float>`` of LLVM, which every processor's code generator
knows: one AVX-512 register, two of AVX2, four of SSE or NEON. Tables whose rows are
padded with zeros to a multiple of `LANES` then need no scalar end.

With ``NUMBA_DISABLE_JIT=1``, or ``SKEMBED_PLAIN_VECTORS=1`` for where LLVM vectors give
trouble, the same functions work on small numpy arrays: slow, to the same results.
"""

import os

import numba
import numpy as np
from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, register_model

LANES = 16
# Whether a vector is one register, of which there are 32 then.
HAS_512_BITS = bool(binding.get_host_cpu_features().get("avx512f"))
PLAIN = numba.config.DISABLE_JIT or os.environ.get("SKEMBED_PLAIN_VECTORS") == "1"


@numba.njit(inline="always")
def padded(n_columns):
    """Round a row's length up to whole vectors."""
    return -(-n_columns // LANES) * LANES


class _Vector(types.Type):
    def __init__(self):
        super().__init__(name="float32x16")


_vector = _Vector()
_float = ir.FloatType()
_llvm_vector = ir.VectorType(_float, LANES)


@register_model(_Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, dmm, fe_type):
        super().__init__(dmm, fe_type, _llvm_vector)


def pointer_to(context, builder, array_type, array, indices, target):
    """Point to an element of an array, as to a thing of another type."""
    array = context.make_array(array_type)(context, builder, array)
    indices = [
        context.cast(builder, i, t, types.intp)
        for i, t in zip(indices[0], indices[1], strict=True)
    ]
    pointer = cgutils.get_item_pointer(
        context, builder, array_type, array, indices, wraparound=False
    )
    return builder.bitcast(pointer, target.as_pointer())


@intrinsic
def _load(typingctx, table, row, column):
    def codegen(context, builder, signature, args):
        pointer = pointer_to(
            context, builder, signature.args[0], args[0],
            (args[1:], signature.args[1:]), _llvm_vector,
        )  # fmt: skip
        return builder.load(pointer, align=4)

    return _vector(table, row, column), codegen


@intrinsic
def _store(typingctx, table, row, column, value):
    def codegen(context, builder, signature, args):
        pointer = pointer_to(
            context, builder, signature.args[0], args[0],
            (args[1:3], signature.args[1:3]), _llvm_vector,
        )  # fmt: skip
        builder.store(args[3], pointer, align=4)
        return context.get_dummy_value()

    return types.void(table, row, column, value), codegen


@intrinsic
def _splat(typingctx, number):
    def codegen(context, builder, signature, args):
        number = context.cast(builder, args[0], signature.args[0], types.float32)
        one = builder.insert_element(
            ir.Constant(_llvm_vector, ir.Undefined), number, ir.IntType(32)(0)
        )
        lanes = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
        return builder.shuffle_vector(one, one, lanes)

    return _vector(number), codegen


@intrinsic
def _fma(typingctx, a, b, c):
    def codegen(context, builder, signature, args):
        # Not `llvm.fma`: where the processor has none, that is a call for each lane.
        kind = ir.FunctionType(_llvm_vector, [_llvm_vector] * 3)
        function = cgutils.get_or_insert_function(
            builder.module, kind, "llvm.fmuladd.v16f32"
        )
        return builder.call(function, args)

    return _vector(a, b, c), codegen


@intrinsic
def _add(typingctx, a, b):
    def codegen(context, builder, signature, args):
        return builder.fadd(*args)

    return _vector(a, b), codegen


@intrinsic
def _maximum(typingctx, a, b):
    def codegen(context, builder, signature, args):
        is_larger = builder.fcmp_ordered(">", *args)
        return builder.select(is_larger, *args)

    return _vector(a, b), codegen


@intrinsic
def _largest_lane(typingctx, a):
    def codegen(context, builder, signature, args):
        kind = ir.FunctionType(_float, [_llvm_vector])
        function = cgutils.get_or_insert_function(
            builder.module, kind, "llvm.vector.reduce.fmax.v16f32"
        )
        # Else it would go lane by lane, to get NaNs right.
        return builder.call(function, args, fastmath=("nnan", "nsz"))

    return types.float32(a), codegen


@intrinsic
def _store_sums(typingctx, numbers, k, a, b, c, d):
    def codegen(context, builder, signature, args):
        def lanes(x, y, indices):
            mask = ir.Constant(ir.VectorType(ir.IntType(32), len(indices)), indices)
            return builder.shuffle_vector(x, y, mask)

        def fold(x, y):
            """Add the halves of each 4-lane group of x and of y, x's in even pairs."""
            low = [g + s for g in range(0, LANES, 4) for s in (0, 1, LANES, LANES + 1)]
            return builder.fadd(lanes(x, y, low), lanes(x, y, [i + 2 for i in low]))

        ab, cd = fold(args[2], args[3]), fold(args[4], args[5])
        even = [g + s for g in range(0, LANES, 4) for s in (0, 2, LANES, LANES + 2)]
        quads = builder.fadd(lanes(ab, cd, even), lanes(ab, cd, [i + 1 for i in even]))
        eight = builder.fadd(
            lanes(quads, quads, list(range(8))), lanes(quads, quads, list(range(8, 16)))
        )
        four = builder.fadd(
            lanes(eight, eight, [0, 1, 2, 3]), lanes(eight, eight, [4, 5, 6, 7])
        )
        pointer = pointer_to(
            context, builder, signature.args[0], args[0],
            (args[1:2], signature.args[1:2]), ir.VectorType(_float, 4),
        )  # fmt: skip
        builder.store(four, pointer, align=4)
        return context.get_dummy_value()

    return types.void(numbers, k, a, b, c, d), codegen


@intrinsic
def _prefetch(typingctx, table, row, column):
    def codegen(context, builder, signature, args):
        byte, number = ir.IntType(8), ir.IntType(32)
        pointer = pointer_to(
            context, builder, signature.args[0], args[0],
            (args[1:], signature.args[1:]), byte,
        )  # fmt: skip
        kind = ir.FunctionType(ir.VoidType(), [byte.as_pointer()] + [number] * 3)
        function = cgutils.get_or_insert_function(
            builder.module, kind, "llvm.prefetch.p0"
        )
        # For writing, to be kept in all caches, data.
        builder.call(function, [pointer, number(1), number(3), number(1)])
        return context.get_dummy_value()

    return types.void(table, row, column), codegen


@intrinsic
def _float_from_bits(typingctx, bits):
    def codegen(context, builder, signature, args):
        return builder.bitcast(args[0], _float)

    return types.float32(types.int32), codegen


def _plain_load(table, row, column):
    return table[row, column : column + LANES].copy()


def _plain_store(table, row, column, value):
    table[row, column : column + LANES] = value


def _plain_splat(number):
    return np.full(LANES, number, dtype=np.float32)


def _plain_fma(a, b, c):
    # The product of two float32 is exact in float64: rounded once, as when fused.
    return (a.astype(np.float64) * b + c).astype(np.float32)


def _plain_add(a, b):
    return a + b


def _plain_maximum(a, b):
    return np.where(a > b, a, b)


def _plain_largest_lane(a):
    return a.max()


def _plain_sum(v):
    # In the order in which the shuffles of `_store_sums` bring the lanes together.
    quads = (v[0::4] + v[2::4]) + (v[1::4] + v[3::4])
    halves = quads[:2] + quads[2:]
    return halves[0] + halves[1]


def _plain_store_sums(numbers, k, a, b, c, d):
    numbers[k] = _plain_sum(a)
    numbers[k + 1] = _plain_sum(b)
    numbers[k + 2] = _plain_sum(c)
    numbers[k + 3] = _plain_sum(d)


def _plain_prefetch(table, row, column):
    return


def _plain_float_from_bits(bits):
    return np.array([bits], dtype=np.int32).view(np.float32)[0]


if PLAIN:
    load = numba.njit(_plain_load)
    store = numba.njit(_plain_store)
    splat = numba.njit(_plain_splat)
    fma = numba.njit(_plain_fma)
    add = numba.njit(_plain_add)
    maximum = numba.njit(_plain_maximum)
    largest_lane = numba.njit(_plain_largest_lane)
    store_sums = numba.njit(_plain_store_sums)
    prefetch = numba.njit(_plain_prefetch)
    float_from_bits = numba.njit(_plain_float_from_bits)
else:
    load, store, splat, fma, add = _load, _store, _splat, _fma, _add
    maximum, largest_lane = _maximum, _largest_lane
    store_sums, prefetch, float_from_bits = _store_sums, _prefetch, _float_from_bits
