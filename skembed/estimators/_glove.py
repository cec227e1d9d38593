"""GloVe: global vectors for word representation."""

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
    count_and_train,
    counting_parameters,
    working_parameters,
)
from skembed.estimators._document_features import FEATURE_CONSTRAINTS
from skembed.estimators._glove_tables import (
    chosen_vectors,
    extended_tables,
    starting_tables,
)
from skembed.estimators._occurring_words import OccurringWords
from skembed.estimators._pretrained import PRETRAINED_CONSTRAINTS
from skembed.estimators._progress import TrainingProgress
from skembed.estimators._training_device import check_device, device_argument
from skembed.estimators._training_state import Trained, TrainingState
from skembed.estimators._word_training import train_words, training_config
from skembed.estimators._word_vectorizer import WordVectorizer
from skembed.text import Vocabulary
from skembed.training.glove import GloVeConfig, GloVeTables
from skembed.vectors import WordVectors

Float32Array = npt.NDArray[np.float32]


class GloVeVectorizer(WordVectorizer):
    r"""Document features from GloVe: vectors fitted to co-occurrence counts.

    `fit` counts how often words stand near one another, and learns vectors whose
    products are the logarithms of these counts [1]_. `transform` describes a document
    by the vectors of its words.

    Parameters
    ----------
    vector_size : int, default=50
        Length of the word vectors, and number of features per pooling. The default is
        that of the published program and demo; the paper has 50 to 300.
    window : int, default=15
        Largest distance, in words, between a word and its context, at most 10,000. The
        default is that of the published program and demo; the paper's is 10.
    min_count : int, default=5
        Words with fewer occurrences in the corpus are ignored. The default is the
        published demo's; the paper keeps the 400,000 most frequent words.
    max_vocab_size : int, default=None
        Of the words left, only so many are kept, the most frequent; None keeps all.
    weighting : {"harmonic", "uniform"}, default="harmonic"
        Whether a word at distance d counts 1 / d, as in the paper, or 1.
    symmetric : bool, default=True
        Whether the context of a word lies on both sides, as in the paper, or only to
        its left.
    sample : float, default=0.0
        Relative frequency above which occurrences of a word are randomly left out
        before windows are laid, as in :class:`SkipGramVectorizer`. 0 keeps all, as the
        published program does.
    x_max : float, default=10.0
        Count from which on all counts weigh the same. The default is the published
        demo's, for 17 million words; the paper's and the program's is 100, for
        thousands of millions.
    alpha : float, default=0.75
        Smaller counts x weigh ``(x / x_max) ** alpha``. The default is that of the
        paper.
    vectors : {"input", "output", "input+output"}, default="input+output"
        The vectors to keep: those of words as centres, as context, or their sum, the
        paper's choice.
    pretrained : str, path, WordVectors or gensim's KeyedVectors, default=None
        Published vectors, or a file of them in any format that `WordVectors.load` or
        `SubwordVectors.from_fasttext` reads. All their words are kept, in their order;
        `vector_size` is not used. Objects are not copied.
    fine_tune : bool, default=False
        What `fit` does with `pretrained`: use the vectors as they are, and count their
        words in `X`; or go on training from them on `X`, of which new words join if
        they occur `min_count` times.
    epochs : int, default=15
        Passes over the counts, at most. The default is the published demo's; the
        program's is 25, the paper's 50 for vectors shorter than 300 and else 100.
    learning_rate : float, default=0.05
        Step size of AdaGrad. The default is that of the paper.
    tol : float, default=None
        Training ends after an epoch whose loss is not less by this part of the loss of
        the epoch before, such as 1e-3. None trains for all epochs, as the published
        program does.
    pooling : str or tuple of str, default="mean"
        How the vectors of the words of a document become one:

        - ``"mean"``, ``"sum"``, ``"max"``, ``"min"``: of each coordinate.
        - ``"idf"``: their average, weighted by
          ``ln((1 + n_documents) / (1 + document_frequency)) + 1``, the smooth idf of
          :class:`~sklearn.feature_extraction.text.TfidfTransformer` on the documents
          that `fit` saw. The weights of a document are made to sum to 1.
        - ``"sif"``: their mean after multiplication by ``a / (a + p)`` with
          ``a = 1e-3`` and p the word's relative frequency in what `fit` saw [2]_. Use
          it with ``remove_components=1`` for all of the method of [2]_.

        The features of several poolings are put side by side.
    normalize : {"l1", "l2", "max"} or False, default=False
        Whether to scale each row of features, of all poolings together, to norm 1.
    remove_components : int, default=0
        How many common components to remove: from the features of each pooling,
        their projections on the first right singular vectors of the features of the
        documents that `fit` saw are subtracted [2]_; `normalize` comes after.
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
    device : str, default="auto"
        Where to train: "cpu", or a GPU that torch can use, such as "cuda", "cuda:1" or
        "mps"; "auto" takes a CUDA GPU if there is one and `epochs` times the words of
        the corpus are 100 million or more. GPUs take no note of `n_jobs`, but
        for counting.
    memory : str, path or joblib.Memory, default=None
        Folder where counts and trained vectors are kept, by the contents of the encoded
        corpus and the parameters: a grid over `vector_size`, `x_max` or `alpha` then
        counts once per fold, and one over `pooling` trains once, in several processes
        too. Vectors are kept only if `random_state` is an int, and if no callback has
        stopped their training.
    max_memory : float, default=4.0
        Gibibytes that counting may use beside the corpus; counts that take more than
        half of it are in a temporary file. The default is that of the published
        program.
    n_jobs : int, default=None
        Number of threads of counting and training. None is 1, unless a
        :func:`joblib.parallel_config` says otherwise; -1 is all. With a backend of
        other processes, such as Dask's, these read documents and count.
    random_state : int, RandomState instance or None, default=None
        Seed of the first vectors and of the order of the counts. The same int gives
        the same vectors, bit for bit, for any `n_jobs`.
    verbose : int, default=0
        1 shows a progress bar, 2 a line per epoch.

    Attributes
    ----------
    word_vectors_ : WordVectors
        The words and their vectors; see `WordVectors.most_similar`.
    vocabulary_ : Vocabulary
        The words, most frequent first, with their counts; those of `pretrained` come
        before all others, in their order, with a count of 0 if `X` does not hold them.
    idf_ : ndarray of shape (n_words,), float64
        The weights of words for ``pooling="idf"``.
    common_components_ : dict of str to ndarray
        What is removed from the features of each pooling: arrays of shape
        (`remove_components`, `vector_size`), float32.
    loss_curve_ : ndarray of shape (`n_iter_`,), float64
        The mean weighted squared error of a logarithm, over each epoch.
    n_iter_ : int
        Number of epochs.

    See Also
    --------
    SkipGramVectorizer : Learns from the words themselves instead of their counts.
    PPMIVectorizer : Factorises the same counts in closed form.

    Notes
    -----
    With x the count of word j in the context of word i, `fit` minimises

    .. math::

        \sum_{ij} f(x_{ij}) (u_i \cdot v_j + b_i + d_j - \log x_{ij})^2,
        \qquad f(x) = \min\left((x / x_{\max})^\alpha, 1\right)

    over the entries that are not 0, equation 8 of [1]_. The step of AdaGrad is that of
    the program published with the paper, in which the learning rate applies to vectors
    and biases; since 2019 that program leaves it out for biases. Steps are taken in
    random order, anew in each epoch.

    References
    ----------
    .. [1] J. Pennington, R. Socher and C. D. Manning, "GloVe: Global Vectors for Word
       Representation", EMNLP 2014, and its program and `demo.sh`.
    .. [2] S. Arora, Y. Liang and T. Ma, "A Simple but Tough-to-Beat Baseline for
       Sentence Embeddings", ICLR 2017.

    Examples
    --------
    >>> from skembed import GloVeVectorizer
    >>> documents = ["the cat purrs", "the dog barks", "the cat sleeps"]
    >>> vectorizer = GloVeVectorizer(vector_size=4, min_count=1, random_state=0)
    >>> vectorizer.fit_transform(documents).shape
    (3, 4)
    >>> vectorizer.vocabulary_.words
    ('the', 'cat', 'purrs', 'dog', 'barks', 'sleeps')
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "vector_size": [Interval(Integral, 1, None, closed="left")],
        "window": [Interval(Integral, 1, 10_000, closed="both")],
        "min_count": [Interval(Integral, 1, None, closed="left")],
        "max_vocab_size": [Interval(Integral, 1, None, closed="left"), None],
        "weighting": [StrOptions({"harmonic", "uniform"})],
        "symmetric": ["boolean"],
        "sample": [Interval(Real, 0, None, closed="left")],
        "x_max": [Interval(Real, 0, None, closed="neither")],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "vectors": [StrOptions({"input", "output", "input+output"})],
        **PRETRAINED_CONSTRAINTS,
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "tol": [Interval(Real, 0, 1, closed="left"), None],
        **FEATURE_CONSTRAINTS,
        "missing": [StrOptions({"error", "empty"})],
        **TEXT_CONSTRAINTS,
        "device": [str],
        "memory": [str, PathLike, HasMethods(["cache"]), None],
        "max_memory": [Interval(Real, 0, None, closed="neither")],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        vector_size: int = 50,
        *,
        window: int = 15,
        min_count: int = 5,
        max_vocab_size: int | None = None,
        weighting: str = "harmonic",
        symmetric: bool = True,
        sample: float = 0.0,
        x_max: float = 10.0,
        alpha: float = 0.75,
        vectors: str = "input+output",
        pretrained: Any = None,
        fine_tune: bool = False,
        epochs: int = 15,
        learning_rate: float = 0.05,
        tol: float | None = None,
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
        device: str = "auto",
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
        self.x_max = x_max
        self.alpha = alpha
        self.vectors = vectors
        self.pretrained = pretrained
        self.fine_tune = fine_tune
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.tol = tol
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
        self.device = device
        self.memory = memory
        self.max_memory = max_memory
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def _check_parameters(self) -> None:
        super()._check_parameters()
        check_device(self)

    def _train(
        self,
        vocabulary: Vocabulary,
        corpus: Ragged,
        document_weight: npt.NDArray[np.float64] | None,
        progress: TrainingProgress,
        earlier: TrainingState | None,
    ) -> Trained:
        seed = self._draw_seed(earlier)
        words = OccurringWords.of(corpus, vocabulary.counts)
        tables = None
        if earlier is not None:
            tables = extended_tables(earlier.tables, len(vocabulary), seed)
        arguments = {
            "corpus": words.corpus,
            "n_words": len(words.counts),
            "counting": counting_parameters(self, document_weight, seed),
            "config": self._config(tables),
            "seed": seed,
            "initial": tables and GloVeTables(*map(words.of_table, tables)),
            **device_argument(self, self.epochs, words.corpus),
        }
        result = train_words(
            count_and_train,
            arguments,
            self,
            progress,
            counts_memory=self.memory,
            **working_parameters(self),
        )
        learned: tuple[Float32Array, ...] = result.tables[:2]
        if tables is not None:
            learned = tuple(map(words.put_back, tables, learned))
        return Trained(chosen_vectors(learned, self.vectors), (), result.losses)

    def _config(self, tables: GloVeTables | None) -> GloVeConfig:
        size = self.vector_size if tables is None else tables.input.shape[1]
        return training_config(GloVeConfig, self, vector_size=size)

    def _starting_tables(self, published: WordVectors) -> tuple[Float32Array, ...]:
        return starting_tables(published.vectors, self.vectors)
