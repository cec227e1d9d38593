"""Estimators that cannot be stored, composed or called back as promised."""

import contextlib
import multiprocessing
import re
import uuid
from typing import ClassVar

import joblib
import numpy as np

from tests.testing.reference import AverageOfWords, breaks

_ELSEWHERE = {}


@breaks("check_pickle_in_a_fresh_process", "KeyError: 'vectors'")
@breaks("check_joblib_in_a_fresh_process", "KeyError: 'vectors'")
class KeepsVectorsElsewhere(AverageOfWords):
    def __getstate__(self):
        state = super().__getstate__()
        if "vectors_" in state:
            _ELSEWHERE["vectors"] = state.pop("vectors_")
        return state

    def __setstate__(self, state):
        if "counts_" in state:
            state["vectors_"] = _ELSEWHERE["vectors"]
        super().__setstate__(state)


@breaks("check_pickle_in_a_fresh_process", "loaded from pickle in a new process")
@breaks("check_pipeline_with_memory", "with memory, transform gives other features")
class RoundsWhatItStores(AverageOfWords):
    def __getstate__(self):
        state = super().__getstate__()
        if "vectors_" in state:
            state["vectors_"] = state["vectors_"].round(1)
        return state


@breaks("check_memory_map_in_a_fresh_process", "read-only")
class WritesToItsVectors(AverageOfWords):
    def _known(self, words):
        self.vectors_[:] = self.vectors_.copy()
        return super()._known(words)


@breaks("check_skops_in_a_fresh_process", "re.Pattern")
class KeepsAPattern(AverageOfWords):
    def fit(self, X, y=None, sample_weight=None):
        self.pattern_ = re.compile(r"\w+")
        return super().fit(X, y, sample_weight)


@breaks("check_memory_map_shares_the_vectors", "was copied into memory")
class CopiesWhenLoaded(AverageOfWords):
    def __setstate__(self, state):
        super().__setstate__(state)
        self.vectors_ = np.array(self.vectors_)


@breaks("check_pickle_names_its_version", "the state has no version")
class HasNoVersion(AverageOfWords):
    def __getstate__(self):
        return vars(self).copy()

    def __setstate__(self, state):
        vars(self).update(state)


@breaks("check_pickle_names_its_version", "as if it were this one")
class IgnoresItsVersion(AverageOfWords):
    def __setstate__(self, state):
        super().__setstate__({**state, "_version": "1.0"})


@breaks("check_pickle_keeps_no_documents", "1600 documents made a pickle of")
class KeepsDocuments(AverageOfWords):
    def fit(self, X, y=None, sample_weight=None):
        self.documents_ = self._documents(X)
        return super().fit(X, y, sample_weight)


@breaks("check_pickle_does_not_grow_by_use", "it grew from")
class PicklesItsCache(AverageOfWords):
    def transform(self, X):
        rows = super().transform(X)
        self._cache = [*getattr(self, "_cache", []), rows]
        return rows


@breaks("check_pickle_is_free_of_devices", "the pickle needs ['torch']")
class PicklesATensor(AverageOfWords):
    def __getstate__(self):
        import torch

        return super().__getstate__() | {"_tensor": torch.zeros(2)}


@breaks("check_pickle_is_free_of_devices", "the pickle needs ['torch']")
class PicklesWhatItHasLoaded(AverageOfWords):
    def transform(self, X):
        import torch

        self._network = torch.zeros(2)
        return super().transform(X)


class RefersToItsVectors(AverageOfWords):
    """Correct: the reference, whose vectors can be drawn again."""

    def __init__(self, vector_size=6, *, store_weights=False, random_state=None):
        super().__init__(vector_size, random_state=random_state)
        self.store_weights = store_weights

    def __getstate__(self):
        state = super().__getstate__()
        if not self.store_weights:
            state.pop("vectors_", None)
        return state

    def __setstate__(self, state):
        super().__setstate__(state)
        if "counts_" in state and "vectors_" not in state:
            self.vectors_ = self._vectors(self.counts_, self.seed_)


@breaks("check_weights_are_stored_if_asked", "with and without weights a pickle has")
class StoresItsVectorsAnyway(RefersToItsVectors):
    def __getstate__(self):
        return AverageOfWords.__getstate__(self)


@breaks("check_weights_are_stored_if_asked", "with store_weights=False a pickle gives")
class FindsOtherVectors(RefersToItsVectors):
    def __setstate__(self, state):
        super().__setstate__(state)
        if "counts_" in state and "vectors_" not in state:
            self.vectors_ = self.vectors_ * 2


_KEPT = {}


