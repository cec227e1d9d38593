"""Estimators that are wrong in what only some have: y, offsets, windows, layers."""

import dataclasses
import warnings
from typing import ClassVar

import numpy as np

from skembed._sklearn_private import StrOptions
from tests.testing.broken_features import ChangesTokens
from tests.testing.reference import AverageOfWords, breaks

_CONSTRAINTS = AverageOfWords._parameter_constraints


class NeedsY(AverageOfWords):
    """Correct: the reference, which counts the words of each class of y."""

    def fit(self, X, y=None, sample_weight=None):
        self._check_y(y, len(self._documents(X)))
        return super().fit(X, y, sample_weight)

    def _check_y(self, y, n_documents):
        if y is None or len(y) != n_documents:
            msg = f"y must hold a class for each of {n_documents} documents."
            raise ValueError(msg)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags


@breaks("check_missing_y_is_refused", "fit with no y raised no error")
class DoesWithoutY(NeedsY):
    def _check_y(self, y, n_documents):
        pass


@breaks("check_missing_y_is_refused", "TypeError")
class AsksNoneForItsLength(NeedsY):
    def _check_y(self, y, n_documents):
        len(y)


@breaks("check_missing_y_is_refused", "does not speak of y")
class DoesNotNameY(NeedsY):
    def _check_y(self, y, n_documents):
        if y is None:
            msg = "Classes are missing."
            raise ValueError(msg)


@breaks("check_y_of_another_length_is_refused", "y for fewer documents raised no")
class DoesNotCountY(NeedsY):
    def _check_y(self, y, n_documents):
        super()._check_y(y, n_documents if y is None else len(y))


class HasOffsets(ChangesTokens):
    """Correct: the reference with offsets, for texts in ASCII."""

    longer = 0

    def transform_tokens(self, X):
        self_documents = list(X)
        result = AverageOfWords.transform_tokens(self, self_documents)
        offsets = [
            self._find(text, words)
            for text, words in zip(self_documents, result.tokens, strict=True)
        ]
        return dataclasses.replace(result, offsets=offsets)

    def _find(self, text, words):
        offsets, end = [], 0
        for word in words:
            start = text.lower().index(word, end)
            end = start + len(word)
            offsets.append((start, end + self.longer))
        return np.array(offsets, dtype=np.int64).reshape(-1, 2)


@breaks("check_token_offsets", "is not within 'The moon, the soup!'")
class CountsOffsetsTooFar(HasOffsets):
    longer = 5


@breaks("check_token_offsets", "have the shape (3,), not (4, 2)")
class GivesStartsOnly(HasOffsets):
    def _find(self, text, words):
        return super()._find(text, words)[1:, 0]


@breaks("check_token_offsets_point_at_the_tokens", "of 'the' cut out ' Th'")
class CountsFromOne(HasOffsets):
    def _find(self, text, words):
        return np.maximum(super()._find(text, words) - 1, 0)


@breaks("check_token_offsets_point_at_the_tokens", "the token before ends later")
class FindsTheFirstOccurrence(HasOffsets):
    def _find(self, text, words):
        starts = [text.lower().index(word) for word in words]
        ends = [start + len(word) for start, word in zip(starts, words, strict=True)]
        return np.array([starts, ends], dtype=np.int64).T


@breaks("check_token_offsets_point_at_the_tokens", "cut out")
class CountsFromTheWindow(HasOffsets):
    def _find(self, text, words):
        return super()._find(text, words) % 512


class ReadsContext(HasOffsets):
    """Correct: the reference with vectors that depend on the word before."""

    def _change(self, result):
        before = np.vstack([result.vectors[:1], result.vectors])[:-1]
        splits = result.row_splits
        before[splits[:-1][np.diff(splits) > 0]] = 0
        return {"vectors": result.vectors + before}

    def transform_tokens(self, X):
        result = super().transform_tokens(X)
        return dataclasses.replace(result, **self._change(result))


@breaks("check_tokens_in_context_have_offsets", "differ, without any")
class HidesItsOffsets(ReadsContext):
    def _change(self, result):
        return super()._change(result) | {"offsets": None}


@breaks("check_tokens_of_long_documents", "of 700 words, 701 are among")
class ReadsOverlapsTwice(AverageOfWords):
    def _words(self, document, i):
        words = super()._words(document, i)
        return words[:512] + words[511:]


class Truncates(AverageOfWords):
    """Correct: the reference, which can be told to read some words only."""

    _parameter_constraints: ClassVar = {
        **_CONSTRAINTS,
        "overlong": [StrOptions({"windows", "truncate", "error"})],
    }

    def __init__(self, vector_size=6, *, overlong="windows", random_state=None):
        super().__init__(vector_size, random_state=random_state)
        self.overlong = overlong

    def transform(self, X):
        documents = self._documents(X)
        n_cut = sum(len(words) > 512 for words in documents)
        if n_cut and self.overlong == "error":
            raise ValueError(self._refusal)
        if n_cut and self.overlong == "truncate":
            documents = [words[:512] for words in documents]
            warnings.warn(self._warning(n_cut), stacklevel=2)
        return super().transform(documents)

    _refusal = "A document has more than 512 words. Set overlong='windows'."

    def _warning(self, n_cut):
        return f"{n_cut} documents were cut."


_OVERLONG = "check_overlong_documents_are_never_cut_silently"


@breaks(_OVERLONG, "overlong='truncate', the default,")
class TruncatesByDefault(Truncates):
    def __init__(self, vector_size=6, *, overlong="truncate", random_state=None):
        super().__init__(vector_size, overlong=overlong, random_state=random_state)


@breaks(_OVERLONG, "overlong='truncate' cut documents and said ['Some were cut.']")
class DoesNotSayHowMany(Truncates):
    def _warning(self, n_cut):
        return "Some were cut."


@breaks(_OVERLONG, "speaks of something else")
class DoesNotSayWhatToSet(Truncates):
    _refusal = "Something went wrong."


@breaks("check_batch_size_changes_nothing", "batch_tokens=1 gave other features")
class PadsToTheTokens(AverageOfWords):
    def __init__(self, vector_size=6, *, batch_tokens=100, random_state=None):
        super().__init__(vector_size, random_state=random_state)
        self.batch_tokens = batch_tokens

    def _row(self, words):
        return super()._row(words) / np.float32(self.batch_tokens)


class HasLayers(AverageOfWords):
    """Correct: the reference with two layers, which are alike."""

    _parameter_constraints: ClassVar = {
        **_CONSTRAINTS,
        "mixing": [StrOptions({"mean", "concat"})],
    }

    def __init__(
        self, vector_size=6, *, pooling="mean", mixing="mean", random_state=None
    ):
        super().__init__(vector_size, pooling=pooling, random_state=random_state)
        self.mixing = mixing

    def transform(self, X):
        rows = super().transform(X)
        return np.hstack([rows] * (1 + (self.mixing == "concat")))

    def get_feature_names_out(self, input_features=None):
        names = super().get_feature_names_out()
        if self.mixing == "mean":
            return names
        return np.concatenate([names, names + self._second_layer()])

    def _second_layer(self):
        return "_of_layer_1"


@breaks("check_feature_names_of_every_option", "with pooling='max', mixing='concat'")
class NamesLayersOfOnePooling(HasLayers):
    def _second_layer(self):
        return "" if self.pooling == "max" else super()._second_layer()
