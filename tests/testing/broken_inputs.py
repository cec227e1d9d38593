"""Estimators that misread containers or documents."""

import warnings

import numpy as np

from tests.testing.reference import AverageOfWords, breaks


@breaks("check_tuples_and_numpy_arrays", "transform of an array of str differs")
class ReadsArraysBackwards(AverageOfWords):
    def _column(self, X):
        return X[::-1] if isinstance(X, np.ndarray) else super()._column(X)


@breaks(
    "check_tuples_and_numpy_arrays", "fit on a tuple raised TypeError: X must be a list"
)
class TakesNoTuples(AverageOfWords):
    def _column(self, X):
        if isinstance(X, tuple):
            msg = "X must be a list."
            raise TypeError(msg)
        return super()._column(X)


@breaks("check_tuples_and_numpy_arrays", "fit on a tuple learned something else")
class LearnsFromHalfATuple(AverageOfWords):
    def fit(self, X, y=None, sample_weight=None):
        X = X[:40] if isinstance(X, tuple) else X
        return super().fit(X, y, sample_weight)


@breaks("check_read_only_arrays", "read-only")
class WritesToArrays(AverageOfWords):
    def _column(self, X):
        if isinstance(X, np.ndarray) and X.ndim == 1:
            X[:] = X.copy()
        return super()._column(X)


@breaks("check_column_transformer", "the column 'text' gave other features")
@breaks("check_pandas", "transform of a pandas Series of objects differs")
class ReadsSeriesByLabel(AverageOfWords):
    def _column(self, X):
        if type(X).__name__ == "Series":
            return [X[i] for i in range(len(X))]
        return super()._column(X)


@breaks("check_pyarrow", "fit on a pyarrow Array raised TypeError")
class KnowsNoArrow(AverageOfWords):
    def _words(self, document, i):
        if hasattr(document, "as_py"):
            msg = f"X[{i}] must be a str."
            raise TypeError(msg)
        return super()._words(document, i)


@breaks("check_polars", "fit on a polars Series raised TypeError")
class KnowsNoPolars(AverageOfWords):
    def _column(self, X):
        if type(X).__module__.startswith("polars"):
            msg = "X must be a list."
            raise TypeError(msg)
        return super()._column(X)


@breaks("check_generators_in_fit", "a generator learned something else")
class ReadsXTwice(AverageOfWords):
    def _documents(self, X):
        if not isinstance(X, str):
            sum(1 for _ in X)
        return super()._documents(X)


@breaks("check_documents_stay_as_they_are", "a list was changed")
class LowercasesInPlace(AverageOfWords):
    def _column(self, X):
        if isinstance(X, list) and all(isinstance(document, str) for document in X):
            X[:] = [document.lower() for document in X]
        return super()._column(X)


@breaks("check_one_string_is_refused", "fit of a str raised no error")
class ReadsAStringAsLetters(AverageOfWords):
    def _column(self, X):
        return list(X) if isinstance(X, str) else super()._column(X)


@breaks("check_several_columns_are_refused", "array of two columns raised no error")
class JoinsColumns(AverageOfWords):
    def _column(self, X):
        if isinstance(X, np.ndarray) and X.ndim == 2:
            return [" ".join(row) for row in X]
        return super()._column(X)


@breaks("check_several_columns_are_refused", "does not say 'column'")
class DoesNotSpeakOfColumns(AverageOfWords):
    def _column(self, X):
        if getattr(X, "shape", (0, 1))[1:] == (2,):
            msg = "Expected 1-d input, got 2-d."
            raise ValueError(msg)
        return super()._column(X)


@breaks("check_frames_of_several_columns_are_refused", "two columns raised no error")
class ReadsColumnNames(AverageOfWords):
    def _column(self, X):
        return list(X) if hasattr(X, "columns") else super()._column(X)


@breaks("check_token_lists", "transform of lists of tokens and of text differ")
class LosesTokens(AverageOfWords):
    def _words(self, document, i):
        words = super()._words(document, i)
        return words[1:] if isinstance(document, list) else words


@breaks("check_token_lists", "fit on lists of tokens learned something else")
class LearnsFromTextOnly(AverageOfWords):
    def fit(self, X, y=None, sample_weight=None):
        X = ["" if isinstance(document, list) else document for document in X]
        return super().fit([*X, "moon"])


@breaks("check_numbers_are_refused", "fit with a number as document 3 raised no error")
class SpellsNumbersOut(AverageOfWords):
    def _words(self, document, i):
        document = str(document) if isinstance(document, int) else document
        return super()._words(document, i)


