"""Word vectors as plain arrays, in what an estimator is on disk."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from skembed.estimators._pretrained import as_word_vectors
from skembed.formats import NgramTable
from skembed.vectors import SubwordVectors, WordVectors


def pack_words(words: Iterable[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return all letters, shape (n_bytes,), and where words end, shape (n_words,).

    One array of UTF-8 in place of 100,000 objects. Words may hold lone surrogates.
    """
    words = list(words)
    letters = "".join(words).encode("utf-8", "surrogatepass")
    ends = np.cumsum([len(word) for word in words], dtype=np.int64)
    return np.frombuffer(letters, np.uint8), ends


def unpack_words(letters: np.ndarray, ends: np.ndarray) -> tuple[str, ...]:
    """Undo `pack_words`."""
    text = letters.tobytes().decode("utf-8", "surrogatepass")
    return tuple(text[start:end] for start, end in pairwise([0, *ends.tolist()]))


def pack_vectors(given: Any, learned: WordVectors | None) -> dict[str, Any]:
    """Turn the word vectors that are a parameter into arrays.

    Parameters
    ----------
    given : WordVectors or gensim.models.KeyedVectors
    learned : WordVectors or None
        What is stored anyway: of vectors that are the same array, only what differs is
        returned.

    Returns
    -------
    state : dict of str to object
    """
    vectors = as_word_vectors(given)
    state: dict[str, Any] = {"counts": vectors.counts}
    if learned is None or not _is_same(vectors, learned):
        state["vectors"] = vectors.vectors
        state["letters"], state["word_ends"] = pack_words(vectors.index_to_key)
    if isinstance(vectors, SubwordVectors) and isinstance(learned, SubwordVectors):
        state["has_learned_ngrams"] = _are_same(vectors.ngrams, learned.ngrams)
    if isinstance(vectors, SubwordVectors) and not state.get("has_learned_ngrams"):
        state["ngrams"] = dict(vectors.ngrams._asdict())
    return state


def unpack_vectors(
    state: Mapping[str, Any], learned: WordVectors | None
) -> WordVectors:
    """Undo `pack_vectors`; vectors of gensim become our own.

    Parameters
    ----------
    state : mapping of str to object
    learned : WordVectors or None
        What `pack_vectors` was given, as it was loaded.

    Returns
    -------
    word_vectors : WordVectors
    """
    counts, ngrams = state["counts"], state.get("ngrams")
    if state.get("has_learned_ngrams"):
        ngrams = cast("SubwordVectors", learned).ngrams._asdict()
    if "vectors" in state:
        words = unpack_words(state["letters"], state["word_ends"])
        return word_vectors_of(words, state["vectors"], counts, ngrams)
    # Nothing but what differs from these was packed.
    same = cast("WordVectors", learned)
    return word_vectors_of(same.index_to_key, same.vectors, counts, ngrams)


def word_vectors_of(
    words: Sequence[str],
    vectors: npt.NDArray[np.float32],
    counts: npt.NDArray[np.int64] | None,
    ngrams: Mapping[str, Any] | None,
) -> WordVectors:
    """Return word vectors, with n-grams if there are any.

    Parameters
    ----------
    words : sequence of str
    vectors : ndarray of shape (n_words, vector_size), float32
    counts : ndarray of shape (n_words,), int64, or None
    ngrams : mapping of str to object, or None
        The fields of a `SubwordVectors.ngrams`.

    Returns
    -------
    word_vectors : WordVectors
        Of the subclass `SubwordVectors` if there are n-grams.
    """
    if ngrams is None:
        return WordVectors(words, vectors, counts)
    lengths = {name: ngrams[name] for name in ("min_n", "max_n", "bucket")}
    return SubwordVectors(
        words, vectors, ngrams["buckets"], ngrams["vectors"], counts=counts, **lengths
    )


def _is_same(vectors: WordVectors, learned: WordVectors) -> bool:
    """Whether both have the same words, and one array of vectors in memory."""
    is_same = _is_one(vectors.vectors, learned.vectors)
    return is_same and vectors.index_to_key == learned.index_to_key


def _are_same(ngrams: NgramTable, learned: NgramTable) -> bool:
    """Whether both are the same n-grams, and one array of vectors in memory."""
    is_same = _is_one(ngrams.vectors, learned.vectors) and ngrams[2:] == learned[2:]
    return is_same and np.array_equal(ngrams.buckets, learned.buckets)


def _is_one(one: np.ndarray, other: np.ndarray) -> bool:
    return one.shape == other.shape and one.ctypes.data == other.ctypes.data
