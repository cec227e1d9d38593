"""Estimators that go wrong when they are fitted, or fitted again."""

import contextlib
import warnings
from numbers import Integral
from typing import ClassVar

import numpy as np
from sklearn.utils.validation import check_is_fitted

from tests.testing.reference import AverageOfWords, breaks, word_vector


@breaks("check_fit_returns_the_estimator", "fit returned None")
class FitReturnsNothing(AverageOfWords):
    def fit(self, X, y=None, sample_weight=None):
        super().fit(X, y, sample_weight)


@breaks("check_fit_needs_no_y", "fit(X) raised")
class CountsY(AverageOfWords):
    def fit(self, X, y=None, sample_weight=None):
        len(y)
        return super().fit(X, y, sample_weight)


@breaks("check_fit_of_no_documents", "raised IndexError")
class LooksAtTheFirstDocument(AverageOfWords):
    def _documents(self, X):
        documents = super()._documents(X)
        documents[0]
        return documents


@breaks("check_fit_of_no_documents", "one gave the shape (1, 0)")
class CountsColumnsOfNothing(AverageOfWords):
    def transform(self, X):
        return super().transform(X)[:, : len(self.vectors_)]


@breaks("check_not_fitted_error", "transform before fit raised AttributeError")
class DoesNotAskWhetherItIsFitted(AverageOfWords):
    def transform(self, X):
        return np.array([self._row(words) for words in self._documents(X)])


class HashedWords(AverageOfWords):
    """Correct: the reference with vectors that no fit is needed for."""

    partial_fit = None

    def fit(self, X, y=None):
        self._validate_params()
        self._documents(X)
        return self

    def transform(self, X):
        rows = [self._row(words) for words in self._documents(X)]
        return np.array(rows, np.float32).reshape(-1, self._n_features_out)

    def _known(self, words):
        rows = [word_vector(word, 1, 0, self.vector_size) for word in words]
        return np.array(rows, np.float32).reshape(-1, self.vector_size)

    @property
    def _n_features_out(self):
        return self.vector_size * len(self._pools())

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        return tags


class WeighsNothing(HashedWords):
    """Correct: it takes weights, and learns nothing that they could change."""

    def fit(self, X, y=None, sample_weight=None):
        return super().fit(X, y)


class SumsByWorker(WeighsNothing):
    """Correct: what it computes depends on `n_jobs` to rounding, and draws nothing."""

    def __init__(self, vector_size=6, *, n_jobs=None):
        super().__init__(vector_size, n_jobs=n_jobs)

    def _row(self, words):
        return super()._row(words) * np.float32(1 + 2e-7 * (self.n_jobs or 1))


@breaks("check_transform_without_fit", "transform before and after fit differ")
class LearnsInSecret(HashedWords):
    def fit(self, X, y=None):
        self.scale_ = np.float32(2.0)
        return super().fit(X, y)

    def _row(self, words):
        return super()._row(words) * getattr(self, "scale_", 1)


@breaks("check_fitted_attributes_end_in_an_underscore", "['n_documents']")
class SetsAPublicAttribute(AverageOfWords):
    def fit(self, X, y=None, sample_weight=None):
        self.n_documents = 80
        return super().fit(X, y, sample_weight)


@breaks("check_fit_changes_no_parameter", "changed ['pooling']")
class ConvertsAParameter(AverageOfWords):
    def fit(self, X, y=None, sample_weight=None):
        self.pooling = [self.pooling]
        return super().fit.__wrapped__(self, X, y, sample_weight)


@breaks("check_fit_twice_is_fit_once", "was fitted before learned something else")
class GoesOnFromAnEarlierFit(AverageOfWords):
    def fit(self, X, y=None, sample_weight=None):
        return self.partial_fit(X)


@breaks("check_fit_twice_is_fit_once", "['n_fits_'] depend on an earlier fit")
class CountsItsFits(AverageOfWords):
    def fit(self, X, y=None, sample_weight=None):
        if hasattr(self, "vectors_"):
            self.n_fits_ = 2
        return super().fit(X, y, sample_weight)


