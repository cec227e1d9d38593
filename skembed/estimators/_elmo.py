"""The layers of bidirectional language models."""

from collections.abc import Callable, Mapping, Sequence
from numbers import Integral, Real
from os import PathLike
from typing import Any, ClassVar

from sklearn.exceptions import NotFittedError

from skembed._devices import CPU_DTYPES, DTYPES, check_device
from skembed._sklearn_private import Interval, StrOptions
from skembed.encoding import WordEncoder
from skembed.estimators._elmo_predictions import PredictingFeaturizer
from skembed.estimators._elmo_saving import SavesWeightsMixin
from skembed.estimators._elmo_training import (
    PUBLISHED_SIZES,
    history,
    packed_model,
    packed_result,
    repeated,
    stored_elmo,
    train_elmo,
    training_config,
)
from skembed.estimators._elmo_words import (
    count_words,
    most_frequent,
    word_layer,
)
from skembed.estimators._feature_memory import feature_cache
from skembed.estimators._word_featurizer import WORD_FEATURIZER_CONSTRAINTS
from skembed.estimators.documents import Document
from skembed.networks.elmo import named_elmo


class ELMoFeaturizer(SavesWeightsMixin, PredictingFeaturizer):
    r"""Document features from the layers of a bidirectional language model.

    The words of a document run through a frozen ELMo [1]_: a network over the
    characters of each word, then two LSTM language models, one of which reads the
    document forwards and one backwards. The states of its layers are pooled over the
    words, layer by layer, and the layers are mixed.

    Nothing but the weights is needed of a published model, and they are not changed.
    Features of a document are always the same, and depend on no other document.

    Parameters
    ----------
    weights : str, path, pair of them, or None, default=None
        A folder or zip with a file ``*options.json`` and one ``*.hdf5``, as published
        by the authors and by the NLPL repository; or the paths of these two. None
        trains a model on the documents of `fit`.
    tokenizer : callable, default=None
        Returns the list of words of a document. None cuts English text as the corpus of
        the authors' models was cut: punctuation stands alone, clitics keep their
        apostrophe (``don 't``, ``it 's``), abbreviations their period (``U.S.``). A
        document that is a list of words is taken as it is.
    lowercase : bool, default=False
        Whether to make all letters small first. The authors' models know capitals.
    layers : int, tuple of int, or "all", default="all"
        The layers to use: 0 is that of the words, which knows no context, 1 that of the
        first LSTMs ...; negative numbers count from the top, which is -1.
    mixing : {"mean", "sum", "max", "concat", "learned"}, default="mean"
        How several layers become one: element by element, or side by side; or as
        :math:`\gamma \sum_j s_j h_j`, with softmax weights s and a scale that `fit`
        learns from y together with a linear model: equation 1 of [1]_.
    pooling : str or tuple of str, default="mean"
        How the words of a document become one vector, at each layer: ``"mean"``,
        ``"max"``, ``"min"``, ``"mean_sqrt_len"``, ``"cls"``, ``"last"``,
        ``"first_last"``; see `BertLayerFeaturizer`. ``"cls"`` is the begin of the
        document, where the backward model has read all of it.
    special_tokens : bool, default=False
        Whether the begin and the end of a document, which are words to the network,
        count in pooling.
    initial_state : {"auto", "warm", "zeros", "carry"}, default="auto"
        What the network remembers when a document begins:

        - ``"warm"``: what a fixed short text leaves, the same for each document. The
          published models were trained on a stream of sentences, and never began with
          nothing.
        - ``"zeros"``: nothing.
        - ``"carry"``: what another document left, as in the authors' programs. Each
          document goes on from the one `batch_size` places before it, the first ones
          from nothing, so that features **depend on the order of the documents**, and
          none are kept in `memory`.

        "auto" is what the model was trained with: "warm" for published ones, "zeros"
        for those trained here, unless `size` is a published one.
    batch_size : int, default=32
        With ``initial_state="carry"``, the batch size of the authors' programs: how
        many documents are read side by side.
    max_vocab_size : int, default=20,000
        The most frequent words of the documents of `fit`, so many at most, are in
        `word_vectors_`, and are what a model that is trained predicts.
    fine_tune : bool, default=False
        Whether to go on training the published weights on the documents of `fit`.
    size : int or {"small", "medium", "original"}, default=128
        What to train: the cells of each LSTM, which are its width, too; or a model of a
        published size, as the authors' program trains it, for which a GPU is needed.
    epochs : int, default=10
        Passes over the documents of `fit` in training, at most.
    learning_rate : float, default=None
        Step size of training. None is 0.008, for Adam, and 0.2, for Adagrad, where
        `size` is a published one.
    validation_fraction : float, default=0.02
        Share of the documents of `fit` that are held out of training, and on which each
        epoch is measured. The epoch with the lowest perplexity is kept.
    n_iter_no_change : int or None, default=2
        Epochs without a lower perplexity after which training stops. None never stops.
    checkpoint : str or path, default=None
        Folder where training writes how far it is, once a minute, and from which the
        same `fit` goes on after a crash.
    on_interrupt : {"raise", "keep"}, default="raise"
        What an interrupt during training does: `fit` fails, and leaves the estimator as
        it was; or ends, with the best weights so far.
    normalize : {"l1", "l2", "max"} or False, default=False
        Whether to scale each row of features, of all poolings together, to norm 1.
    mixing_penalty : float, default=0.1
        Strength of the penalty of the linear model of ``mixing="learned"``, as `alpha`
        of :class:`~sklearn.linear_model.Ridge`, and ``1 / C`` of
        :class:`~sklearn.linear_model.LogisticRegression`.
    layer_norm : bool, default=False
        Whether ``mixing="learned"`` divides each layer by its scale in the documents of
        `fit` first.
    missing : {"error", "empty"}, default="error"
        What to do with a missing document (None, NaN): raise, or take it as empty.
    batch_tokens : int, default=None
        Most words that run together. None is 4,096 on a CPU and 65,536 on a GPU.
    device : str, torch.device, or sequence of them, default="auto"
        Where the network runs: "auto" is a GPU if there is one. Several devices share
        the work.
    dtype : {"float32", "bfloat16", "float16", "int8"}, default="float32"
        What the network multiplies matrices in. Features are float32. "bfloat16" is
        faster where the processor has it, and features differ in their third digit.
        "int8", on a CPU alone, is faster still where the processor multiplies 8-bit
        integers (AVX512-VNNI), and they differ in their second digit; features are then
        computed on the CPU where `device` is "auto". Training, `perplexity` and
        `substitutes` take no note of it.
    memory : str, path, FeatureCache or joblib.Memory, default=None
        Folder where the features of all layers are kept, by the contents of the model,
        the settings of the tokenizer and the document. A `FeatureCache` says how large
        it may grow; 10 GB otherwise.
    n_jobs : int, default=None
        Number of threads on a CPU. None leaves it to torch.
    random_state : int, RandomState instance or None, default=None
        Seed of training. The same int gives the same weights on one machine.
    store_weights : bool, default=False
        Whether pickles of a fitted estimator hold the weights. Otherwise they hold
        where these are, and their digest, which is compared when they are loaded.
        Weights that were trained here are always in them.
    verbose : int, default=0
        1 shows a progress bar.

    Attributes
    ----------
    word_vectors_ : WordVectors
        Layer 0 of the most frequent words of the documents of `fit`: vectors that know
        no context, and are near for words that are spelled alike.
    vocabulary_ : Vocabulary
        These words, with their counts.
    layers_ : tuple of int
        The numbers of the layers used.
    layer_weights_ : ndarray of shape (n_layers,), float64
        The weight of each of them, if ``mixing="learned"``; their sum is 1.
    gamma_ : float
        The scale of the mix, if ``mixing="learned"``.
    n_layers_ : int
        Number of LSTM layers: the number of the top layer.
    widths_ : tuple of int
        Features of each layer.
    n_windowed_, n_truncated_ : int
        How many documents of `fit` were read in several windows, which changes no
        feature, and how many were cut off: none ever is.
    fingerprint_ : str
        Digest of the model's files, or of the weights that were trained.
    history_ : list of dict
        Of each epoch of training its ``"loss"`` and, of the documents held out, the
        ``"perplexity"``, ``"perplexity_forward"`` and ``"perplexity_backward"``.

    See Also
    --------
    BertLayerFeaturizer : The same for transformers.
    SkipGramVectorizer : One vector per word, whatever its sentence.

    Notes
    -----
    Documents are read as one sentence each. With `sample_weight`, one of weight 2.5 is
    read two or three times an epoch in training.

    The vector of a word without its context is computed once, however often the word
    occurs. Documents are sorted by length and run side by side, without padding. Those
    of more than 512 words are read in windows: a first pass finds what each window
    begins with, so that features are those of the whole document in one piece.

    References
    ----------
    .. [1] M. Peters et al., "Deep Contextualized Word Representations", NAACL 2018.

    Examples
    --------
    >>> texts = ["They don't bank there.", "The bank is closed."] * 10
    >>> featurizer = ELMoFeaturizer(size=8, epochs=1, random_state=0, mixing="concat")
    >>> featurizer.fit_transform(texts).shape
    (20, 48)
    >>> featurizer.transform_tokens(["They don't bank."]).tokens
    [['They', 'don', "'t", 'bank', '.']]
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "weights": [str, PathLike, tuple, list, None],
        **WORD_FEATURIZER_CONSTRAINTS,
        "dtype": [StrOptions({*DTYPES, *CPU_DTYPES})],
        "initial_state": [StrOptions({"auto", "warm", "zeros", "carry"})],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "max_vocab_size": [Interval(Integral, 1, None, closed="left")],
        "fine_tune": ["boolean"],
        "size": [
            Interval(Integral, 1, None, closed="left"),
            StrOptions(set(PUBLISHED_SIZES)),
        ],
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither"), None],
        "validation_fraction": [Interval(Real, 0, 1, closed="left")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), None],
        "checkpoint": [str, PathLike, None],
        "on_interrupt": [StrOptions({"raise", "keep"})],
    }

    _at_times = (*PredictingFeaturizer._at_times, "_stored", "history_")

    def __init__(
        self,
        weights: Any = None,
        *,
        tokenizer: Callable[[str], Any] | None = None,
        lowercase: bool = False,
        layers: Any = "all",
        mixing: str = "mean",
        pooling: str | Sequence[str] = "mean",
        special_tokens: bool = False,
        initial_state: str = "auto",
        batch_size: int = 32,
        max_vocab_size: int = 20_000,
        fine_tune: bool = False,
        size: int | str = 128,
        epochs: int = 10,
        learning_rate: float | None = None,
        validation_fraction: float = 0.02,
        n_iter_no_change: int | None = 2,
        checkpoint: str | PathLike[str] | None = None,
        on_interrupt: str = "raise",
        normalize: str | bool = False,
        mixing_penalty: float = 0.1,
        layer_norm: bool = False,
        missing: str = "error",
        batch_tokens: int | None = None,
        device: Any = "auto",
        dtype: str = "float32",
        memory: Any = None,
        n_jobs: int | None = None,
        random_state: Any = None,
        store_weights: bool = False,
        verbose: int = 0,
    ) -> None:
        self.weights = weights
        self.tokenizer = tokenizer
        self.lowercase = lowercase
        self.layers = layers
        self.mixing = mixing
        self.pooling = pooling
        self.special_tokens = special_tokens
        self.initial_state = initial_state
        self.batch_size = batch_size
        self.max_vocab_size = max_vocab_size
        self.fine_tune = fine_tune
        self.size = size
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.checkpoint = checkpoint
        self.on_interrupt = on_interrupt
        self.normalize = normalize
        self.mixing_penalty = mixing_penalty
        self.layer_norm = layer_norm
        self.missing = missing
        self.batch_tokens = batch_tokens
        self.device = device
        self.dtype = dtype
        self.memory = memory
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.store_weights = store_weights
        self.verbose = verbose

    def _fit_encoder(
        self, documents: list[Document], **given: Any
    ) -> tuple[WordEncoder, dict[str, Any]]:
        # Before training, which takes long.
        check_device(self.device, self.dtype)
        cut = self._words(documents)
        learned: dict[str, Any] = {}
        if self._learns_weights:
            cut = repeated(cut, given["sample_weight"], self.random_state)
            learned = self._train(cut)
        vocabulary = count_words(cut)
        encoder = self._encoder_of(learned.get("_stored"))
        frequent = most_frequent(vocabulary, self.max_vocab_size)
        learned["vocabulary_"] = frequent
        cache = feature_cache(self.memory)
        learned["word_vectors_"] = word_layer(frequent, encoder, cache)
        return encoder, learned

    def _encoder(self) -> WordEncoder:
        stored = self._trained()
        if self._learns_weights and stored is None:
            msg = (
                "There are no weights before fit has trained them on documents. Call "
                "fit, or pass the path of published ones as weights."
            )
            raise NotFittedError(msg)
        return self._encoder_of(stored)

    def _trained(self) -> Mapping[str, Any] | None:
        stored: dict[str, Any] | None = self.__dict__.get("_stored")
        return stored if stored and stored["source"] == self._source else None

    def _encoder_of(self, stored: Mapping[str, Any] | None) -> WordEncoder:
        """Return the model that is stored here, or the one that `weights` names."""
        model = stored_elmo(stored) if stored else named_elmo(self.weights)
        if self.initial_state != "auto":
            model = model.begun(self.initial_state)
        return self._word_encoder(
            model, batch_size=self.batch_size, special_tokens=self.special_tokens
        )

    @property
    def _source(self) -> tuple[Any, ...]:
        """What the weights depend on, of the parameters that may be set after fit."""
        return self.weights, self.fine_tune

    @property
    def _learns_weights(self) -> bool:
        return self.weights is None or self.fine_tune

    def _train(self, documents: list[list[str]]) -> dict[str, Any]:
        """Train the model, and return the attributes that tell it."""
        result = train_elmo(documents, count_words(documents), self)
        packing = training_config(self).packing
        stored = {"source": self._source, **packed_result(result, packing)}
        return {"_stored": stored, "history_": history(result)}

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        is_fitted = "fingerprint_" in state
        if is_fitted and self.store_weights and "_stored" not in state:
            model = named_elmo(self.weights)
            state["_stored"] = {"source": self._source, **packed_model(model)}
        return state
