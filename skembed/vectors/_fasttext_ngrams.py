"""The n-grams of a model of fastText, read in order and in blocks.

Words would ask for the rows of their n-grams in random order, which brings the whole
file into memory, and is slow on a disk.
"""

import os
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from skembed._ragged import Ragged
from skembed.formats import FastTextModel, FormatError, NgramTable, release
from skembed.text import ngram_buckets
from skembed.vectors._ngram_vectors import NgramSums

_BLOCK_BYTES = 1 << 23


class FileNgrams:
    """The n-grams that a file has.

    Parameters
    ----------
    path : str or path-like
        For messages.
    model : FastTextModel

    Attributes
    ----------
    buckets : ndarray of shape (n_ngrams,), int32
        Rising.
    """

    def __init__(self, path: str | os.PathLike[str], model: FastTextModel) -> None:
        settings = model.settings
        min_n, max_n = settings.ngram_lengths
        self._path, self._model = path, model
        self._first_row = len(model.words)
        self._settings = min_n, max_n, settings.bucket if max_n else 0
        if not max_n:
            # Rows that are there may be of n-grams of words.
            self.buckets = np.zeros(0, dtype=np.int32)
        elif model.kept_buckets is None:
            self.buckets = np.arange(settings.bucket, dtype=np.int32)
        else:
            self.buckets = np.ascontiguousarray(model.kept_buckets[:, 0])

    def buckets_of(self, words: Sequence[str]) -> Ragged:
        """Hash the n-grams of words, of all at once."""
        return ngram_buckets(words, *self._settings)

    def places_of(self, ids: Ragged) -> npt.NDArray[np.int64]:
        """Find where in `buckets` those are that words have n-grams in, rising."""
        is_needed = np.zeros(self._settings[2], dtype=np.bool_)
        is_needed[ids.values] = True
        return np.flatnonzero(is_needed[self.buckets])

    def on_disk(self) -> NgramTable | None:
        """Return all n-grams, left where they are; None if they cannot be."""
        inputs = self._model.inputs
        if self._model.kept_buckets is None and isinstance(inputs, np.ndarray):
            last_row = self._first_row + len(self.buckets)
            return self._table(self.buckets, inputs[self._first_row : last_row])
        return None

    def in_memory(self, places: npt.NDArray[np.int64] | None = None) -> NgramTable:
        """Read the n-grams at these places in `buckets`, or all.

        Raises
        ------
        FormatError
            If a vector holds NaN or infinity.
        """
        if places is None:
            places = np.arange(len(self.buckets))
        shape = len(places), self._model.settings.vector_size
        vectors = np.empty(shape, dtype=np.float32)
        for start, block in self._blocks(places):
            vectors[start : start + len(block)] = block
        return self._table(self.buckets[places], vectors)

    def add(
        self,
        ids: Ragged,
        sums: npt.NDArray[np.float32],
        counts: npt.NDArray[np.int64],
    ) -> None:
        """Do what `NgramSums.add_buckets` does, and keep nothing in memory."""
        places = self.places_of(ids)
        for start, block in self._blocks(places):
            buckets = self.buckets[places[start : start + len(block)]]
            NgramSums(self._table(buckets, block)).add_buckets(ids, sums, counts)

    def _blocks(
        self, places: npt.NDArray[np.int64]
    ) -> Iterator[tuple[int, npt.NDArray[np.float32]]]:
        """Read vectors that must be finite; with the number of those before."""
        n_rows = max(_BLOCK_BYTES // (4 * self._model.settings.vector_size), 1)
        for start in range(0, len(places), n_rows):
            rows = places[start : start + n_rows]
            if self._model.kept_buckets is not None:
                rows = self._model.kept_buckets[rows, 1].astype(np.int64)
            block = self._model.inputs[self._first_row + rows]
            if not np.isfinite(block).all():
                found = "NaN or infinity in those of an n-gram"
                raise FormatError(self._path, expected="finite numbers", found=found)
            yield start, block
            release(self._model.inputs)

    def _table(
        self, buckets: npt.NDArray[np.int32], vectors: npt.NDArray[np.float32]
    ) -> NgramTable:
        return NgramTable(buckets, vectors, *self._settings)
