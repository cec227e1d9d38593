"""Estimators whose features, names or token vectors are not as promised."""

import dataclasses
import time
import types

import numpy as np

from skembed.features import TokenFeatures
from tests.testing.reference import AverageOfWords, breaks


@breaks("check_output_is_a_float32_matrix", "transform returned a list")
class ReturnsAList(AverageOfWords):
    def transform(self, X):
        return super().transform(X).tolist()


@breaks("check_pandas_output", "has float64 columns")
@breaks("check_output_is_a_float32_matrix", "transform returned float64")
class ReturnsFloat64(AverageOfWords):
    def transform(self, X):
        return super().transform(X).astype(np.float64)


@breaks("check_output_is_a_float32_matrix", "not C-contiguous")
class ReturnsFortranOrder(AverageOfWords):
    def transform(self, X):
        return np.asfortranarray(super().transform(X))


@breaks("check_output_is_a_float32_matrix", "not all finite")
class ReturnsNaN(AverageOfWords):
    def _row(self, words):
        rows = super()._row(words)
        return rows if len(words) != 2 else rows + np.float32("nan")


@breaks("check_one_row_per_document", "Happened: ValueError")
class NeedsADocument(AverageOfWords):
    def transform(self, X):
        return np.vstack([self._row(words) for words in self._documents(X)])


@breaks("check_rows_do_not_depend_on_the_batch", "other features than one by one")
class CentersTheBatch(AverageOfWords):
    def transform(self, X):
        rows = super().transform(X)
        return rows - rows.sum(axis=0) / np.float32(max(len(rows), 1))


@breaks("check_rows_do_not_depend_on_the_batch", "other features than one by one")
class CutsInBatches(AverageOfWords):
    def _documents(self, X):
        documents = super()._documents(X)
        longest = 600 if len(documents) == 1 else 500
        return [words[:longest] for words in documents]


@breaks("check_rows_follow_the_order_of_documents", "documents in another order")
class SortsByLength(AverageOfWords):
    def transform(self, X):
        lengths = [len(words) for words in self._documents(X)]
        return np.ascontiguousarray(super().transform(X)[np.argsort(lengths)])


@breaks("check_documents_may_repeat", "documents that occur several times")
class ComputesDocumentsOnce(AverageOfWords):
    def transform(self, X):
        documents = [tuple(words) for words in self._documents(X)]
        rows = super().transform(X)
        for i, words in enumerate(documents):
            rows[i] *= words not in documents[:i]
        return rows


@breaks("check_batch_size_changes_nothing", "batch_size=1 gave other features")
class PadsToTheBatch(AverageOfWords):
    def _row(self, words):
        return super()._row(words) * np.float32(len(words) / self.batch_size)


@breaks("check_n_jobs_of_transform_changes_nothing", "transform with n_jobs=2 and")
class AddsUpOverWorkers(AverageOfWords):
    def _row(self, words):
        return super()._row(words) * np.float32(self.n_jobs or 1)


@breaks("check_transform_changes_nothing", "changed ['n_calls_']")
class CountsItsCalls(AverageOfWords):
    def transform(self, X):
        self.n_calls_ = getattr(self, "n_calls_", 0) + 1
        return super().transform(X)


@breaks("check_transform_gives_the_same_again", "two calls of transform")
class LeavesDropoutOn(AverageOfWords):
    def _row(self, words):
        return super()._row(words) * np.float32(np.random.default_rng().uniform())


@breaks("check_transform_is_thread_safe", "the features of other documents")
class KeepsItsCallInSelf(AverageOfWords):
    def transform(self, X):
        self._rows = super().transform(X)
        time.sleep(0.02)
        return self._rows

    def __getstate__(self):
        state = super().__getstate__()
        state.pop("_rows", None)
        return state


@breaks("check_feature_names", "the names are a list")
class ListsItsNames(AverageOfWords):
    def get_feature_names_out(self, input_features=None):
        return list(super().get_feature_names_out())


@breaks("check_feature_names", "not all are str")
class NumbersItsNames(AverageOfWords):
    def get_feature_names_out(self, input_features=None):
        return np.arange(self._n_features_out).astype(object)


@breaks("check_feature_names", "Happened: TypeError")
class NamesTakeNoInput(AverageOfWords):
    def get_feature_names_out(self):
        return super().get_feature_names_out()


@breaks("check_column_transformer", "gave 5 names")
@breaks("check_feature_names", "5 names for 6 features")
class ForgetsAName(AverageOfWords):
    def get_feature_names_out(self, input_features=None):
        return super().get_feature_names_out()[1:]


@breaks("check_feature_union", "12 features and 2 distinct names")
@breaks("check_feature_names", "with duplicates")
class RepeatsItsNames(AverageOfWords):
    def get_feature_names_out(self, input_features=None):
        return np.full(self._n_features_out, "feature", dtype=object)


@breaks("check_feature_names_of_every_option", "with pooling=('max', 'mean')")
class NamesOnePooling(AverageOfWords):
    def get_feature_names_out(self, input_features=None):
        return super().get_feature_names_out()[: self.vector_size]


@breaks("check_feature_names_of_every_option", "pooling='max' raised KeyError")
class KnowsOnePooling(AverageOfWords):
    def _vectors(self, counts, seed):
        {"mean": 0}[self.pooling]
        return super()._vectors(counts, seed)


@breaks("check_pandas_output", "is no frame")
class IgnoresSetOutput(AverageOfWords):
    def set_output(self, *, transform=None):
        return self


