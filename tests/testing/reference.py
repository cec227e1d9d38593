"""A small correct text transformer, and a table of ones that are broken on purpose."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral
from typing import Any, ClassVar
from zlib import crc32

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skembed._sklearn_private import (
    CallbackSupportMixin,
    Interval,
    StrOptions,
    fit_context,
)
from skembed.features import TokenFeatures

VERSION = "1.0"


def word_vector(word, count, seed, size):
    """Draw a vector that depends on the word, its count and the seed alone."""
    hashed = crc32(word.encode("utf-8", "surrogatepass"))
    noise = np.random.RandomState((hashed + seed) % 2**32).normal(size=size)
    return noise.astype(np.float32) * np.float32(np.log1p(count))


class AverageOfWords(
    ClassNamePrefixFeaturesOutMixin,
    CallbackSupportMixin,
    TransformerMixin,
    BaseEstimator,
):
    """Describe documents by the mean or maximum of their words' random vectors."""

    _parameter_constraints: ClassVar = {
        "vector_size": [Interval(Integral, 1, None, closed="left")],
        "pooling": [StrOptions({"mean", "max"}), tuple],
        "missing": [StrOptions({"error", "empty"})],
        "encoding": [str],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        vector_size=6,
        *,
        pooling="mean",
        missing="error",
        encoding="utf-8",
        batch_size=16,
        n_jobs=None,
        random_state=None,
    ):
        self.vector_size = vector_size
        self.pooling = pooling
        self.missing = missing
        self.encoding = encoding
        self.batch_size = batch_size
        self.n_jobs = n_jobs
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        return self._learn(X, sample_weight, counts={}, seed=None)

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None):
        counts = dict(getattr(self, "counts_", {}))
        return self._learn(X, None, counts, seed=getattr(self, "seed_", None))

    def _learn(self, X, sample_weight, counts, seed):
        context = self._init_callback_context()
        if context is not None:
            context.call_on_fit_task_begin(estimator=self, X=X)
        documents = self._documents(X)
        for words, weight in zip(
            documents, self._weights(sample_weight, len(documents)), strict=True
        ):
            for word in words:
                counts[word] = counts.get(word, 0.0) + weight
        if seed is None:
            seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        vectors = self._vectors(counts, seed)
        if context is not None:
            context.call_on_fit_task_end(estimator=self)
        self.__dict__.update(counts_=counts, seed_=seed, vectors_=vectors)
        return self

    def _vectors(self, counts, seed):
        draw = Parallel(n_jobs=self.n_jobs, backend="threading")
        rows = draw(
            delayed(word_vector)(*item, seed, self.vector_size)
            for item in counts.items()
        )
        return np.array(rows, np.float32).reshape(-1, self.vector_size)

    def _weights(self, sample_weight, n_documents):
        if sample_weight is None:
            return [1.0] * n_documents
        weight = np.asarray(sample_weight, dtype=np.float64)
        if weight.shape != (n_documents,) or not (weight >= 0).all():
            msg = f"sample_weight must be {n_documents} numbers >= 0, got {weight}."
            raise ValueError(msg)
        return weight.tolist()

    def transform(self, X):
        check_is_fitted(self)
        rows = [self._row(words) for words in self._documents(X)]
        return np.array(rows, np.float32).reshape(-1, self._n_features_out)

    def _row(self, words):
        vectors = self._known(words)
        if len(vectors) == 0:
            return np.zeros(self._n_features_out, np.float32)
        return np.concatenate(
            [getattr(vectors, name)(axis=0) for name in self._pools()]
        )

    def _known(self, words):
        index = {word: i for i, word in enumerate(self.counts_)}
        return self.vectors_[[index[word] for word in words if word in index]]

    def transform_tokens(self, X):
        check_is_fitted(self)
        documents = self._documents(X)
        known = [
            [word for word in words if word in self.counts_] for words in documents
        ]
        splits = np.cumsum([0, *map(len, known)], dtype=np.int64)
        vectors = [self._known(words) for words in known]
        empty = np.zeros((0, self.vector_size), np.float32)
        return TokenFeatures(np.vstack([empty, *vectors]), splits, known)

    def _pools(self):
        return (self.pooling,) if isinstance(self.pooling, str) else self.pooling

    @property
    def _n_features_out(self):
        return self.vectors_.shape[1] * len(self._pools())

    def _documents(self, X):
        """Return the words of every document."""
        return [self._words(document, i) for i, document in enumerate(self._column(X))]

    def _column(self, X):
        if isinstance(X, str):
            msg = "X must hold documents, got one str. Pass [X]."
            raise TypeError(msg)
        shape = getattr(X, "shape", (0,))
        if len(shape) == 1:
            return X
        if len(shape) != 2 or shape[1] != 1:
            msg = f"X must have one column, got the shape {shape}."
            raise ValueError(msg)
        return np.asarray(X, dtype=object)[:, 0]

    def _words(self, document, i):
        document = document.as_py() if hasattr(document, "as_py") else document
        if isinstance(document, list | tuple):
            if not all(isinstance(word, str) for word in document):
                msg = f"The tokens of X[{i}] must be str."
                raise TypeError(msg)
            return list(document)
        if self._is_missing(document):
            return self._missing(i)
        if isinstance(document, bytes):
            document = document.decode(self.encoding)
        if not isinstance(document, str):
            msg = f"X[{i}] must be a str, got {document!r}."
            raise TypeError(msg)
        return re.findall(r"\w+", document.lower())

    def _is_missing(self, document):
        if document is None or type(document).__name__ == "NAType":
            return True
        return isinstance(document, float | np.floating) and bool(np.isnan(document))

    def _missing(self, i):
        if self.missing == "empty":
            return []
        msg = f"X[{i}] is missing. Set missing='empty', or leave it out."
        raise ValueError(msg)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        tags.transformer_tags.preserves_dtype = []
        return tags

    def __getstate__(self):
        return super().__getstate__() | {"_version": VERSION}

    def __setstate__(self, state):
        version = state.pop("_version")
        if version != VERSION:
            msg = f"Saved by version {version}, which this one, {VERSION}, cannot read."
            raise ValueError(msg)
        super().__setstate__(state)


@dataclass(frozen=True)
class Broken:
    """An estimator that breaks one promise, and what the check must say of it."""

    check: str
    estimator: Callable[..., Any]
    says: str


ZOO: list[Broken] = []


def breaks(check, says):
    """Enter a class into the zoo: `check` must catch it, and say `says`."""

    def enter(estimator):
        ZOO.append(Broken(check, estimator, says))
        return estimator

    return enter
