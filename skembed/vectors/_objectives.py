"""What a search maximizes: the cosine, or 3CosMul's product of cosines."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

# Keeps the denominator of 3CosMul from 0. The paper takes 0.001; gensim's value.
_EPSILON = 1e-6


@dataclass(frozen=True)
class Table:
    """Vectors to search among, with what makes cosines of their dot products.

    Parameters
    ----------
    vectors : ndarray of shape (n_words, vector_size), float32
    norms : ndarray of shape (n_words,), float32
        Euclidean lengths of the rows.
    """

    vectors: npt.NDArray[np.float32]
    norms: npt.NDArray[np.float32]

    def cosines(
        self, units: npt.NDArray[np.float64], words: slice
    ) -> npt.NDArray[np.float32]:
        """Cosines of `units` (n_queries, vector_size) and a block of the words."""
        products: npt.NDArray[np.float32] = (
            units.astype(np.float32) @ self.vectors[words].T
        )
        # The product with a vector of zeros is 0, whatever it is divided by.
        products /= np.maximum(self.norms[words], np.finfo(np.float32).tiny)
        return products

    def cosines_of_pairs(
        self, units: npt.NDArray[np.float64], rows: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.float64]:
        """Cosines of ``units[i]`` and word ``rows[i]``, in float64."""
        vectors = self.vectors[rows].astype(np.float64)
        products = np.einsum("id,id->i", vectors, units)
        lengths = np.sqrt(np.einsum("id,id->i", vectors, vectors))
        cosines: npt.NDArray[np.float64] = products * inverse(lengths)
        return cosines


class Objective(Protocol):
    """What a search maximizes, for the queries that the object was made with."""

    n_queries: int
    vector_size: int

    def block(self, queries: slice, words: slice) -> npt.NDArray[np.float32]:
        """Scores of a block, shape (n_queries, n_words), in fresh memory."""

    def pairs(
        self, queries: npt.NDArray[np.int64], rows: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.float64]:
        """Scores of query ``queries[i]`` and word ``rows[i]``."""


class Cosine:
    """The cosine between a query and a word; of a sum of words, it is 3CosAdd.

    Parameters
    ----------
    table : Table
    queries : ndarray of shape (n_queries, vector_size)
        Of any length; a zero vector has the cosine 0 with everything.
    """

    def __init__(self, table: Table, queries: npt.NDArray[np.floating]) -> None:
        self.n_queries, self.vector_size = queries.shape
        self._table = table
        self._units = unit_rows(queries)

    def block(self, queries: slice, words: slice) -> npt.NDArray[np.float32]:
        """Scores of a block, shape (n_queries, n_words), in fresh memory."""
        return self._table.cosines(self._units[queries], words)

    def pairs(
        self, queries: npt.NDArray[np.int64], rows: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.float64]:
        """Scores of query ``queries[i]`` and word ``rows[i]``."""
        return self._table.cosines_of_pairs(self._units[queries], rows)


class CosineProduct:
    """3CosMul: the product of the positive terms' cosines over the negative terms'.

    Cosines are shifted to [0, 1], as in Levy & Goldberg (2014), "Linguistic
    Regularities in Sparse and Explicit Word Representations", equation 4 and footnote
    7. Terms beyond those of an analogy join their product.

    Parameters
    ----------
    table : Table
    terms : ndarray of shape (n_terms, vector_size)
        The vectors of all terms, of any length.
    positive : ndarray of shape (n_queries, n_positive), int64
        Which terms are the positive ones of a query.
    negative : ndarray of shape (n_queries, n_negative), int64
    """

    def __init__(
        self,
        table: Table,
        terms: npt.NDArray[np.floating],
        positive: npt.NDArray[np.int64],
        negative: npt.NDArray[np.int64],
    ) -> None:
        self.n_queries, self._n_positive = positive.shape
        self.vector_size = terms.shape[1]
        self._table = table
        self._units = unit_rows(terms)
        self._terms = np.hstack([positive, negative])

    def block(self, queries: slice, words: slice) -> npt.NDArray[np.float32]:
        """Scores of a block, shape (n_queries, n_words), in fresh memory."""
        # Queries that stand together often share terms.
        used, places = np.unique(self._terms[queries], return_inverse=True)
        shifted = self._table.cosines(self._units[used], words)
        shifted += 1
        shifted /= 2
        places = places.reshape(-1, self._terms.shape[1])
        numerator: npt.NDArray[np.float32] = shifted[places[:, 0]]
        for place in places.T[1 : self._n_positive]:
            numerator *= shifted[place]
        denominator = np.ones_like(numerator)
        for place in places.T[self._n_positive :]:
            denominator *= shifted[place]
        denominator += np.float32(_EPSILON)
        numerator /= denominator
        return numerator

    def pairs(
        self, queries: npt.NDArray[np.int64], rows: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.float64]:
        """Scores of query ``queries[i]`` and word ``rows[i]``."""
        numerator, denominator = np.ones(len(rows)), np.ones(len(rows))
        for i, terms in enumerate(self._terms[queries].T):
            cosines = self._table.cosines_of_pairs(self._units[terms], rows)
            product = numerator if i < self._n_positive else denominator
            product *= (1 + cosines) / 2
        return numerator / (denominator + _EPSILON)


def inverse(lengths: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Return 1 / length, and 0 for the length 0."""
    inverses = np.zeros_like(lengths)
    np.divide(1, lengths, out=inverses, where=lengths > 0)
    return inverses


def unit_rows(vectors: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Scale every row to length 1; rows of zeros stay so."""
    wide = vectors.astype(np.float64)
    lengths = np.sqrt(np.einsum("...d,...d->...", wide, wide))
    units: npt.NDArray[np.float64] = wide * inverse(lengths)[..., None]
    return units
