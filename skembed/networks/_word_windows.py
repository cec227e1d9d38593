"""Texts to windows of words, for networks that read words and carry a state."""

from collections.abc import Callable, Sequence
from itertools import chain

import numpy as np
import numpy.typing as npt

from skembed._ragged import Ragged
from skembed.networks._lexicon import Lexicon
from skembed.networks._windows import Windows

Text = str | Sequence[str]
Split = Callable[[str], tuple[list[str], npt.NDArray[np.int64]]]
"""Gives the words of a text, and of each where it begins and ends."""


class WordReader:
    r"""Makes windows of texts, of which each token is a word.

    The windows of a text follow one another without an overlap: what reads them carries
    its state from one to the next.

    Parameters
    ----------
    split : callable
        Gives the words of a text, and an array of shape (n_words, 2) of where they
        begin and end in it.
    lexicon : Lexicon
        Gives the words their ids.
    begin, end : sequence of str
        Special words that are put before and after each text.
    max_length : int, or None
        Most words of a window, special ones included; None for no limit.

    Examples
    --------
    >>> import re
    >>> def split(text):
    ...     found = list(re.finditer(r"\w+", text))
    ...     return [m[0] for m in found], np.array([m.span() for m in found])
    >>> lexicon = Lexicon()
    >>> read = WordReader(split, lexicon, begin=["<S>"], end=["</S>"], max_length=4)
    >>> windows = read(["to be, or not", ["to be"]])
    >>> [[lexicon.words[i] for i in ids] for ids in windows.ids]
    [['<S>', 'to', 'be'], ['or', 'not', '</S>'], ['<S>', 'to be', '</S>']]
    >>> windows.text.tolist()
    [0, 0, 1]
    """

    def __init__(
        self,
        split: Split,
        lexicon: Lexicon,
        *,
        begin: Sequence[str] = (),
        end: Sequence[str] = (),
        max_length: int | None = None,
    ) -> None:
        self._split, self._lexicon = split, lexicon
        self._begin = lexicon.numbers(begin)
        self._end = lexicon.numbers(end)
        self._max_length = max_length

    def __call__(self, texts: Sequence[Text], numbers: object = None) -> Windows:
        """Split texts into words.

        Parameters
        ----------
        texts : sequence of str or of sequences of str
            Texts, or their words, which are taken as they are.
        numbers : object
            Of the texts, of which nothing is said here.

        Returns
        -------
        windows : Windows
            With words: each token is one.
        """
        del numbers
        ids, spans = [], []
        for text in texts:
            words, located = self._words(text)
            ids.append(self._begin + self._lexicon.numbers(words) + self._end)
            spans.append(located)
        return self._windows(ids, spans)

    def _words(self, text: Text) -> tuple[Sequence[str], npt.NDArray[np.int64]]:
        if isinstance(text, str):
            words, spans = self._split(text)
            return words, np.asarray(spans, np.int64).reshape(-1, 2)
        return text, joined_spans(text)

    def _windows(
        self, ids: list[list[int]], spans: list[npt.NDArray[np.int64]]
    ) -> Windows:
        lengths = np.array([len(row) for row in ids], np.int64)
        n_begin, n_end = len(self._begin), len(self._end)
        values = np.fromiter(chain.from_iterable(ids), np.int32, lengths.sum())
        first = np.cumsum(lengths) - lengths
        # Where each token stands in its text, and so which word it is.
        word = np.arange(len(values)) - np.repeat(first + n_begin, lengths)
        special = (word < 0) | (word >= np.repeat(lengths - n_begin - n_end, lengths))
        offsets = np.zeros((len(values), 2), np.int32)
        if spans:
            offsets[~special] = np.concatenate(spans)
        text, window_lengths = cut_lengths(lengths, self._max_length)
        return Windows(
            ids=Ragged.from_lengths(values, window_lengths),
            text=text,
            own=np.ones(len(values), bool),
            special=special,
            offsets=offsets,
            word=np.where(special, -1, word).astype(np.int32),
            word_spans=Ragged.from_lengths(
                np.concatenate([np.empty((0, 2), np.int64), *spans]),
                [len(rows) for rows in spans],
            ),
        )


def cut_lengths(
    lengths: npt.NDArray[np.int64], most: int | None
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Cut texts into windows that follow one another, of about equal length.

    Parameters
    ----------
    lengths : ndarray of shape (n_texts,), int64
    most : int or None
        Of a window. None: there is no limit.

    Returns
    -------
    text : ndarray of shape (n_windows,), int64
        The text of each window; each text has one.
    lengths : ndarray of shape (n_windows,), int64

    Examples
    --------
    >>> text, lengths = cut_lengths(np.array([2, 0, 7]), most=3)
    >>> text.tolist(), lengths.tolist()
    ([0, 1, 2, 2, 2], [2, 0, 2, 2, 3])
    """
    if most is None:
        return np.arange(len(lengths)), lengths
    n_windows = np.maximum(-(-lengths // most), 1)
    text = np.repeat(np.arange(len(lengths)), n_windows)
    number = np.arange(len(text)) - np.repeat(
        np.cumsum(n_windows) - n_windows, n_windows
    )
    total, parts = lengths[text], n_windows[text]
    return text, (number + 1) * total // parts - number * total // parts


def joined_spans(words: Sequence[str]) -> npt.NDArray[np.int64]:
    """Return where words begin and end once they are joined by spaces.

    Examples
    --------
    >>> joined_spans(["to", "be"]).tolist()
    [[0, 2], [3, 5]]
    """
    lengths = np.array([len(word) for word in words], np.int64)
    stops = np.cumsum(lengths + 1) - 1
    return np.stack([stops - lengths, stops], axis=1)
