"""What featurizers have in common whose networks read words."""

from collections.abc import Callable, Sequence
from numbers import Integral
from typing import Any

import numpy as np
import numpy.typing as npt
from joblib import effective_n_jobs

from skembed._devices import DTYPES
from skembed._sklearn_private import StrOptions
from skembed.encoding import Text, WordEncoder, lowered
from skembed.estimators._analysis import listed
from skembed.estimators._contextual_words import check_words
from skembed.estimators._featurizer import FEATURIZER_CONSTRAINTS, ContextualFeaturizer
from skembed.estimators.documents import Document
from skembed.networks import joined_spans
from skembed.text import newswire_words

WORD_FEATURIZER_CONSTRAINTS: dict[str, list[Any]] = {
    **FEATURIZER_CONSTRAINTS,
    "tokenizer": [callable, None],
    "lowercase": ["boolean"],
    "device": "no_validation",  # type: ignore[dict-item]
    "dtype": [StrOptions(set(DTYPES))],
    "n_jobs": [Integral, None],
    "random_state": ["random_state"],
    "store_weights": ["boolean"],
}


class WordFeaturizer(ContextualFeaturizer):
    """Describe documents by the layers of a network that reads words.

    Subclasses set the parameters below in their ``__init__``, along with those of
    `ContextualFeaturizer`.
    """

    tokenizer: Callable[[str], Any] | None
    lowercase: bool
    batch_tokens: int | None
    device: Any
    dtype: str
    n_jobs: int | None
    random_state: Any
    store_weights: bool

    def _documents(self, X: Any) -> list[Document]:
        documents = split_documents(super()._documents(X), self.tokenizer)
        check_words(documents)
        return documents

    @property
    def _n_threads(self) -> int | None:
        """How many threads of a CPU may be used; None leaves it to torch."""
        return None if self.n_jobs is None else effective_n_jobs(self.n_jobs)

    def _cased(self, documents: Sequence[Document]) -> Sequence[Text]:
        return lowered(documents) if self.lowercase else documents

    def _words(self, documents: Sequence[Document]) -> list[list[str]]:
        """Cut documents as the network reads them."""
        return [cut_words(text)[0] for text in self._cased(documents)]

    def _word_encoder(self, model: Any, **settings: Any) -> WordEncoder:
        """Return what a `WordModel` makes of texts.

        `settings` are those of `WordEncoder` that are no parameters of all subclasses.
        """
        return WordEncoder(
            model=model,
            split=newswire_words,
            splitter="newswire 1",
            lowercase=self.lowercase,
            device=self.device,
            dtype=self.dtype,
            batch_tokens=self.batch_tokens,
            n_threads=self._n_threads,
            verbose=self.verbose,
            **settings,
        )


def split_documents(
    documents: Sequence[Document], tokenizer: Callable[[str], Any] | None
) -> list[Document]:
    """Cut those documents that are no lists of words yet; None leaves them as they are.

    Examples
    --------
    >>> split_documents(["to be", ["or", "not"]], str.split)
    [['to', 'be'], ['or', 'not']]
    """
    if tokenizer is None:
        return list(documents)
    split = listed(tokenizer)
    return [split(text) if isinstance(text, str) else text for text in documents]


def cut_words(text: Text) -> tuple[list[str], npt.NDArray[np.int64]]:
    """Return the words of a document, and where they stand in it.

    Examples
    --------
    >>> words, spans = cut_words("don't")
    >>> words, spans.tolist()
    (['don', "'t"], [[0, 3], [3, 5]])
    """
    if isinstance(text, str):
        return newswire_words(text)
    return list(text), joined_spans(text)
