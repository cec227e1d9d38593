"""fastText: skip-gram with character n-grams."""

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
from skembed.estimators._ngram_tables import (
    NgramTables,
    initial_tables,
    kept_tables,
    number_ngrams,
)
from skembed.estimators._occurring_words import OccurringWords
from skembed.estimators._pretrained import PRETRAINED_CONSTRAINTS
from skembed.estimators._progress import TrainingProgress
from skembed.estimators._training_device import device_argument
from skembed.estimators._training_state import Trained, TrainingState
from skembed.estimators._unseen_words import SubwordVectorizer
from skembed.text import Vocabulary, check_ngrams
from skembed.training.fasttext import FastTextConfig, train_fasttext


class FastTextVectorizer(SubwordVectorizer):
    r"""Document features from fastText: skip-gram with character n-grams.

    `fit` learns a vector for each word and each of its character n-grams, such that
    their mean predicts the words around it [1]_. `transform` describes a document by
    the vectors of its words; those that `fit` did not see, misspelled or inflected ones
    say, are the mean of the n-grams that they share with words that it did.

    Parameters
    ----------
    vector_size : int, default=100
        Length of the word vectors, and number of features per pooling. This and the
        defaults below are those of fastText's own program.
    window : int, default=5
        Largest distance, in words, between a word and those that it predicts, at most
        10,000.
    min_count : int, default=5
        Words with fewer occurrences in the corpus are not learned.
    max_vocab_size : int, default=None
        Of the words left, only so many are learned, the most frequent; None: all.
    min_n, max_n : int, default=3, 6
        Shortest and longest n-grams, in characters of a word between ``<`` and ``>``.
        ``max_n=0`` takes none: then unseen words have no vectors.
    bucket : int, default=2_000_000
        Number of buckets that n-grams are hashed into. Those of one bucket share a
        vector. Only the buckets of n-grams that `fit` saw take memory.
    negative : int, default=5
        Noise words drawn for each observed pair, at most 10,000.
    ns_exponent : float, default=0.5
        Noise words are drawn with probability proportional to
        ``count ** ns_exponent``. The default is that of the program; in [1]_, as in
        word2vec, it is 0.75 for words.
    sample : float, default=1e-4
        Relative frequency from which on occurrences of a word are dropped at random,
        the more the more frequent the word; 0 keeps all.
    shrink_windows : bool, default=True
        Whether the reach of each window is drawn uniformly from 1 to `window`, as in
        fastText, or always is `window`.
    pretrained : str, path, WordVectors or gensim's KeyedVectors, default=None
        Published vectors, or a file of them in any format that `WordVectors.load` or
        `SubwordVectors.from_fasttext` reads. All their words are kept, in their order,
        and all their n-grams, if they have any, as models of fastText do; `vector_size`
        is not used then, nor are `min_n`, `max_n` and `bucket` where there are n-grams.
        Objects are not copied.
    fine_tune : bool, default=False
        What `fit` does with `pretrained`: use the vectors as they are, and count their
        words in `X`; or go on training words and n-grams from them on `X`, of which new
        words join if they occur `min_count` times. Words that `X` does not hold keep
        their vectors.
    epochs : int, default=5
        Passes over the corpus, at most.
    learning_rate : float, default=0.05
        Step size at the start. It falls linearly over all epochs.
    min_learning_rate : float, default=0.0
        Step size at the end.
    tol : float, default=None
        Stop early when the mean loss of an epoch has not fallen by at least `tol` for
        `n_iter_no_change` epochs in a row. None runs all epochs, as fastText does.
    n_iter_no_change : int, default=2
        See `tol`.
    pooling : str or tuple of str, default="mean"
        How the vectors of the words of a document become one:

        - ``"mean"``, ``"sum"``, ``"max"``, ``"min"``: of each coordinate.
        - ``"idf"``: their average, weighted by
          ``ln((1 + n_documents) / (1 + document_frequency)) + 1``, the smooth idf of
          :class:`~sklearn.feature_extraction.text.TfidfTransformer` on the documents
          that `fit` saw. The weights of a document are made to sum to 1. Unseen words
          weigh as much as the words of the fewest documents.
        - ``"sif"``: their mean after multiplication by ``a / (a + p)`` with
          ``a = 1e-3`` and p the word's relative frequency in what `fit` saw [2]_, 0 for
          unseen words. Use it with ``remove_components=1`` for all of the method of
          [2]_.

        The features of several poolings are put side by side.
    normalize : {"l1", "l2", "max"} or False, default=False
        Whether to scale each row of features, of all poolings together, to norm 1.
    remove_components : int, default=0
        How many common components to remove: from the features of each pooling,
        their projections on the first right singular vectors of the features of the
        documents that `fit` saw, of their words in the vocabulary, are subtracted
        [2]_; `normalize` comes after.
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
        as in fastText.
    device : str, default="auto"
        Where to train: "cpu", or a GPU that torch can use, such as "cuda", "cuda:1" or
        "mps"; "auto" takes a CUDA GPU if there is one and `epochs` times the words of
        the corpus are 100 million or more. GPUs take no note of `parallel` and
        `n_jobs`.
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
    word_vectors_ : SubwordVectors
        The words and their vectors, and those of n-grams for all other words; see
        `SubwordVectors.vectors_of`, and `SubwordVectors.to_fasttext` for a file that
        fastText reads.
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
    SkipGramVectorizer : Learns words as wholes.

    Notes
    -----
    As in the program, each row that a word is the mean of takes the whole step of the
    word's vector. Where a word has an n-gram, or two of one bucket, several times, the
    rows take less, such that its vector takes that step; in the program it takes more,
    and a small `bucket` may let training diverge.

    References
    ----------
    .. [1] P. Bojanowski, E. Grave, A. Joulin and T. Mikolov, "Enriching Word Vectors
       with Subword Information", TACL 5, 2017, and its program.
    .. [2] S. Arora, Y. Liang and T. Ma, "A Simple but Tough-to-Beat Baseline for
       Sentence Embeddings", ICLR 2017.

    Examples
    --------
    >>> from skembed import FastTextVectorizer
    >>> documents = ["the cat purrs", "the dog barks", "the cat sleeps"]
    >>> vectorizer = FastTextVectorizer(vector_size=4, min_count=1, random_state=0)
    >>> vectorizer.fit_transform(documents).shape
    (3, 4)
    >>> vectorizer.transform(["cats", "qqq"]).any(axis=1)
    array([ True, False])
    >>> vectorizer.subwords("cats")[0]
    ['<ca', '<cat', '<cats', '<cats>', 'cat', 'cats', 'cats>', 'ats', 'ats>', 'ts>']
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "vector_size": [Interval(Integral, 1, None, closed="left")],
        # Larger values of these two only take memory, up to all there is.
        "window": [Interval(Integral, 1, 10_000, closed="both")],
        "min_count": [Interval(Integral, 1, None, closed="left")],
        "max_vocab_size": [Interval(Integral, 1, None, closed="left"), None],
        "min_n": [Interval(Integral, 0, None, closed="left")],
        "max_n": [Interval(Integral, 0, None, closed="left")],
        "bucket": [Interval(Integral, 0, 2**31 - 1, closed="both")],
        "negative": [Interval(Integral, 1, 10_000, closed="both")],
        "ns_exponent": [Interval(Real, None, None, closed="neither")],
        "sample": [Interval(Real, 0, None, closed="left")],
        "shrink_windows": ["boolean"],
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
        min_n: int = 3,
        max_n: int = 6,
        bucket: int = 2_000_000,
        negative: int = 5,
        ns_exponent: float = 0.5,
        sample: float = 1e-4,
        shrink_windows: bool = True,
        pretrained: Any = None,
        fine_tune: bool = False,
        epochs: int = 5,
        learning_rate: float = 0.05,
        min_learning_rate: float = 0.0,
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
        self.min_n = min_n
        self.max_n = max_n
        self.bucket = bucket
        self.negative = negative
        self.ns_exponent = ns_exponent
        self.sample = sample
        self.shrink_windows = shrink_windows
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
        check_ngrams(self.min_n, self.max_n, self.bucket)

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
        if earlier is not None and earlier.tables:
            tables = NgramTables(*earlier.tables)
        lengths = self._ngram_lengths(tables)
        ngrams = number_ngrams(words.of_words(vocabulary.words), lengths)
        size = self.vector_size if tables is None else tables.vectors.shape[1]
        config = self._config(
            FastTextConfig, earlier, vector_size=size, loss="negative_sampling"
        )
        arguments: dict[str, Any] = {
            "corpus": words.corpus,
            "counts": words.counts,
            "ngrams": ngrams.rows,
            "config": config,
            "seed": seed,
            "document_weight": document_weight,
            "initial": tables and initial_tables(words, ngrams, tables, seed),
            **device_argument(self, config.epochs, words.corpus),
        }
        result = self._train_words(train_fasttext, arguments, progress, earlier)
        kept = kept_tables(tables, len(vocabulary), words, ngrams, result, lengths)
        return Trained(kept.vectors, tuple(kept), result.losses, kept.table)
