"""How many bytes the torch cores move: operation by operation, and kernel by kernel."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import torch
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes
from torch.utils._pytree import tree_flatten

from skembed.training._torch import fused as rows
from skembed.training._torch import moves
from skembed.training.skipgram._torch import fused as pairs
from skembed.training.skipgram._torch import step, unfused

ROW_NUMBER, DOCUMENT, STRENGTH = 8, 4, 4
"""Bytes of what goes with a row."""


class Traffic(TorchDispatchMode):
    """Counts the bytes that operations read and write.

    Of a table that is indexed, only the rows that are read or written count, which are
    as large as the result, or as what is added.
    """

    # Operations that move nothing: views, and allocations.
    _free = ("alias", "as_strided", "detach", "empty", "expand", "flatten", "mT",
             "new_empty", "permute", "select", "slice", "t.default", "transpose",
             "unbind", "unfold", "unsqueeze", "view")  # fmt: skip
    _by_rows = ("index", "embedding_bag")

    def __init__(self) -> None:
        super().__init__()
        self.n_bytes = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        name = str(func).removeprefix("aten.").lstrip("_")
        if name.startswith(self._free):
            return result
        read = [x.nbytes for x in tree_flatten((args, kwargs))[0] if _is_tensor(x)]
        written = sum(x.nbytes for x in tree_flatten(result)[0] if _is_tensor(x))
        if name.startswith("index_add"):
            # The rows are read and written; what is added is read.
            self.n_bytes += 3 * read[-1]
        elif name.startswith(self._by_rows):
            gathered = written
            if name.startswith("embedding_bag"):
                gathered = args[1].numel() * args[0][0].nbytes
            self.n_bytes += gathered + written + sum(read[1:])
        else:
            self.n_bytes += sum(read) + written
        return result


def _is_tensor(x: object) -> bool:
    return isinstance(x, torch.Tensor)


@contextmanager
def kernels(used: bool) -> Iterator[None]:
    """Have steps use Triton's kernels meanwhile, or have them not."""
    with ExitStack() as stack:
        for module in (rows, step):
            stack.enter_context(patch.object(module, "serves", lambda *_: used))
        yield


def traffic_of(run: Callable[[], object]) -> int:
    """Count the bytes that the operations and kernels of a run move.

    Those of a kernel follow from the shapes of what it is given. Where there is no GPU,
    operations of torch do its work, and do not count.
    """
    replaced = (
        (pairs, "forces_of", _bytes_of_pairs, unfused.forces_of),
        (rows, "resultant", _bytes_of_resultant, moves.unfused_resultant),
        (rows, "move", _bytes_of_move, moves.unfused_move),
    )
    with Traffic() as traffic, ExitStack() as stack:
        for module, name, count, on_cpu in replaced:
            work = getattr(module, name) if torch.cuda.is_available() else on_cpu

            def counted(*given: Any, count: Any = count, work: Any = work) -> Any:
                traffic.n_bytes += count(*given)
                with _disable_current_modes():
                    return work(*given)

            stack.enter_context(patch.object(module, name, counted))
        run()
    return traffic.n_bytes


def _bytes_of_pairs(_vectors: Any, outputs: Any, block: Any, _negative: float) -> int:
    """Count what the kernels read and write of a block's pairs."""
    (n_tiles, tile), n_words = block.reach.shape, len(block.words)
    n_centers, n_noise = block.reach.numel(), block.noise.numel()
    across = n_words - n_centers
    row = outputs[0].nbytes
    # Tiles of centres, the words around each, and its noise; words, and what is around.
    read = n_centers + n_tiles * (tile + across) + n_noise
    read += n_words + -(-n_words // pairs.TILE) * (pairs.TILE + across)
    written = 2 * n_centers + n_noise + n_words
    return read * (row + ROW_NUMBER + DOCUMENT) + written * (row + STRENGTH)


def _bytes_of_resultant(segments: Any, forces: Any) -> int:
    """Count what the kernel reads of the updates of rows, and writes of rows."""
    row = forces[0].sums[0].nbytes
    update = 2 * (ROW_NUMBER + len(forces) * row) + len(forces) * STRENGTH
    of_row = 3 * ROW_NUMBER + row + STRENGTH
    return len(segments.order) * update + len(segments.rows) * of_row


def _bytes_of_move(
    table: Any, segments: Any, forces: Any, _rate: float, _of: Any = None
) -> int:
    """Count what the kernel reads of the updates of rows, and reads and writes of rows.

    That is a row more than for their resultant, and its number.
    """
    more = table[0].nbytes + ROW_NUMBER
    return _bytes_of_resultant(segments, forces) + len(segments.rows) * more
