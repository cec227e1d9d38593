"""What a bidirectional language model that was trained here says of words."""

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_is_fitted

from skembed._devices import resolve_devices, torch_threads
from skembed.estimators._elmo_words import count_words, numbered
from skembed.estimators._token_output import find_word
from skembed.estimators._word_featurizer import WordFeaturizer, cut_words
from skembed.estimators.documents import Document
from skembed.text import Vocabulary, character_ids
from skembed.training.bilm import (
    N_SPECIAL,
    UNKNOWN,
    BiLMModel,
    measure_perplexity,
    place_probabilities,
)


class PredictingFeaturizer(WordFeaturizer):
    """A featurizer that knows what else would fit, by the softmax of its training."""

    vocabulary_: Vocabulary

    @abstractmethod
    def _trained(self) -> Mapping[str, Any] | None:
        """Return what was trained and is still asked for, as plain objects."""

    def perplexity(self, X: Iterable[Any]) -> float:
        """Measure how well the trained model predicts the words of documents.

        This is the exponential of the mean surprise, in nats, at a word or the end of a
        document, given what precedes it, and at a word or the begin, given what
        follows. Words that are not in `vocabulary_` all count as one unknown word.

        Parameters
        ----------
        X : iterable of documents, of length n_documents
            Those without words are left out.

        Returns
        -------
        perplexity : float
            The geometric mean of both directions'; at least 1.

        Raises
        ------
        ValueError
            If the model was not trained here, or there are no words.

        Examples
        --------
        >>> from skembed import ELMoFeaturizer
        >>> texts = ["to be or not to be", "that is the question"] * 20
        >>> featurizer = ELMoFeaturizer(size=16, epochs=30, random_state=0).fit(texts)
        >>> featurizer.perplexity(["to be or not to be"]) < 5
        True
        """
        check_is_fitted(self)
        documents = [words for words in self._words(self._documents(X)) if words]
        model, vocabulary = self._language_model(), count_words(documents)
        known = self.vocabulary_.index
        rows = [known.get(word, UNKNOWN - N_SPECIAL) for word in vocabulary.words]
        with torch_threads(self._n_threads):
            measured = measure_perplexity(
                model,
                numbered(documents, vocabulary),
                _spelled(vocabulary.words, model),
                np.array(rows, np.int64) + N_SPECIAL,
                device=resolve_devices(self.device)[0],
            )
        return float(measured.mean)

    def substitutes(
        self, document: Document, word: Any, *, topn: int = 10
    ) -> list[tuple[str, float]]:
        """Find the words that are likeliest in the place of a word.

        Both directions are asked, as if what precedes and what follows were
        independent for a given word.

        Parameters
        ----------
        document : str, or list of str
        word : str, tuple of (int, int), or int
            A word, of which the first occurrence counts; where it begins and ends in
            the document; or, in a list of words, its number.
        topn : int, default=10
            How many to return, at most.

        Returns
        -------
        substitutes : list of (str, float)
            Other words of `vocabulary_`, each with its probability, the likeliest
            first.

        Raises
        ------
        ValueError
            If the model was not trained here, or the document does not hold the word,
            or `word` names several.

        Examples
        --------
        >>> from skembed import ELMoFeaturizer
        >>> texts = ["we drink hot tea", "we drink hot milk", "we eat rice"] * 20
        >>> featurizer = ELMoFeaturizer(size=16, epochs=30, random_state=0).fit(texts)
        >>> [(word, p)] = featurizer.substitutes("we drink hot tea", "tea", topn=1)
        >>> word, p > 0.2
        ('milk', True)
        """
        check_is_fitted(self)
        (given,) = self._documents([document])
        span = find_word(given, word)
        (text,) = self._cased([given])
        words, spans = cut_words(text)
        place = _one_place(spans, span, given)
        model, distinct = self._language_model(), count_words([words])
        with torch_threads(self._n_threads):
            shares = place_probabilities(
                model,
                numbered([words], distinct).values,
                place,
                _spelled(distinct.words, model),
                self.vocabulary_.counts,
                device=resolve_devices(self.device)[0],
            )
        likeliest = np.argsort(-shares, kind="stable")[: topn + 1].tolist()
        found = [(self.vocabulary_.words[i], float(shares[i])) for i in likeliest]
        return [pair for pair in found if pair[0] != words[place]][:topn]

    def _language_model(self) -> BiLMModel:
        stored = self._trained()
        if stored is None or "softmax" not in stored:
            msg = (
                "The published model predicts no words: its files have no softmax. "
                "Train a model, with weights=None, or go on training this one, with "
                "fine_tune=True, and fit."
            )
            raise ValueError(msg)
        return BiLMModel(
            stored["arrays"], stored["options"], stored["softmax"], stored["bias"]
        )


def _one_place(
    spans: npt.NDArray[np.int64], span: tuple[int, int], document: Document
) -> int:
    """Return the number of the one word that characters are of."""
    start, stop = span
    inside = np.flatnonzero((spans[:, 1] > start) & (spans[:, 0] < stop))
    if len(inside) != 1:
        msg = (
            f"word must name one word, as the model reads them, got {len(inside)} in "
            f"the characters {start} to {stop} of {document!r:.100}."
        )
        raise ValueError(msg)
    return int(inside[0])


def _spelled(words: Sequence[str], model: BiLMModel) -> npt.NDArray[np.int32]:
    return character_ids(words, model.architecture.max_characters)
