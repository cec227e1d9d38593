"""Agreement of two sets of vectors on which words are neighbors."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from skembed.vectors import WordVectors


@dataclass(frozen=True)
class NeighborOverlap:
    """Which fraction of its neighbors a word shares in two sets of vectors.

    Parameters
    ----------
    mean : float
        Over all words that were asked for.
    words : list of str
        The words.
    per_word : ndarray of shape (n_words,), float64
        The fraction of each word.
    """

    mean: float
    words: list[str]
    per_word: npt.NDArray[np.float64]


def neighbor_overlap(
    a: WordVectors,
    b: WordVectors,
    k: int = 10,
    words: Sequence[str] | None = None,
) -> NeighborOverlap:
    """Compare the `k` nearest neighbors of words in two sets of vectors.

    Neighbors are searched by cosine among the words that both sets have, so that the
    sizes of the vectors, and the vocabularies, may differ.

    Parameters
    ----------
    a, b : WordVectors
    k : int
        How many neighbors.
    words : sequence of str, or None
        The words whose neighbors are compared; None for all that both sets have.

    Returns
    -------
    overlap : NeighborOverlap

    Raises
    ------
    ValueError
        If there are not more than `k` common words, or `words` holds others.

    Examples
    --------
    >>> from skembed import WordVectors
    >>> words = WordVectors(["a", "b", "c"], [[1, 0], [1, 1], [0, 2]])
    >>> neighbor_overlap(words, words, k=1).mean
    1.0
    """
    common = [word for word in a.index_to_key if word in b]
    if not 0 < k < len(common):
        msg = (
            f"k must be from 1 to {len(common) - 1}, as {len(common)} words are common "
            f"to both, got {k}."
        )
        raise ValueError(msg)
    words = common if words is None else list(words)
    unknown = set(words).difference(common)
    if not words:
        msg = "words is empty; None takes all words that are common to both."
        raise ValueError(msg)
    if unknown:
        msg = (
            f"words must be common to both, but these are not: {sorted(unknown)[:10]}."
        )
        raise ValueError(msg)
    rows = [WordVectors(common, x[common]).neighbors(words, k)[0] for x in (a, b)]
    together = np.sort(np.hstack(rows), axis=1)
    n_shared = np.count_nonzero(together[:, 1:] == together[:, :-1], axis=1)
    per_word = n_shared / k
    return NeighborOverlap(float(per_word.mean()), words, per_word)
