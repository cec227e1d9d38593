"""What is computed together: texts of similar length, by number of tokens."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int64]

CHUNK_CHARACTERS = 250_000
"""Text that is tokenised, and whose features are stored, at a time."""


def chunks(texts: Sequence[str | Sequence[str]]) -> Iterator[Rows]:
    """Cut texts into chunks of similar length, the longest first.

    What needs most memory comes first, and the time that is left is overestimated
    rather than underestimated.

    Parameters
    ----------
    texts : sequence of str or of sequences of str

    Yields
    ------
    rows : ndarray of shape (n_texts_of_chunk,), int64
        Each text is in one chunk; none is empty.

    Examples
    --------
    >>> [rows.tolist() for rows in chunks(["ab", "", "abcd"])]
    [[2, 0, 1]]
    """
    n_characters = np.array([_n_characters(text) for text in texts], dtype=np.int64)
    order = np.argsort(-n_characters, kind="stable")
    chunk_of = np.cumsum(n_characters[order] + 1) // CHUNK_CHARACTERS
    yield from _split(order, chunk_of)


def batches(
    lengths: npt.NDArray[np.int64], n_tokens: int, *, padded: bool = False
) -> Iterator[Rows]:
    """Cut windows into batches of at most so many tokens, the longest first.

    Parameters
    ----------
    lengths : ndarray of shape (n_windows,), int64
        Tokens of each window.
    n_tokens : int
        What a batch may hold. A longer window is a batch of its own.
    padded : bool
        Whether all windows of a batch count as long as its longest one.

    Yields
    ------
    rows : ndarray of shape (n_windows_of_batch,), int64
        Neighbors are of similar length. Windows without tokens are left out.

    Examples
    --------
    >>> [rows.tolist() for rows in batches(np.array([3, 5, 0, 3]), n_tokens=6)]
    [[1], [0, 3]]
    >>> [rows.tolist() for rows in batches(np.array([5, 1, 1]), 8, padded=True)]
    [[0], [1, 2]]
    """
    order = np.argsort(-lengths, kind="stable")
    order = order[lengths[order] > 0]
    ends = np.cumsum(lengths[order])
    start = 0
    while start < len(order):
        before = ends[start - 1] if start else 0
        stop = int(np.searchsorted(ends, before + n_tokens, side="right"))
        if padded:
            stop = min(stop, start + n_tokens // int(lengths[order[start]]))
        stop = max(stop, start + 1)
        yield order[start:stop]
        start = stop


def _n_characters(text: str | Sequence[str]) -> int:
    return len(text) if isinstance(text, str) else sum(map(len, text)) + len(text)


def _split(rows: Rows, number: npt.NDArray[np.int64]) -> Iterator[Rows]:
    """Cut rows where their number changes."""
    for part in np.split(rows, np.flatnonzero(np.diff(number)) + 1):
        if len(part):
            yield part
