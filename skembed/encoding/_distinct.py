"""Each text once: found among what is kept, or computed and then kept."""

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np
import numpy.typing as npt

from skembed.encoding._cache_space import FeatureSpace
from skembed.encoding._digest import digest_texts
from skembed.encoding._text_encoder import Compute, Float32Array, Rows, Text


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
        Where features are kept. Of several processes that miss something there, one
        computes at a time, so that the others find what it has kept.

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
    table = _Table(names, len(first))
    missing = np.arange(len(first))
    if space is not None:
        missing = table.read(space, digests[first])
    if len(missing):
        with nullcontext() if space is None else space.lock():
            if space is not None:
                missing = table.read(space, digests[first])
            chunks = compute([texts[row] for row in first[missing]], first[missing])
            for rows, arrays in chunks:
                table.fill(missing[rows], arrays)
                if space is not None:
                    space.write(digests[first[missing[rows]]], arrays)
    return {name: array[inverse] for name, array in table.arrays.items()}


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

    def read(self, space: FeatureSpace, digests: npt.NDArray[Any]) -> Rows:
        """Read what is kept; return the rows of the texts that are missing."""
        places = space.find(digests, self._names)
        is_missing = places < 0
        found = np.flatnonzero(~is_missing)
        for name in self._names:
            # A file may have been removed since it was found.
            values, is_read = space.read(places[found], name)
            is_missing[found[~is_read]] = True
            if is_read.any():
                self._fill_one(name, found, values)
        return np.flatnonzero(is_missing)
