"""What a model file of fastText holds."""

import mmap
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

N_CENTROIDS = 256


@dataclass(frozen=True)
class FastTextSettings:
    """How a model was trained, in the order of the file.

    Parameters
    ----------
    vector_size, window, epochs, min_count, negative : int
    word_ngrams : int
        Longest n-grams of words, for supervised models.
    loss : int
        1 is hierarchical softmax, 2 negative sampling, 3 softmax, 4 one versus all.
    model : int
        1 is CBOW, 2 skip-gram, 3 supervised.
    bucket, min_n, max_n : int
        Number of buckets, and shortest and longest n-grams of characters.
    learning_rate_update : int
    sample : float
    """

    vector_size: int = 100
    window: int = 5
    epochs: int = 5
    min_count: int = 5
    negative: int = 5
    word_ngrams: int = 1
    loss: int = 2
    model: int = 2
    bucket: int = 2_000_000
    min_n: int = 3
    max_n: int = 6
    learning_rate_update: int = 100
    sample: float = 1e-4

    @property
    def supervised(self) -> bool:
        """Whether the outputs belong to labels, not to words."""
        return self.model == 3

    @property
    def ngram_lengths(self) -> tuple[int, int]:
        """Shortest and longest n-grams; (0, 0) if the model has none."""
        if self.bucket == 0 or self.max_n < self.min_n:
            return 0, 0
        return self.min_n, self.max_n


@dataclass(frozen=True, eq=False)
class QuantizedMatrix:
    """A matrix in product quantization; the rows that are asked for are computed.

    Parameters
    ----------
    codes : ndarray of shape (n_rows, n_parts), uint8
        Which centroid each part of a row is.
    centroids : ndarray of shape (256 * n_columns,), float32
        For each part its 256 centroids, end to end.
    n_columns, part_size : int
        The last part has what remains.
    lengths : ndarray of shape (n_rows,), float32, or None
        What the rows are to be multiplied by.
    """

    codes: npt.NDArray[np.uint8]
    centroids: npt.NDArray[np.float32]
    n_columns: int
    part_size: int
    lengths: npt.NDArray[np.float32] | None

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of rows and columns."""
        return len(self.codes), self.n_columns

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(
        self, rows: slice | npt.NDArray[np.integer]
    ) -> npt.NDArray[np.float32]:
        """Compute rows, shape (n_rows, n_columns), float32."""
        codes = self.codes[rows]
        vectors = np.empty((len(codes), self.n_columns), dtype=np.float32)
        for part, start in enumerate(range(0, self.n_columns, self.part_size)):
            stop = min(start + self.part_size, self.n_columns)
            block = self.centroids[N_CENTROIDS * start : N_CENTROIDS * stop]
            vectors[:, start:stop] = block.reshape(N_CENTROIDS, -1)[codes[:, part]]
        if self.lengths is not None:
            vectors *= self.lengths[rows][:, None]
        return vectors


def release(matrix: "Matrix") -> None:
    """Take the pages of a mapped matrix out of the process' memory, until needed again.

    Parameters
    ----------
    matrix : ndarray or QuantizedMatrix
        Nothing happens to one that is not mapped, or where the system cannot do it.
    """
    base: object = matrix
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        base.madvise(mmap.MADV_DONTNEED)


Matrix: TypeAlias = npt.NDArray[np.float32] | QuantizedMatrix


@dataclass(frozen=True, eq=False)
class FastTextModel:
    """The content of a file of fastText, as it stands there.

    Parameters
    ----------
    settings : FastTextSettings
    words : list of str
    counts : ndarray of shape (n_words,), int64
    labels : list of str
        Of supervised models; with the prefix ``__label__``.
    label_counts : ndarray of shape (n_labels,), int64
    n_tokens : int
        Length of the corpus.
    inputs : ndarray or QuantizedMatrix of shape (n_words + n_ngrams, vector_size)
        First the words' own rows, then those of the buckets. Read-only, and left on the
        disk if the file is not compressed. Not looked at: it may hold NaN.
    outputs : ndarray or QuantizedMatrix of shape (n_words or n_labels, vector_size)
    kept_buckets : ndarray of shape (n_kept, 2), int32, or None
        The pairs (bucket, row behind those of the words) of a pruned model, by bucket;
        None if each bucket has its row, in their order.
    """

    settings: FastTextSettings
    words: list[str]
    counts: npt.NDArray[np.int64]
    labels: list[str]
    label_counts: npt.NDArray[np.int64]
    n_tokens: int
    inputs: Matrix
    outputs: Matrix
    kept_buckets: npt.NDArray[np.int32] | None = None
