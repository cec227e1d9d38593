"""Training on those words of a vocabulary alone that have occurred."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from skembed._ragged import Ragged

Float32Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class OccurringWords:
    """The words that have occurred, under ids of their own.

    Published vectors may be of words that the documents do not hold. Training neither
    sees nor changes them.

    Parameters
    ----------
    corpus : Ragged of int32
        In the ids of these words.
    counts : ndarray of shape (n_occurring,), int64
        Occurrences of each word, all positive.
    rows : ndarray of shape (n_occurring,), int64, or None
        The ids that the words have in the vocabulary; None if these are the same.
    """

    corpus: Ragged
    counts: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int64] | None

    @classmethod
    def of(cls, corpus: Ragged, counts: npt.NDArray[np.int64]) -> "OccurringWords":
        """Find them; those that occur most often come first, if any does not occur.

        Parameters
        ----------
        corpus : Ragged of int32
        counts : ndarray of shape (n_words,), int64
            Of all words in the vocabulary, 0 or more.

        Examples
        --------
        >>> corpus = Ragged.from_lengths(np.array([2, 3, 2], np.int32), [2, 1])
        >>> words = OccurringWords.of(corpus, np.array([0, 0, 2, 1]))
        >>> words.rows, words.counts, words.corpus.values
        (array([2, 3]), array([2, 1]), array([0, 1, 0], dtype=int32))
        """
        if (counts > 0).all():
            return cls(corpus, counts, None)
        order = np.argsort(-counts, kind="stable")
        rows = order[: np.count_nonzero(counts)]
        ids = np.full(len(counts), -1, dtype=np.int32)
        ids[rows] = np.arange(len(rows))
        return cls(Ragged(ids[corpus.values], corpus.offsets), counts[rows], rows)

    def of_words(self, words: Sequence[str]) -> Sequence[str]:
        """Return those of all words that have occurred, by their ids."""
        return words if self.rows is None else [words[i] for i in self.rows.tolist()]

    def of_table(self, table: Float32Array) -> Float32Array:
        """Return their rows of a table; the table itself if all words occur."""
        return table if self.rows is None else table[self.rows]

    def put_back(self, table: Float32Array, trained: Float32Array) -> Float32Array:
        """Return a table in which their rows are others.

        Parameters
        ----------
        table : ndarray of shape (n_words, ...), float32
            What the words that do not occur keep. Not changed.
        trained : ndarray of shape (n_occurring, ...), float32
            With another number of rows, they are not those of words, but of a tree.

        Returns
        -------
        table : ndarray of shape (n_words, ...), float32
            `trained` itself if all words occur, or if its rows are not of words.
        """
        if self.rows is None or len(trained) != len(self.rows):
            return trained
        whole = table.copy()
        whole[self.rows] = trained
        return whole