@breaks("check_pandas_output", "has the index [0, 1, 2]")
class LosesTheIndex(AverageOfWords):
    def transform(self, X):
        return super().transform(list(self._column(X)))


@breaks("check_pandas_output", "has other values")
@breaks("check_polars_output", "has other values")
class ReturnsOtherFrames(AverageOfWords):
    def _row(self, words):
        frames = hasattr(self, "_sklearn_output_config")
        return super()._row(words) * np.float32(-1 if frames else 1)


@breaks("check_polars_output", "is no frame")
class KnowsPandasOnly(AverageOfWords):
    def set_output(self, *, transform=None):
        return (
            self if transform == "polars" else super().set_output(transform=transform)
        )


class ChangesTokens(AverageOfWords):
    def transform_tokens(self, X):
        result = super().transform_tokens(X)
        return dataclasses.replace(result, **self._change(result))


@breaks("check_batch_size_changes_nothing", "batch_size=1 gave other token vectors")
class PadsTokensToTheBatch(ChangesTokens):
    def _change(self, result):
        return {"vectors": result.vectors / np.float32(self.batch_size)}


@breaks("check_n_jobs_of_transform_changes_nothing", "transform_tokens with n_jobs=2")
class AddsUpTokensOverWorkers(ChangesTokens):
    def _change(self, result):
        return {"vectors": result.vectors * np.float32(self.n_jobs or 1)}


@breaks("check_token_vectors", "vectors are float64")
class ReturnsFloat64Tokens(ChangesTokens):
    def _change(self, result):
        return {"vectors": result.vectors.astype(np.float64)}


@breaks("check_token_row_splits", "of int32")
class SplitsRowsByInt32(ChangesTokens):
    def _change(self, result):
        return {"row_splits": result.row_splits.astype(np.int32)}


@breaks("check_token_vectors", "not all finite")
class ReturnsNaNTokens(ChangesTokens):
    def _change(self, result):
        return {"vectors": result.vectors * np.float32("nan")}


@breaks("check_token_row_splits", "but there are")
class LosesTheLastToken(ChangesTokens):
    def _change(self, result):
        return {"vectors": result.vectors[:-1]}


@breaks("check_token_row_splits", "but the tokens give")
class SplitsWithoutZero(AverageOfWords):
    def transform_tokens(self, X):
        result = super().transform_tokens(X)
        return types.SimpleNamespace(
            vectors=result.vectors,
            row_splits=result.row_splits[1:],
            tokens=result.tokens,
        )


@breaks("check_token_strings", "the tokens of")
class GivesTuplesOfTokens(ChangesTokens):
    def _change(self, result):
        return {"tokens": [tuple(words) for words in result.tokens]}


@breaks("check_token_strings", "keep every occurrence")
class GivesEveryWordOnce(AverageOfWords):
    def transform_tokens(self, X):
        words = [list(dict.fromkeys(words)) for words in self._documents(X)]
        return super().transform_tokens(words)


@breaks("check_token_strings", "keep every occurrence")
class SortsTokens(ChangesTokens):
    def _change(self, result):
        return {"tokens": [sorted(words, reverse=True) for words in result.tokens]}


@breaks("check_token_strings", "give an empty document no token")
class PadsEmptyDocuments(AverageOfWords):
    def transform_tokens(self, X):
        return super().transform_tokens([w or ["the"] for w in self._documents(X)])


class ReturnsOtherTokenFeatures(AverageOfWords):
    def transform_tokens(self, X):
        result = super().transform_tokens(X)
        return self.Kind(result.vectors, result.row_splits, result.tokens)


@breaks("check_tokens_by_document", "iteration does not end")
class IteratesOverTokens(ReturnsOtherTokenFeatures):
    class Kind(TokenFeatures):
        def __iter__(self):
            return iter(self.vectors)


@breaks("check_tokens_by_document", "len of the tokens of 13 documents is")
class CountsTokens(ReturnsOtherTokenFeatures):
    class Kind(TokenFeatures):
        def __len__(self):
            return len(self.vectors)


@breaks("check_tokens_by_document", "document 0 by index is not")
class IndexesTokens(ReturnsOtherTokenFeatures):
    class Kind(TokenFeatures):
        def __getitem__(self, i):
            return self.vectors[i]


@breaks("check_tokens_by_document", "index -1 is not the last")
class CountsFromTheStartOnly(ReturnsOtherTokenFeatures):
    class Kind(TokenFeatures):
        def __getitem__(self, i):
            return super().__getitem__(max(i, 0))


@breaks("check_tokens_by_document", "not an IndexError")
class StopsAtTheEnd(ReturnsOtherTokenFeatures):
    class Kind(TokenFeatures):
        def __getitem__(self, i):
            return super().__getitem__(min(i, len(self) - 1))


@breaks("check_tokens_do_not_depend_on_the_batch", "differ in a batch and alone")
class CentersTheTokens(ChangesTokens):
    def _change(self, result):
        total = result.vectors.sum(axis=0)
        return {"vectors": result.vectors - total / np.float32(len(result.vectors) + 1)}


@breaks("check_token_containers", "Happened: ValueError")
class TakesListsForTokensOnly(AverageOfWords):
    def transform_tokens(self, X):
        if isinstance(X, np.ndarray) and X.ndim > 1:
            msg = "X must have one dimension."
            raise ValueError(msg)
        return super().transform_tokens(X)


@breaks("check_token_containers", "of an array differs from that of a list")
class ReadsArraysOfTokensBackwards(AverageOfWords):
    def transform_tokens(self, X):
        return super().transform_tokens(X[::-1] if isinstance(X, np.ndarray) else X)
