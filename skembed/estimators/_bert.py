"""The layers of transformers."""

import warnings
from collections.abc import Sequence
from numbers import Integral
from os import PathLike
from typing import Any, ClassVar

from joblib import effective_n_jobs

from skembed._devices import DTYPES
from skembed._sklearn_private import HasMethods, Interval, StrOptions, clone_sharing
from skembed.encoding import TransformerEncoder
from skembed.estimators._featurizer import (
    FEATURIZER_CONSTRAINTS,
    ContextualFeaturizer,
)
from skembed.networks.huggingface import PackedModel, PretrainedModel, named_model


class BertLayerFeaturizer(ContextualFeaturizer):
    r"""Document features from the layers of a transformer, used as it is.

    The tokens of a document run through a frozen network; the states of its layers are
    pooled over the tokens, layer by layer, and the layers are mixed. Which layers serve
    a task best is for a grid search to find: with `memory` the network runs once for
    each distinct document, whatever the grid.

    Parameters
    ----------
    model : str, path, or tuple (model, tokenizer)
        The folder of a Hugging Face model, an encoder (BERT, RoBERTa, ModernBERT ...)
        or a decoder (GPT-2, Llama ...), or of a sentence-transformers model, of which
        the transformer is used; or a hub id; or a model and tokenizer that are loaded
        already, which `clone` does not copy. Code that comes with a model is never run.
    revision : str, default=None
        Branch, tag or commit of a hub id.
    tokenizer : str, path or PreTrainedTokenizerBase, default=None
        Used instead of the model's own.
    layers : int, tuple of int, or "all", default=-1
        The layers to use: 0 is the output of the embedding, 1 that of the first block
        ...; negative numbers count from the top, which is -1. For most tasks the
        middle ones and the last but one are worth a try.
    mixing : {"mean", "sum", "max", "concat", "learned"}, default="mean"
        How several layers become one: element by element, or side by side; or as
        :math:`\gamma \sum_j s_j h_j`, with softmax weights s and a scale that `fit`
        learns from y together with a linear model [1]_.
    pooling : str or tuple of str, default="mean"
        How the tokens of a document become one vector, at each layer:

        - ``"mean"``, ``"max"``, ``"min"``: of each coordinate.
        - ``"mean_sqrt_len"``: the sum over the square root of the number of tokens.
        - ``"cls"``: the first token of all, whatever `special_tokens` is.
        - ``"last"``: the last token; sensible for decoders, which only look back.
        - ``"first_last"``: the first and the last token, side by side.

        The features of several poolings are put side by side.
    special_tokens : bool, default=False
        Whether the tokens that the tokenizer adds, such as [CLS] and [SEP], and those
        of `prefix` count in pooling. sentence-transformers counts them.
    max_length : int, default=None
        Most tokens of a window, special ones included. None is what the model was saved
        with: as many as it can read, or fewer for sentence-transformers' models.
    overlong : {"windows", "truncate", "error"}, default="windows"
        What becomes of longer documents: they are read in windows that overlap, each
        token counted once, and pooled as a whole; or cut off, with a warning; or
        refused.
    prefix : str, default=""
        Put before each document, such as ``"query: "`` for models that want it.
    normalize : {"l1", "l2", "max"} or False, default=False
        Whether to scale each row of features, of all poolings together, to norm 1.
    mixing_penalty : float, default=0.1
        Strength of the penalty of the linear model of ``mixing="learned"``, as `alpha`
        of :class:`~sklearn.linear_model.Ridge`, and ``1 / C`` of
        :class:`~sklearn.linear_model.LogisticRegression`.
    layer_norm : bool, default=False
        Whether ``mixing="learned"`` divides each layer by its scale in the documents of
        `fit` first. Layers of some models, decoders above all, differ much in scale, so
        that their weights do not compare otherwise.
    missing : {"error", "empty"}, default="error"
        What to do with a missing document (None, NaN): raise, or take it as empty.
    batch_tokens : int, default=None
        Most tokens that run together, those of all threads of a CPU counted. None is
        2,048 on a CPU, 1,024 for each of more than two threads (8,192 at most), and
        32,768 on a GPU.
    device : str, torch.device, or sequence of them, default="auto"
        Where the network runs: "auto" is a GPU if there is one. Several devices share
        the work.
    dtype : {"float32", "bfloat16", "float16"}, default="float32"
        What the network computes in. Features are float32.
    memory : str, path, FeatureCache or joblib.Memory, default=None
        Folder where the features of all layers are kept, by the contents of the model,
        the settings of its tokenizer and the document. A `FeatureCache` says how large
        it may grow; 10 GB otherwise.
    n_jobs : int, default=None
        Number of threads on a CPU. None leaves it to torch. Where there is enough to
        do, and the model runs without padding, each runs batches of its own (eight
        at a time at most).
    store_weights : bool, default=False
        Whether pickles of a fitted estimator hold the model. Otherwise they hold where
        it is, and its digest, which is compared when it is loaded.
    local_files_only : bool, default=False
        Whether to look for hub ids on this machine only. The environment variable
        HF_HUB_OFFLINE does the same.
    verbose : int, default=0
        1 shows a progress bar.

    Attributes
    ----------
    layers_ : tuple of int
        The numbers of the layers used.
    layer_weights_ : ndarray of shape (n_layers,), float64
        The weight of each of them, if ``mixing="learned"``; their sum is 1.
    gamma_ : float
        The scale of the mix, if ``mixing="learned"``.
    n_layers_ : int
        Number of blocks of the model: the number of its top layer.
    widths_ : tuple of int
        Features of each layer, the embedding output first.
    n_windowed_, n_truncated_ : int
        How many documents of `fit` were read in windows, and how many were cut off.
    fingerprint_ : str
        Digest of the model's weights, configuration and tokenizer.

    See Also
    --------
    SkipGramVectorizer : One vector per word, whatever its sentence.
    FeatureCache : A `memory` of bounded size.

    Notes
    -----
    Documents are sorted by length and run without padding where the model allows it,
    through no more layers than are asked for; with `memory`, which keeps all layers,
    through all of them. Features do not depend on what runs together, to rounding:
    about 1e-6 of the largest.

    References
    ----------
    .. [1] M. Peters et al., "Deep Contextualized Word Representations", NAACL 2018,
       equation 1.
    .. [2] J. Devlin, M. Chang, K. Lee and K. Toutanova, "BERT: Pre-training of Deep
       Bidirectional Transformers", NAACL 2019, section 5.3, for features of layers.

    Examples
    --------
    >>> from transformers import BertConfig, BertModel, BertTokenizerFast
    >>> words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "cat", "purrs"]
    >>> tokenizer = BertTokenizerFast(vocab={word: i for i, word in enumerate(words)})
    >>> config = BertConfig(
    ...     vocab_size=len(words),
    ...     hidden_size=8,
    ...     num_hidden_layers=2,
    ...     num_attention_heads=2,
    ...     intermediate_size=16,
    ... )
    >>> featurizer = BertLayerFeaturizer(
    ...     (BertModel(config), tokenizer), layers="all", mixing="concat"
    ... )
    >>> featurizer.fit_transform(["The cat purrs", "the cat"]).shape
    (2, 24)
    >>> featurizer.transform_tokens(["The cat purrs"]).tokens
    [['The', 'cat', 'purrs']]
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "model": [str, PathLike, tuple, HasMethods(["unpack"])],
        "revision": [str, None],
        "tokenizer": [str, PathLike, HasMethods(["get_vocab"]), None],
        **FEATURIZER_CONSTRAINTS,
        "max_length": [Interval(Integral, 1, None, closed="left"), None],
        "overlong": [StrOptions({"windows", "truncate", "error"})],
        "prefix": [str],
        "device": "no_validation",  # type: ignore[dict-item]
        "dtype": [StrOptions(set(DTYPES))],
        "n_jobs": [Integral, None],
        "store_weights": ["boolean"],
        "local_files_only": ["boolean"],
    }

    def __init__(
        self,
        model: Any,
        *,
        revision: str | None = None,
        tokenizer: Any = None,
        layers: Any = -1,
        mixing: str = "mean",
        pooling: str | Sequence[str] = "mean",
        special_tokens: bool = False,
        max_length: int | None = None,
        overlong: str = "windows",
        prefix: str = "",
        normalize: str | bool = False,
        mixing_penalty: float = 0.1,
        layer_norm: bool = False,
        missing: str = "error",
        batch_tokens: int | None = None,
        device: Any = "auto",
        dtype: str = "float32",
        memory: Any = None,
        n_jobs: int | None = None,
        store_weights: bool = False,
        local_files_only: bool = False,
        verbose: int = 0,
    ) -> None:
        self.model = model
        self.revision = revision
        self.tokenizer = tokenizer
        self.layers = layers
        self.mixing = mixing
        self.pooling = pooling
        self.special_tokens = special_tokens
        self.max_length = max_length
        self.overlong = overlong
        self.prefix = prefix
        self.normalize = normalize
        self.mixing_penalty = mixing_penalty
        self.layer_norm = layer_norm
        self.missing = missing
        self.batch_tokens = batch_tokens
        self.device = device
        self.dtype = dtype
        self.memory = memory
        self.n_jobs = n_jobs
        self.store_weights = store_weights
        self.local_files_only = local_files_only
        self.verbose = verbose

    def _encoder(self) -> TransformerEncoder:
        return TransformerEncoder(
            model=self._named_model(),
            max_length=self.max_length,
            overlong=self.overlong,
            prefix=self.prefix,
            special_tokens=self.special_tokens,
            device=self.device,
            dtype=self.dtype,
            batch_tokens=self.batch_tokens,
            n_threads=None if self.n_jobs is None else effective_n_jobs(self.n_jobs),
            verbose=self.verbose,
        )

    def _named_model(self) -> PretrainedModel:
        named = named_model(
            self._stored() or self.model,
            revision=self.revision,
            tokenizer=self.tokenizer,
            local_files_only=self.local_files_only,
        )
        undone = set(named.further_modules) - {"Pooling", "Normalize"}
        if undone:
            msg = (
                f"{named.name!r} also does {', '.join(sorted(undone))} after its "
                "transformer, which is left out here."
            )
            warnings.warn(msg, stacklevel=4)
        return named

    def _stored(self) -> PackedModel | None:
        """Return the model that came with the pickle, if none has been set since."""
        name, packed = self.__dict__.get("_packed", (None, None))
        return packed if name == (self.model, self.revision) else None

    def __sklearn_clone__(self) -> "BertLayerFeaturizer":
        # A loaded model is shared, not copied.
        clone: BertLayerFeaturizer = clone_sharing(self, ("model", "tokenizer"))
        return clone

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        is_fitted = "fingerprint_" in state
        if isinstance(self.model, (tuple, list)):
            # Of a loaded model, with its tokenizer, the files are all there is.
            named = self._named_model()
            packed = PackedModel.of(named)
            if is_fitted and self.fingerprint_ == named.fingerprint:
                state["fingerprint_"] = packed.fingerprint
            state |= {"model": packed, "tokenizer": None}
        elif self.store_weights and is_fitted and self._stored() is None:
            packed = PackedModel.of(self._named_model())
            state["_packed"] = (self.model, self.revision), packed
        return state
