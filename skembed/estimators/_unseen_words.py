"""Features of documents in which words that `fit` did not see have vectors, too."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_is_fitted

from skembed._ragged import Ragged
from skembed._sklearn_private import fit_context
from skembed.estimators._analysis import count_vectorizer, text_analysis
from skembed.estimators._document_features import WeightedWords
from skembed.estimators._partial_fit import OnlineWordVectorizer
from skembed.estimators._training_state import Trained, TrainingState
from skembed.estimators.documents import Document
from skembed.features import TokenFeatures
from skembed.text import (
    TextAnalysis,
    Vocabulary,
    encode_corpus,
    ngram_buckets,
    tokenize,
)
from skembed.vectors import SubwordVectors

Float32Array = npt.NDArray[np.float32]


class _ReadDocuments(list[Document]):
    """Documents that `_read` has checked, and need not be again."""


class NumberedNgrams(NamedTuple):
    """The n-grams of a vocabulary, by the rows of their vectors.

    Parameters
    ----------
    buckets : ndarray of shape (n_ngrams,), int32
        The bucket of each row, rising.
    rows : Ragged of int32
        For each word the rows of its n-grams.
    known : ndarray of shape (n_known,), int64
        The rows that had a vector before.
    """

    buckets: npt.NDArray[np.int32]
    rows: Ragged
    known: npt.NDArray[np.int64]


@dataclass(frozen=True)
class TrainedNgrams(Trained):
    """What training gives where words have n-grams.

    Parameters
    ----------
    vectors, tables, losses
        As in `Trained`; ``tables[1]`` are the vectors of n-grams.
    buckets : ndarray of shape (n_ngrams,), int32
        The buckets of the n-grams, rising.
    """

    buckets: npt.NDArray[np.int32]


class SubwordVectorizer(OnlineWordVectorizer):
    """A word vectorizer whose `word_vectors_` are `SubwordVectors`.

    A word counts in the features of a document if it is known, or one of its n-grams
    has a vector.
    """

    min_n: int
    max_n: int
    bucket: int

    @fit_context(prefer_skip_nested_validation=True)
    def fit_transform(
        self,
        X: Iterable[Any],
        y: Any = None,
        sample_weight: npt.ArrayLike | None = None,
    ) -> Float32Array:
        """Learn from documents and return their features.

        Parameters
        ----------
        X : iterable of documents, of length n_documents
            Read once, and kept until the features are there: words that are too rare
            to be learned have vectors, too.
        y : Ignored
            Present for compatibility with pipelines.
        sample_weight : array-like of shape (n_documents,), default=None
            As for `fit`.

        Returns
        -------
        features : ndarray of shape (n_documents, n_features), float32
            The same as of ``fit(X).transform(X)``.
        """
        self._check_parameters()
        documents = _ReadDocuments(self._read(X)[0])
        self._fit(documents, y, sample_weight)
        return self._describe(documents)

    def transform(self, X: Iterable[Any]) -> Float32Array:
        """Describe each document by the vectors of its words, seen in `fit` or not.

        Parameters
        ----------
        X : iterable of documents, of length n_documents

        Returns
        -------
        features : ndarray of shape (n_documents, n_features), float32
            A document gets zeros if none of its words has a vector. Each row depends on
            its document alone.
        """
        check_is_fitted(self)
        return self._describe(X)

    def transform_tokens(self, X: Iterable[Any]) -> TokenFeatures:
        """Return the vector of each word of each document.

        Parameters
        ----------
        X : iterable of documents, of length n_documents

        Returns
        -------
        features : TokenFeatures
            With one row of `vector_size` features for every word, in order. Words
            without a vector get zeros. `pooling`, `normalize` and `remove_components`
            are about documents, and have no part in this.
        """
        check_is_fitted(self)
        tokens = tokenize(*self._read(X))
        row_splits = np.cumsum([0, *map(len, tokens)], dtype=np.int64)
        row_of: dict[str, int] = {}
        rows = np.fromiter(
            (row_of.setdefault(w, len(row_of)) for words in tokens for w in words),
            dtype=np.int64,
            count=int(row_splits[-1]),
        )
        vectors = self.word_vectors_.vectors_of(list(row_of))
        return TokenFeatures(vectors[rows], row_splits, tokens)

    def subwords(self, word: str) -> tuple[list[str], npt.NDArray[np.int32]]:
        """Spell the character n-grams of a word, with the buckets that they are in.

        Parameters
        ----------
        word : str
            Any word, seen in `fit` or not.

        Returns
        -------
        ngrams : list of str
            By where they begin, then by length.
        buckets : ndarray of shape (n_ngrams,), int32
            Some may have no vector.
        """
        check_is_fitted(self)
        vectors: SubwordVectors = self.word_vectors_
        return vectors.subwords(word)

    def _number_ngrams(
        self, vocabulary: Vocabulary, earlier: TrainingState | None
    ) -> NumberedNgrams:
        """Number the n-grams of the vocabulary, and those that have vectors already."""
        asked = self.min_n, self.max_n, self.bucket
        hashed = ngram_buckets(vocabulary.words, *asked)
        known = np.zeros(0, dtype=np.int32)
        if earlier is not None and earlier.tables:
            known, _, *learned = self.word_vectors_.ngrams
            if tuple(learned) != asked:
                msg = (
                    f"partial_fit goes on with n-grams of (min_n, max_n, bucket) = "
                    f"{tuple(learned)}, got {asked}. Set them back, or call fit."
                )
                raise ValueError(msg)
        buckets = np.union1d(known, hashed.values).astype(np.int32)
        rows = np.searchsorted(buckets, hashed.values).astype(np.int32)
        return NumberedNgrams(
            buckets, Ragged(rows, hashed.offsets), np.searchsorted(buckets, known)
        )

    def _word_vectors(self, vocabulary: Vocabulary, trained: Trained) -> SubwordVectors:
        return SubwordVectors(
            vocabulary.words,
            trained.vectors,
            cast("TrainedNgrams", trained).buckets,
            trained.tables[1],
            min_n=self.min_n,
            max_n=self.max_n,
            bucket=self.bucket,
            counts=vocabulary.counts,
        )

    def _read(self, X: Any) -> tuple[Iterable[Document], TextAnalysis]:
        if isinstance(X, _ReadDocuments):
            return X, text_analysis(count_vectorizer(self))
        return super()._read(X)

    def _describe(self, X: Iterable[Any]) -> Float32Array:
        """Do what `transform` does, but for what `set_output` adds."""
        batch = encode_corpus(*self._read(X), allow_empty=True)
        return self._pooled(*self._weighted(*batch))

    def _weighted(self, batch: Vocabulary, ids: Ragged) -> tuple[WeightedWords, Ragged]:
        """Weigh the words of documents, and leave out those that have no vector."""
        vectors, found = self.word_vectors_.find(batch.words)
        row_of = self.vocabulary_.index
        rows = np.array([row_of.get(word, -1) for word in batch.words], dtype=np.int64)
        known = rows >= 0
        # A word that no document held would have had the largest idf; its count is 0.
        idf = np.full(len(rows), self.idf_.max())
        idf[known] = self.idf_[rows[known]]
        counts = np.zeros(len(rows), dtype=np.int64)
        counts[known] = self.vocabulary_.counts[rows[known]]
        n_tokens = int(self.vocabulary_.counts.sum())
        words = WeightedWords(vectors, idf, counts, n_tokens)
        return words, ids if found.all() else _only(ids, found)


def _only(ids: Ragged, found: npt.NDArray[np.bool_]) -> Ragged:
    """Leave out the words that were not found."""
    kept = found[ids.values]
    n_kept_before = np.concatenate([[0], np.cumsum(kept, dtype=np.int64)])
    return Ragged(ids.values[kept], n_kept_before[ids.offsets])
