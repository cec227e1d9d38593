"""The layers of bidirectional language models."""

from collections.abc import Sequence
from numbers import Integral
from os import PathLike
from typing import Any, ClassVar

from joblib import effective_n_jobs

from skembed._devices import DTYPES
from skembed._sklearn_private import Interval, StrOptions, clone_sharing
from skembed.encoding import WordEncoder
from skembed.estimators._elmo_words import MAX_VOCAB_SIZE, fitted_words, split_documents
from skembed.estimators._featurizer import (
    FEATURIZER_CONSTRAINTS,
    ContextualFeaturizer,
)
from skembed.estimators.documents import Document
from skembed.formats import ElmoArrays
from skembed.networks.elmo import ElmoModel, named_elmo, packed_elmo
from skembed.text import newswire_words


class ELMoFeaturizer(ContextualFeaturizer):
    r"""Document features from the layers of a bidirectional language model.

    The words of a document run through a frozen ELMo [1]_: a network over the
    characters of each word, then two LSTM language models, one of which reads the
    document forwards and one backwards. The states of its layers are pooled over the
    words, layer by layer, and the layers are mixed.

    Nothing but the weights is needed of a published model, and they are not changed.
    Features of a document are always the same, and depend on no other document.

    Parameters
    ----------
    weights : str, path, or pair of them
        A folder or zip with a file ``*options.json`` and one ``*.hdf5``, as published
        by the authors and by the NLPL repository; or the paths of these two.
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
          from nothing, so that features **depend on the order of the documents**.
          `memory` can then not be used.

        "auto" is "warm".
    batch_size : int, default=32
        With ``initial_state="carry"``, the batch size of the authors' programs: how
        many documents are read side by side.
    max_vocab_size : int, default=20,000
        The most frequent words of the documents of `fit`, so many at most, are in
        `word_vectors_`.
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
    dtype : {"float32", "bfloat16", "float16"}, default="float32"
        What the network multiplies matrices in. Features are float32.
    memory : str, path, FeatureCache or joblib.Memory, default=None
        Folder where the features of all layers are kept, by the contents of the model,
        the settings of the tokenizer and the document. A `FeatureCache` says how large
        it may grow; 10 GB otherwise.
    n_jobs : int, default=None
        Number of threads on a CPU. None leaves it to torch.
    store_weights : bool, default=False
        Whether pickles of a fitted estimator hold the weights. Otherwise they hold
        where these are, and their digest, which is compared when they are loaded.
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
        Digest of the model's files.

    See Also
    --------
    BertLayerFeaturizer : The same for transformers.
    SkipGramVectorizer : One vector per word, whatever its sentence.

    Notes
    -----
    The vector of a word without its context is computed once, however often the word
    occurs. Documents are sorted by length and run side by side, without padding. Those
    of more than 512 words are read in windows: a first pass finds what each window
    begins with, so that features are those of the whole document in one piece.

    References
    ----------
    .. [1] M. Peters et al., "Deep Contextualized Word Representations", NAACL 2018.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from skembed.testing import write_tiny_elmo
    >>> with TemporaryDirectory() as folder:
    ...     write_tiny_elmo(folder)
    ...     featurizer = ELMoFeaturizer(folder, layers="all", mixing="concat")
    ...     features = featurizer.fit_transform(["They don't bank there.", "A bank."])
    ...     tokens = featurizer.transform_tokens(["They don't bank."]).tokens
    >>> features.shape
    (2, 48)
    >>> tokens
    [['They', 'don', "'t", 'bank', '.']]
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "weights": [str, PathLike, tuple, list, dict],
        "tokenizer": [callable, None],
        "lowercase": ["boolean"],
        **FEATURIZER_CONSTRAINTS,
        "initial_state": [StrOptions({"auto", "warm", "zeros", "carry"})],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "max_vocab_size": [Interval(Integral, 0, None, closed="left")],
        "device": "no_validation",  # type: ignore[dict-item]
        "dtype": [StrOptions(set(DTYPES))],
        "n_jobs": [Integral, None],
        "store_weights": ["boolean"],
    }
