"""What a network reads of texts: windows of token ids."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from skembed._ragged import Ragged


@dataclass(frozen=True, eq=False)
class Windows:
    """The tokens of some texts, cut into windows that a network can read.

    A text that fits is one window. A longer one is several, whose neighbors overlap;
    each of its tokens is owned by one of them.

    Parameters
    ----------
    ids : Ragged of int32
        One row of token ids for each window, special tokens included. A row is empty
        only if its text has no tokens and the tokenizer adds none.
    text : ndarray of shape (n_windows,), int64
        The number of each window's text, ascending. Every text has a window.
    own : ndarray of shape (n_tokens,), bool
        False for what another window of the text counts. Each token of a text is owned
        once; so are the special ones, those at its begin by its first window and those
        at its end by its last.
    special : ndarray of shape (n_tokens,), bool
        True for what the text itself does not hold: the special tokens that the
        tokenizer adds, and those of the prefix. A special token that the text spells
        out is one of its tokens.
    is_cut : ndarray of shape (n_texts,), bool, or None
        Which texts were cut off. None: no text was.
    offsets : ndarray of shape (n_tokens, 2), int32, or None
        Where each token begins and ends in its text, in characters, as the tokenizer
        says it; in the words joined by spaces for a text that came as words. (0, 0)
        for special tokens. None unless words were asked for.
    word : ndarray of shape (n_tokens,), int32, or None
        The number of each token's word in its text, ascending; -1 for special tokens
        and those of whitespace between words.
    word_spans : Ragged of int64, or None
        One row of shape (n_words, 2) for each text: where its words begin and end.

    Examples
    --------
    Two texts, the second of two windows with one token that both hold:

    >>> windows = Windows(
    ...     ids=Ragged.from_lengths(np.array([7, 8, 9, 9, 5], np.int32), [1, 2, 2]),
    ...     text=np.array([0, 1, 1]),
    ...     own=np.array([True, True, True, False, True]),
    ...     special=np.zeros(5, bool),
    ... )
    >>> windows.n_texts, windows.n_windowed
    (2, 1)
    """

    ids: Ragged
    text: npt.NDArray[np.int64]
    own: npt.NDArray[np.bool_]
    special: npt.NDArray[np.bool_]
    is_cut: npt.NDArray[np.bool_] | None = None
    offsets: npt.NDArray[np.int32] | None = None
    word: npt.NDArray[np.int32] | None = None
    word_spans: Ragged | None = None

    @property
    def n_texts(self) -> int:
        """Number of texts."""
        return int(self.text[-1]) + 1 if len(self.text) else 0

    @property
    def n_windowed(self) -> int:
        """Number of texts with several windows."""
        return int((np.bincount(self.text) > 1).sum())

    @property
    def n_truncated(self) -> int:
        """Number of texts that were cut off."""
        return 0 if self.is_cut is None else int(self.is_cut.sum())