@breaks("check_fit_transform_is_fit_then_transform", "after fit_transform, transform")
class FitTransformLearnsMore(AverageOfWords):
    def fit_transform(self, X, y=None, sample_weight=None):
        rows = self.fit(X, y, sample_weight).transform(X)
        self.vectors_ = self.vectors_ * 2
        return rows


@breaks("check_fit_transform_is_fit_then_transform", "fit_transform and fit, then")
class ReturnsOtherFeaturesAtFit(AverageOfWords):
    def fit_transform(self, X, y=None, sample_weight=None):
        return np.float32(2) * self.fit(X, y, sample_weight).transform(X)


@breaks("check_failed_fit_keeps_the_earlier_state", "changed the estimator")
class ForgetsBeforeFitting(AverageOfWords):
    def fit(self, X, y=None, sample_weight=None):
        vars(self).pop("vectors_", None)
        return super().fit(X, y, sample_weight)


@breaks("check_failed_fit_keeps_the_earlier_state", "raised no error")
class LearnsFromWhatItCouldRead(AverageOfWords):
    def _column(self, X):
        documents = iter(super()._column(X))
        with contextlib.suppress(RuntimeError):
            yield from documents


@breaks("check_failed_fit_keeps_the_earlier_state", "The largest difference is")
class ForgetsItsScale(AverageOfWords):
    def fit(self, X, y=None, sample_weight=None):
        self._scale = np.float32(0)
        super().fit(X, y, sample_weight)
        del self._scale
        return self

    def _row(self, words):
        return super()._row(words) * getattr(self, "_scale", np.float32(1))

    def __getstate__(self):
        state = super().__getstate__()
        state.pop("_scale", None)
        return state


@breaks("check_failed_partial_fit_keeps_the_earlier_state", "changed the estimator")
class CountsBeforeLearning(AverageOfWords):
    def partial_fit(self, X, y=None):
        self.n_calls_ = getattr(self, "n_calls_", 0) + 1
        return super().partial_fit(X, y)


@breaks("check_partial_fit_begins_and_goes_on", "Happened: NotFittedError")
class CannotBeginPartially(AverageOfWords):
    def partial_fit(self, X, y=None):
        check_is_fitted(self)
        return super().partial_fit(X, y)


@breaks("check_partial_fit_begins_and_goes_on", "partial_fit returned None")
class PartialFitReturnsNothing(AverageOfWords):
    def partial_fit(self, X, y=None):
        super().partial_fit(X, y)


@breaks("check_partial_fit_begins_and_goes_on", "changed the feature names")
class CountsInItsNames(AverageOfWords):
    def get_feature_names_out(self, input_features=None):
        n_words = int(sum(self.counts_.values()))
        return super().get_feature_names_out() + f"_of_{n_words}_words"


@breaks("check_partial_fit_forgets_no_word", "'granite basalt' has no features")
class StartsAnew(AverageOfWords):
    def partial_fit(self, X, y=None):
        return self.fit(X, y)


@breaks("check_partial_fit_forgets_no_word", "'violin trumpet' has no features")
class LearnsNoNewWords(AverageOfWords):
    def partial_fit(self, X, y=None):
        return self if hasattr(self, "counts_") else self.fit(X, y)


@breaks("check_same_seed_gives_the_same_features", "two fits of equal estimators")
class IgnoresItsSeed(AverageOfWords):
    def _vectors(self, counts, seed):
        seed = np.random.default_rng().integers(2**31)
        return super()._vectors(counts, int(seed))


@breaks("check_other_process_gives_the_same_features", "PYTHONHASHSEED=")
class HashesByPython(AverageOfWords):
    def _vectors(self, counts, seed):
        vectors = super()._vectors(counts, seed)
        signs = [1.0 if hash(word) % 2 else -1.0 for word in counts]
        return vectors * np.array(signs, np.float32)[:, None]


@breaks("check_n_jobs_of_fit_changes_nothing", "learned different features")
class LearnsByWorker(AverageOfWords):
    def _vectors(self, counts, seed):
        return super()._vectors(counts, seed) * np.float32(self.n_jobs or 1)


