"""Words to ids, and how often each occurs."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from skembed._ragged import Ragged
from skembed.text._chunks import Chunk
from skembed.text._word_table import WordTable


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """Words in order of id, with their numbers of occurrences.

    Parameters
    ----------
    words : tuple of str
        Distinct words: ``words[i]`` has id ``i``. `encode_corpus` puts the most
        frequent first, and of equally frequent ones the one that appeared first.
    counts : ndarray of shape (n_words,), int64

    Raises
    ------
    ValueError
        If there is not one count for each word.

    Examples
    --------
    >>> from skembed.text import TextAnalysis, encode_corpus
    >>> vocabulary, _ = encode_corpus(["a rose is a rose"], TextAnalysis())
    >>> vocabulary.words, vocabulary.counts
    (('a', 'rose', 'is'), array([2, 2, 1]))
    >>> vocabulary.index["rose"]
    1
    """

    words: tuple[str, ...]
    counts: npt.NDArray[np.int64]

    def __post_init__(self) -> None:
        if len(self.words) != len(self.counts):
            msg = (
                "A vocabulary needs one count for each word, got "
                f"{len(self.words)} words and {len(self.counts)} counts."
            )
            raise ValueError(msg)

    @cached_property
    def index(self) -> dict[str, int]:
        """Id of each word."""
        return {word: i for i, word in enumerate(self.words)}

    @cached_property
    def table(self) -> WordTable:
        """Id of each word, for the compiled scanner."""
        table = WordTable()
        table.add(Chunk(list(self.words), n_words=[len(self.words)]), min_chars=1)
        if len(table) != len(self.words):
            msg = (
                f"The {len(self.words)} words of a vocabulary must be distinct, got "
                f"{len(table)} distinct ones."
            )
            raise ValueError(msg)
        return table

    def decode(self, ids: Ragged) -> list[list[str]]:
        """Replace ids by words.

        Parameters
        ----------
        ids : Ragged of int

        Returns
        -------
        words : list of list of str
            The words of each document.
        """
        words = [self.words[i] for i in ids.values.tolist()]
        return [words[start:stop] for start, stop in pairwise(ids.offsets.tolist())]

    def extended_by(
        self, other: "Vocabulary"
    ) -> tuple["Vocabulary", npt.NDArray[np.int32]]:
        """Add the words of another vocabulary, and their counts.

        Parameters
        ----------
        other : Vocabulary

        Returns
        -------
        merged : Vocabulary
            The words of this vocabulary under their ids, then the new words of `other`
            in their order. So the most frequent words need not come first any more.
        new_ids : ndarray of shape (len(other),), int32
            The id in `merged` of each word of `other`: ``new_ids[corpus.values]`` are
            the ids of a corpus that `other` had encoded.

        Examples
        --------
        >>> old = Vocabulary(("b", "a"), np.array([5, 3]))
        >>> merged, new_ids = old.extended_by(Vocabulary(("c", "a"), np.array([9, 1])))
        >>> merged.words, merged.counts, new_ids
        (('b', 'a', 'c'), array([5, 4, 9]), array([2, 1], dtype=int32))
        """
        new_words = [word for word in other.words if word not in self.index]
        words = (*self.words, *new_words)
        ids = {word: i for i, word in enumerate(words)}
        new_ids = np.array([ids[word] for word in other.words], dtype=np.int32)
        counts = np.zeros(len(words), dtype=np.int64)
        counts[: len(self)] = self.counts
        counts[new_ids] += other.counts
        return Vocabulary(words, counts), new_ids

    def __len__(self) -> int:
        return len(self.words)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Vocabulary):
            return NotImplemented
        return self.words == other.words and np.array_equal(self.counts, other.counts)

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        # Without the look-up tables, which are as quickly built as read.
        return Vocabulary, (self.words, self.counts)
