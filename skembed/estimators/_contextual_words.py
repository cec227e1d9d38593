"""The words of documents, each in its context."""

from abc import abstractmethod
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_is_fitted

from skembed.encoding import TextEncoder
from skembed.estimators._token_output import marked_words, word_features
from skembed.estimators.documents import Document
from skembed.features import TokenFeatures

Float32Array = npt.NDArray[np.float32]


def check_words(documents: Iterable[Any]) -> None:
    """Raise a TypeError that names the first document with a word that is no str.

    Examples
    --------
    >>> check_words(["A text", ["Its", "words"]])
    """
    for row, document in enumerate(documents):
        # Looking at the types takes no loop in Python; nearly always, all are str.
        if type(document) is str or {str}.issuperset(map(type, document)):
            continue
        for word in document:
            if not isinstance(word, str):
                msg = (
                    f"The words of document {row} must be str, got {word!r} of type "
                    f"{type(word).__name__}."
                )
                raise TypeError(msg)


class ContextualWordsMixin:
    """What a featurizer gives of words; see `ContextualFeaturizer`."""

    mixing: str
    widths_: tuple[int, ...]

    @abstractmethod
    def _documents(self, X: Any) -> list[Document]:
        """Return the documents of `X`."""

    @abstractmethod
    def _fitted_layers(self) -> tuple[int, ...]:
        """Return the numbers of the layers."""

    @abstractmethod
    def _fitted_encoder(self) -> TextEncoder:
        """Return the model, if it is the one of `fit`."""

    @abstractmethod
    def _mixed(self, blocks: list[Float32Array]) -> Float32Array:
        """Mix layers."""

    def transform_tokens(
        self, X: Iterable[Any], *, aggregation: str = "mean"
    ) -> TokenFeatures:
        """Return a vector of each word of each document, in its context.

        Parameters
        ----------
        X : iterable of documents, of length n_documents
            Lists of words keep their words; a str is cut into words as the model's
            tokenizer does it before it cuts words into pieces.
        aggregation : {"mean", "first", "last"}, default="mean"
            How the vectors of the pieces of a word become one.

        Returns
        -------
        features : TokenFeatures
            With the characters of each word in `offsets`; for a list of words, those of
            the words joined by spaces. A word without pieces gets zeros. `pooling` and
            `normalize` are about documents, and have no part in this.
        """
        check_is_fitted(self)
        documents = self._documents(X)
        return word_features(
            documents, self._run_tokens(documents), self._token_width(), aggregation
        )

    def word_in_context(
        self, X: Iterable[Any], words: Any, *, aggregation: str = "mean"
    ) -> Float32Array:
        """Return the vector of one word of each document, in its context.

        Parameters
        ----------
        X : iterable of documents, of length n_documents
        words : str, or sequence of length n_documents
            The word to look at: a str, of which the first occurrence as a whole word
            counts, whatever its case unless one has the same; or for each document a
            str, a span ``(start, end)`` of characters, or, in a list of words, the
            number of a word.
        aggregation : {"mean", "first", "last"}, default="mean"
            How the vectors of the pieces of the word become one.

        Returns
        -------
        vectors : ndarray of shape (n_documents, n_token_features), float32

        Raises
        ------
        ValueError
            If a document does not hold its word, or a span holds no token.
        """
        check_is_fitted(self)
        documents = self._documents(X)
        return marked_words(
            documents,
            words,
            self._run_tokens(documents),
            self._token_width(),
            aggregation,
        )

    def _run_tokens(
        self, documents: list[Document]
    ) -> Iterable[tuple[npt.NDArray[np.int64], Any, Float32Array]]:
        layers, encoder = self._fitted_layers(), self._fitted_encoder()
        return encoder.token_states(documents, layers, self._mixed)

    def _token_width(self) -> int:
        """Features of a token: of a document, for the mean pooling."""
        widths = [self.widths_[layer] for layer in self._fitted_layers()]
        return sum(widths) if self.mixing == "concat" else widths[0]