@breaks("check_n_jobs_of_fit_changes_nothing", "learned different features")
class RoundsByWorker(AverageOfWords):
    def _vectors(self, counts, seed):
        vectors = super()._vectors(counts, seed)
        return vectors * np.float32(1 + 2e-7 * (self.n_jobs or 1))


@breaks("check_random_state_may_be_a_generator", "a RandomState raised")
class TakesIntegersOnly(AverageOfWords):
    _parameter_constraints: ClassVar = {
        **AverageOfWords._parameter_constraints,
        "random_state": [Integral, None],
    }


@breaks("check_random_state_may_be_a_generator", "random_state=None raised")
class NeedsASeed(AverageOfWords):
    _parameter_constraints: ClassVar = {
        **AverageOfWords._parameter_constraints,
        "random_state": [Integral, np.random.RandomState],
    }


@breaks("check_random_state_may_be_a_generator", "two RandomState of the same seed")
class DrawsFromAnotherGenerator(AverageOfWords):
    def _vectors(self, counts, seed):
        if not isinstance(self.random_state, int):
            seed = int(np.random.default_rng().integers(2**31))
        return super()._vectors(counts, seed)


@breaks("check_global_random_state_is_left_alone", "state on: ['numpy']")
class SeedsGlobally(AverageOfWords):
    def _vectors(self, counts, seed):
        np.random.seed(seed)  # noqa: NPY002
        return super()._vectors(counts, seed)


@breaks("check_global_random_state_is_left_alone", "depend on the global random state")
class ReadsTheGlobalState(AverageOfWords):
    def _vectors(self, counts, seed):
        first = np.random.get_state()[1][0]  # noqa: NPY002
        return super()._vectors(counts, seed) * np.float32(1 + first % 7)


@breaks("check_global_random_state_is_left_alone", "state on: ['torch']")
class DrawsFromTorch(AverageOfWords):
    def transform(self, X):
        import torch

        torch.rand(1)
        return super().transform(X)


@breaks("check_global_settings_are_left_alone", "changed ['warnings.filters']")
class SilencesWarnings(AverageOfWords):
    def transform_tokens(self, X):
        warnings.filters.insert(0, warnings.filters[-1])
        return super().transform_tokens(X)


@breaks("check_equal_weights_change_nothing", "weights of 1 (float64)")
class NormalizesWeights(AverageOfWords):
    def _weights(self, sample_weight, n_documents):
        weights = np.array(super()._weights(sample_weight, n_documents))
        return weights if sample_weight is None else weights / weights.sum()


@breaks("check_weights_have_an_effect", "gave what no weights give")
class IgnoresWeights(AverageOfWords):
    def _weights(self, sample_weight, n_documents):
        super()._weights(sample_weight, n_documents)
        return [1.0] * n_documents


@breaks("check_wrong_weights_are_refused", "weights for fewer documents raised no")
class ReadsAnyWeights(AverageOfWords):
    def _weights(self, sample_weight, n_documents):
        if sample_weight is None:
            return [1.0] * n_documents
        return np.resize(np.ravel(sample_weight), n_documents).tolist()


@breaks("check_wrong_weights_are_refused", "NaN as a weight raised no")
class TakesNaNAsNoWeight(AverageOfWords):
    def _weights(self, sample_weight, n_documents):
        if sample_weight is not None:
            sample_weight = np.nan_to_num(sample_weight)
        return super()._weights(sample_weight, n_documents)


@breaks("check_weights_stay_as_they_are", "fit changed the weights")
class ScalesWeightsInPlace(AverageOfWords):
    def _weights(self, sample_weight, n_documents):
        if isinstance(sample_weight, np.ndarray) and sample_weight.flags.writeable:
            sample_weight /= sample_weight.max()
        return super()._weights(sample_weight, n_documents)


@breaks("check_weights_stay_as_they_are", "read-only weights raised")
class WritesToWeights(AverageOfWords):
    def _weights(self, sample_weight, n_documents):
        if isinstance(sample_weight, np.ndarray):
            sample_weight[:] = sample_weight.copy()
        return super()._weights(sample_weight, n_documents)
