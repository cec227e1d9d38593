"""Skip-gram, known as word2vec."""

from collections.abc import Callable, Sequence
from numbers import Integral, Real
from os import PathLike
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from skembed._ragged import Ragged
from skembed._sklearn_private import HasMethods, Interval, StrOptions
from skembed.estimators._analysis import TEXT_CONSTRAINTS
from skembed.estimators._document_features import FEATURE_CONSTRAINTS
from skembed.estimators._occurring_words import OccurringWords
from skembed.estimators._partial_fit import OnlineWordVectorizer
from skembed.estimators._pretrained import PRETRAINED_CONSTRAINTS
from skembed.estimators._progress import TrainingProgress
from skembed.estimators._skipgram_tables import (
    chosen_vectors,
    extended_tables,
    initial_tables,
    starting_tables,
)
from skembed.estimators._training_device import device_argument
from skembed.estimators._training_state import Trained, TrainingState
from skembed.text import Vocabulary
from skembed.training.skipgram import SkipGramConfig, train_skipgram
from skembed.vectors import WordVectors

Float32Array = npt.NDArray[np.float32]


class SkipGramVectorizer(OnlineWordVectorizer):
    r"""Document features from word2vec: the skip-gram model.

    `fit` learns one vector per word, such that the vector of a word predicts the words
    around it [1]_ [2]_. `transform` describes a document by the vectors of its words.

    Parameters
    ----------
    vector_size : int, default=100
        Length of the word vectors, and number of features per pooling. The default is
        word2vec's.
    window : int, default=5
        Largest distance, in words, between a word and those that it predicts, at most
        10,000. The default is word2vec's.
    min_count : int, default=5
        Words with fewer occurrences in the corpus are ignored. The default is
        word2vec's.
    max_vocab_size : int, default=None
        Of the words left, only so many are kept, the most frequent; None keeps all.
    negative : int, default=5
        Noise words drawn for each observed pair, for ``loss="negative_sampling"``, at
        most 10,000. The default is word2vec's.
    ns_exponent : float, default=0.75
        Noise words are drawn with probability proportional to
        ``count ** ns_exponent``. The default is that of [2]_ and word2vec.
    sample : float, default=1e-3
        Relative frequency from which on occurrences of a word are dropped at random,
        the more the more frequent the word, by word2vec's rule; 0 keeps all. The
        default is word2vec's.
    shrink_windows : bool, default=True
        Whether the reach of each window is drawn uniformly from 1 to `window`, as in
        word2vec, or always is `window`.
    loss : str, default="negative_sampling"
        What is minimised:

        - ``"negative_sampling"``: telling observed words from noise, equation 4 of
          [2]_. The default, as of word2vec.
        - ``"softmax"``: the exact cross-entropy over the whole vocabulary, equation 2
          of [2]_. Each step costs `n_words` dot products: for small vocabularies, and
          as the truth that the others approach.
        - ``"hierarchical_softmax"``: the same over the binary decisions on the way to
          a word in a Huffman tree, equation 3 of [2]_.
    vectors : {"input", "output", "input+output"}, default="input"
        The vectors to keep: those of words as centres, word2vec's choice; those of
        words as context; or the mean of the two. For ``loss="hierarchical_softmax"``
        there are only the first.
    pretrained : str, path, WordVectors or gensim's KeyedVectors, default=None
        Published vectors, or a file of them in any format that `WordVectors.load` or
        `SubwordVectors.from_fasttext` reads. All their words are kept, in their order;
        `vector_size` is not used. Objects are not copied.
    fine_tune : bool, default=False
        What `fit` does with `pretrained`: use the vectors as they are, and count their
        words in `X`; or go on training from them on `X`, of which new words join if
        they occur `min_count` times.
    epochs : int, default=5
        Passes over the corpus, at most. The default is word2vec's.
    learning_rate : float, default=0.025
        Step size at the start. It falls linearly over all epochs. The default is
        word2vec's for skip-gram.
    min_learning_rate : float, default=2.5e-6
        Step size at the end. The default is word2vec's, 1e-4 times its first.
    tol : float, default=None
        Stop early when the mean loss of an epoch has not fallen by at least `tol` for
        `n_iter_no_change` epochs in a row. None runs all epochs, as word2vec does.
    n_iter_no_change : int, default=2
        See `tol`.
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
    parallel : {"reproducible", "hogwild"}, default="reproducible"
        How `n_jobs` threads share the work: such that the result does not depend on
        their number and order, or as fast as they can, overwriting each other's steps
        as in word2vec.
    device : str, default="auto"
        Where to train: "cpu", or a GPU that torch can use, such as "cuda", "cuda:1" or
        "mps"; "auto" takes a CUDA GPU if there is one and `epochs` times the words of
        the corpus are 100 million or more. GPUs take no note of `parallel` and
        `n_jobs`, and know ``loss="negative_sampling"`` only.
    memory : str, path or joblib.Memory, default=None
        Folder where trained vectors are kept, by the contents of the encoded corpus,
        the parameters of training and the seed: a grid over `pooling` then trains once
        per fold, in several processes too. Nothing is kept unless `random_state` is an
        int, nor of a training that a callback stops.
    n_jobs : int, default=None
        Number of threads of training. None is 1, unless a
        :func:`joblib.parallel_config` says otherwise; -1 is all.
    random_state : int, RandomState instance or None, default=None
        Seed of the first vectors and of all draws. The same int gives the same vectors,
        bit for bit, for any `n_jobs` unless ``parallel="hogwild"``.
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
        The mean loss per observed pair, over each epoch.
    n_iter_ : int
        Number of epochs.

    See Also
    --------
    sklearn.feature_extraction.text.TfidfVectorizer : Counts instead of vectors.

    References
    ----------
    .. [1] T. Mikolov, K. Chen, G. Corrado and J. Dean, "Efficient Estimation of Word
       Representations in Vector Space", ICLR 2013, and its program `word2vec.c`.
    .. [2] T. Mikolov, I. Sutskever, K. Chen, G. Corrado and J. Dean, "Distributed
       Representations of Words and Phrases and their Compositionality", NeurIPS 2013.
    .. [3] S. Arora, Y. Liang and T. Ma, "A Simple but Tough-to-Beat Baseline for
       Sentence Embeddings", ICLR 2017.

    Examples
    --------
    >>> from skembed import SkipGramVectorizer
    >>> documents = ["the cat purrs", "the dog barks", "the cat sleeps"]
    >>> vectorizer = SkipGramVectorizer(vector_size=4, min_count=1, random_state=0)
    >>> vectorizer.fit_transform(documents).shape
    (3, 4)
    >>> vectorizer.vocabulary_.words
    ('the', 'cat', 'purrs', 'dog', 'barks', 'sleeps')
    >>> vectorizer.get_feature_names_out()[:2]
    array(['skipgramvectorizer0', 'skipgramvectorizer1'], dtype=object)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "vector_size": [Interval(Integral, 1, None, closed="left")],
        # Larger values of these two only take memory, up to all there is.
        "window": [Interval(Integral, 1, 10_000, closed="both")],
        "min_count": [Interval(Integral, 1, None, closed="left")],
        "max_vocab_size": [Interval(Integral, 1, None, closed="left"), None],
        "negative": [Interval(Integral, 1, 10_000, closed="both")],
        "ns_exponent": [Interval(Real, None, None, closed="neither")],
        "sample": [Interval(Real, 0, None, closed="left")],
        "shrink_windows": ["boolean"],
        "loss": [StrOptions({"negative_sampling", "softmax", "hierarchical_softmax"})],
        "vectors": [StrOptions({"input", "output", "input+output"})],
        **PRETRAINED_CONSTRAINTS,
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "min_learning_rate": [Interval(Real, 0, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left"), None],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        **FEATURE_CONSTRAINTS,
        "missing": [StrOptions({"error", "empty"})],
        **TEXT_CONSTRAINTS,
        "parallel": [StrOptions({"reproducible", "hogwild"})],
        "device": [str],
        "memory": [str, PathLike, HasMethods(["cache"]), None],
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
        negative: int = 5,
        ns_exponent: float = 0.75,
        sample: float = 1e-3,
        shrink_windows: bool = True,
        loss: str = "negative_sampling",
        vectors: str = "input",
        pretrained: Any = None,
        fine_tune: bool = False,
        epochs: int = 5,
        learning_rate: float = 0.025,
        min_learning_rate: float = 2.5e-6,
        tol: float | None = None,
        n_iter_no_change: int = 2,
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
        parallel: str = "reproducible",
        device: str = "auto",
        memory: Any = None,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.vector_size = vector_size
        self.window = window
        self.min_count = min_count
        self.max_vocab_size = max_vocab_size
        self.negative = negative
        self.ns_exponent = ns_exponent
        self.sample = sample
        self.shrink_windows = shrink_windows
        self.loss = loss
        self.vectors = vectors
        self.pretrained = pretrained
        self.fine_tune = fine_tune
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.min_learning_rate = min_learning_rate
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
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
        self.parallel = parallel
        self.device = device
        self.memory = memory
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def _check_parameters(self) -> None:
        super()._check_parameters()
        if self.loss == "hierarchical_softmax" and self.vectors != "input":
            msg = (
                "loss='hierarchical_softmax' has no output vectors of words, but of "
                f"nodes of a tree: set vectors='input', got {self.vectors!r}."
            )
            raise ValueError(msg)

    def _check_can_go_on(self) -> None:
        super()._check_can_go_on()
        if self.loss == "hierarchical_softmax":
            msg = (
                "partial_fit is not there for loss='hierarchical_softmax': with every "
                "new word the tree would be another one. Choose another loss, or fit."
            )
            raise AttributeError(msg)

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
        tables = () if earlier is None else earlier.tables
        tables = extended_tables(tables, len(vocabulary), seed)
        size = tables[0].shape[1] if tables else self.vector_size
        config = self._config(SkipGramConfig, earlier, vector_size=size)
        arguments = {
            "corpus": words.corpus,
            "counts": words.counts,
            "config": config,
            "seed": seed,
            "document_weight": document_weight,
            "initial": initial_tables(words, tables, self.loss),
            **device_argument(self, config.epochs, words.corpus),
        }
        result = self._train_words(train_skipgram, arguments, progress, earlier)
        learned = result.input, result.output
        kept = tuple(map(words.put_back, tables or learned, learned))
        return Trained(chosen_vectors(kept, self.vectors), kept, result.losses)

    def _starting_tables(self, published: WordVectors) -> tuple[Float32Array, ...]:
        return starting_tables(published.vectors, self.vectors)
