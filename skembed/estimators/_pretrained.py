"""Published vectors in place of training, or of the random vectors before it."""

import inspect
from collections.abc import Iterable, Sequence
from os import PathLike
from typing import Any

import numpy as np

from skembed._processes import Map
from skembed._ragged import Ragged
from skembed._sklearn_private import HasMethods
from skembed.estimators._merging import join_vocabulary
from skembed.estimators.documents import Document
from skembed.formats import NgramTable
from skembed.text import TextAnalysis, Vocabulary, encode, encode_corpus
from skembed.vectors import SubwordVectors, WordVectors, load_published, without_ngrams

PRETRAINED_CONSTRAINTS: dict[str, list[Any]] = {
    # What the classes of skembed and of gensim have in common.
    "pretrained": [str, PathLike, HasMethods(["most_similar"]), None],
    "fine_tune": ["boolean"],
}


def published_vectors(pretrained: Any, *, ngrams: bool = False) -> WordVectors:
    """Return the vectors that the parameter `pretrained` names or holds.

    Parameters
    ----------
    pretrained : str, path-like, WordVectors or gensim.models.KeyedVectors
    ngrams : bool
        Whether to keep vectors of n-grams, where there are any.

    Returns
    -------
    word_vectors : WordVectors
        Finite. Of the subclass `SubwordVectors` if it has n-grams. Vectors that were
        given as an object are not copied.

    Raises
    ------
    ValueError
        If a file is not what its format says, or a vector holds NaN or infinity.
    TypeError
        If the object is none of word vectors.
    """
    if isinstance(pretrained, str | PathLike):
        vectors = load_published(pretrained, ngrams=ngrams)
    else:
        vectors = as_word_vectors(pretrained)
        vectors = vectors if ngrams else without_ngrams(vectors)
    # Their lengths cannot be computed otherwise, and are of use later.
    _ = vectors.norms
    return vectors


def as_word_vectors(given: Any) -> WordVectors:
    """Return our class of word vectors, from ours or from gensim's."""
    if isinstance(given, WordVectors):
        return given
    has_ngrams = hasattr(given, "vectors_ngrams")
    return (SubwordVectors if has_ngrams else WordVectors).from_gensim(given)


def check_fine_tune(estimator: Any) -> None:
    """Raise a ValueError if there are no published vectors to go on from."""
    if estimator.fine_tune and estimator.pretrained is None:
        msg = (
            "fine_tune=True goes on from published vectors, but pretrained is None. "
            "Set pretrained, or fine_tune=False to train from the beginning."
        )
        raise ValueError(msg)


def check_pretrained_size(estimator: Any, published_size: int) -> None:
    """Raise a ValueError if another size was asked for than published vectors have.

    Parameters
    ----------
    estimator : estimator
        Its parameter `vector_size` may be of the published size, or the default.
    published_size : int
    """
    if not _agrees(estimator, "vector_size", published_size):
        msg = (
            f"vector_size={estimator.vector_size}, but the vectors of pretrained are "
            f"of size {published_size}. Leave vector_size at its default: it is not "
            "used with pretrained."
        )
        raise ValueError(msg)


def check_pretrained_ngrams(estimator: Any, ngrams: NgramTable) -> None:
    """Raise a ValueError if other n-grams were asked for than published vectors have.

    Parameters
    ----------
    estimator : estimator
        Its parameters `min_n`, `max_n` and `bucket` may be those published, or the
        defaults.
    ngrams : NgramTable
    """
    for name in ("min_n", "max_n", "bucket"):
        published = getattr(ngrams, name)
        if not _agrees(estimator, name, published):
            msg = (
                f"{name}={getattr(estimator, name)}, but the n-grams of pretrained are "
                f"of {name}={published}. Leave {name} at its default: it is not used "
                "with n-grams of pretrained."
            )
            raise ValueError(msg)


def _agrees(estimator: Any, name: str, published: int) -> bool:
    """Whether a parameter is the published value, or its default."""
    default = inspect.signature(type(estimator)).parameters[name].default
    return getattr(estimator, name) in (default, published)


def encode_known(
    documents: Iterable[Document],
    analysis: TextAnalysis,
    published: WordVectors,
    *,
    processes: Map | None = None,
) -> tuple[Vocabulary, Ragged]:
    """Count the words that have published vectors, and leave all others out.

    Parameters
    ----------
    documents : iterable of documents
    analysis : TextAnalysis
    published : WordVectors
    processes : callable or None
        As of `encode`.

    Returns
    -------
    vocabulary : Vocabulary
        All words of `published`, in their order, with their counts in the documents.
    corpus : Ragged of int32

    Raises
    ------
    ValueError
        If none of the words occurs.
    """
    vocabulary = without_counts(published)
    corpus = encode(documents, analysis, vocabulary, processes=processes)
    if not len(corpus.values):
        msg = (
            f"None of the words of the documents is among the {len(published)} words "
            f"of pretrained, such as {published.index_to_key[:5]}. Check that "
            "lowercase, token_pattern and stop_words make such words."
        )
        raise ValueError(msg)
    # Filled in where it is, as the vocabulary has made its look-up table already.
    vocabulary.counts[:] = np.bincount(corpus.values, minlength=len(vocabulary))
    return vocabulary, corpus


def encode_merged(
    documents: Iterable[Document],
    analysis: TextAnalysis,
    published: WordVectors,
    *,
    min_count: int,
    max_vocab_size: int | None,
    processes: Map | None = None,
) -> tuple[Vocabulary, Ragged]:
    """Add the words of the documents to those that have published vectors.

    Parameters
    ----------
    documents : iterable of documents
    analysis : TextAnalysis
    published : WordVectors
    min_count, max_vocab_size : int
        As in `join_vocabulary`.
    processes : callable or None
        As of `encode_corpus`.

    Returns
    -------
    vocabulary : Vocabulary
        The words of `published`, in their order, then the new ones, the most frequent
        first; with their counts in the documents.
    corpus : Ragged of int32

    Raises
    ------
    ValueError
        If the documents hold no words, or none is left.
    """
    batch = encode_corpus(documents, analysis, processes=processes)
    limits: dict[str, Any] = {"min_count": min_count, "max_vocab_size": max_vocab_size}
    merged, corpus = join_vocabulary(without_counts(published), *batch, **limits)
    expect_words(corpus, merged.words, min_count)
    return merged, corpus


def expect_words(corpus: Ragged, words: Sequence[str], min_count: int) -> None:
    """Raise a ValueError if no word of the documents is left to learn from.

    Parameters
    ----------
    corpus : Ragged of int32
    words : sequence of str
        Those that have published vectors.
    min_count : int
    """
    if not len(corpus.values):
        msg = (
            f"No word of the documents is among the {len(words)} words of pretrained, "
            f"and none occurs min_count={min_count} times. Lower min_count, or check "
            f"that lowercase and token_pattern make words such as {words[:5]}."
        )
        raise ValueError(msg)


def without_counts(published: WordVectors) -> Vocabulary:
    """Return the words that have published vectors, none of which has occurred yet."""
    counts = np.zeros(len(published), dtype=np.int64)
    return Vocabulary(tuple(published.index_to_key), counts)
