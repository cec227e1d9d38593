"""Positive pointwise mutual information, factorised."""

from collections.abc import Callable, Sequence
from numbers import Integral, Real
from os import PathLike
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from skembed._ragged import Ragged
from skembed._sklearn_private import HasMethods, Interval, StrOptions
from skembed.estimators._analysis import TEXT_CONSTRAINTS
from skembed.estimators._counting import (
    counted_once,
    counting_parameters,
    working_parameters,
)
from skembed.estimators._document_features import FEATURE_CONSTRAINTS
from skembed.estimators._progress import TrainingProgress
from skembed.estimators._training_state import Trained, TrainingState
from skembed.estimators._word_training import training_config
from skembed.estimators._word_vectorizer import WordVectorizer
from skembed.text import Vocabulary
from skembed.training.ppmi import PPMIConfig, factorize_ppmi

Float32Array = npt.NDArray[np.float32]


class PPMIVectorizer(WordVectorizer):
    r"""Document features from the factorised mutual information of words.

    `fit` counts how often words stand near one another, and factorises the positive
    pointwise mutual information of these counts: the closed form of what skip-gram and
    GloVe are said to approach [1]_. `transform` describes a document by the vectors of
    its words.

    Parameters
    ----------
    vector_size : int, default=100
        Length of the word vectors, and number of features per pooling; [2]_ has 500.
        Beyond the number of words, and the rank of the matrix, features are 0.
    window : int, default=5
        Largest distance, in words, between a word and its context, at most 10,000. [2]_
        compares 2, 5 and 10.
    min_count : int, default=5
        Words with fewer occurrences in the corpus are ignored.
    max_vocab_size : int, default=None
        Of the words left, only so many are kept, the most frequent; None keeps all.
    weighting : {"uniform", "harmonic"}, default="uniform"
        Whether a word at distance d counts 1, as in [2]_ by default, or 1 / d.
    symmetric : bool, default=True
        Whether the context of a word lies on both sides, or only to its left.
    sample : float, default=0.0
        Relative frequency above which occurrences of a word are randomly left out
        before windows are laid, as in :class:`SkipGramVectorizer`. 0 keeps all; [2]_
        also tries 1e-5.
    shift_k : float, default=1.0
        Its logarithm is subtracted from the mutual information. Skip-gram with k noise
        words is said to factorise the matrix that is shifted by it; 1, the default of
        the program of [2]_, shifts nothing.
    context_smoothing : float, default=0.75
        Power of the counts of contexts, [2]_'s choice: rare contexts then no longer
        have the largest mutual information. 1 smooths nothing.
    exponent : float, default=0.5
        Power of the singular values that scale the singular vectors. The default is
        that of the program of [2]_; 0 gives all directions the same scale.
    vectors : {"input", "output", "input+output"}, default="input"
        The vectors to keep: those of words as centres, as context, or their sum.
    pooling : str or tuple of str, default="mean"
        How the vectors of the words of a document become one:

        - ``"mean"``, ``"sum"``, ``"max"``, ``"min"``: of each coordinate.
        - ``"idf"``: their average, weighted by
          ``ln((1 + n_documents) / (1 + document_frequency)) + 1``, the smooth idf of
          :class:`~sklearn.feature_extraction.text.TfidfTransformer` on the documents
          that `fit` saw. The weights of a document are made to sum to 1.
        - ``"sif"``: their mean after multiplication by ``a / (a + p)`` with
          ``a = 1e-3`` and p the word's relative frequency in what `fit` saw [3]_. Use
          it with ``remove_components=1`` for all of the method of [3]_.

        The features of several poolings are put side by side.
    normalize : {"l1", "l2", "max"} or False, default=False
        Whether to scale each row of features, of all poolings together, to norm 1.
    remove_components : int, default=0
        How many common components to remove: from the features of each pooling,
        their projections on the first right singular vectors of the features of the
        documents that `fit` saw are subtracted [3]_; `normalize` comes after.
    missing : {"error", "empty"}, default="error"
        What to do with a missing document (None, NaN): raise, or take it as empty.
    input : {"content", "filename", "file"}, default="content"
        What `X` holds: documents, their paths, or open files. This and the next nine
        parameters mean what they mean in
        :class:`~sklearn.feature_extraction.text.CountVectorizer`. Documents that are
        lists of words are not analyzed; only `stop_words` applies to them.
    encoding : str, default="utf-8"
        How bytes are decoded.
    decode_error : {"strict", "ignore", "replace"}, default="strict"
        What to do with bytes that do not decode.
    strip_accents : {"ascii", "unicode"}, callable or None, default=None
        Whether and how to remove accents.
    lowercase : bool, default=True
        Whether to lowercase documents.
    preprocessor : callable, default=None
        Does what `strip_accents` and `lowercase` else do to a document.
    tokenizer : callable, default=None
        Splits a document into words, in place of `token_pattern`.
    token_pattern : str, default=r"(?u)\b\w+\b"
        Regular expression of one word. Single characters are words here, unlike in
        `CountVectorizer`. The default, `CountVectorizer`'s own pattern and their
        variants are matched by a compiled scanner, many times as fast.
    analyzer : {"word", "char", "char_wb"} or callable, default="word"
        What the units are, or a function from a document to a list of them.
    stop_words : {"english"}, collection of str or None, default=None
        Words to leave out.
    memory : str, path or joblib.Memory, default=None
        Folder where counts are kept, by the contents of the encoded corpus and the
        parameters of counting: a grid over `vector_size` or `exponent` then counts once
        per fold, in several processes too, and with `GloVeVectorizer` if it counts
        alike.
    max_memory : float, default=4.0
        Gibibytes that counting may use beside the corpus; counts that take more than
        half of it are in a temporary file. The default is that of
        `GloVeVectorizer`.
    n_jobs : int, default=None
        Number of threads of counting. None is 1, unless a
        :func:`joblib.parallel_config` says otherwise; -1 is all. With a backend of
        other processes, such as Dask's, these read documents and count.
    random_state : int, RandomState instance or None, default=None
        Seed of the draws of `sample`.
    verbose : int, default=0
        1 shows a progress bar, 2 a line when the matrix is factorised.

    Attributes
    ----------
    word_vectors_ : WordVectors
        The words and their vectors; see `WordVectors.most_similar`.
    vocabulary_ : Vocabulary
        The words, most frequent first, with their counts.
    idf_ : ndarray of shape (n_words,), float64
        The weights of words for ``pooling="idf"``.
    common_components_ : dict of str to ndarray
        What is removed from the features of each pooling: arrays of shape
        (`remove_components`, `vector_size`), float32.
    loss_curve_ : ndarray of shape (1,), float64
        The part of the sum of squares of the matrix that the vectors leave
        unexplained, from 0 to 1.
    n_iter_ : int
        1: the matrix is factorised once.

    See Also
    --------
    SkipGramVectorizer : Approaches the same matrix step by step.
    GloVeVectorizer : Fits the logarithms of the same counts.

    Notes
    -----
    See `skembed.counts.positive_pmi` for the formula. Singular vectors have the sign
    that makes their largest component positive.

    References
    ----------
    .. [1] O. Levy and Y. Goldberg, "Neural Word Embedding as Implicit Matrix
       Factorization", NeurIPS 2014.
    .. [2] O. Levy, Y. Goldberg and I. Dagan, "Improving Distributional Similarity with
       Lessons Learned from Word Embeddings", TACL 2015, and its program `hyperwords`.
    .. [3] S. Arora, Y. Liang and T. Ma, "A Simple but Tough-to-Beat Baseline for
       Sentence Embeddings", ICLR 2017.

    Examples
    --------
    >>> from skembed import PPMIVectorizer
    >>> documents = ["the cat purrs", "the dog barks", "the cat sleeps"]
    >>> vectorizer = PPMIVectorizer(vector_size=4, min_count=1)
    >>> vectorizer.fit_transform(documents).shape
    (3, 4)
    >>> vectorizer.vocabulary_.words
    ('the', 'cat', 'purrs', 'dog', 'barks', 'sleeps')
    """

    # What the template's progress counts.
    epochs = 1

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "vector_size": [Interval(Integral, 1, None, closed="left")],
        "window": [Interval(Integral, 1, 10_000, closed="both")],
        "min_count": [Interval(Integral, 1, None, closed="left")],
        "max_vocab_size": [Interval(Integral, 1, None, closed="left"), None],
        "weighting": [StrOptions({"harmonic", "uniform"})],
        "symmetric": ["boolean"],
        "sample": [Interval(Real, 0, None, closed="left")],
        "shift_k": [Interval(Real, 0, None, closed="neither")],
        "context_smoothing": [Interval(Real, 0, None, closed="left")],
        "exponent": [Interval(Real, 0, None, closed="left")],
        "vectors": [StrOptions({"input", "output", "input+output"})],
        **FEATURE_CONSTRAINTS,
        "missing": [StrOptions({"error", "empty"})],
        **TEXT_CONSTRAINTS,
        "memory": [str, PathLike, HasMethods(["cache"]), None],
        "max_memory": [Interval(Real, 0, None, closed="neither")],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        vector_size: int = 100,
        *,
        window: int = 5,
        min_count: int = 5,
        max_vocab_size: int | None = None,
        weighting: str = "uniform",
        symmetric: bool = True,
        sample: float = 0.0,
        shift_k: float = 1.0,
        context_smoothing: float = 0.75,
        exponent: float = 0.5,
        vectors: str = "input",
        pooling: str | Sequence[str] = "mean",
        normalize: str | bool = False,
        remove_components: int = 0,
        missing: str = "error",
        input: str = "content",
        encoding: str = "utf-8",
        decode_error: str = "strict",
        strip_accents: str | Callable[[str], str] | None = None,
        lowercase: bool = True,
        preprocessor: Callable[[str], str] | None = None,
        tokenizer: Callable[[str], list[str]] | None = None,
        token_pattern: str | None = r"(?u)\b\w+\b",
        analyzer: str | Callable[[str], list[str]] = "word",
        stop_words: Any = None,
        memory: Any = None,
        max_memory: float = 4.0,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.vector_size = vector_size
        self.window = window
        self.min_count = min_count
        self.max_vocab_size = max_vocab_size
        self.weighting = weighting
        self.symmetric = symmetric
        self.sample = sample
        self.shift_k = shift_k
        self.context_smoothing = context_smoothing
        self.exponent = exponent
        self.vectors = vectors
        self.pooling = pooling
        self.normalize = normalize
        self.remove_components = remove_components
        self.missing = missing
        self.input = input
        self.encoding = encoding
        self.decode_error = decode_error
        self.strip_accents = strip_accents
        self.lowercase = lowercase
        self.preprocessor = preprocessor
        self.tokenizer = tokenizer
        self.token_pattern = token_pattern
        self.analyzer = analyzer
        self.stop_words = stop_words
        self.memory = memory
        self.max_memory = max_memory
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def _train(
        self,
        vocabulary: Vocabulary,
        corpus: Ragged,
        document_weight: npt.NDArray[np.float64] | None,
        progress: TrainingProgress,
        earlier: TrainingState | None,
    ) -> Trained:
        seed = self._draw_seed(earlier) if self.sample else 0
        counted = counted_once(
            self.memory,
            corpus,
            len(vocabulary),
            counting_parameters(self, document_weight, seed),
            **working_parameters(self),
        )
        config = training_config(PPMIConfig, self)
        result = factorize_ppmi(counted, len(vocabulary), config)
        progress(0, 1.0, float(result.losses[0]))
        return Trained(self._choose(result.input, result.output), (), result.losses)

    def _choose(self, w_in: Float32Array, w_out: Float32Array) -> Float32Array:
        """Return the table that the parameter `vectors` asks for."""
        if self.vectors == "input":
            return w_in
        if self.vectors == "output":
            return w_out
        return w_in + w_out
