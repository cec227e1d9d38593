"""Estimators with a broken class, constructor or parameters."""

import copy
import functools
import sys
import types
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from tests.testing.reference import AverageOfWords, breaks


class LateMixin:
    pass


@breaks("check_mixins_come_before_base_estimator", "['LateMixin'] come after")
class MixinAfterBaseEstimator(AverageOfWords, LateMixin):
    pass


@breaks("check_mixins_come_before_base_estimator", "hides what it overrides")
class BaseEstimatorBeforeTransformer(BaseEstimator, TransformerMixin):
    pass


@breaks("check_mixins_come_before_base_estimator", "inherit from TransformerMixin")
@breaks("check_tags", "no transformer tags")
class IsNoTransformer(BaseEstimator):
    pass


@breaks("check_init_only_stores_its_arguments", "further attributes ['loaded']")
class LoadsInInit(AverageOfWords):
    @functools.wraps(AverageOfWords.__init__)
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.loaded = True


@breaks("check_init_only_stores_its_arguments", "looked at a value and raised")
class ConvertsInInit(AverageOfWords):
    @functools.wraps(AverageOfWords.__init__)
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.vector_size = int(self.vector_size)


@breaks("check_init_only_stores_its_arguments", "did not store ['missing']")
class DropsAnArgument(AverageOfWords):
    @functools.wraps(AverageOfWords.__init__)
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.missing = "error"


@breaks("check_init_names_every_argument", "['**options']")
class TakesFurtherOptions(AverageOfWords):
    def __init__(self, vector_size=6, **options):
        super().__init__(vector_size, **options)


@breaks("check_defaults_are_immutable", "stop_words=[]")
class HasAMutableDefault(AverageOfWords):
    def __init__(self, vector_size=6, stop_words=[]):  # noqa: B006
        super().__init__(vector_size)
        self.stop_words = stop_words


@breaks("check_clone_keeps_the_parameters", "did not pass on the very object")
class ClonesDeeply(AverageOfWords):
    def __sklearn_clone__(self):
        return type(self)(**copy.deepcopy(self.get_params()))


@breaks("check_clone_keeps_the_parameters", "the clone of a fitted estimator has")
class ClonesWhatItLearned(AverageOfWords):
    def __sklearn_clone__(self):
        return copy.copy(self)


class Model:
    """What is large, and copied by `clone`."""

    def __init__(self):
        self.weights = np.ones((100, 100))


class SharedModel(Model):
    """Not copied."""

    def __sklearn_clone__(self):
        return self


@breaks("check_clone_shares_large_objects", "copied what is in ['model']")
class CopiesItsModel(AverageOfWords):
    def __init__(self, vector_size=6, *, model=Model()):  # noqa: B008
        super().__init__(vector_size)
        self.model = model


@breaks("check_clone_shares_large_objects", "copied what is in ['model']")
class CopiesAPair(AverageOfWords):
    def __init__(self, vector_size=6, *, model=("tokenizer", Model())):  # noqa: B008
        super().__init__(vector_size)
        self.model = model


class SharesItsModel(AverageOfWords):
    """Correct: its model is handed on."""

    def __init__(self, vector_size=6, *, model=("tokenizer", SharedModel())):  # noqa: B008
        super().__init__(vector_size)
        self.model = model


@breaks("check_parameters_survive_a_round_trip", "did not return the estimator")
class SetParamsReturnsNothing(AverageOfWords):
    def set_params(self, **params):
        super().set_params(**params)


@breaks("check_parameters_survive_a_round_trip", "['pooling']")
class SetParamsConverts(AverageOfWords):
    def set_params(self, **params):
        super().set_params(**params)
        self.pooling = str(self.pooling)
        return self


@breaks("check_methods_take_documents_then_y", "transform(documents), without X")
class CallsXDocuments(AverageOfWords):
    def transform(self, documents):
        return super().transform(documents)


