"""Words with their vectors, and vectors of n-grams for all other words."""

import os
from collections.abc import Collection, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np
import numpy.typing as npt

from skembed.formats import NgramTable, WordTable, read_native_ngrams, write_native
from skembed.text import subwords
from skembed.vectors._fasttext_files import Kept, load_fasttext, save_fasttext
from skembed.vectors._files import Format, choose_format, load_table
from skembed.vectors._ngram_vectors import NgramSums, check_ngram_table
from skembed.vectors._terms import check_word
from skembed.vectors._word_vectors import WordVectors

if TYPE_CHECKING:
    import gensim


class SubwordVectors(WordVectors):
    """Words with their vectors, and vectors of character n-grams for all other words.

    The vector of a word that is not among them is the mean of its n-grams' vectors, as
    in fastText; n-grams without a vector are passed over. Neighbors are sought among
    the known words only.

    Parameters
    ----------
    index_to_key : sequence of str
        The known words, all different; usually the most frequent first.
    vectors : array-like of shape (n_words, vector_size)
        As in `WordVectors`: what a known word's vector is, its n-grams included.
    ngram_buckets : array-like of shape (n_kept,), int
        The buckets of n-grams that have a vector, rising.
    ngram_vectors : array-like of shape (n_kept, vector_size)
        Their vectors. A C-contiguous float32 array, a memory-mapped one too, is kept as
        it is.
    min_n, max_n : int
        Shortest and longest n-grams in characters, of a word between ``<`` and ``>``.
    bucket : int
        Number of buckets that n-grams are hashed into.
    counts : array-like of shape (n_words,), int64, or None
        How often each word occurred, where that is known.

    Attributes
    ----------
    index_to_key : list of str
    vectors : ndarray of shape (n_words, vector_size), float32
    counts : ndarray of shape (n_words,), int64, or None
    ngrams : NgramTable
        With the fields `buckets`, `vectors`, `min_n`, `max_n` and `bucket`.

    Examples
    --------
    >>> from skembed import SubwordVectors
    >>> from skembed.text import subwords
    >>> _, buckets = subwords("cat", 3, 3, bucket=1000)
    >>> word_vectors = SubwordVectors(
    ...     ["cat"], [[2, 2]], sorted(buckets), [[1, 0], [2, 0], [3, 0]],
    ...     min_n=3, max_n=3, bucket=1000,
    ... )  # fmt: skip
    >>> word_vectors["cat"]
    array([2., 2.], dtype=float32)
    >>> "cats" in word_vectors
    False
    >>> word_vectors["cats"].shape
    (2,)
    """

    def __init__(
        self,
        index_to_key: Sequence[str],
        vectors: npt.ArrayLike,
        ngram_buckets: npt.ArrayLike,
        ngram_vectors: npt.ArrayLike,
        *,
        min_n: int = 3,
        max_n: int = 6,
        bucket: int = 2_000_000,
        counts: npt.ArrayLike | None = None,
    ) -> None:
        super().__init__(index_to_key, vectors, counts)
        buckets = cast("npt.NDArray[np.int32]", ngram_buckets)
        rows = cast("npt.NDArray[np.float32]", ngram_vectors)
        ngrams = NgramTable(buckets, rows, min_n, max_n, bucket)
        self.ngrams = check_ngram_table(ngrams, self.vector_size)

    @cached_property
    def _sums(self) -> NgramSums:
        return NgramSums(self.ngrams)

    def subwords(self, word: str) -> tuple[list[str], npt.NDArray[np.int32]]:
        """Spell the character n-grams of a word, known or not, with their buckets.

        Parameters
        ----------
        word : str

        Returns
        -------
        ngrams : list of str
            By where they begin, then by length.
        buckets : ndarray of shape (n_ngrams,), int32
            Some may have no vector.
        """
        check_word(word)
        return subwords(word, *self.ngrams[2:])

    def vector(self, key: str) -> npt.NDArray[np.float32]:
        """Return the vector of one word: its own if it is known, or by its n-grams.

        Parameters
        ----------
        key : str

        Returns
        -------
        vector : ndarray of shape (vector_size,), float32

        Raises
        ------
        KeyError
            If it is unknown, and none of its n-grams has a vector.
        TypeError
            If it is no str.
        """
        check_word(key)
        if key in self.key_to_index:
            return super().vector(key)
        vector: npt.NDArray[np.float32] = self._look_up([key])[0]
        return vector

    def vectors_of(self, words: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return the vectors of any strings.

        Parameters
        ----------
        words : sequence of str
            Known words or not.

        Returns
        -------
        vectors : ndarray of shape (len(words), vector_size), float32
            Zeros for an unknown word of which no n-gram has a vector.

        Examples
        --------
        >>> from skembed import SubwordVectors
        >>> word_vectors = SubwordVectors(
        ...     ["cat"], [[1, 2]], [0], [[3, 4]], min_n=3, max_n=6, bucket=1
        ... )
        >>> word_vectors.vectors_of(["cat", "dog", ""])
        array([[1., 2.],
               [3., 4.],
               [0., 0.]], dtype=float32)
        """
        return self.find(words)[0]

    def find(
        self, words: Sequence[str]
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
        """Do what `vectors_of` does, and tell which words have a vector.

        Parameters
        ----------
        words : sequence of str

        Returns
        -------
        vectors : ndarray of shape (len(words), vector_size), float32
        found : ndarray of shape (len(words),), bool
        """
        rows = self._rows_of(words)
        vectors = np.zeros((len(rows), self.vector_size), dtype=np.float32)
        known = rows >= 0
        vectors[known] = self.vectors[rows[known]]
        unseen = np.flatnonzero(~known)
        sums = vectors[unseen]
        counts = np.zeros(len(unseen), dtype=np.int64)
        self._sums.add([words[i] for i in unseen.tolist()], sums, counts)
        sums /= np.maximum(counts, 1)[:, None].astype(np.float32)
        vectors[unseen] = sums
        known[unseen] = counts > 0
        return vectors, known

    def _look_up(self, words: Sequence[str]) -> npt.NDArray[np.float32]:
        vectors, found = self.find(words)
        if not found.all():
            word = words[int(np.argmin(found))]
            msg = (
                f"The word {word!r} is not among the {len(self)} words, and none of "
                "its n-grams has a vector. `vectors_of` gives zeros for such words."
            )
            raise KeyError(msg)
        return vectors

    def _vectors_of_list(self, words: Sequence[str]) -> npt.NDArray[np.float32]:
        return self._look_up(words)

    def __repr__(self) -> str:
        return (
            f"SubwordVectors(n_words={len(self)}, vector_size={self.vector_size}, "
            f"n_ngrams={len(self.ngrams.buckets)})"
        )

    def __getstate__(self) -> dict[str, Any]:
        # Not as a NamedTuple, which skops does not know.
        return {**super().__getstate__(), "ngrams": dict(self.ngrams._asdict())}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, ngrams=NgramTable(**state["ngrams"]))

    def save(self, path: str | os.PathLike[str], format: Format | None = None) -> None:
        """Write to a file, which replaces an earlier one when complete.

        Parameters
        ----------
        path : str or path-like
        format : {"native", "word2vec", "word2vec-binary", "glove"} or None
            As in `WordVectors.save`. All but "native" hold the words only; for the
            format of fastText see `to_fasttext`.
        """
        if choose_format(path, format) != "native":
            super().save(path, format)
            return
        table = WordTable(self.index_to_key, self.vectors, self.counts)
        write_native(path, *table, ngrams=self.ngrams)

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        format: Format | None = None,
        *,
        mmap: bool = False,
        limit: int | None = None,
        vocabulary: Collection[str] | None = None,
        encoding: str = "utf-8",
        errors: str = "strict",
    ) -> Self:
        """Read what `save` wrote in the native format.

        Parameters
        ----------
        path : str or path-like
            `WordVectors.load` reads such a file, too, without the n-grams.
        format : "native" or None
        mmap : bool
            As in `WordVectors.load`, like the next four. All n-grams are read.
        limit : int or None
        vocabulary : collection of str, or None
        encoding, errors : str

        Returns
        -------
        word_vectors : SubwordVectors

        Raises
        ------
        FormatError
            If the file is not what its format says, or holds no n-grams.
        ValueError
            If the format is another.
        """
        if choose_format(path, format) != "native":
            msg = (
                f"Only the native format (.safetensors) holds n-grams, got {path!r}. "
                "Models of fastText are read by `SubwordVectors.from_fasttext`."
            )
            raise ValueError(msg)
        words = load_table(
            path, "native", mmap=mmap, limit=limit, vocabulary=vocabulary,
            encoding=encoding, errors=errors,
        )  # fmt: skip
        return cls._from_tables(words, read_native_ngrams(path, mmap=mmap))

    @classmethod
    def from_fasttext(
        cls,
        path: str | os.PathLike[str],
        *,
        mmap: bool = True,
        limit: int | None = None,
        vocabulary: Collection[str] | None = None,
        keep: Kept = "all",
        encoding: str = "utf-8",
        errors: str = "strict",
    ) -> Self:
        """Read a model of fastText, ``.bin`` or ``.ftz``, supervised or not.

        Parameters
        ----------
        path : str or path-like
            May be compressed by gzip, bzip2, xz or zip.
        mmap : bool
            Leave the vectors of n-grams on the disk until they are needed; the file
            must stay as it is. NaN in n-grams that no kept word has goes unnoticed
            then. Without effect on what is compressed, quantized, or not kept.
        limit : int or None
            Keep only the first so many words.
        vocabulary : collection of str, or None
            Keep only these words.
        keep : {"all", "vocabulary"}
            Which buckets to keep: all, as fastText does, also those that no word was
            trained with; or those that the kept words have n-grams in, which makes the
            model as small as its vocabulary.
        encoding, errors : str
            How to decode the words, as in `bytes.decode`.

        Returns
        -------
        word_vectors : SubwordVectors

        Raises
        ------
        FormatError
            If the file is not what its format or its sizes say.

        Notes
        -----
        As in fastText, the word ``</s>`` has no n-grams (in gensim, it has).
        """
        table = load_fasttext(
            path, mmap=mmap, limit=limit, vocabulary=vocabulary, keep=keep,
            encoding=encoding, errors=errors,
        )  # fmt: skip
        return cls._from_tables(*table)

    def to_fasttext(self, path: str | os.PathLike[str]) -> None:
        """Write a model that fastText and gensim read.

        Parameters
        ----------
        path : str or path-like
            The file has a row for every bucket, if need be of zeros.

        Raises
        ------
        ValueError
            If a word cannot be written in this format.

        Notes
        -----
        Known words keep their vectors, up to rounding. Others keep their direction; but
        as readers divide by the number of all n-grams, their vectors are shorter if
        some n-grams have none here. There are no outputs to continue training from.

        Examples
        --------
        >>> from tempfile import TemporaryDirectory
        >>> from skembed import SubwordVectors
        >>> word_vectors = SubwordVectors(["cat"], [[1, 2]], [0], [[3, 4]], bucket=1)
        >>> with TemporaryDirectory() as folder:
        ...     word_vectors.to_fasttext(folder + "/cat.bin")
        ...     SubwordVectors.from_fasttext(folder + "/cat.bin")
        SubwordVectors(n_words=1, vector_size=2, n_ngrams=1)
        """
        table = WordTable(self.index_to_key, self.vectors, self.counts)
        save_fasttext(path, table, self.ngrams)

    @classmethod
    def from_gensim(cls, keyed_vectors: "gensim.models.KeyedVectors") -> Self:
        """Take over gensim's vectors of fastText, without copying them.

        Parameters
        ----------
        keyed_vectors : gensim.models.fasttext.FastTextKeyedVectors
            The attribute ``wv`` of a trained model.

        Returns
        -------
        word_vectors : SubwordVectors

        Raises
        ------
        TypeError
            If it is something else.
        """
        if not hasattr(keyed_vectors, "vectors_ngrams"):
            name = type(keyed_vectors).__name__
            msg = f"gensim's FastTextKeyedVectors are expected, got {name}."
            raise TypeError(msg)
        known = WordVectors.from_gensim(keyed_vectors)
        vectors = keyed_vectors.vectors_ngrams
        buckets = np.arange(len(vectors), dtype=np.int32)
        sizes = keyed_vectors.min_n, keyed_vectors.max_n, len(vectors)
        ngrams = NgramTable(buckets, vectors, *(sizes if len(vectors) else (0, 0, 0)))
        words = WordTable(known.index_to_key, known.vectors, known.counts)
        return cls._from_tables(words, ngrams)

    @classmethod
    def _from_tables(cls, words: WordTable, ngrams: NgramTable) -> Self:
        buckets, vectors, min_n, max_n, bucket = ngrams
        return cls(
            words.words, words.vectors, buckets, vectors,
            min_n=min_n, max_n=max_n, bucket=bucket, counts=words.counts,
        )  # fmt: skip
