"""What all estimators that describe words in their sentence have in common."""

import warnings
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from numbers import Integral, Real
from os import PathLike
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils.validation import check_is_fitted

from skembed._sklearn_private import (
    HasMethods,
    Interval,
    Options,
    StrOptions,
    fit_context,
)
from skembed.encoding import (
    FeatureCache,
    TextEncoder,
    distinct_features,
    ordered_features,
)
from skembed.estimators._contextual_words import ContextualWordsMixin, check_words
from skembed.estimators._feature_memory import feature_cache
from skembed.estimators._layer_mixing import check_mix_targets, fit_mix, score_layers
from skembed.estimators._state import pack_state, unpack_state
from skembed.estimators.documents import (
    Document,
    check_document_weight,
    check_documents,
)
from skembed.features import (
    COUNTS,
    MIXINGS,
    STATE_POOLINGS,
    LayerScores,
    choose_layers,
    mix_layers,
    needed_statistics,
    normalize_rows,
    pool_states,
    state_poolings,
)

Float32Array = npt.NDArray[np.float32]
Arrays = dict[str, Float32Array]

FEATURIZER_CONSTRAINTS: dict[str, list[Any]] = {
    "layers": [Integral, tuple, list, range, np.ndarray, StrOptions({"all"})],
    "mixing": [StrOptions(set(MIXINGS))],
    "pooling": [StrOptions(set(STATE_POOLINGS)), tuple, list],
    "special_tokens": ["boolean"],
    "normalize": [StrOptions({"l1", "l2", "max"}), Options(bool, {False})],
    "mixing_penalty": [Interval(Real, 0, None, closed="neither")],
    "layer_norm": ["boolean"],
    "missing": [StrOptions({"error", "empty"})],
    "batch_tokens": [Interval(Integral, 1, None, closed="left"), None],
    "memory": [str, PathLike, FeatureCache, HasMethods(["cache"]), None],
    "verbose": ["verbose"],
}


def _count_overlong(arrays: Arrays) -> tuple[int, int]:
    """Count the documents that were read in windows, and those that were cut off."""
    if not arrays:
        return 0, 0
    n_windowed = int((arrays["n_windows"] > 1).sum())
    return n_windowed, int((arrays["n_cut"] > 0).sum())


