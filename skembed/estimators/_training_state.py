"""What training gives, and what it can go on from."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from skembed._ragged import Ragged
from skembed.features import document_frequency
from skembed.formats import NgramTable
from skembed.vectors import SubwordVectors, WordVectors

Float32Array = npt.NDArray[np.float32]
Tables = tuple[npt.NDArray[Any], ...]


@dataclass(frozen=True)
class Trained:
    """What training gives.

    Parameters
    ----------
    vectors : ndarray of shape (n_words, vector_size), float32
        The embedding of each word.
    tables : tuple of ndarray
        What training can go on from.
    losses : ndarray of shape (n_epochs,), float64
        The mean loss of each epoch.
    ngrams : NgramTable or None
        The vectors of n-grams, where words have any.
    """

    vectors: Float32Array
    tables: Tables
    losses: npt.NDArray[np.float64]
    ngrams: NgramTable | None = None

    @classmethod
    def of_published(cls, published: WordVectors) -> "Trained":
        """Return published vectors, of which nothing was trained."""
        ngrams = published.ngrams if isinstance(published, SubwordVectors) else None
        return cls(published.vectors, (), np.zeros(0), ngrams)


@dataclass(frozen=True)
class TrainingState:
    """What an estimator needs to go on training, beside its vocabulary.

    Parameters
    ----------
    tables : tuple of ndarray
        As training left them; the first has a row for each word.
    document_frequency : ndarray of shape (n_words,), int64
        How many of the documents seen hold each word.
    n_documents : int
        How many documents were seen.
    losses : ndarray of shape (n_epochs,), float64
        The mean loss of each epoch.
    n_batches : int
        How many calls of `partial_fit` there were; -1 where `fit` begins with tables
        that were made of published vectors.
    """

    tables: Tables
    document_frequency: npt.NDArray[np.int64]
    n_documents: int
    losses: npt.NDArray[np.float64]
    n_batches: int

    @classmethod
    def of_published(cls, tables: Tables) -> "TrainingState":
        """Return the state of tables that were made of published vectors."""
        seen = np.zeros(len(tables[0]), dtype=np.int64)
        return cls(tables, seen, 0, np.zeros(0), n_batches=-1)

    @property
    def before_fit(self) -> bool:
        """Whether the tables are what `fit` begins with, and not `partial_fit`."""
        return self.n_batches < 0


def next_state(
    earlier: TrainingState | None, trained: Trained, corpus: Ragged, n_words: int
) -> TrainingState:
    """Add what training on a corpus gave to what was there before.

    Parameters
    ----------
    earlier : TrainingState or None
        In `partial_fit` what was there before; in `fit`, which begins anew, None, or
        the state before training if that begins with published vectors.
    trained : Trained
    corpus : Ragged of int32
        The documents that were trained on.
    n_words : int
        Of the vocabulary, the new words included.

    Returns
    -------
    state : TrainingState
        Of one batch more than the earlier one.
    """
    seen = document_frequency(corpus, n_words)
    if earlier is None:
        return TrainingState(trained.tables, seen, len(corpus), trained.losses, 0)
    seen[: len(earlier.document_frequency)] += earlier.document_frequency
    losses = np.concatenate([earlier.losses, trained.losses])
    return TrainingState(
        tables=trained.tables,
        document_frequency=seen,
        n_documents=earlier.n_documents + len(corpus),
        losses=losses,
        n_batches=earlier.n_batches + 1,
    )
