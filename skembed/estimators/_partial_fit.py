"""Going on with more documents."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Self, TypeVar

import numpy as np
import numpy.typing as npt
from joblib import effective_n_jobs
from sklearn.utils.metaestimators import available_if

from skembed._sklearn_private import fit_context
from skembed.estimators._merging import join_vocabulary
from skembed.estimators._pretrained import (
    check_pretrained_size,
    expect_words,
    without_counts,
)
from skembed.estimators._progress import TrainingProgress
from skembed.estimators._training_device import check_device
from skembed.estimators._training_state import TrainingState
from skembed.estimators._word_training import train_words, training_config
from skembed.estimators._word_vectorizer import WordVectorizer
from skembed.estimators.documents import check_document_weight
from skembed.features import inverse_document_frequency
from skembed.text import Vocabulary, encode_corpus
from skembed.training.skipgram import SkipGramConfig

Config = TypeVar("Config", bound=SkipGramConfig)
Result = TypeVar("Result")


def _can_go_on(estimator: "OnlineWordVectorizer") -> bool:
    estimator._check_can_go_on()
    return True


def _goes_on(earlier: TrainingState | None) -> bool:
    """Whether training is that of `partial_fit`, and not of `fit`."""
    return earlier is not None and not earlier.before_fit


class OnlineWordVectorizer(WordVectorizer):
    """A word vectorizer whose training can go on.

    Subclasses set the parameters below, too, in their ``__init__``.
    """

    learning_rate: float
    min_learning_rate: float

    def _check_parameters(self) -> None:
        super()._check_parameters()
        check_device(self)
        if self.min_learning_rate > self.learning_rate:
            msg = (
                f"min_learning_rate={self.min_learning_rate} must not be above "
                f"learning_rate={self.learning_rate}, from which the step size falls."
            )
            raise ValueError(msg)

    def _check_can_go_on(self) -> None:
        """Raise an AttributeError where parameters rule `partial_fit` out."""
        if self.pretrained is not None and not self.fine_tune:
            msg = (
                "partial_fit is not there for published vectors that are not trained. "
                "Set fine_tune=True, or fit."
            )
            raise AttributeError(msg)

    @available_if(_can_go_on)
    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self,
        X: Iterable[Any],
        y: Any = None,
        sample_weight: npt.ArrayLike | None = None,
    ) -> Self:
        """Go on training with more documents.

        Parameters
        ----------
        X : iterable of documents, of length n_documents
        y : Ignored
            Present for compatibility with pipelines.
        sample_weight : array-like of shape (n_documents,), default=None
            As for `fit`.

        Returns
        -------
        self : object
            The estimator, as it was before if the call fails or is interrupted.

        Raises
        ------
        ValueError
            If the estimator was fitted, and then loaded from a file: only after a
            `partial_fit` do files hold what it takes to go on.

        Notes
        -----
        One pass is made over `X`, with the constant step size `learning_rate`; on a new
        estimator too, where `epochs` is not used either. What to know of it:

        - A word joins the vocabulary with the first call whose documents hold it
          `min_count` times; occurrences in other calls are not added up. New words come
          after the old ones, whose ids stay; `max_vocab_size` bounds their sum.
        - Subsampling, noise and the poolings' weights go by the counts of all calls so
          far; nothing is ever forgotten.
        - The common components are those of the documents of the last call.
        - Many small calls are not one fit: earlier documents are not seen again, and
          the last ones have moved the vectors last.
        - Documents without a word that is known or joins, as streams have them, are
          only counted. On a new estimator they are an error.
        """
        # Of a fitted estimator, scikit-learn leaves this out.
        self._validate_params()
        self._check_parameters()
        given = {"X": X, "y": y, "sample_weight": sample_weight}
        with TrainingProgress(self, 1, **given) as progress:
            is_new = not hasattr(self, "vocabulary_")
            vocabulary, earlier = self._beginning() if is_new else self._earlier()
            documents, analysis = self._read(X)
            goes_on = len(vocabulary) > 0
            # Later on, also rare words may be known ones.
            min_count = 1 if goes_on else self.min_count
            batch = encode_corpus(
                documents, analysis, min_count=min_count, allow_empty=goes_on
            )
            vocabulary, corpus = join_vocabulary(
                vocabulary,
                *batch,
                min_count=self.min_count,
                max_vocab_size=self.max_vocab_size,
            )
            if is_new:
                expect_words(corpus, vocabulary.words, self.min_count)
            if len(corpus.values):
                self._learn(vocabulary, corpus, sample_weight, progress, earlier)
            else:
                self._count_documents(len(corpus), sample_weight, earlier)
        return self

    def _count_documents(
        self,
        n_documents: int,
        sample_weight: npt.ArrayLike | None,
        earlier: TrainingState,
    ) -> None:
        """Take note of documents without words, which teach nothing else."""
        check_document_weight(sample_weight, n_documents)
        state = replace(
            earlier,
            n_documents=earlier.n_documents + n_documents,
            n_batches=earlier.n_batches + 1,
        )
        idf = inverse_document_frequency(state.document_frequency, state.n_documents)
        self.__dict__.update(idf_=idf, _training=state)

    def _beginning(self) -> tuple[Vocabulary, TrainingState]:
        """Return what the first call goes on from: published vectors, or nothing."""
        published = self._published()
        if published is None:
            none = np.zeros(0, np.int64)
            return Vocabulary((), none), TrainingState((), none, 0, np.zeros(0), 0)
        return without_counts(published), replace(self._start(published), n_batches=0)

    def _earlier(self) -> tuple[Vocabulary, TrainingState]:
        """Return what there is to go on from after `fit` or another call."""
        training: TrainingState | None = getattr(self, "_training", None)
        if training is None:
            msg = (
                f"This {type(self).__name__} was fitted, and then copied or loaded, "
                "which keeps only what transform needs. Call partial_fit where it was "
                "fitted, before saving it: then all that training needs is saved too."
            )
            raise ValueError(msg)
        learned = self.word_vectors_.vector_size
        if self.pretrained is not None:
            check_pretrained_size(self, learned)
        elif learned != self.vector_size:
            msg = (
                f"partial_fit goes on with vectors of size {learned}, but vector_size "
                f"was set to {self.vector_size}. Set it back, or call fit."
            )
            raise ValueError(msg)
        return self.vocabulary_, training

    def _config(
        self, kind: type[Config], earlier: TrainingState | None, **changes: Any
    ) -> Config:
        """Return the settings of training: in `partial_fit`, those of one pass."""
        if _goes_on(earlier):
            constant = self.learning_rate
            changes |= {"epochs": 1, "min_learning_rate": constant, "tol": None}
        return training_config(kind, self, **changes)

    def _train_words(
        self,
        train: Callable[..., Result],
        arguments: Mapping[str, Any],
        progress: TrainingProgress,
        earlier: TrainingState | None,
    ) -> Result:
        """Train, or find what `fit` has trained with the same arguments before."""
        return train_words(
            train,
            arguments,
            self,
            progress,
            goes_on=_goes_on(earlier),
            n_threads=effective_n_jobs(self.n_jobs),
        )