class ContextualFeaturizer(
    ContextualWordsMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    BaseEstimator,
):
    """Describe documents by the layers of a frozen network, pooled and mixed.

    Subclasses set the parameters below in their ``__init__`` and implement `_encoder`.
    """

    layers: Any
    mixing: str
    pooling: str | Sequence[str]
    special_tokens: bool
    normalize: str | bool
    mixing_penalty: float
    layer_norm: bool
    missing: str
    memory: Any
    verbose: int

    _at_times: ClassVar[tuple[str, ...]] = ("layer_weights_", "gamma_")
    """Attributes that not every fit sets."""

    @abstractmethod
    def _encoder(self) -> TextEncoder:
        """Find the network, without loading it, and return it with its settings."""

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Iterable[Any], y: Any = None, sample_weight: Any = None) -> Self:
        """Learn the weights of the layers, if ``mixing="learned"``.

        Otherwise nothing is learned, but parameters are checked, and the model is
        found; its weights are not loaded.

        Parameters
        ----------
        X : iterable of documents, of length n_documents
            A list, an array, a pandas or polars column ... of documents, each a str or
            a list of words.
        y : array-like of shape (n_documents,) or (n_documents, n_targets), default=None
            What is to be predicted: needed for ``mixing="learned"``, ignored otherwise.
        sample_weight : array-like of shape (n_documents,), default=None
            Weights of the documents for ``mixing="learned"``, ignored otherwise.

        Returns
        -------
        self : object
            The fitted estimator. If fit fails or is interrupted, what an earlier fit
            has learned stays.
        """
        self._learn(X, y, sample_weight, features=False)
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def fit_transform(
        self, X: Iterable[Any], y: Any = None, sample_weight: Any = None
    ) -> Float32Array:
        """Do what `fit` does, and return the features, running the network once.

        Parameters
        ----------
        X : iterable of documents, of length n_documents
        y : array-like of shape (n_documents,) or (n_documents, n_targets), default=None
            As for `fit`.
        sample_weight : array-like of shape (n_documents,), default=None
            As for `fit`.

        Returns
        -------
        features : ndarray of shape (n_documents, n_features), float32
            The same as of ``fit(X, y).transform(X)``.
        """
        arrays, layers = self._learn(X, y, sample_weight, features=True)
        return self._features(arrays, layers)

    def transform(self, X: Iterable[Any]) -> Float32Array:
        """Describe each document by the mixed layers of its tokens.

        Parameters
        ----------
        X : iterable of documents, of length n_documents

        Returns
        -------
        features : ndarray of shape (n_documents, n_features), float32
            A document without tokens gets zeros. Each row depends on its document
            alone, to rounding.
        """
        check_is_fitted(self)
        documents, layers = self._documents(X), self._fitted_layers()
        arrays = self._arrays(documents, self._fitted_encoder(), layers)
        return self._features(arrays, layers)

    def layer_scores(
        self,
        X: Iterable[Any],
        y: Any,
        *,
        cv: Any = None,
        scoring: Any = None,
        classifier: Any = None,
    ) -> LayerScores:
        """Cross-validate a linear model on each layer alone: the probing curve.

        The network runs once. `layers` and `mixing` have no part in it, and `fit` need
        not have been called.

        Parameters
        ----------
        X : iterable of documents, of length n_documents
        y : array-like of shape (n_documents,)
            Classes, or numbers.
        cv : int, cross-validation generator or iterable, default=None
            As of :func:`~sklearn.model_selection.cross_val_score`.
        scoring : str or callable, default=None
            As of :func:`~sklearn.model_selection.cross_val_score`; None is accuracy
            for classes and R2 for numbers.
        classifier : estimator, default=None
            The model; None is a :class:`~sklearn.linear_model.LogisticRegression`, or
            :class:`~sklearn.linear_model.Ridge` for numbers, of standardized features.

        Returns
        -------
        scores : LayerScores
            For `LayerScoresDisplay`.
        """
        self._validate_params()
        documents = self._documents(X)
        encoder = self._encoder()
        layers = tuple(range(len(encoder.widths)))
        arrays = self._arrays(documents, encoder, layers)
        blocks = [self._pooled(arrays, layer) for layer in layers]
        return score_layers(
            layers, blocks, y, cv=cv, scoring=scoring, classifier=classifier
        )

    def _learn(
        self, X: Any, y: Any, sample_weight: Any, *, features: bool, **given: Any
    ) -> tuple[Arrays, tuple[int, ...]]:
        """Do what `fit` does; return the statistics, if they are wanted, and layers.

        `given` is what else `fit` was given.
        """
        state_poolings(self.pooling)
        documents = self._documents(X)
        weight = check_document_weight(sample_weight, len(documents))
        if self.mixing == "learned":
            check_mix_targets(y, len(documents))
        encoder, learned = self._fit_encoder(documents, sample_weight=weight, **given)
        layers = self._layers_of(encoder.widths)
        if features or self.mixing == "learned":
            arrays = self._arrays(documents, encoder, layers)
            overlong = _count_overlong(arrays)
        else:
            arrays, overlong = {}, encoder.count_overlong(documents)
        learned |= self._mix_learned(arrays, layers, y, weight)
        self._keep(learned, overlong, encoder, layers)
        return arrays, layers

    def _documents(self, X: Any) -> list[Document]:
        documents = check_documents(X, missing=self.missing, decode=bytes.decode)
        documents = documents if isinstance(documents, list) else list(documents)
        check_words(documents)
        return documents

    def _layers_of(self, widths: tuple[int, ...]) -> tuple[int, ...]:
        """Return the numbers of the layers, which must fit together."""
        layers = choose_layers(self.layers, len(widths) - 1)
        # Raises for layers that do not fit together.
        empty = [np.empty((0, widths[k]), dtype=np.float32) for k in layers]
        mix_layers(empty, "mean" if self.mixing == "learned" else self.mixing)
        return layers

    def _fit_encoder(
        self, documents: list[Document], **given: Any
    ) -> tuple[TextEncoder, dict[str, Any]]:
        """Return the network for these documents, and what was learned to make it.

        Subclasses that train theirs do it here, from what else `fit` was given. The
        second are attributes, which are set when all of `fit` has gone well.
        """
        del documents, given
        return self._encoder(), {}

    def _fitted_encoder(self) -> TextEncoder:
        """Return the model, if it is the one of `fit`."""
        encoder = self._encoder()
        if encoder.fingerprint != self.fingerprint_:
            msg = (
                "The model is not the one that fit saw: its fingerprint is "
                f"{encoder.fingerprint}, not {self.fingerprint_}. Its weights, "
                "configuration or tokenizer have changed. Bring them back, or fit "
                "again."
            )
            raise ValueError(msg)
        return encoder

    def _fitted_layers(self) -> tuple[int, ...]:
        """Return the layers, which may have been set after `fit`."""
        layers = choose_layers(self.layers, self.n_layers_)
        if self.mixing == "learned" and self._mix is None:
            msg = "mixing='learned' was set after fit. Fit again, with y."
            raise ValueError(msg)
        if self.mixing == "learned" and layers != self.layers_:
            msg = (
                f"layers={self.layers!r} was set after fit, which has learned weights "
                f"of the layers {self.layers_}. Fit again."
            )
            raise ValueError(msg)
        return layers

    def _arrays(
        self, documents: list[Document], encoder: TextEncoder, layers: tuple[int, ...]
    ) -> Arrays:
        """Return statistics of the documents, found or computed."""
        statistics = needed_statistics(state_poolings(self.pooling))
        names = [f"{name}.{layer}" for layer in layers for name in statistics]
        cache = feature_cache(self.memory)
        if encoder.ordered:
            compute = encoder.statistics(layers, statistics)
            return ordered_features(documents, [*names, *COUNTS], compute)
        if cache is None:
            space, compute = None, encoder.statistics(layers, statistics)
        else:
            # All of them are kept, so that no choice of layers or pooling misses.
            space, compute = encoder.space(cache), encoder.statistics()
        arrays = distinct_features(documents, [*names, *COUNTS], compute, space)
        n_cut = _count_overlong(arrays)[1]
        if n_cut:
            msg = (
                f"{n_cut} of {len(documents)} documents were cut off, as they are too "
                "long for the model. overlong='windows' reads all of them."
            )
            warnings.warn(msg, stacklevel=3)
        return arrays

    def _mix_learned(
        self, arrays: Arrays, layers: tuple[int, ...], y: Any, sample_weight: Any
    ) -> dict[str, Any]:
        """Fit the mix if there is one to fit; return the attributes that tell it."""
        if self.mixing != "learned":
            return {"_mix": None}
        blocks = [self._pooled(arrays, layer) for layer in layers]
        mix = fit_mix(
            blocks,
            y,
            penalty=self.mixing_penalty,
            layer_norm=self.layer_norm,
            sample_weight=sample_weight,
        )
        return {"_mix": mix, "layer_weights_": mix.weights, "gamma_": mix.gamma}

    def _keep(
        self,
        learned: dict[str, Any],
        overlong: tuple[int, int],
        encoder: TextEncoder,
        layers: tuple[int, ...],
    ) -> None:
        """Set what has been learned, after all that can fail.

        An interrupt before that finds the estimator as it was.
        """
        learned |= {
            "fingerprint_": encoder.fingerprint,
            "widths_": encoder.widths,
            "n_layers_": len(encoder.widths) - 1,
            "layers_": layers,
            "n_windowed_": overlong[0],
            "n_truncated_": overlong[1],
        }
        for name in self._at_times:
            self.__dict__.pop(name, None)
        self.__dict__.update(learned)

    def _pooled(self, arrays: Arrays, layer: int) -> Float32Array:
        """Put all poolings of one layer side by side."""
        poolings = state_poolings(self.pooling)
        return np.hstack([pool_states(arrays, name, layer) for name in poolings])

    def _features(self, arrays: Arrays, layers: tuple[int, ...]) -> Float32Array:
        """Pool each layer, mix the layers, put the poolings side by side, scale."""
        if not arrays:
            return np.empty((0, self._n_features_out), dtype=np.float32)
        blocks = [
            self._mixed([pool_states(arrays, name, layer) for layer in layers])
            for name in state_poolings(self.pooling)
        ]
        features = blocks[0] if len(blocks) == 1 else np.hstack(blocks)
        if self.normalize:
            return normalize_rows(features, str(self.normalize))
        return features

    def _mixed(self, blocks: list[Float32Array]) -> Float32Array:
        return mix_layers(blocks, self.mixing, mix=self._mix)

    @property
    def _n_features_out(self) -> int:
        names = state_poolings(self.pooling)
        n_parts = sum(2 if name == "first_last" else 1 for name in names)
        return self._token_width() * n_parts

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        tags.transformer_tags.preserves_dtype = []
        tags.target_tags.required = self.mixing == "learned"
        return tags

    def __getstate__(self) -> dict[str, Any]:
        return pack_state(super().__getstate__())

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(unpack_state(state))