class KeepsFeatures(AverageOfWords):
    """Correct: the reference, which finds features again that it has made."""

    _parameter_constraints: ClassVar = {
        **AverageOfWords._parameter_constraints,
        "memory": "no_validation",
    }

    def __init__(
        self, vector_size=6, *, pooling="mean", memory=None, random_state=None
    ):
        super().__init__(vector_size, pooling=pooling, random_state=random_state)
        self.memory = memory

    def transform(self, X):
        if self.memory is None:
            return super().transform(X)
        location = str(getattr(self.memory, "location", self.memory))
        key = (type(self), location, joblib.hash(self._key(X)))
        if key not in _KEPT:
            _KEPT[key] = super().transform(X)
        return self._found(_KEPT[key])

    def _key(self, X):
        return [self.vectors_, self.pooling, self._documents(X)]

    def _found(self, rows):
        return rows.copy()


@breaks("check_memory_changes_nothing", "features are others")
class RoundsWhatItKeeps(KeepsFeatures):
    def _found(self, rows):
        return rows.round(1)


@breaks("check_memory_changes_nothing", "Happened: TypeError")
class KeepsInAStr(KeepsFeatures):
    def _key(self, X):
        return [*super()._key(X), self.memory + "/features"]


@breaks("check_memory_tells_settings_apart", "with the changes {'pooling': 'max'}")
class KeepsWithoutPooling(KeepsFeatures):
    def _key(self, X):
        return [self.vectors_, self._documents(X)]


@breaks("check_memory_tells_settings_apart", "with the changes {}")
class KeepsByNumberOfDocuments(KeepsFeatures):
    def _key(self, X):
        return [self.vectors_, self.pooling, len(self._documents(X))]


@breaks("check_pipeline", "decides otherwise than on its features")
class FitsToFirstColumn(AverageOfWords):
    def fit_transform(self, X, y=None, sample_weight=None):
        rows = self.fit(X, y, sample_weight).transform(X)
        rows[:, 1:] = 0
        return rows


@breaks("check_pipeline_with_memory", "an equal pipeline was fitted again")
class PicklesAnIdentifier(AverageOfWords):
    def __getstate__(self):
        return super().__getstate__() | {"_identifier": uuid.uuid4().hex}


@breaks("check_feature_union", "its features are others")
class ReturnsAnObjectColumn(AverageOfWords):
    def transform(self, X):
        return super().transform(X).sum(axis=1, keepdims=True)

    def fit_transform(self, X, y=None, sample_weight=None):
        return np.ones((len(X), 2), np.float32)


@breaks("check_column_transformer", "Happened: ValueError")
class TakesNoFrames(AverageOfWords):
    def _column(self, X):
        if hasattr(X, "columns"):
            msg = "X must have one dimension."
            raise ValueError(msg)
        return super()._column(X)


@breaks("check_grid_search_in_processes", "scores in two processes and in one differ")
class DoesNothingInWorkers(AverageOfWords):
    def _row(self, words):
        in_main = multiprocessing.current_process().name == "MainProcess"
        return super()._row(words) * np.float32(in_main)


@breaks("check_sample_weight_is_routed", "weights passed through a Pipeline")
class DropsFitParameters(AverageOfWords):
    def fit_transform(self, X, y=None, **_):
        return self.fit(X, y).transform(X)


@breaks("check_callbacks_are_called", "the calls were []")
class CallsNobodyBack(AverageOfWords):
    def _init_callback_context(self):
        return None


@breaks("check_callbacks_are_called", "the calls were ['setup', 'end']")
class EndsBeforeItBegins(AverageOfWords):
    def _init_callback_context(self):
        context = super()._init_callback_context()
        return context.call_on_fit_task_end(estimator=self) or context


@breaks("check_callbacks_are_called", "unequal numbers of begin and end")
class BeginsTwice(AverageOfWords):
    def _vectors(self, counts, seed):
        self._callback_fit_ctx.call_on_fit_task_begin(estimator=self)
        return super()._vectors(counts, seed)


@breaks("check_callbacks_are_called", "without exactly one setup and one teardown")
class SetsUpTwice(AverageOfWords):
    def _init_callback_context(self):
        super()._init_callback_context()
        self._callback_fit_ctx = None
        return super()._init_callback_context()


@breaks("check_callbacks_are_called", "with a callback it learned something else")
class LearnsFromCallbacks(AverageOfWords):
    def _vectors(self, counts, seed):
        return super()._vectors(counts, seed + hasattr(self, "_skl_callbacks"))


@breaks("check_callbacks_are_called", "without exactly one setup and one teardown")
@breaks("check_callbacks_may_interrupt", "it was not torn down")
class NeverTearsDown(AverageOfWords):
    def fit(self, X, y=None, sample_weight=None):
        return self._learn(X, sample_weight, counts={}, seed=None)


@breaks("check_callbacks_may_interrupt", "fit went on after the callback raised")
class CannotBeInterrupted(AverageOfWords):
    def fit(self, X, y=None, sample_weight=None):
        with contextlib.suppress(KeyboardInterrupt):
            super().fit(X, y, sample_weight)
        return self


@breaks("check_callbacks_may_interrupt", "that a callback ended changed the estimator")
class AssignsBeforeTheLastCall(AverageOfWords):
    def _vectors(self, counts, seed):
        self.vectors_ = super()._vectors(counts, seed)
        return self.vectors_