@breaks("check_methods_take_documents_then_y", "y has no default")
class RequiresY(AverageOfWords):
    def fit(self, X, y):
        return super().fit(X, y)


@breaks("check_methods_take_documents_then_y", "without y after X")
class TakesWeightsBeforeY(AverageOfWords):
    def fit(self, X, sample_weight=None, y=None):
        return super().fit(X, y, sample_weight)


@breaks("check_tags", "input_tags.string is False")
class SaysItTakesNumbers(AverageOfWords):
    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = False
        return tags


@breaks("check_repr_shows_the_class", "without HasAnotherRepr")
class HasAnotherRepr(AverageOfWords):
    def __repr__(self, N_CHAR_MAX=700):
        return "a vectorizer"


@breaks("check_properties_do_nothing_heavy", "added ['model']")
class LoadsInAProperty(AverageOfWords):
    @functools.cached_property
    def model(self):
        return "a large one"


@breaks("check_looking_imports_nothing_heavy", "imported ['torch.made_up']")
class ImportsInAProperty(AverageOfWords):
    @property
    def model(self):
        sys.modules["torch.made_up"] = types.ModuleType("made_up")


@breaks("check_looking_imports_nothing_heavy", "imported ['torch.made_up']")
class ImportsToNameItsFeatures(ImportsInAProperty):
    model = None

    @property
    def _n_features_out(self):
        sys.modules["torch.made_up"] = types.ModuleType("made_up")
        return super()._n_features_out

    @property
    def n_features_(self):
        return self._n_features_out


@breaks("check_properties_do_nothing_heavy", "raised KeyError")
class FailsInAProperty(AverageOfWords):
    @property
    def size(self):
        return vars(self)["vectors_"].shape[1]


_CONSTRAINTS = AverageOfWords._parameter_constraints


@breaks("check_every_parameter_has_a_constraint", "['pooling'] have no constraint")
class LacksAConstraint(AverageOfWords):
    _parameter_constraints: ClassVar = {
        name: value for name, value in _CONSTRAINTS.items() if name != "pooling"
    }


@breaks("check_every_parameter_has_a_constraint", "['window'] are no parameters")
class ConstrainsNoParameter(AverageOfWords):
    _parameter_constraints: ClassVar = {**_CONSTRAINTS, "window": [int]}


@breaks("check_invalid_parameters_are_named", "fit with batch_size=")
class DoesNotValidate(AverageOfWords):
    def fit(self, X, y=None, sample_weight=None):
        return self._learn(X, sample_weight, counts={}, seed=None)


@breaks("check_set_params_takes_effect_at_the_next_fit", "vector_size=7")
class KeepsItsFirstSize(AverageOfWords):
    def _vectors(self, counts, seed):
        self._size = getattr(self, "_size", self.vector_size)
        return super()._vectors(counts, seed)[:, : self._size]


@breaks("check_set_params_takes_effect_at_the_next_fit", "lowercase=True")
class KeepsItsFirstCase(AverageOfWords):
    _parameter_constraints: ClassVar = {**_CONSTRAINTS, "lowercase": ["boolean"]}

    def __init__(self, vector_size=6, *, lowercase=False, random_state=None):
        super().__init__(vector_size, random_state=random_state)
        self.lowercase = lowercase

    def _vectors(self, counts, seed):
        self._lowers = getattr(self, "_lowers", self.lowercase)
        return super()._vectors(counts, seed + self._lowers)


@breaks("check_n_jobs_is_validated", "n_jobs=0 raised no error")
class IgnoresNJobs(AverageOfWords):
    def _vectors(self, counts, seed):
        other = type(self)(self.vector_size, n_jobs=1)
        return super(IgnoresNJobs, other)._vectors(counts, seed)


@breaks("check_n_jobs_is_validated", "n_jobs=-1 raised")
class DividesByNJobs(AverageOfWords):
    def _vectors(self, counts, seed):
        np.array_split(list(counts), self.n_jobs or 1)
        return super()._vectors(counts, seed)
