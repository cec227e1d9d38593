"""Features of documents in which words that `fit` did not see have vectors, too."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_is_fitted

from skembed._ragged import Ragged
from skembed._sklearn_private import fit_context
from skembed.estimators._analysis import count_vectorizer, text_analysis
from skembed.estimators._document_features import WeightedWords
from skembed.estimators._ngram_tables import NgramTables, ngrams_of, no_ngrams
from skembed.estimators._partial_fit import OnlineWordVectorizer
from skembed.estimators._pretrained import check_pretrained_ngrams
from skembed.estimators._training_state import Tables, Trained
from skembed.estimators.documents import Document
from skembed.features import TokenFeatures
from skembed.text import TextAnalysis, Vocabulary, encode_corpus, tokenize
from skembed.vectors import SubwordVectors, WordVectors

Float32Array = npt.NDArray[np.float32]


class _ReadDocuments(list[Document]):
    """Documents that `_read` has checked, and need not be again."""


class SubwordVectorizer(OnlineWordVectorizer):
    """A word vectorizer whose `word_vectors_` are `SubwordVectors`.

    A word counts in the features of a document if it is known, or one of its n-grams
    has a vector.
    """

    min_n: int
    max_n: int
    bucket: int
    _takes_ngrams = True

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

    def _ngram_lengths(self, tables: NgramTables | None) -> tuple[int, int, int]:
        """Return `min_n`, `max_n` and `bucket` of the n-grams that are to be trained.

        Raises a ValueError if tables to go on from have others than are asked for.
        """
        asked = self.min_n, self.max_n, self.bucket
        if tables is None:
            return asked
        learned = tables.table[2:]
        if self.pretrained is None and learned != asked:
            msg = (
                f"partial_fit goes on with n-grams of (min_n, max_n, bucket) = "
                f"{learned}, got {asked}. Set them back, or call fit."
            )
            raise ValueError(msg)
        return learned

    def _published(self) -> WordVectors | None:
        published = super()._published()
        if published is not None and (ngrams := ngrams_of(published)):
            check_pretrained_ngrams(self, ngrams)
        return published

    def _starting_tables(self, published: WordVectors) -> Tables:
        asked = self.min_n, self.max_n, self.bucket
        return tuple(NgramTables.of_published(published, asked))

    def _word_vectors(self, vocabulary: Vocabulary, trained: Trained) -> SubwordVectors:
        vectors = trained.vectors
        buckets, rows, min_n, max_n, bucket = trained.ngrams or no_ngrams(
            vectors.shape[1], 0, 0, 0
        )
        return SubwordVectors(
            vocabulary.words, vectors, buckets, rows,
            min_n=min_n, max_n=max_n, bucket=bucket, counts=vocabulary.counts,
        )  # fmt: skip

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
