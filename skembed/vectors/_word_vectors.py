"""Words with their vectors."""

import os
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Self, overload

import numpy as np
import numpy.typing as npt

from skembed._optional import require
from skembed.formats import WordTable
from skembed.vectors._files import Format, load_table, save_table
from skembed.vectors._similarity import SimilarityQueries
from skembed.vectors._terms import check_word

if TYPE_CHECKING:
    import gensim
    import torch


class WordVectors(SimilarityQueries):
    """Words, and one vector for each.

    Made by an estimator's ``word_vectors_``, by `load` from a file, or by hand. What it
    holds is not to be changed in place: lengths of vectors are remembered.

    Parameters
    ----------
    index_to_key : sequence of str
        The words, all different; usually the most frequent first.
    vectors : array-like of shape (n_words, vector_size)
        Row ``i`` is the vector of word ``i``. A C-contiguous float32 array, a
        memory-mapped one too, is kept as it is; anything else is copied into one.
    counts : array-like of shape (n_words,), int64, or None
        How often each word occurred, where that is known.

    Attributes
    ----------
    index_to_key : list of str
    vectors : ndarray of shape (n_words, vector_size), float32
    counts : ndarray of shape (n_words,), int64, or None

    Examples
    --------
    >>> from skembed import WordVectors
    >>> words = ["king", "queen", "man", "woman"]
    >>> word_vectors = WordVectors(words, [[3, 1], [3, -1], [1, 1], [1, -1]])
    >>> word_vectors["queen"]
    array([ 3., -1.], dtype=float32)
    >>> word_vectors.most_similar("king", topn=1)
    [('man', 0.894...)]
    >>> word_vectors.analogy("man", "king", "woman", topn=1)
    [('queen', 0.859...)]
    """

    def __init__(
        self,
        index_to_key: Sequence[str],
        vectors: npt.ArrayLike,
        counts: npt.ArrayLike | None = None,
    ) -> None:
        self.index_to_key = _check_words(index_to_key)
        self.vectors = _check_vectors(vectors, len(self.index_to_key))
        self.counts = _check_counts(counts, len(self.index_to_key))
        if len(self.key_to_index) < len(self.index_to_key):
            raise _duplicate(self.index_to_key, self.key_to_index)

    @cached_property
    def key_to_index(self) -> dict[str, int]:  # type: ignore[override]
        """The row of each word, dict of str to int."""
        return dict(zip(self.index_to_key, range(len(self.index_to_key)), strict=True))

    @cached_property
    def norms(self) -> npt.NDArray[np.float32]:  # type: ignore[override]
        """Euclidean lengths of the vectors, shape (n_words,), float32.

        Raises
        ------
        ValueError
            If a vector holds NaN or infinity.
        """
        squares = np.einsum("nd,nd->n", self.vectors, self.vectors)
        norms: npt.NDArray[np.float32] = np.sqrt(squares)
        # Squares leave the range of float32 long before the numbers do.
        odd = np.flatnonzero(~np.isfinite(norms) | (norms < 1e-15))
        norms[odd] = np.linalg.norm(self.vectors[odd].astype(np.float64), axis=1)
        if not np.isfinite(norms).all():
            row = int(np.argmin(np.isfinite(norms)))
            msg = (
                "Vectors must be finite to be compared; that of the word "
                f"{self.index_to_key[row]!r} (row {row}) is not."
            )
            raise ValueError(msg)
        return norms

    @property
    def vector_size(self) -> int:
        """Length of one vector."""
        return int(self.vectors.shape[1])

    def vector(self, key: str) -> npt.NDArray[np.float32]:
        """Return the vector of one word, without copying it.

        Parameters
        ----------
        key : str
            The word.

        Returns
        -------
        vector : ndarray of shape (vector_size,), float32

        Raises
        ------
        KeyError
            If the word has none.
        TypeError
            If it is no str.
        """
        check_word(key)
        if key not in self.key_to_index:
            raise self._unknown(key)
        vector: npt.NDArray[np.float32] = self.vectors[self.key_to_index[key]]
        return vector

    @overload
    def __getitem__(self, key: str) -> npt.NDArray[np.float32]: ...
    @overload
    def __getitem__(self, key: Sequence[str]) -> npt.NDArray[np.float32]: ...
    def __getitem__(self, key: str | Sequence[str]) -> npt.NDArray[np.float32]:
        """Vector of a word, or vectors of a list of words, shape (n, vector_size)."""
        if isinstance(key, str):
            return self.vector(key)
        if not isinstance(key, list | tuple | np.ndarray):
            msg = f"Words are looked up by str or list of str, got {key!r}."
            raise TypeError(msg)
        return self._vectors_of_list(key)

    def _vectors_of_list(self, words: Sequence[str]) -> npt.NDArray[np.float32]:
        rows = self._rows_of(words)
        if rows.min(initial=0) < 0:
            raise self._unknown(words[int(np.argmin(rows))])
        return self.vectors[rows]

    def __contains__(self, key: object) -> bool:
        return key in self.key_to_index

    def __len__(self) -> int:
        return len(self.index_to_key)

    def __repr__(self) -> str:
        return f"WordVectors(n_words={len(self)}, vector_size={self.vector_size})"

    def __getstate__(self) -> dict[str, Any]:
        # Not what can be made again: the dict of words and the norms.
        names = ("index_to_key", "vectors", "counts")
        return {name: self.__dict__[name] for name in names}

    def __sklearn_clone__(self) -> Self:
        # `clone` of an estimator with these as parameter keeps them, uncopied.
        return self

    def save(self, path: str | os.PathLike[str], format: Format | None = None) -> None:
        """Write the words to a file, which replaces an earlier one when complete.

        Parameters
        ----------
        path : str or path-like
            Files in text, or binary ones of word2vec, are compressed if the path ends
            in ``.gz``, ``.bz2`` or ``.xz``.
        format : {"native", "word2vec", "word2vec-binary", "glove"} or None
            None chooses by the extension: "native" for ``.safetensors``, "word2vec"
            for ``.txt`` and ``.vec``, "word2vec-binary" for ``.bin``. Only "native"
            keeps `counts`, takes any words, and can be mapped into memory.

        Raises
        ------
        ValueError
            If the format is not clear, or cannot hold one of the words.

        Examples
        --------
        >>> from tempfile import TemporaryDirectory
        >>> from skembed import WordVectors
        >>> with TemporaryDirectory() as folder:
        ...     WordVectors(["a", "b"], [[1, 2], [3, 4]]).save(folder + "/two.vec")
        ...     WordVectors.load(folder + "/two.vec")
        WordVectors(n_words=2, vector_size=2)
        """
        table = WordTable(self.index_to_key, self.vectors, self.counts)
        save_table(table, path, format)

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
        """Read words from a file.

        Parameters
        ----------
        path : str or path-like
            Files in text, or binary ones of word2vec, may be compressed by gzip, bzip2,
            xz or zip; ``"glove.6B.zip/glove.6B.50d.txt"`` is a file in an archive.
        format : {"native", "word2vec", "word2vec-binary", "glove"} or None
            None chooses by the extension, as in `save`; text may have a header or not.
        mmap : bool
            Leave the vectors on the disk until they are needed. Native format only.
        limit : int or None
            Read only the first so many rows.
        vocabulary : collection of str, or None
            Keep only these words.
        encoding, errors : str
            How to decode words, as in `bytes.decode`. Those of "native" are UTF-8.

        Returns
        -------
        word_vectors : WordVectors

        Raises
        ------
        FormatError
            If the file is not what its format or its header says.
        """
        table = load_table(
            path, format, mmap=mmap, limit=limit, vocabulary=vocabulary,
            encoding=encoding, errors=errors,
        )  # fmt: skip
        return cls(*table)

    def to_torch_embedding(
        self,
        vocabulary: Mapping[str, int] | Sequence[str],
        *,
        freeze: bool = True,
        unknown: Literal["zeros", "normal", "mean"] | npt.ArrayLike = "zeros",
        padding_idx: int | None = None,
        random_state: int | np.random.Generator | None = None,
    ) -> "torch.nn.Embedding":
        """Make a layer that gives these vectors to the indices of your vocabulary.

        Parameters
        ----------
        vocabulary : mapping of str to int, or sequence of str
            The index of each word, all different and >= 0. The layer is as large as the
            largest one demands.
        freeze : bool
            Whether training leaves the vectors as they are.
        unknown : {"zeros", "normal", "mean"} or array-like of shape (vector_size,)
            The vector of words that have none, and of indices without a word: zeros;
            draws with the mean and the standard deviation of all vectors, dimension by
            dimension; their mean; or a given one.
        padding_idx : int or None
            Index of the padding: its vector is zeros, and is not trained.
        random_state : int, numpy.random.Generator or None
            Seed of the draws for "normal".

        Returns
        -------
        embedding : torch.nn.Embedding
            Its weights are float32, of shape (largest index + 1, vector_size).

        Raises
        ------
        ValueError
            If an index is negative, or of two words.
        """
        from skembed.vectors._torch import make_embedding

        return make_embedding(
            self.key_to_index,
            self.vectors,
            vocabulary,
            freeze=freeze,
            unknown=unknown,
            padding_idx=padding_idx,
            random_state=random_state,
        )

    def to_gensim(self) -> "gensim.models.KeyedVectors":
        """Copy into gensim's class of word vectors.

        Returns
        -------
        keyed_vectors : gensim.models.KeyedVectors
            With the counts as its attribute ``count``.
        """
        models = require("gensim.models", needed_by="WordVectors.to_gensim")
        keyed_vectors: gensim.models.KeyedVectors
        keyed_vectors = models.KeyedVectors(self.vector_size, dtype=np.float32)
        keyed_vectors.add_vectors(self.index_to_key, self.vectors)
        if self.counts is not None:
            keyed_vectors.expandos["count"] = self.counts.copy()
        return keyed_vectors

    @classmethod
    def from_gensim(cls, keyed_vectors: "gensim.models.KeyedVectors") -> Self:
        """Take over gensim's word vectors, without copying float32 vectors.

        Parameters
        ----------
        keyed_vectors : gensim.models.KeyedVectors
            The attribute ``wv`` of a trained model.

        Returns
        -------
        word_vectors : WordVectors

        Raises
        ------
        TypeError
            If it is something else.
        """
        if not hasattr(keyed_vectors, "index_to_key"):
            hint = " Pass its attribute `wv`." if hasattr(keyed_vectors, "wv") else ""
            name = type(keyed_vectors).__name__
            msg = f"gensim's KeyedVectors are expected, got {name}.{hint}"
            raise TypeError(msg)
        words = keyed_vectors.index_to_key
        counts = keyed_vectors.expandos.get("count")
        return cls(words, keyed_vectors.vectors[: len(words)], counts)

    def _unknown(self, key: str) -> KeyError:
        variants = {key.lower(), key.title(), key.upper()} & self.key_to_index.keys()
        hint = f" Did you mean {min(variants)!r}?" if variants else ""
        msg = f"The word {key!r} is not among the {len(self)} words.{hint}"
        return KeyError(msg)


