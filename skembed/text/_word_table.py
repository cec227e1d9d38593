"""The table from words to ids that the compiled scanner reads and fills."""

import re
from functools import cache
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from skembed._ragged import Ragged
from skembed.text._chunks import Chunk
from skembed.text._kernels import count, fill_slots, scan

_Scalar = TypeVar("_Scalar", bound=np.generic)

_N_CODE_POINTS = 0x110000


@cache
def _word_characters() -> npt.NDArray[np.bool_]:
    r"""Ask `re` which code points ``\w`` matches, shape (0x110000,)."""
    codes = np.arange(_N_CODE_POINTS, dtype="<u4").tobytes()
    table = np.zeros(_N_CODE_POINTS, dtype=np.bool_)
    for run in re.finditer(r"\w+", codes.decode("utf-32-le", "surrogatepass")):
        table[run.start() : run.end()] = True
    return table


@cache
def _all_characters() -> npt.NDArray[np.bool_]:
    return np.ones(_N_CODE_POINTS, dtype=np.bool_)


class WordTable:
    """Distinct words, numbered and counted in order of first appearance.

    Examples
    --------
    >>> table = WordTable()
    >>> table.add(Chunk(["so it goes", "so so"]), min_chars=1).values
    array([0, 1, 2, 0, 0], dtype=int32)
    >>> table.find(Chunk(["it", "goes not"]), min_chars=1).offsets
    array([0, 1, 2])
    """

    def __init__(self) -> None:
        self._n_words = 0
        self._slots = np.zeros(1 << 12, dtype=np.uint64)
        self._starts = np.zeros((1 << 11) + 1, dtype=np.int64)
        self._counts = np.zeros(1 << 11, dtype=np.int64)
        self._arena = np.zeros(1 << 14, dtype=np.uint32)

    def __len__(self) -> int:
        return self._n_words

    @property
    def counts(self) -> npt.NDArray[np.int64]:
        """How often each word was added, shape (n_words,)."""
        return self._counts[: self._n_words]

    def words(self, ids: npt.NDArray[np.integer]) -> list[str]:
        """Spell the words that have the given ids, shape (n_ids,)."""
        n_chars = self._starts[self._n_words]
        arena = self._arena[:n_chars].tobytes().decode("utf-32-le", "surrogatepass")
        starts, stops = self._starts[ids].tolist(), self._starts[ids + 1].tolist()
        return [arena[start:stop] for start, stop in zip(starts, stops, strict=True)]

    def add(self, chunk: Chunk, min_chars: int) -> Ragged:
        """Replace words by ids, and give new words the next ones.

        Parameters
        ----------
        chunk : Chunk
        min_chars : int
            Leave out shorter words, if the chunk is still to be split.

        Returns
        -------
        ids : Ragged of int32
        """
        ids = self._scan(chunk, min_chars, insert=True)
        count(ids.values, self._counts)
        return ids

    def merge(
        self, words: list[str], counts: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.int32]:
        """Add words that were counted elsewhere.

        Parameters
        ----------
        words : list of str
            Distinct.
        counts : ndarray of shape (n_words,), int64

        Returns
        -------
        ids : ndarray of shape (n_words,), int32
        """
        ids: npt.NDArray[np.int32] = self.add(Chunk(words, [len(words)]), 1).values
        # `add` has counted each once.
        self._counts[ids] += counts - 1
        return ids

    def find(self, chunk: Chunk, min_chars: int) -> Ragged:
        """Replace words by ids, and leave out unknown ones; threads may do so at once.

        Parameters and result are those of `add`.
        """
        return self._scan(chunk, min_chars, insert=False)

    def _scan(self, chunk: Chunk, min_chars: int, *, insert: bool) -> Ragged:
        codes, bounds = chunk.codes(), chunk.text_bounds()
        characters = _word_characters()
        if chunk.n_words is not None:
            # Whatever a given word is made of, and even if empty: it is one word.
            characters, min_chars = _all_characters(), 0
        n_texts = len(bounds) - 1
        ids = np.empty(len(codes) // 2 + n_texts + 1, dtype=np.int32)
        ends = np.zeros(n_texts + 1, dtype=np.int64)
        state = np.array([0, 0, 0, self._n_words])
        while not scan(
            codes, bounds, characters, min_chars, insert,
            self._slots, self._starts, self._arena, state, ids, ends[1:],
        ):  # fmt: skip
            self._grow(int(state[3]), n_chars=len(codes))
        if insert:
            self._n_words = int(state[3])
        return Ragged(ids[: state[2]], ends[chunk.document_bounds()])

    def _grow(self, n_words: int, n_chars: int) -> None:
        """Double what is full; the arena then has room for a word of `n_chars` too."""
        if 2 * n_words >= len(self._slots):
            self._slots = np.zeros(2 * len(self._slots), dtype=np.uint64)
            self._starts = _enlarged(self._starts, len(self._slots) // 2 + 1)
            self._counts = _enlarged(self._counts, len(self._slots) // 2)
            fill_slots(self._slots, self._starts, self._arena, n_words)
        else:
            self._arena = _enlarged(self._arena, 2 * len(self._arena) + n_chars)


def _enlarged(array: npt.NDArray[_Scalar], size: int) -> npt.NDArray[_Scalar]:
    enlarged = np.zeros(size, dtype=array.dtype)
    enlarged[: len(array)] = array
    return enlarged
