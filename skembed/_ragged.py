"""The one container that every stage between text and features passes on."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Ragged:
    """Documents of different lengths, laid end to end in one array.

    Parameters
    ----------
    values : ndarray of shape (n_tokens, ...)
        One row per token of the whole corpus: token ids, or token vectors.
    offsets : ndarray of shape (n_documents + 1,), int64
        Document ``i`` owns ``values[offsets[i]:offsets[i + 1]]``.

    Examples
    --------
    >>> two_docs = Ragged.from_lengths([7, 8, 9], lengths=[1, 2])
    >>> [doc.tolist() for doc in two_docs]
    [[7], [8, 9]]
    """

    values: npt.NDArray[Any]
    offsets: npt.NDArray[np.int64]

    @classmethod
    def from_lengths(cls, values: npt.ArrayLike, lengths: npt.ArrayLike) -> "Ragged":
        """Build the offsets from the number of tokens of each document."""
        offsets = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
        return cls(np.asarray(values), offsets.astype(np.int64))

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Number of tokens of each document, shape (n_documents,)."""
        return np.diff(self.offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, i: int) -> npt.NDArray[Any]:
        """Return the tokens of document `i`, without copying them."""
        i = range(len(self))[i]
        return self.values[self.offsets[i] : self.offsets[i + 1]]
