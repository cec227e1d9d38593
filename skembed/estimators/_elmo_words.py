"""The words of documents, for networks that read words."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain

import numpy as np

from skembed._ragged import Ragged
from skembed.encoding import FeatureCache, WordEncoder, distinct_features
from skembed.text import Vocabulary
from skembed.vectors import WordVectors


def count_words(documents: Iterable[Sequence[str]]) -> Vocabulary:
    """Count the words of documents.

    Parameters
    ----------
    documents : iterable of sequences of str

    Returns
    -------
    vocabulary : Vocabulary
        The most frequent first; of equally frequent ones the one that comes first.

    Examples
    --------
    >>> vocabulary = count_words([["a", "rose"], ["a"]])
    >>> vocabulary.words, vocabulary.counts
    (('a', 'rose'), array([2, 1]))
    """
    counts = Counter(chain.from_iterable(documents)).most_common()
    words = tuple(word for word, _ in counts)
    return Vocabulary(words, np.array([n for _, n in counts], np.int64))


def numbered(documents: Iterable[Sequence[str]], vocabulary: Vocabulary) -> Ragged:
    """Number the words of documents, all of which are in a vocabulary.

    Examples
    --------
    >>> documents = [["a", "rose"], ["a"]]
    >>> ids = numbered(documents, count_words(documents))
    >>> ids[0], ids[1]
    (array([0, 1], dtype=int32), array([0], dtype=int32))
    """
    rows = [[vocabulary.index[word] for word in words] for words in documents]
    values = np.fromiter(chain.from_iterable(rows), np.int32)
    return Ragged.from_lengths(values, [len(row) for row in rows])


def most_frequent(vocabulary: Vocabulary, n_words: int) -> Vocabulary:
    """Keep so many words, the first ones.

    Examples
    --------
    >>> most_frequent(count_words([["a", "rose", "a"]]), 1).words
    ('a',)
    """
    return Vocabulary(vocabulary.words[:n_words], vocabulary.counts[:n_words])


def word_layer(
    vocabulary: Vocabulary, encoder: WordEncoder, cache: FeatureCache | None
) -> WordVectors:
    """Compute the lowest layer of words, which knows no context.

    Parameters
    ----------
    vocabulary : Vocabulary
    encoder : WordEncoder
        Its layer 0 has each word's vector twice, side by side.
    cache : FeatureCache or None

    Returns
    -------
    vectors : WordVectors
        Each vector once.
    """
    quiet = replace(encoder, verbose=0)
    width = encoder.widths[0] // 2
    compute = quiet.statistics((0,), ("mean",))
    space = None if cache is None or encoder.ordered else quiet.space(cache)
    texts = [[word] for word in vocabulary.words]
    arrays = distinct_features(texts, ["mean.0"], compute, space)
    empty = np.empty((0, width), np.float32)
    vectors = np.ascontiguousarray(arrays["mean.0"][:, :width]) if arrays else empty
    return WordVectors(vocabulary.words, vectors, vocabulary.counts)
