"""What is computed together: texts of similar length, by number of tokens."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int64]

CHUNK_CHARACTERS = 250_000
"""Text that is tokenised, and whose features are stored, at a time."""

LANE_TOKENS = 1_024
"""What a lane takes at a time if memory does not matter: more is hardly faster."""

# With less, matrix products are slower in one thread each than in all together.
_LEAST_LANE_TOKENS = 256


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


def count_lanes(lengths: npt.NDArray[np.int64], n_tokens: int, most: int) -> int:
    """Say how many batches are best run side by side.

    Parameters
    ----------
    lengths : ndarray of shape (n_windows,), int64
        Tokens of each window.
    n_tokens : int
        What the batches of all lanes may hold together.
    most : int
        How many lanes there can be.

    Returns
    -------
    n_lanes : int
        From 1 to `most`: few if there is little work, which all threads do better
        together than some of them alone.

    Examples
    --------
    >>> count_lanes(np.array([100] * 50), n_tokens=2048, most=2)
    2
    >>> count_lanes(np.array([400, 100]), n_tokens=2048, most=2)
    1
    """
    least = max(int(lengths.max(initial=0)), _LEAST_LANE_TOKENS)
    return max(1, min(most, min(n_tokens, int(lengths.sum())) // least))


def batches(
    lengths: npt.NDArray[np.int64],
    n_tokens: int,
    *,
    padded: bool = False,
    n_lanes: int = 1,
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
    n_lanes : int
        How many batches run side by side. If several, batches are about equal and as
        many for each lane, so that no lane waits for another at the end.

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
    >>> [rows.tolist() for rows in batches(np.array([2, 2, 1, 1]), 5, n_lanes=2)]
    [[0, 1], [2, 3]]
    """
    order = np.argsort(-lengths, kind="stable")
    order = order[lengths[order] > 0]
    ends = np.append(0, np.cumsum(lengths[order]))
    start = n_left = 0
    if n_lanes > 1:
        n_least = sum(1 for _ in batches(lengths, n_tokens, padded=padded))
        n_left = n_lanes * -(-n_least // n_lanes)
    while start < len(order):
        stop = int(np.searchsorted(ends, ends[start] + n_tokens, side="right")) - 1
        if n_lanes > 1:
            stop = min(stop, _share(ends, start, n_left))
        if padded:
            stop = min(stop, start + n_tokens // int(lengths[order[start]]))
        stop = max(stop, start + 1)
        yield order[start:stop]
        start, n_left = stop, n_left - 1


def _share(ends: Rows, start: int, n_batches: int) -> int:
    """Say where a batch stops that takes its share of what is left, or nearly so."""
    wanted = ends[start] + (ends[-1] - ends[start]) / max(1, n_batches)
    stop = int(np.searchsorted(ends, wanted))
    return stop - 1 if wanted - ends[stop - 1] < ends[stop] - wanted else stop


def _n_characters(text: str | Sequence[str]) -> int:
    return len(text) if isinstance(text, str) else sum(map(len, text)) + len(text)


def _split(rows: Rows, number: npt.NDArray[np.int64]) -> Iterator[Rows]:
    """Cut rows where their number changes."""
    for part in np.split(rows, np.flatnonzero(np.diff(number)) + 1):
        if len(part):
            yield part
