"""Compile the Triton kernels as they are launched, for GPUs that need not be here.

Triton's interpreter takes much that its compiler refuses, and does not know how much a
GPU has on its chip. This runs in a process of its own, without the interpreter, and
prints the shared memory that each kernel takes, in bytes.
"""

import json
import sys
from contextlib import ExitStack
from unittest.mock import patch

import numpy as np
import torch
from triton import JITFunction, compile
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from skembed.training._torch import _triton as rows
from skembed.training._torch import fused as fused_moves
from skembed.training.skipgram._torch import _triton as pairs
from skembed.training.skipgram._torch import fused
from skembed.training.skipgram._torch.draws import Layout
from tests.training.blocks import random_block, random_vectors

TYPES = {torch.float32: "*fp32", torch.int64: "*i64", torch.int32: "*i32"}


def type_of(name, value):
    """Name the type of an argument as Triton does."""
    if value is None or name.isupper():
        return "constexpr"
    if isinstance(value, torch.Tensor):
        return TYPES[value.dtype]
    return "fp32" if isinstance(value, float) else "i32"


def compiled(kernel, capability, args, named):
    """Compile a kernel for the arguments of a launch."""
    options = {name: value for name, value in named.items() if name.islower()}
    given = dict(zip(kernel.arg_names, args, strict=False)) | named
    signature = {name: type_of(name, given[name]) for name in kernel.arg_names}
    constants = {
        name: given[name] for name, kind in signature.items() if kind == "constexpr"
    }
    target = GPUTarget("cuda", capability, 32)
    return compile(ASTSource(kernel, signature, constants), target, options)


def launch(vector_size, weighted):
    """Launch all kernels on some block."""
    rng = np.random.default_rng(0)
    layout = Layout(1, 8, 32, 5, shrink=True)
    block = random_block(rng, torch.device("cpu"), layout, 32, weighted=weighted)
    vectors, outputs = random_vectors(rng, block, vector_size)
    forces = fused.forces_of(vectors, outputs, block, 5.0)
    fused_moves.resultant(block.centers, [forces.pulls, forces.pushes])
    fused_moves.move(outputs, block.output_rows, [forces.on_outputs], 0.1)
    assert len(block.output_rows.few)
    assert len(block.output_rows.many)


def main():
    capability, vector_size, weighted = map(int, sys.argv[1:])
    shared = {}

    def instead(kernel):
        def run(*args, grid, warmup, **named):
            binary = compiled(kernel, capability, args, named)
            most = max(binary.metadata.shared, shared.get(kernel.__name__, 0))
            shared[kernel.__name__] = most

        return run

    with ExitStack() as stack:
        for kernel in (pairs.on_centers, pairs.on_words, rows.settle):
            assert isinstance(kernel, JITFunction)
            stack.enter_context(patch.object(kernel, "run", instead(kernel)))
        launch(vector_size, weighted)
    sys.stdout.write(json.dumps(shared))


if __name__ == "__main__":
    main()
