"""The tables of fastText: what training goes on from, and what is kept."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from skembed._ragged import Ragged
from skembed.estimators._occurring_words import OccurringWords
from skembed.formats import NgramTable
from skembed.text import ngram_buckets
from skembed.training.fasttext import (
    FastTextResult,
    FastTextTables,
    draw_rows,
    own_rows,
)
from skembed.vectors import SubwordVectors, WordVectors

Float32Array = npt.NDArray[np.float32]


class NgramTables(NamedTuple):
    """What training can go on from.

    Words have no rows of their own here: those follow from their vectors and the
    n-grams, and words that have not occurred yet keep the vectors that they have.

    Parameters
    ----------
    vectors : ndarray of shape (n_words, vector_size), float32
        Of words, their n-grams included.
    output : ndarray of shape (n_words, vector_size), float32
        The vectors of words as contexts.
    ngrams : ndarray of shape (n_ngrams, vector_size), float32
    buckets : ndarray of shape (n_ngrams,), int32
        Of the n-grams, rising.
    lengths : ndarray of shape (3,), int64
        `min_n`, `max_n` and `bucket`.
    """

    vectors: Float32Array
    output: Float32Array
    ngrams: Float32Array
    buckets: npt.NDArray[np.int32]
    lengths: npt.NDArray[np.int64]

    @classmethod
    def of_published(
        cls, published: WordVectors, lengths: tuple[int, int, int]
    ) -> "NgramTables":
        """Begin with published vectors; outputs, which files lack, are zeros.

        Parameters
        ----------
        published : WordVectors
        lengths : tuple of int
            `min_n`, `max_n` and `bucket` to take if it has no n-grams.
        """
        ngrams = ngrams_of(published) or no_ngrams(published.vector_size, *lengths)
        return cls(
            published.vectors,
            np.zeros_like(published.vectors),
            ngrams.vectors,
            ngrams.buckets,
            np.array(ngrams[2:], dtype=np.int64),
        )

    @property
    def table(self) -> NgramTable:
        """The n-grams, as `SubwordVectors` have them."""
        return NgramTable(self.buckets, self.ngrams, *self.lengths.tolist())


class NumberedNgrams(NamedTuple):
    """The n-grams of the words that occur, by the rows of their vectors.

    Parameters
    ----------
    buckets : ndarray of shape (n_ngrams,), int32
        The bucket of each row, rising.
    rows : Ragged of int32
        For each word the rows of its n-grams.
    """

    buckets: npt.NDArray[np.int32]
    rows: Ragged


def no_ngrams(vector_size: int, min_n: int, max_n: int, bucket: int) -> NgramTable:
    """Return a table of n-grams in which there are none yet."""
    none = np.zeros(0, dtype=np.int32)
    vectors = np.zeros((0, vector_size), dtype=np.float32)
    return NgramTable(none, vectors, min_n, max_n, bucket)


def ngrams_of(published: WordVectors) -> NgramTable | None:
    """Return the n-grams of published vectors; None if they have none."""
    if isinstance(published, SubwordVectors) and len(published.ngrams.buckets):
        return published.ngrams
    return None


def number_ngrams(
    words: Sequence[str], lengths: tuple[int, int, int]
) -> NumberedNgrams:
    """Number the n-grams of words, as only those are to have rows.

    Examples
    --------
    >>> number_ngrams(["a", "aa"], (1, 2, 1000)).rows.values
    array([2, 0, 3, 2, 0, 1, 0, 3], dtype=int32)
    """
    hashed = ngram_buckets(words, *lengths)
    buckets, rows = np.unique(hashed.values, return_inverse=True)
    return NumberedNgrams(buckets, Ragged(rows.astype(np.int32), hashed.offsets))


def initial_tables(
    words: OccurringWords, ngrams: NumberedNgrams, tables: NgramTables, seed: int
) -> FastTextTables:
    """Return what training on the words that occur begins with.

    Parameters
    ----------
    words : OccurringWords
    ngrams : NumberedNgrams
        Of these words.
    tables : NgramTables
        What there is, of the first words of the vocabulary.
    seed : int
        Fixes the rows of new words and n-grams.

    Returns
    -------
    initial : FastTextTables
        Words that have vectors begin with these, whatever n-grams are new.

    Raises
    ------
    ValueError
        If the vector of an n-gram holds NaN or infinity.
    """
    rng, size = np.random.default_rng(seed), tables.vectors.shape[1]
    ids = np.arange(len(words.counts)) if words.rows is None else words.rows
    is_known = ids < len(tables.vectors)
    known = ids[is_known]
    rows = np.empty((len(ngrams.buckets), size), dtype=np.float32)
    draw_rows(rows, rng)
    _, here, there = np.intersect1d(
        ngrams.buckets, tables.buckets, assume_unique=True, return_indices=True
    )
    rows[here] = tables.ngrams[there]
    _check_finite(rows, ngrams.buckets)
    own = np.empty((len(ids), size), dtype=np.float32)
    draw_rows(own, rng)
    vectors, output = np.zeros_like(own), np.zeros_like(own)
    vectors[is_known], output[is_known] = tables.vectors[known], tables.output[known]
    own[is_known] = own_rows(vectors, rows, ngrams.rows)[is_known]
    return FastTextTables(own, rows, output)


def kept_tables(
    tables: NgramTables | None,
    n_words: int,
    words: OccurringWords,
    ngrams: NumberedNgrams,
    result: FastTextResult,
    lengths: tuple[int, int, int],
) -> NgramTables:
    """Put what was trained into what there was.

    Parameters
    ----------
    tables : NgramTables or None
    n_words : int
        Of the vocabulary, new words included.
    words : OccurringWords
    ngrams : NumberedNgrams
    result : FastTextResult
        Of `words` and `ngrams`.
    lengths : tuple of int
        `min_n`, `max_n` and `bucket`.

    Returns
    -------
    tables : NgramTables
        Those that were given are not changed.
    """
    trained = NgramTables(
        result.vectors,
        result.tables.output,
        result.tables.ngrams,
        ngrams.buckets,
        np.array(lengths, dtype=np.int64),
    )
    if tables is None:
        return trained
    buckets = np.union1d(tables.buckets, trained.buckets).astype(np.int32)
    vectors = np.empty((len(buckets), trained.ngrams.shape[1]), dtype=np.float32)
    for part in (tables, trained):
        vectors[np.searchsorted(buckets, part.buckets)] = part.ngrams
    return trained._replace(
        vectors=words.put_back(_grown(tables.vectors, n_words), trained.vectors),
        output=words.put_back(_grown(tables.output, n_words), trained.output),
        ngrams=vectors,
        buckets=buckets,
    )


def _grown(table: Float32Array, n_rows: int) -> Float32Array:
    """Add rows of zeros."""
    more: Any = np.zeros((n_rows - len(table), table.shape[1]), dtype=np.float32)
    return np.concatenate([table, more]) if len(more) else table


def _check_finite(vectors: Float32Array, buckets: npt.NDArray[np.int32]) -> None:
    is_finite = np.isfinite(vectors).all(axis=1)
    if not is_finite.all():
        msg = (
            f"The vector of the n-grams in bucket {buckets[np.argmin(is_finite)]} of "
            "pretrained is not finite: it holds NaN or infinity. Repair its file."
        )
        raise ValueError(msg)