def _check_words(words: Sequence[str]) -> list[str]:
    if isinstance(words, str):
        msg = f"index_to_key must be a sequence of words, got the str {words[:40]!r}."
        raise TypeError(msg)
    words = list(words)
    types = set(map(type, words))
    if not all(issubclass(kind, str) for kind in types):
        row = next(i for i, word in enumerate(words) if type(word) is not str)
        msg = f"Words must be str; index_to_key[{row}] is {words[row]!r}."
        raise TypeError(msg)
    # Those of numpy arrays are of a subclass, which prints as `np.str_('king')`.
    return words if types <= {str} else [str(word) for word in words]


def _check_vectors(vectors: npt.ArrayLike, n_words: int) -> npt.NDArray[np.float32]:
    table = np.ascontiguousarray(vectors, dtype=np.float32)
    if np.ndim(vectors) != 2 or table.shape[1] == 0 or len(table) != n_words:
        msg = (
            f"vectors must have one row per word, shape ({n_words}, vector_size), got "
            f"shape {np.shape(vectors)}."
        )
        raise ValueError(msg)
    return table


def _check_counts(
    counts: npt.ArrayLike | None, n_words: int
) -> npt.NDArray[np.int64] | None:
    if counts is None:
        return None
    given = np.asarray(counts)
    if given.shape != (n_words,) or given.dtype.kind not in "iu":
        msg = (
            f"counts must hold one int per word, shape ({n_words},), got shape "
            f"{given.shape} of dtype {given.dtype}."
        )
        raise ValueError(msg)
    return np.ascontiguousarray(given, dtype=np.int64)


def _duplicate(words: list[str], last_rows: dict[str, int]) -> ValueError:
    first = next(row for row, word in enumerate(words) if last_rows[word] != row)
    word = words[first]
    second = words.index(word, first + 1)
    msg = (
        f"Words must be different, but index_to_key holds {word!r} in rows {first} and "
        f"{second}."
    )
    return ValueError(msg)
