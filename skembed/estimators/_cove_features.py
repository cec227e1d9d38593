"""What `CoVeFeaturizer` does, whatever its parameters are called."""

from collections.abc import Iterable
from os import PathLike
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from skembed._sklearn_private import clone_sharing, fit_context
from skembed.encoding import TextEncoder, WordEncoder
from skembed.estimators._cove_parts import (
    Parts,
    cove_model,
    given_encoder,
    given_vectors,
    pack_parts,
    unpack_parts,
)
from skembed.estimators._cove_training import TranslatorTraining, train_encoder
from skembed.estimators._featurizer import Arrays
from skembed.estimators._word_featurizer import WordFeaturizer
from skembed.estimators.documents import Document
from skembed.formats import LstmSizes, write_lstm_encoder
from skembed.networks.cove import fingerprint_arrays

Float32Array = npt.NDArray[np.float32]


class TranslatorFeaturizer(TranslatorTraining, WordFeaturizer):
    """Describe documents by word vectors and the encoder of a translator over them.

    Subclasses set the parameters below in their ``__init__``, along with those of
    `WordFeaturizer` and of `TranslatorTraining`.
    """

    vectors: Any
    encoder: str | PathLike[str] | None
    include_input: bool

    _at_times = (
        *WordFeaturizer._at_times,
        "encoder_weights_",
        "history_",
        "_weights_fingerprint",
        "_stored",
        "_stored_of",
    )

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: Iterable[Any],
        y: Any = None,
        sample_weight: Any = None,
        *,
        targets: Iterable[Any] | None = None,
    ) -> Self:
        """Train the encoder, if there is none; learn weights of layers, if asked to.

        Parameters
        ----------
        X : iterable of documents, of length n_documents
            A list, an array, a pandas or polars column ... of documents, each a str or
            a list of words. A sentence each, if an encoder is trained.
        y : array-like of shape (n_documents,) or (n_documents, n_targets), default=None
            What is to be predicted: needed for ``mixing="learned"``, ignored otherwise.
        sample_weight : array-like of shape (n_documents,), default=None
            Weights of the documents for ``mixing="learned"``, ignored otherwise.
        targets : iterable of documents, of length n_documents, default=None
            The translations of `X`: needed for ``encoder=None``, ignored otherwise.

        Returns
        -------
        self : object
            The fitted estimator. If fit fails or is interrupted, what an earlier fit
            has learned stays.
        """
        self._learn(X, y, sample_weight, features=False, targets=targets)
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def fit_transform(
        self,
        X: Iterable[Any],
        y: Any = None,
        sample_weight: Any = None,
        *,
        targets: Iterable[Any] | None = None,
    ) -> Float32Array:
        """Do what `fit` does, and return the features, running the network once.

        Parameters
        ----------
        X : iterable of documents, of length n_documents
        y : array-like of shape (n_documents,) or (n_documents, n_targets), default=None
            As for `fit`.
        sample_weight : array-like of shape (n_documents,), default=None
            As for `fit`.
        targets : iterable of documents, of length n_documents, default=None
            As for `fit`.

        Returns
        -------
        features : ndarray of shape (n_documents, n_features), float32
            The same as of ``fit(X, y, targets=targets).transform(X)``.
        """
        learned = self._learn(X, y, sample_weight, features=True, targets=targets)
        return self._features(*learned)

    def save_encoder(self, path: str | PathLike[str]) -> None:
        """Write the encoder to a file, for the parameter `encoder`.

        Parameters
        ----------
        path : str or path-like
            Ends in ``.safetensors``, or in ``.pth`` or ``.pt`` for torch's state dict,
            as the published file is one. An earlier file is replaced when the new one
            is complete. The word vectors are not in it.
        """
        check_is_fitted(self)
        parts = self._fitted_parts()
        _, load, _ = given_encoder(parts.encoder, parts.fingerprint)
        write_lstm_encoder(path, load())

    def _fit_encoder(
        self, documents: list[Document], **given: Any
    ) -> tuple[TextEncoder, dict[str, Any]]:
        if self.encoder is not None:
            return self._encoder(), {}
        targets = given["targets"]
        if targets is None:
            msg = (
                "encoder=None trains an encoder to translate: pass the translations of "
                "X to fit as targets=..., or the file of an encoder as encoder."
            )
            raise ValueError(msg)
        parts = self._parts()
        vectors, _ = given_vectors(parts.vectors)
        # Before hours of training: layers that there will not be.
        sizes = LstmSizes(vectors.vector_size, int(self.hidden_size), n_layers=2)
        self._layers_of((sizes.input_size, *[2 * sizes.hidden_size] * sizes.n_layers))
        translations = self._translations(targets)
        result = train_encoder(self._words(documents), translations, vectors, self)
        learned: dict[str, Any] = {
            "encoder_weights_": result.encoder,
            "_weights_fingerprint": fingerprint_arrays(result.encoder),
            "history_": [_known(epoch._asdict()) for epoch in result.history],
        }
        weights = result.encoder, learned["_weights_fingerprint"]
        return self._encoder_of(Parts(parts.vectors, *weights)), learned

    def _translations(self, targets: Iterable[Any]) -> list[list[str]]:
        try:
            return self._words(self._documents(targets))
        except (TypeError, ValueError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            msg = f"targets must hold documents, as X does. Of targets: {error}"
            raise kind(msg) from error

    def _encoder(self) -> WordEncoder:
        parts = self._parts()
        if parts.encoder is None:
            msg = (
                "There is no encoder before fit has trained it. Call fit with targets, "
                "or pass the file of an encoder as encoder."
            )
            raise NotFittedError(msg)
        return self._encoder_of(parts)

    def _encoder_of(self, parts: Parts) -> WordEncoder:
        # What follows in a text changes what stands before: it is one window.
        return self._word_encoder(cove_model(parts), max_length=None)

    def _parts(self) -> Parts:
        """Return vectors and encoder: given, trained, or stored with a pickle."""
        stored: Parts = self.__dict__.get("_stored", Parts(None, None, None))
        is_current = self.__dict__.get("_stored_of") == self._files
        vectors = stored.vectors if is_current else None
        if self.encoder is None:
            weights = self.__dict__.get("encoder_weights_")
            fingerprint = self.__dict__.get("_weights_fingerprint")
        elif is_current and stored.encoder is not None:
            weights, fingerprint = stored.encoder, stored.fingerprint
        else:
            weights, fingerprint = self.encoder, None
        return Parts(self.vectors if vectors is None else vectors, weights, fingerprint)

    @property
    def _files(self) -> tuple[str, ...]:
        """The files that vectors and encoder are in; "" for what is in none."""
        parts = self.vectors, self.encoder
        return tuple(str(x) if isinstance(x, str | PathLike) else "" for x in parts)

    def _layers_of(self, widths: tuple[int, ...]) -> tuple[int, ...]:
        layers = super()._layers_of(widths)
        if self.include_input and 0 in layers:
            msg = (
                f"layers={self.layers!r} names layer 0, the word vectors, which "
                "include_input=True puts in front of the others anyway. Leave 0 out "
                "of layers, or set include_input=False."
            )
            raise ValueError(msg)
        return layers

    # With include_input, layer 0 is computed first, and left out of the mix.

    def _shown(self, layers: tuple[int, ...]) -> tuple[int, ...]:
        return (0, *layers) if self.include_input else layers

    def _arrays(
        self, documents: list[Document], encoder: TextEncoder, layers: tuple[int, ...]
    ) -> Arrays:
        return super()._arrays(documents, encoder, self._shown(layers))

    def _features(self, arrays: Arrays, layers: tuple[int, ...]) -> Float32Array:
        return super()._features(arrays, self._shown(layers))

    def _run_tokens(self, documents: list[Document]) -> Any:
        layers, encoder = self._fitted_layers(), self._fitted_encoder()
        return encoder.token_states(documents, self._shown(layers), self._mixed)

    def _mixed(self, blocks: list[Float32Array]) -> Float32Array:
        if not self.include_input:
            return super()._mixed(blocks)
        return np.hstack([blocks[0], super()._mixed(blocks[1:])])

    def _token_width(self) -> int:
        return super()._token_width() + self.include_input * self.widths_[0]

    def __sklearn_clone__(self) -> Self:
        # Vectors that are loaded or fitted are shared, not copied.
        clone: Self = clone_sharing(self, ("vectors",))
        return clone

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        if not (self.store_weights and "fingerprint_" in state and any(self._files)):
            return pack_parts(state, None)
        files = self._stored_parts()
        parts = self._parts()
        whole = Parts(
            parts.vectors if files.vectors is None else files.vectors,
            parts.encoder if files.encoder is None else files.encoder,
            parts.fingerprint if files.encoder is None else files.fingerprint,
        )
        # Of what is in memory, the fingerprint is another one than of files.
        state["fingerprint_"] = cove_model(whole).fingerprint
        state["_stored_of"] = self._files
        return pack_parts(state, files)

    def _stored_parts(self) -> Parts:
        """Return what is in files, for a pickle."""
        parts = self._fitted_parts()
        vectors_file, encoder_file = self._files
        vectors = given_vectors(parts.vectors)[0] if vectors_file else None
        if not encoder_file:
            return Parts(vectors, None, None)
        _, load, fingerprint = given_encoder(parts.encoder, parts.fingerprint)
        return Parts(vectors, load(), fingerprint)

    def _fitted_parts(self) -> Parts:
        """Return vectors and encoder, if they are those of `fit`."""
        self._fitted_encoder()
        return self._parts()

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(unpack_parts(state))


def _known(scores: dict[str, float]) -> dict[str, float]:
    """Leave out what is NaN: the perplexity where nothing was held out."""
    return {name: score for name, score in scores.items() if not np.isnan(score)}
