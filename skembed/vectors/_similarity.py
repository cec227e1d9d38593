"""Questions about similar words, asked of any words that have a table of vectors."""

import warnings
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from skembed.vectors._objectives import (
    Cosine,
    CosineProduct,
    Objective,
    Table,
    unit_rows,
)
from skembed.vectors._search import search
from skembed.vectors._terms import Term, Terms, check_word, weighted_terms


class SimilarityQueries(ABC):
    """Neighbors, analogies and the odd one out, by the cosine of vectors.

    A subclass brings the words, their table, and its norms. The words of a question
    are never among its answers; equally similar words come in the order of the table;
    a vector of zeros has the similarity 0 with everything.
    """

    index_to_key: list[str]
    key_to_index: dict[str, int]
    vectors: npt.NDArray[np.float32]
    norms: npt.NDArray[np.float32]

    @abstractmethod
    def __contains__(self, key: object) -> bool: ...

    @abstractmethod
    def vector(self, key: str) -> npt.NDArray[np.float32]:
        """Vector of one word, or a KeyError."""

    def most_similar(
        self,
        positive: Terms = (),
        negative: Terms = (),
        topn: int = 10,
        restrict_vocab: int | None = None,
    ) -> list[tuple[str, float]]:
        """Find the words whose vectors have the largest cosine with a sum of terms.

        The sum is that of the positive minus the negative terms: of the words' vectors
        scaled to length 1, and of other vectors as they are. For the analogy "a is to b
        as c is to ?", that is 3CosAdd of Mikolov et al. (2013).

        Parameters
        ----------
        positive, negative : str, ndarray of shape (vector_size,), or list of these
            The terms. A pair (term, weight) in the list weights its term.
        topn : int
            How many words to return.
        restrict_vocab : int or None
            Search only the first so many words: the most frequent ones, where the words
            are in that order.

        Returns
        -------
        neighbors : list of (str, float)
            Words and cosines, best first. Words among the terms are left out.

        Raises
        ------
        KeyError
            If a word has no vector.
        """
        wanted = weighted_terms(positive, "positive")
        unwanted = weighted_terms(negative, "negative")
        if not wanted and not unwanted:
            msg = "positive and negative are both empty; give at least one word."
            raise ValueError(msg)
        signed = wanted + [(term, -weight) for term, weight in unwanted]
        words = [term for term, _ in signed]
        weights = np.array([weight for _, weight in signed])
        queries = weights[None, :] @ self._term_vectors(words)
        objective = Cosine(self._table, queries)
        return self._ranked(objective, words, topn, restrict_vocab)

    def most_similar_cosmul(
        self,
        positive: Terms = (),
        negative: Terms = (),
        topn: int = 10,
        restrict_vocab: int | None = None,
    ) -> list[tuple[str, float]]:
        """Find the words which are close to every positive and to no negative term.

        What is maximized is the product of the cosines with the positive terms over
        that with the negative ones, each cosine shifted to [0, 1]: 3CosMul of Levy &
        Goldberg (2014), where one large cosine outweighs the others less than in a sum.

        Parameters
        ----------
        positive, negative : str, ndarray of shape (vector_size,), or list of these
            The terms, without weights. `positive` cannot be empty.
        topn : int
            How many words to return.
        restrict_vocab : int or None
            Search only the first so many words.

        Returns
        -------
        neighbors : list of (str, float)
            Words and scores, best first. Words among the terms are left out.
        """
        wanted = [term for term, _ in weighted_terms(positive, "positive")]
        unwanted = [term for term, _ in weighted_terms(negative, "negative")]
        if not wanted:
            msg = "positive is empty; 3CosMul needs at least one positive word."
            raise ValueError(msg)
        terms = wanted + unwanted
        places = np.arange(len(terms))[None]
        objective = CosineProduct(
            self._table,
            self._term_vectors(terms),
            positive=places[:, : len(wanted)],
            negative=places[:, len(wanted) :],
        )
        return self._ranked(objective, terms, topn, restrict_vocab)

    def analogy(
        self,
        a: str,
        b: str,
        c: str,
        topn: int = 10,
        *,
        method: Literal["add", "mul"] = "add",
        restrict_vocab: int | None = None,
    ) -> list[tuple[str, float]]:
        """Answer the question "`a` is to `b` as `c` is to what?".

        Parameters
        ----------
        a, b, c : str
            Three words, which are no answers.
        topn : int
            How many words to return.
        method : {"add", "mul"}
            3CosAdd, as in `most_similar`, or 3CosMul, as in `most_similar_cosmul`.
        restrict_vocab : int or None
            Search only the first so many words.

        Returns
        -------
        answers : list of (str, float)
            Words and scores, best first.
        """
        check_method(method)
        query = self.most_similar if method == "add" else self.most_similar_cosmul
        return query([b, c], [a], topn, restrict_vocab)

    def neighbors(
        self,
        queries: Sequence[str] | npt.NDArray[np.floating],
        topn: int = 10,
        restrict_vocab: int | None = None,
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """Find the most similar words of many queries at once.

        Parameters
        ----------
        queries : sequence of str, or ndarray of shape (n_queries, vector_size)
            Words, or vectors. A word is not its own neighbor.
        topn : int
            How many neighbors to find for each query.
        restrict_vocab : int or None
            Search only the first so many words.

        Returns
        -------
        rows : ndarray of shape (n_queries, k), int64
            Where the neighbors stand in `index_to_key`, best first. ``k`` is `topn`, or
            less where no query has so many. The last row is -1 where a query has one
            neighbor less than others, being itself among the words searched.
        cosines : ndarray of shape (n_queries, k), float64
            -inf where `rows` is -1.

        Raises
        ------
        KeyError
            If a word has no vector.
        TypeError
            If `queries` is a str: pass ``[word]``.
        """
        n_words = self._n_searched(topn, restrict_vocab)
        if isinstance(queries, np.ndarray) and queries.dtype.kind == "f":
            vectors = self._checked(queries, ndim=2)
            exclude = np.full((len(queries), 0), -1)
        else:
            words = _listed(queries)
            exclude = self._rows_of(words)[:, None]
            vectors = self._term_vectors(words)
            is_searched = (exclude >= 0) & (exclude < n_words)
            topn = min(topn, n_words - bool(is_searched.all()))
        objective = Cosine(self._table, vectors)
        return search(objective, topn, n_words=n_words, exclude=exclude)

    def similarity(self, a: str, b: str) -> float:
        """Compute the cosine of the vectors of two words.

        Parameters
        ----------
        a, b : str
            The words.

        Returns
        -------
        cosine : float
            0 if a vector is zero.

        Raises
        ------
        KeyError
            If a word has no vector.
        """
        units = unit_rows(np.stack([self.vector(a), self.vector(b)]))
        return float(units[0] @ units[1])

    def distance(self, a: str, b: str) -> float:
        """Compute the cosine distance of two words, 1 minus their similarity.

        Parameters
        ----------
        a, b : str
            The words.

        Returns
        -------
        distance : float
        """
        return 1 - self.similarity(a, b)

    def n_similarity(self, first: Sequence[str], second: Sequence[str]) -> float:
        """Compute the cosine of the mean vectors of two sets of words.

        Parameters
        ----------
        first, second : sequence of str
            The words. Those without a vector are left out, with a warning.

        Returns
        -------
        cosine : float

        Raises
        ------
        ValueError
            If a set has no known word.
        """
        known = self._known(first), self._known(second)
        means = [
            np.mean([self.vector(key) for key in keys], axis=0, dtype=np.float64)
            for keys in known
        ]
        units = unit_rows(np.stack(means))
        return float(units[0] @ units[1])

    def doesnt_match(self, words: Sequence[str]) -> str:
        """Find the word that is the least similar to the mean of all.

        Parameters
        ----------
        words : sequence of str
            Those without a vector are left out, with a warning.

        Returns
        -------
        word : str

        Raises
        ------
        ValueError
            If no word is known.
        """
        known = self._known(words)
        units = self._term_vectors(known)
        return known[int(np.argmin(units @ units.mean(axis=0)))]

    @property
    def _table(self) -> Table:
        return Table(self.vectors, self.norms)

    def _term_vectors(self, terms: Sequence[Term]) -> npt.NDArray[np.float64]:
        """Stack unit vectors of words and other vectors as they are, (n_terms, d)."""
        vectors = np.empty((len(terms), self.vectors.shape[1]))
        is_word = [isinstance(term, str) for term in terms]
        for i, term in enumerate(terms):
            if isinstance(term, str):
                vectors[i] = self.vector(term)
            else:
                vectors[i] = self._checked(term, ndim=1)
        vectors[is_word] = unit_rows(vectors[is_word])
        return vectors

    def _checked(
        self, vectors: npt.NDArray[np.floating], *, ndim: int
    ) -> npt.NDArray[np.floating]:
        vector_size = self.vectors.shape[1]
        if vectors.ndim != ndim or vectors.shape[-1] != vector_size:
            expected = f"({vector_size},)" if ndim == 1 else f"(n, {vector_size})"
            msg = f"Vectors must have the shape {expected}, got {vectors.shape}."
            raise ValueError(msg)
        if not np.isfinite(vectors).all():
            msg = "Vectors to compare with must be finite; these hold NaN or infinity."
            raise ValueError(msg)
        return vectors

    def _ranked(
        self,
        objective: Objective,
        terms: Sequence[Term],
        topn: int,
        restrict_vocab: int | None,
    ) -> list[tuple[str, float]]:
        """Answer one query with words, none of them among the terms."""
        n_words = self._n_searched(topn, restrict_vocab)
        exclude = self._rows_of([term for term in terms if isinstance(term, str)])
        rows, scores = search(objective, topn, n_words=n_words, exclude=exclude[None])
        return [
            (self.index_to_key[row], float(score))
            for row, score in zip(rows[0], scores[0], strict=True)
            if row >= 0
        ]

    def _n_searched(self, topn: int, restrict_vocab: int | None) -> int:
        n_words = len(self.index_to_key)
        _check_int(topn, 0, f"topn must be an int >= 0 ({n_words} ranks all words)")
        if restrict_vocab is None:
            return n_words
        _check_int(restrict_vocab, 1, "restrict_vocab must be None or an int >= 1")
        return min(int(restrict_vocab), n_words)

    def _rows_of(self, keys: Sequence[str]) -> npt.NDArray[np.int64]:
        """Rows of words; -1 for words that have a vector but no row."""
        for key in keys:
            check_word(key)
        rows = [self.key_to_index.get(key, -1) for key in keys]
        return np.array(rows, dtype=np.int64)

    def _known(self, keys: Sequence[str]) -> list[str]:
        """Leave out the words without a vector, and warn whoever asked the question."""
        keys = _listed(keys)
        known = [key for key in keys if key in self]
        if not known:
            msg = f"None of the words {keys!r} has a vector."
            raise ValueError(msg)
        if len(known) < len(keys):
            missing = [key for key in keys if key not in self]
            msg = f"These words have no vector and are left out: {missing!r}."
            warnings.warn(msg, UserWarning, stacklevel=3)
        return known


def _listed(words: Sequence[str] | npt.NDArray[Any]) -> list[str]:
    if isinstance(words, str):
        msg = (
            f"A sequence of words is expected, got the str {words!r}: pass [{words!r}]."
        )
        raise TypeError(msg)
    return list(words)


def check_method(method: object) -> None:
    """Raise a ValueError for what is no method to solve analogies."""
    if method not in ("add", "mul"):
        msg = f"method must be 'add' or 'mul', got {method!r}."
        raise ValueError(msg)


def _check_int(value: object, smallest: int, rule: str) -> None:
    if not isinstance(value, int | np.integer) or value < smallest:
        msg = f"{rule}, got {value!r}."
        raise ValueError(msg)
