"""The encoder of a translator, over word vectors."""

from collections.abc import Callable, Sequence
from numbers import Integral, Real
from os import PathLike
from typing import Any, ClassVar

from skembed._sklearn_private import HasMethods, Interval, StrOptions
from skembed.estimators._cove_features import TranslatorFeaturizer
from skembed.estimators._word_featurizer import (
    WORD_FEATURIZER_CONSTRAINTS as CONSTRAINTS,
)


class CoVeFeaturizer(TranslatorFeaturizer):
    r"""Document features from the encoder of a translator, over word vectors.

    The vectors of the words of a document run through a bidirectional LSTM of two
    layers, which was trained as the encoder of a translator [1]_: to translate a word,
    it had to know its context. Each text is read within its own length. The states of
    the layers are pooled over the words, layer by layer, and the layers are mixed.

    The encoder is read from a published file, or trained by `fit` on translations of
    the documents, ``fit(X, targets=translations)``; the rest of the translator is then
    dropped.

    Parameters
    ----------
    vectors : estimator, WordVectors, gensim.models.KeyedVectors, str or path
        The word vectors: a fitted `SkipGramVectorizer`, `GloVeVectorizer`
        ... which is used as it is; the vectors themselves; or their file, in any format
        that skembed reads. The published encoder reads those of GloVe of 840 billion
        words. Unknown words are zeros; where the vectors have n-grams, these give them
        one.
    encoder : str or path, default=None
        File of the encoder's weights: torch's state dict, as published, or what
        `save_encoder` wrote. None trains an encoder in `fit`.
    layers : int, tuple of int, or "all", default=-1
        The layers to use: 0 is the word vectors, 1 and 2 are the layers of the LSTM,
        each [forward states ; backward states]; negative numbers count from the top.
    include_input : bool, default=False
        Whether to put the word vectors in front of the mixed layers, as in the paper:
        [GloVe ; CoVe].
    mixing : {"concat", "mean", "sum", "max", "learned"}, default="concat"
        How several layers become one: side by side; or, of layers of equal width,
        element by element, or as :math:`\gamma \sum_j s_j h_j`, with softmax weights s
        and a scale that `fit` learns from y together with a linear model.
    pooling : str or tuple of str, default="mean"
        How the words of a document become one vector, at each layer: ``"mean"``,
        ``"max"``, ``"min"``, ``"mean_sqrt_len"``, ``"cls"`` (the first word),
        ``"last"``, ``"first_last"``; see `BertLayerFeaturizer`.
    tokenizer : callable, default=None
        Returns the words of a document, or of a translation. None cuts English text as
        the corpora that the published encoder was trained on were cut: punctuation
        stands alone, clitics keep their apostrophe (``don 't``). For vectors of words
        of another kind pass what cuts such words, for those of skembed's vectorizers
        ``re.compile(r"\w+").findall``. A document that is a list of words is taken as
        it is.
    lowercase : bool, default=True
        Whether to make all letters small first, as the published encoder wants it.
    hidden_size : int, default=300
        Cells of each direction of an encoder that is trained.
    epochs : int, default=10
        Passes over the documents in training, at most.
    batch_size : int, default=64
        Documents of a step of training.
    learning_rate : float, default=1e-3
        Step size of Adam, which falls linearly to 0 over all epochs.
    dropout : float, default=0.2
        Share of the inputs of layers that is set to 0 in training.
    min_count : int, default=2
        Words of the translations with fewer occurrences are one unknown word.
    max_vocab_size : int, default=None
        Of the words left, only so many are kept, the most frequent; None keeps all.
    max_pair_length : int, default=100
        Pairs of which one text has more words are not trained on.
    validation_fraction : float, default=0.02
        Share of the documents that is held out of training, and on which each epoch is
        measured. The epoch with the lowest perplexity is kept.
    n_iter_no_change : int or None, default=2
        Epochs without a lower perplexity after which training stops. None never stops.
    checkpoint : str or path, default=None
        Folder where training writes how far it is, once a minute, and from which the
        same `fit` goes on after a crash or an interrupt.
    on_interrupt : {"raise", "keep"}, default="raise"
        What an interrupt during training does: `fit` fails, and leaves the estimator as
        it was; or the best encoder so far is kept.
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
        Most words that run together. None is 2,048 on a CPU and 32,768 on a GPU.
    device : str, torch.device, or sequence of them, default="auto"
        Where the network runs: "auto" is a GPU if there is one. Several devices share
        the work, but for training, which is done on the first.
    dtype : {"float32", "bfloat16", "float16"}, default="float32"
        What the network computes in. Features are float32. Training computes in
        bfloat16 where the processor has instructions for it.
    memory : str, path, FeatureCache or joblib.Memory, default=None
        Folder where the features of all layers are kept, by the contents of vectors and
        encoder and the document; and encoders that were trained with an int as
        `random_state`. A `FeatureCache` says how large it may grow; 10 GB otherwise.
    n_jobs : int, default=None
        Number of threads on a CPU. None leaves it to torch.
    random_state : int, RandomState instance or None, default=None
        Seed of training. The same int gives the same weights on one machine.
    store_weights : bool, default=False
        Whether pickles of a fitted estimator hold vectors and weights that are in
        files. Otherwise they hold where these are, and their digest, which is compared
        when they are loaded. An encoder that was trained is always in them.
    verbose : int, default=0
        1 shows a progress bar.

    Attributes
    ----------
    layers_ : tuple of int
        The numbers of the layers used, without that of `include_input`.
    layer_weights_ : ndarray of shape (n_layers,), float64
        The weight of each of them, if ``mixing="learned"``; their sum is 1.
    gamma_ : float
        The scale of the mix, if ``mixing="learned"``.
    n_layers_ : int
        Number of layers of the LSTM: the number of the top layer.
    widths_ : tuple of int
        Features of each layer, the word vectors first.
    n_windowed_, n_truncated_ : int
        0: each document is read in one piece, and none is cut off.
    fingerprint_ : str
        Digest of vectors and encoder.
    encoder_weights_ : dict of str to ndarray, float32
        The encoder, if `fit` has trained it, under the names of ``nn.LSTM``.
    history_ : list of dict
        If `fit` has trained the encoder: of each epoch its ``"loss"``, in nats per word
        of the translations, and the ``"perplexity"`` of those held out.

    See Also
    --------
    ELMoFeaturizer : Contexts from language models of characters.
    BertLayerFeaturizer : Contexts from transformers.

    Notes
    -----
    A document without words gets zeros; one of unknown words alone does not, as the
    encoder reads them as zeros. Memory grows with the longest document: by about 6 kB a
    word, for the published sizes.

    With ``set_fit_request(targets=True)`` and metadata routing, pipelines and searches
    hand `targets` on.

    References
    ----------
    .. [1] B. McCann, J. Bradbury, C. Xiong and R. Socher, "Learned in Translation:
       Contextualized Word Vectors", NeurIPS 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from skembed import WordVectors
    >>> vectors = WordVectors(["i", "see", "a", "cat", "dog"], np.eye(5))
    >>> texts = ["I see a cat", "I see a dog"] * 10
    >>> translations = ["je vois un chat", "je vois un chien"] * 10
    >>> featurizer = CoVeFeaturizer(
    ...     vectors, hidden_size=4, epochs=1, include_input=True, random_state=0
    ... )
    >>> featurizer.fit(texts, targets=translations).transform(["a dog"]).shape
    (1, 13)
    >>> len(featurizer.history_)
    1
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "vectors": [str, PathLike, HasMethods(["fit"]), HasMethods(["most_similar"])],
        "encoder": [str, PathLike, None],
        **{k: v for k, v in CONSTRAINTS.items() if k != "special_tokens"},
        "include_input": ["boolean"],
        "hidden_size": [Interval(Integral, 1, None, closed="left")],
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "min_count": [Interval(Integral, 1, None, closed="left")],
        "max_vocab_size": [Interval(Integral, 1, None, closed="left"), None],
        "max_pair_length": [Interval(Integral, 1, None, closed="left")],
        "validation_fraction": [Interval(Real, 0, 1, closed="left")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), None],
        "checkpoint": [str, PathLike, None],
        "on_interrupt": [StrOptions({"raise", "keep"})],
    }

    def __init__(
        self,
        vectors: Any,
        *,
        encoder: str | PathLike[str] | None = None,
        layers: Any = -1,
        include_input: bool = False,
        mixing: str = "concat",
        pooling: str | Sequence[str] = "mean",
        tokenizer: Callable[[str], Any] | None = None,
        lowercase: bool = True,
        hidden_size: int = 300,
        epochs: int = 10,
        batch_size: int = 64,
        learning_rate: float = 1e-3,
        dropout: float = 0.2,
        min_count: int = 2,
        max_vocab_size: int | None = None,
        max_pair_length: int = 100,
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
        self.vectors = vectors
        self.encoder = encoder
        self.layers = layers
        self.include_input = include_input
        self.mixing = mixing
        self.pooling = pooling
        self.tokenizer = tokenizer
        self.lowercase = lowercase
        self.hidden_size = hidden_size
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.dropout = dropout
        self.min_count = min_count
        self.max_vocab_size = max_vocab_size
        self.max_pair_length = max_pair_length
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
