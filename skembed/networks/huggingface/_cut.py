"""Whole texts of tokens to windows of bounded length."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from skembed._ragged import Ragged
from skembed.networks._windows import Windows
from skembed.networks.huggingface._text_tokens import TextTokens

Int64Array = npt.NDArray[np.int64]
Int32Array = npt.NDArray[np.int32]

OVERLONG = ("windows", "truncate", "error")
"""What may become of a text that does not fit into one window."""

_NO_LIMIT = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Limits:
    """How long a window is, and what becomes of a longer text.

    Parameters
    ----------
    max_length : int or None
        Most tokens of a window, special ones included.
    overlong : {"windows", "truncate", "error"}
    overlap : int or None
        Tokens that two neighboring windows share; None for an eighth of `max_length`.
    """

    max_length: int | None
    overlong: str = "windows"
    overlap: int | None = None

    def __post_init__(self) -> None:
        if self.overlong not in OVERLONG:
            msg = f"overlong must be one of {OVERLONG}, got {self.overlong!r}."
            raise ValueError(msg)
        if self.overlap is not None and self.overlap < 0:
            msg = f"overlap must be at least 0 tokens, got {self.overlap}."
            raise ValueError(msg)

    def room(self, n_special: int, n_prefix: Int64Array) -> Int64Array:
        """Return how many tokens of a text fit into a window, shape (n_texts,).

        Raises
        ------
        ValueError
            If there is no room for any, or none but for the overlap.
        """
        if self.max_length is None:
            return np.full(len(n_prefix), _NO_LIMIT)
        room = self.max_length - n_special - n_prefix
        # A window must go on by one token at least.
        least = 1 if self.overlap is None else self.overlap + 1
        if room.min(initial=least) < least:
            most = int(n_prefix.max())
            overlap = f", the overlap={self.overlap}" if self.overlap else ""
            msg = (
                f"max_length must leave room for the text beside the {n_special} "
                f"special tokens, the {most} of the prefix{overlap}: at least "
                f"{n_special + most + least}, got max_length={self.max_length}."
            )
            raise ValueError(msg)
        return room

    def overlaps(self, room: Int64Array) -> Int64Array:
        """Return how many tokens neighboring windows share, shape (n_texts,)."""
        if self.max_length is None:
            return np.zeros_like(room)
        overlap = self.max_length // 8 if self.overlap is None else self.overlap
        return np.minimum(overlap, room - 1)


def cut_windows(
    tokens: TextTokens,
    begin: Int32Array,
    end: Int32Array,
    limits: Limits,
    *,
    numbers: Sequence[int] | None = None,
) -> Windows:
    """Cut texts into windows and put the special tokens around each.

    The windows of a text are about equally long, and as few as can be. A token in the
    overlap of two windows is owned by the one that shows more on its nearer side: the
    overlap is split in the middle.

    Parameters
    ----------
    tokens : TextTokens
    begin, end : ndarray of int32
        The special tokens before and after a text.
    limits : Limits
    numbers : sequence of int, or None
        What messages call each text; None for its place.

    Returns
    -------
    windows : Windows

    Raises
    ------
    ValueError
        If a text is too long and ``limits.overlong="error"``, or no text would fit.
    """
    n_special = len(begin) + len(end)
    room = limits.room(n_special, tokens.n_prefix)
    n_content = tokens.ids.lengths - tokens.n_prefix
    too_long = np.flatnonzero(n_content > room)
    if len(too_long) and limits.overlong == "error":
        text = int(too_long[0])
        number = text if numbers is None else numbers[text]
        n_tokens = tokens.ids.lengths[text] + n_special
        msg = (
            f"Document {number} has {n_tokens} tokens, more than "
            f"max_length={limits.max_length}. Pass overlong='windows' to read it all "
            "in windows, or overlong='truncate' to cut it off."
        )
        raise ValueError(msg)
    is_cut = None
    if limits.overlong == "truncate":
        is_cut = n_content > room
        n_content = np.minimum(n_content, room)
    pieces = _plan(n_content, room, limits.overlaps(room))
    return replace(_gather(tokens, begin, end, pieces), is_cut=is_cut)


class _Pieces(NamedTuple):
    """The part of a text's own tokens that each window reads, and that it owns."""

    text: Int64Array
    start: Int64Array
    stop: Int64Array
    own_start: Int64Array
    own_stop: Int64Array
    is_first: npt.NDArray[np.bool_]
    is_last: npt.NDArray[np.bool_]


def _plan(n_content: Int64Array, room: Int64Array, overlap: Int64Array) -> _Pieces:
    # n windows with overlap o go on by n strides to the end of the text, less the last
    # overlap: strides of equal length, up to rounding.
    n_windows = np.where(
        n_content > room, -((overlap - n_content) // (room - overlap)), 1
    )
    text = np.repeat(np.arange(len(n_content)), n_windows)
    number = np.arange(len(text)) - np.repeat(
        np.cumsum(n_windows) - n_windows, n_windows
    )
    n_windows, n_content, overlap = n_windows[text], n_content[text], overlap[text]
    strides = n_content - overlap
    start = number * strides // n_windows
    stop = (number + 1) * strides // n_windows + overlap
    is_first, is_last = number == 0, number == n_windows - 1
    return _Pieces(
        text=text,
        start=start,
        stop=stop,
        own_start=np.where(is_first, 0, start + overlap // 2),
        own_stop=np.where(is_last, n_content, stop - overlap + overlap // 2),
        is_first=is_first,
        is_last=is_last,
    )


def _gather(
    tokens: TextTokens, begin: Int32Array, end: Int32Array, pieces: _Pieces
) -> Windows:
    n_begin, n_end = len(begin), len(end)
    n_prefix = tokens.n_prefix[pieces.text]
    n_before = n_begin + n_prefix
    lengths = n_before + pieces.stop - pieces.start + n_end
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    window = np.repeat(np.arange(len(lengths)), lengths)
    # From here on one entry for each token: where it stands in its window, ...
    place = np.arange(offsets[-1]) - offsets[window]
    is_end = place >= (lengths - n_end)[window]
    special = is_end | (place < n_before[window])
    own_start = np.where(pieces.is_first, 0, n_before + pieces.own_start - pieces.start)
    own_stop = np.where(
        pieces.is_last, lengths, n_before + pieces.own_stop - pieces.start
    )
    own = (place >= own_start[window]) & (place < own_stop[window])
    # ... and in the tokens to draw from: the special ones, then those of all texts.
    source = place + (tokens.ids.offsets[pieces.text] + n_end)[window]
    source += np.where(special, 0, pieces.start[window])
    source = np.where(place < n_begin, place, source)
    source = np.where(is_end, (place - (lengths - n_end)[window]) + n_begin, source)
    drawn = np.concatenate([begin, end, tokens.ids.values])
    n_special = n_begin + n_end
    return Windows(
        ids=Ragged(drawn[source], offsets),
        text=pieces.text,
        own=own,
        special=special,
        offsets=_draw(tokens.offsets, n_special, source, 0),
        word=_draw(tokens.word, n_special, source, -1),
        word_spans=tokens.word_spans,
    )


def _draw(
    values: Int32Array | None, n_special: int, source: Int64Array, default: int
) -> Int32Array | None:
    if values is None:
        return None
    special = np.full((n_special, *values.shape[1:]), default, np.int32)
    return np.concatenate([special, values])[source]