@breaks("check_numbers_are_refused", "fit with a number as a token raised no error")
class SpellsNumericTokensOut(AverageOfWords):
    def _words(self, document, i):
        if isinstance(document, list):
            document = [str(word) for word in document]
        return super()._words(document, i)


@breaks("check_bytes_that_do_not_decode_are_refused", "raised no error")
class IgnoresBytesItCannotDecode(AverageOfWords):
    def _words(self, document, i):
        if isinstance(document, bytes):
            document = document.decode(self.encoding, errors="ignore")
        return super()._words(document, i)


@breaks("check_bytes_are_decoded", "bytes in latin-1 and their text differ")
class DecodesAsUtf8(AverageOfWords):
    def _words(self, document, i):
        if isinstance(document, bytes):
            document = document.decode("utf-8", errors="replace")
        return super()._words(document, i)


@breaks("check_missing_documents_are_refused", "fit with None as document 3 raised no")
class TakesMissingAsEmpty(AverageOfWords):
    def _missing(self, i):
        return []


@breaks("check_missing_documents_are_refused", "does not say '3'")
class DoesNotNameTheRow(AverageOfWords):
    def _missing(self, i):
        if self.missing == "error":
            msg = "A document is missing."
            raise ValueError(msg)
        return []


@breaks("check_missing_documents_are_refused", "the default of missing is 'empty'")
class ForgivesByDefault(AverageOfWords):
    def __init__(self, vector_size=6, *, missing="empty"):
        super().__init__(vector_size, missing=missing)


@breaks("check_missing_documents_can_be_empty", "None and an empty document differ")
class ReadsMissingAsAWord(AverageOfWords):
    def _missing(self, i):
        return ["soup"] if self.missing == "empty" else super()._missing(i)


@breaks("check_missing_values_of_pandas", "Happened: TypeError")
class KnowsNoPandasNA(AverageOfWords):
    def _is_missing(self, document):
        return type(document).__name__ != "NAType" and super()._is_missing(document)


@breaks("check_missing_values_of_pandas", "pandas.NA and an empty document differ")
class ReadsPandasNAAsAWord(AverageOfWords):
    def _words(self, document, i):
        if type(document).__name__ == "NAType" and self.missing == "empty":
            return ["soup"]
        return super()._words(document, i)


@breaks("check_missing_values_of_pandas", "does not say '3'")
class NamesTheLabel(AverageOfWords):
    def _column(self, X):
        missing = getattr(X, "isna", lambda: np.array([False]))()
        if self.missing == "error" and missing.any():
            msg = "Documents are missing. Set missing='empty'."
            raise ValueError(msg)
        return super()._column(X)


@breaks("check_empty_documents_give_zero_rows", "the row of '' is [1. 1.")
class GivesEmptyDocumentsOnes(AverageOfWords):
    def _row(self, words):
        if not words:
            return np.ones(self._n_features_out, np.float32)
        return super()._row(words)


@breaks("check_one_row_per_document", "13 documents gave the shape (11, 6)")
@breaks("check_empty_documents_give_zero_rows", "80 documents gave 79 rows")
class DropsEmptyDocuments(AverageOfWords):
    def _documents(self, X):
        return [words for words in super()._documents(X) if words]

    def _weights(self, sample_weight, n_documents):
        return [1.0] * n_documents


@breaks("check_unknown_words_give_finite_rows", "6 documents gave 1 rows")
class DropsUnknownDocuments(AverageOfWords):
    def transform(self, X):
        rows = super().transform(X)
        return rows[rows.any(axis=1)]


@breaks("check_unknown_words_give_finite_rows", "the rows are")
class DividesByNoWords(AverageOfWords):
    def _row(self, words):
        if words and not len(self._known(words)):
            return np.full(self._n_features_out, np.nan, np.float32)
        return super()._row(words)


@breaks("check_unknown_words_give_finite_rows", "has no known word, but")
class GivesUnknownWordsOnes(AverageOfWords):
    def _row(self, words):
        if words and not len(self._known(words)):
            return np.ones(self._n_features_out, np.float32)
        return super()._row(words)


@breaks("check_tokens_of_long_documents", "of 700 words, 256 are among")
@breaks("check_long_documents_are_not_cut_silently", "1500 words gave the same")
class CutsAfter512Words(AverageOfWords):
    def _words(self, document, i):
        return super()._words(document, i)[:512]


@breaks("check_long_documents_are_not_cut_silently", "said ['Documents were cut.']")
class DoesNotCountWhatItCuts(CutsAfter512Words):
    def transform(self, X):
        warnings.warn("Documents were cut.", stacklevel=2)
        return super().transform(X)
