"""Vectors of character n-grams, and their sums over words."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from skembed._ragged import Ragged
from skembed.formats import NgramTable
from skembed.text import check_ngrams, ngram_buckets
from skembed.vectors._kernels import add_ngrams

# The ids of so many words' n-grams stay in the processor's cache.
_BLOCK_WORDS = 4096


class NgramSums:
    """Sums, over the n-grams of words, of the vectors that they have.

    Parameters
    ----------
    ngrams : NgramTable
        Checked.
    """

    def __init__(self, ngrams: NgramTable) -> None:
        self._ngrams = ngrams
        self._shift, self._cells = _build_cells(ngrams.buckets, ngrams.bucket)
        # One type for the compiler, whether they are mapped or not.
        self._table = ngrams.vectors.view()
        self._buckets = ngrams.buckets.view()
        self._table.flags.writeable = self._buckets.flags.writeable = False

    def add(
        self,
        words: Sequence[str],
        sums: npt.NDArray[np.float32],
        counts: npt.NDArray[np.int64],
    ) -> None:
        """Add vectors to the words' rows.

        Parameters
        ----------
        words : sequence of str
        sums : ndarray of shape (n_words, vector_size), float32
            Added to in place, n-gram by n-gram in the order of fastText.
        counts : ndarray of shape (n_words,), int64
            Added to in place: how many vectors were added.
        """
        _, _, min_n, max_n, bucket = self._ngrams
        for start in range(0, len(words), _BLOCK_WORDS):
            part = slice(start, start + _BLOCK_WORDS)
            ids = ngram_buckets(words[part], min_n, max_n, bucket)
            self.add_buckets(ids, sums[part], counts[part])

    def add_buckets(
        self,
        ids: Ragged,
        sums: npt.NDArray[np.float32],
        counts: npt.NDArray[np.int64],
    ) -> None:
        """Do what `add` does, for words whose n-grams' buckets are known.

        Parameters
        ----------
        ids : Ragged of int32
            As `ngram_buckets` gives them.
        sums, counts : ndarray
            As in `add`.
        """
        add_ngrams(
            ids.values, ids.offsets, self._buckets, self._cells, self._shift,
            self._table, sums, counts,
        )  # fmt: skip


def check_ngram_table(ngrams: NgramTable, vector_size: int) -> NgramTable:
    """Return the table with arrays of the right kind; a ValueError if it is wrong."""
    check_ngrams(ngrams.min_n, ngrams.max_n, ngrams.bucket)
    buckets = np.asarray(ngrams.buckets)
    if buckets.ndim != 1 or (buckets.dtype.kind not in "iu" and len(buckets)):
        msg = (
            "ngram_buckets must be a 1-d array of int, got shape "
            f"{buckets.shape} of dtype {buckets.dtype}."
        )
        raise ValueError(msg)
    in_range = not len(buckets) or 0 <= buckets[0] <= buckets[-1] < ngrams.bucket
    if not in_range or (buckets[1:] <= buckets[:-1]).any():
        msg = (
            f"ngram_buckets must rise from 0 or more to less than bucket="
            f"{ngrams.bucket}."
        )
        raise ValueError(msg)
    vectors = np.asarray(ngrams.vectors)
    # Mapped vectors of fastText begin anywhere; they stay where they are.
    if vectors.dtype != np.float32 or not vectors.flags.c_contiguous:
        vectors = np.ascontiguousarray(vectors, dtype=np.float32)
    if vectors.shape != (len(buckets), vector_size):
        msg = (
            "ngram_vectors must have one row per bucket, shape "
            f"({len(buckets)}, {vector_size}), got shape {vectors.shape}."
        )
        raise ValueError(msg)
    buckets = np.ascontiguousarray(buckets, dtype=np.int32)
    return ngrams._replace(buckets=buckets, vectors=vectors)


def _build_cells(
    buckets: npt.NDArray[np.int32], bucket: int
) -> tuple[int, npt.NDArray[np.int32]]:
    """Index rising buckets by their leading bits, by about one cell for each."""
    shift = 0
    while (bucket >> shift) > 4 * len(buckets) + 16:
        shift += 1
    n_cells = (bucket >> shift) + 1
    firsts = np.arange(n_cells + 1, dtype=np.int64) << shift
    return shift, np.searchsorted(buckets, firsts).astype(np.int32)
