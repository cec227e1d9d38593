"""One vector per token."""

from collections.abc import Iterator
from dataclasses import dataclass
from operator import index

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, eq=False, repr=False)
class TokenFeatures:
    """The vectors of all tokens of some documents, and the tokens themselves.

    As a sequence it holds one matrix per document.

    Parameters
    ----------
    vectors : ndarray of shape (n_tokens, n_features), float32
        One row per token, the documents one after another.
    row_splits : ndarray of shape (n_documents + 1,), int64
        Document ``i`` owns ``vectors[row_splits[i]:row_splits[i + 1]]``.
    tokens : list of list of str
        The tokens of each document, aligned with its rows.
    offsets : list of ndarray of shape (n_document_tokens, 2), int64, or None
        Where each token begins and ends in its document, in characters; None where
        the model does not know it.

    Raises
    ------
    ValueError
        If the tokens are not as many as the rows.

    Examples
    --------
    >>> features = TokenFeatures(
    ...     vectors=np.eye(3, 2, dtype=np.float32),
    ...     row_splits=np.array([0, 2, 3]),
    ...     tokens=[["good", "dog"], ["yes"]],
    ... )
    >>> features
    TokenFeatures(n_documents=2, n_tokens=3, n_features=2)
    >>> features[0]
    array([[1., 0.],
           [0., 1.]], dtype=float32)
    >>> [len(matrix) for matrix in features]
    [2, 1]
    """

    vectors: npt.NDArray[np.float32]
    row_splits: npt.NDArray[np.int64]
    tokens: list[list[str]]
    offsets: list[npt.NDArray[np.int64]] | None = None

    def __post_init__(self) -> None:
        lengths = [len(words) for words in self.tokens]
        if lengths != np.diff(self.row_splits).tolist():
            msg = (
                "tokens must hold as many words per document as row_splits says, got "
                f"{sum(lengths)} tokens in {len(lengths)} documents for "
                f"{len(self.vectors)} rows in {len(self)} documents."
            )
            raise ValueError(msg)

    def __len__(self) -> int:
        """Return the number of documents."""
        return len(self.row_splits) - 1

    def __getitem__(self, i: int) -> npt.NDArray[np.float32]:
        """Return the matrix of document `i`, without copying it."""
        # No slices: of a range they would be ranges.
        i = range(len(self))[index(i)]
        return self.vectors[self.row_splits[i] : self.row_splits[i + 1]]

    def __iter__(self) -> Iterator[npt.NDArray[np.float32]]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        n_tokens, n_features = self.vectors.shape
        return (
            f"TokenFeatures(n_documents={len(self)}, n_tokens={n_tokens}, "
            f"n_features={n_features})"
        )
