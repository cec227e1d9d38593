"""What all estimators that learn one vector per word have in common."""

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from joblib import effective_n_jobs
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skembed._processes import process_map
from skembed._ragged import Ragged
from skembed._sklearn_private import CallbackSupportMixin, clone_sharing, fit_context
from skembed.estimators._analysis import count_vectorizer, text_analysis
from skembed.estimators._document_features import (
    WeightedWords,
    check_feature_parameters,
    document_features,
    learn_components,
)
from skembed.estimators._pretrained import (
    check_fine_tune,
    check_pretrained_size,
    encode_known,
    encode_merged,
    published_vectors,
)
from skembed.estimators._progress import TrainingProgress
from skembed.estimators._state import pack_state, unpack_state
from skembed.estimators._training_state import (
    Tables,
    Trained,
    TrainingState,
    next_state,
)
from skembed.estimators.documents import (
    Document,
    check_document_weight,
    check_documents,
)
from skembed.features import TokenFeatures, inverse_document_frequency, pooling_names
from skembed.text import TextAnalysis, Vocabulary, encode, encode_corpus, tokenize
from skembed.vectors import WordVectors

Float32Array = npt.NDArray[np.float32]


class WordVectorizer(
    ClassNamePrefixFeaturesOutMixin,
    CallbackSupportMixin,
    TransformerMixin,
    BaseEstimator,
):
    """Learn word vectors from documents, describe documents by those of their words.

    Subclasses set the parameters below in their ``__init__``, along with those of
    `skembed.estimators._analysis.TEXT_PARAMETERS`, and implement `_train`. Those that
    have the parameters `pretrained` and `fine_tune` implement `_starting_tables` too.
    """

    vector_size: int
    pretrained: Any = None
    fine_tune: bool = False
    _takes_ngrams = False
    min_count: int
    max_vocab_size: int | None
    epochs: int
    pooling: str | Sequence[str]
    normalize: str | bool
    remove_components: int
    missing: str
    input: str
    n_jobs: int | None
    random_state: int | np.random.RandomState | None
    verbose: int

    @abstractmethod
    def _train(
        self,
        vocabulary: Vocabulary,
        corpus: Ragged,
        document_weight: npt.NDArray[np.float64] | None,
        progress: TrainingProgress,
        earlier: TrainingState | None,
    ) -> Trained:
        """Learn the vectors of the words from the encoded corpus.

        Parameters
        ----------
        vocabulary : Vocabulary
            With the occurrences of each word in all documents so far. 0 for words that
            have published vectors, and have not occurred.
        corpus : Ragged of int32
        document_weight : ndarray of shape (n_documents,), float64, or None
        progress : callable
            To be called by training; see `TrainingProgress`.
        earlier : TrainingState or None
            What to go on from. It may know only the first of the words.

        Returns
        -------
        trained : Trained
        """

    def _starting_tables(self, published: WordVectors) -> Tables:
        """Make the tables that training begins with if there are published vectors.

        Parameters
        ----------
        published : WordVectors

        Returns
        -------
        tables : tuple of ndarray
            Such that the vectors of words that do not occur are the published ones.
        """
        raise NotImplementedError

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: Iterable[Any],
        y: Any = None,
        sample_weight: npt.ArrayLike | None = None,
    ) -> Self:
        """Learn the vocabulary and the word vectors.

        Parameters
        ----------
        X : iterable of documents, of length n_documents
            A list, an array, a pandas or polars column, a generator ... of documents,
            each a str or a list of words. It is read once.
        y : Ignored
            Present for compatibility with pipelines.
        sample_weight : array-like of shape (n_documents,), default=None
            How much each document counts in training: its steps are scaled by it. The
            vocabulary and the weights of words in pooling do not depend on it.

        Returns
        -------
        self : object
            The fitted estimator. If fit fails or is interrupted, what an earlier fit
            has learned stays.
        """
        self._fit(X, y, sample_weight)
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def fit_transform(
        self,
        X: Iterable[Any],
        y: Any = None,
        sample_weight: npt.ArrayLike | None = None,
    ) -> Float32Array:
        """Learn from documents and return their features, reading them once.

        Parameters
        ----------
        X : iterable of documents, of length n_documents
        y : Ignored
            Present for compatibility with pipelines.
        sample_weight : array-like of shape (n_documents,), default=None
            As for `fit`.

        Returns
        -------
        features : ndarray of shape (n_documents, n_features), float32
            The same as of ``fit(X).transform(X)``.
        """
        return self._features(self._fit(X, y, sample_weight))

    def transform(self, X: Iterable[Any]) -> Float32Array:
        """Describe each document by the vectors of its known words.

        Parameters
        ----------
        X : iterable of documents, of length n_documents

        Returns
        -------
        features : ndarray of shape (n_documents, n_features), float32
            A document without any known word gets zeros. Each row depends on its
            document alone.
        """
        check_is_fitted(self)
        ids = encode(
            *self._read(X), self.vocabulary_, processes=process_map(self.n_jobs)
        )
        return self._features(ids)

    def transform_tokens(self, X: Iterable[Any]) -> TokenFeatures:
        """Return the vector of each word of each document.

        Parameters
        ----------
        X : iterable of documents, of length n_documents

        Returns
        -------
        features : TokenFeatures
            With one row of `vector_size` features for every word, in order. Unknown
            words get zeros. `pooling`, `normalize` and `remove_components` are about
            documents, and have no part in this.
        """
        check_is_fitted(self)
        tokens = tokenize(*self._read(X))
        row_splits = np.cumsum([0, *map(len, tokens)], dtype=np.int64)
        row_of = self.vocabulary_.index
        rows = np.fromiter(
            (row_of.get(word, -1) for words in tokens for word in words),
            dtype=np.int64,
            count=int(row_splits[-1]),
        )
        vectors = self.word_vectors_.vectors[rows]
        vectors[rows < 0] = 0.0
        return TokenFeatures(vectors, row_splits, tokens)

    def _fit(self, X: Any, y: Any, sample_weight: npt.ArrayLike | None) -> Ragged:
        """Do what `fit` does; return the encoded documents."""
        self._check_parameters()
        published = self._published()
        given = {"X": X, "y": y, "sample_weight": sample_weight}
        with TrainingProgress(self, self.epochs, **given) as progress:
            vocabulary, corpus = self._encode(X, published)
            if published is None or self.fine_tune:
                start = None if published is None else self._start(published)
                self._learn(vocabulary, corpus, sample_weight, progress, start)
            else:
                check_document_weight(sample_weight, len(corpus))
                untrained = Trained.of_published(published)
                self._keep(untrained, vocabulary, corpus, None)
        return corpus

    def _encode(
        self, X: Any, published: WordVectors | None
    ) -> tuple[Vocabulary, Ragged]:
        """Read the documents of `X`, and find the words that are to have vectors."""
        source = self._read(X)
        processes = process_map(self.n_jobs)
        if published is not None and not self.fine_tune:
            return encode_known(*source, published, processes=processes)
        limits: dict[str, Any] = {
            "min_count": self.min_count,
            "max_vocab_size": self.max_vocab_size,
        }
        if published is None:
            return encode_corpus(*source, **limits, processes=processes)
        return encode_merged(*source, published, **limits, processes=processes)

    def _published(self) -> WordVectors | None:
        """Return the vectors that `pretrained` stands for, if it does for any."""
        if self.pretrained is None:
            return None
        published = published_vectors(self.pretrained, ngrams=self._takes_ngrams)
        check_pretrained_size(self, published.vector_size)
        self._check_components(published.vector_size)
        return published

    def _start(self, published: WordVectors) -> TrainingState:
        return TrainingState.of_published(self._starting_tables(published))

    def _check_parameters(self) -> None:
        """Raise for what `_parameter_constraints` cannot see."""
        pooling_names(self.pooling)
        # It warns of stop words that its analyzer never makes.
        count_vectorizer(self).build_analyzer()
        # It refuses 0.
        effective_n_jobs(self.n_jobs)
        check_fine_tune(self)
        if self.pretrained is None:
            self._check_components(self.vector_size)

    def _check_components(self, vector_size: int) -> None:
        if self.remove_components >= vector_size:
            msg = (
                f"remove_components={self.remove_components} would leave nothing of "
                f"vector_size={vector_size} features. Set it lower."
            )
            raise ValueError(msg)

    def _read(self, X: Any) -> tuple[Iterable[Document], TextAnalysis]:
        """Return the documents of `X`, and how each becomes words."""
        vectorizer = count_vectorizer(self)
        documents = check_documents(
            X, missing=self.missing, input=self.input, decode=vectorizer.decode
        )
        return documents, text_analysis(vectorizer)

    def _learn(
        self,
        vocabulary: Vocabulary,
        corpus: Ragged,
        sample_weight: npt.ArrayLike | None,
        progress: TrainingProgress,
        earlier: TrainingState | None,
    ) -> None:
        """Train on encoded documents, and keep what has been learned."""
        weight = check_document_weight(sample_weight, len(corpus))
        progress.n_tokens = len(corpus.values)
        trained = self._train(vocabulary, corpus, weight, progress, earlier)
        self._keep(trained, vocabulary, corpus, earlier)

    def _keep(
        self,
        trained: Trained,
        vocabulary: Vocabulary,
        corpus: Ragged,
        earlier: TrainingState | None,
    ) -> None:
        """Set the fitted attributes."""
        state = next_state(earlier, trained, corpus, len(vocabulary))
        idf = inverse_document_frequency(state.document_frequency, state.n_documents)
        words = WeightedWords(trained.vectors, idf, vocabulary.counts)
        components = learn_components(
            words, corpus, pooling_names(self.pooling), self.remove_components
        )
        # In one step, after all that can fail: an interrupt finds the estimator as it
        # was, or as it is to be.
        self.__dict__.update(
            vocabulary_=vocabulary,
            word_vectors_=self._word_vectors(vocabulary, trained),
            idf_=idf,
            common_components_=components,
            loss_curve_=state.losses,
            n_iter_=len(state.losses),
            _training=state,
        )

    def _word_vectors(self, vocabulary: Vocabulary, trained: Trained) -> WordVectors:
        """Make `word_vectors_` of what was trained."""
        return WordVectors(vocabulary.words, trained.vectors, vocabulary.counts)

    def _features(self, ids: Ragged) -> Float32Array:
        """Describe documents by words of the vocabulary."""
        words = WeightedWords(
            self.word_vectors_.vectors, self.idf_, self.vocabulary_.counts
        )
        return self._pooled(words, ids)

    def _pooled(self, words: WeightedWords, ids: Ragged) -> Float32Array:
        """Make the features that the parameters ask for."""
        check_feature_parameters(self.pooling, self.normalize, self.remove_components)
        poolings = pooling_names(self.pooling)
        components = {name: self._components(name) for name in poolings}
        return document_features(words, ids, poolings, components, self.normalize)

    def _components(self, pooling: str) -> Float32Array:
        """Return the common components that are to be removed from one pooling."""
        empty = np.empty((0, self.word_vectors_.vector_size), np.float32)
        learned: Float32Array = self.common_components_.get(pooling, empty)
        if len(learned) < self.remove_components:
            msg = (
                f"remove_components={self.remove_components} with pooling={pooling!r} "
                f"was set after fit, which has learned {len(learned)} components for "
                "it. Fit again; with memory set, that trains no second time."
            )
            raise ValueError(msg)
        return learned[: self.remove_components]

    def _draw_seed(self, earlier: TrainingState | None) -> int:
        """Draw the seed of training; another one for each call of `partial_fit`."""
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        n_epochs = 0 if earlier is None else len(earlier.losses)
        if n_epochs == 0:
            return seed
        return int(np.random.SeedSequence([seed, n_epochs]).generate_state(1)[0])

    @property
    def _n_features_out(self) -> int:
        vector_size: int = self.word_vectors_.vector_size
        return vector_size * len(pooling_names(self.pooling))

    def __sklearn_clone__(self) -> Self:
        # Word vectors that are a parameter are shared, not copied.
        names = {"pretrained"}.intersection(self.get_params(deep=False))
        clone: Self = clone_sharing(self, names)
        return clone

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        tags.transformer_tags.preserves_dtype = []
        return tags

    def __getstate__(self) -> dict[str, Any]:
        return pack_state(super().__getstate__())

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(unpack_state(state))
