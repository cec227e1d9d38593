"""Each text once: found among what is kept, or computed and then kept.

Or all texts, each time, where what one gives depends on those before it.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from multiprocessing import parent_process
from typing import Any

import numpy as np
import numpy.typing as npt

from skembed.encoding._cache_space import FeatureSpace
from skembed.encoding._digest import digest_texts
from skembed.encoding._text_encoder import Compute, Float32Array, Rows, Text

# Parts that workers share their missing texts in. Each is still enough for a batch.
_N_PARTS = 8


def distinct_features(
    texts: Sequence[Text],
    names: Sequence[str],
    compute: Compute,
    space: FeatureSpace | None = None,
) -> dict[str, Float32Array]:
    """Return arrays of features of texts, computing those of each text once.

    Parameters
    ----------
    texts : sequence of str or of sequences of str
    names : sequence of str
        The arrays that are wanted.
    compute : callable
        Computes arrays of a list of texts, whose numbers in `texts` it is given, too,
        chunk by chunk: yields which texts a chunk holds, and its arrays. All of those
        are kept, also where they are not wanted. Not called where nothing is missing.
    space : FeatureSpace or None
        Where features are kept. Processes that miss the same texts there divide them
        up, so that each is computed by one of them.

    Returns
    -------
    arrays : dict of str to ndarray of shape (n_texts, width), float32
        Empty if there are no texts.
    """
    if not len(texts):
        return {}
    digests = digest_texts(texts)
    _, first, inverse = np.unique(
        # One item per digest: whole rows would be compared number by number.
        np.ascontiguousarray(digests).view(f"V{digests.shape[1]}").ravel(),
        return_index=True,
        return_inverse=True,
    )
    digests, table = digests[first], _Table(names, len(first))

    def fill(missing: Rows) -> None:
        numbers = first[missing]
        for rows, arrays in compute([texts[i] for i in numbers], numbers):
            table.fill(missing[rows], arrays)
            if space is not None:
                space.write(digests[missing[rows]], arrays)

    if space is None:
        fill(np.arange(len(first)))
    else:
        missing = table.read(space, digests, np.arange(len(first)))
        for part in _claimed(space, digests, missing):
            # Another process may have computed them since.
            still_missing = table.read(space, digests, part)
            if len(still_missing):
                fill(still_missing)
    return {name: array[inverse] for name, array in table.arrays.items()}


def ordered_features(
    texts: Sequence[Text], names: Sequence[str], compute: Compute
) -> dict[str, Float32Array]:
    """Return arrays of features of texts that depend on the texts before them.

    All of them are computed, equal ones too, and nothing is kept; otherwise like
    `distinct_features`.
    """
    table = _Table(names, len(texts))
    for rows, arrays in compute(list(texts), np.arange(len(texts))):
        table.fill(rows, arrays)
    return table.arrays


class _Table:
    """The wanted arrays of distinct texts, made when their widths are known."""

    def __init__(self, names: Sequence[str], n_texts: int) -> None:
        self._names, self._n_texts = names, n_texts
        self.arrays: dict[str, Float32Array] = {}

    def fill(self, rows: Rows, arrays: dict[str, Float32Array]) -> None:
        """Write some rows of all arrays."""
        for name in self._names:
            self._fill_one(name, rows, arrays[name])

    def _fill_one(self, name: str, rows: Rows, values: Float32Array) -> None:
        if name not in self.arrays:
            shape = (self._n_texts, values.shape[1])
            self.arrays[name] = np.empty(shape, dtype=np.float32)
        self.arrays[name][rows] = values

    def read(self, space: FeatureSpace, digests: npt.NDArray[Any], rows: Rows) -> Rows:
        """Read what is kept of some texts; return the rows of those that are not."""
        places = space.find(digests[rows], self._names)
        is_missing = places < 0
        found = np.flatnonzero(~is_missing)
        for name in self._names:
            # A file may have been removed since it was found.
            values, is_read = space.read(places[found], name)
            is_missing[found[~is_read]] = True
            if is_read.any():
                self._fill_one(name, rows[found], values)
        return rows[is_missing]


def _claimed(
    space: FeatureSpace, digests: npt.NDArray[Any], missing: Rows
) -> Iterator[Rows]:
    """Yield missing rows, part by part, while no other process has the part.

    A worker takes what is free, and waits for the others only when nothing is. The
    process that the user sees takes all at once, and so computes the same batches as
    without a cache.
    """
    part_of = digests[missing, 0] % _N_PARTS
    waiting = np.unique(part_of).tolist()
    if parent_process() is None:
        with ExitStack() as stack:
            # In their order, so that no two processes wait for each other.
            for part in waiting:
                stack.enter_context(space.claim(part, wait=True))
            if waiting:
                yield missing
        return
    # Not all of them begin with the same one.
    turn = os.getpid() % len(waiting) if waiting else 0
    waiting = waiting[turn:] + waiting[:turn]
    wait = False
    while waiting:
        taken = []
        for part in waiting:
            with space.claim(part, wait=wait) as is_ours:
                if is_ours:
                    taken.append(part)
                    yield missing[part_of == part]
        wait = not taken
        waiting = [part for part in waiting if part not in taken]
