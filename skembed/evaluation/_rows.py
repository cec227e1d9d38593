"""The rows of the words of a test set, whatever their case."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from skembed.vectors import SimilarityQueries


class WordRows:
    """Finds rows of words, of which the first, the most frequent, counts.

    Parameters
    ----------
    word_vectors : SimilarityQueries
    restrict_vocab : int or None
        Only the first so many words are known.
    case_insensitive : bool
        Whether words that differ only in case are the same.
    """

    def __init__(
        self,
        word_vectors: SimilarityQueries,
        restrict_vocab: int | None,
        *,
        case_insensitive: bool,
    ) -> None:
        if restrict_vocab is not None and restrict_vocab < 1:
            msg = f"restrict_vocab must be None or an int >= 1, got {restrict_vocab!r}."
            raise ValueError(msg)
        self.n_words = min(
            len(word_vectors.index_to_key), restrict_vocab or len(word_vectors.vectors)
        )
        # As gensim does, so that figures can be compared; not casefold.
        self._fold = str.upper if case_insensitive else str
        self._row: dict[str, int] = {}
        first_rows = [
            self._row.setdefault(self._fold(word), row)
            for row, word in enumerate(word_vectors.index_to_key[: self.n_words])
        ]
        #: Row of the first word that is the same but for case, shape (n_words,).
        self.first_rows = np.array(first_rows, dtype=np.int64)

    def find(self, words: Iterable[str]) -> npt.NDArray[np.int64]:
        """Rows of words, -1 for unknown ones, shape (n_words,)."""
        rows = [self._row.get(self._fold(word), -1) for word in words]
        return np.array(rows, dtype=np.int64)

    def variants(self) -> npt.NDArray[np.int64]:
        """All rows of words that are the same, (n_words, n_variants), filled with -1.

        Only rows that are in `first_rows` are filled.
        """
        order = np.argsort(self.first_rows, kind="stable")
        firsts = self.first_rows[order]
        place = np.arange(len(order)) - np.searchsorted(firsts, firsts)
        table = np.full((self.n_words, int(place.max(initial=0)) + 1), -1)
        table[firsts, place] = order
        return table
