"""Write words beside their points so that they can be read."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

# Where a label may stand, seen from its point: right and left first, as one reads.
_DIRECTIONS = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1))
# How far from its point, in points of type; farther only when there is no room.
_DISTANCES = (5.0, 14.0, 26.0)
# A label farther away than this is joined to its point by a line.
_JOINED_FROM = 7.0
# Free space beside a word, so that two do not read as one.
_PADDING = np.array([3.0, 0.0])
# The sizes of a point and of a piece of a line.
_DOT = np.array([7.0, 7.0])
_LINE = np.array([2.0, 2.0])
_PIECES = 60
_Array: TypeAlias = npt.NDArray[np.float64]
_NO_LINES = np.empty((0, 2, 2))


def write_labels(
    axes: Any,
    points: _Array,
    words: Sequence[str],
    *,
    lines: _Array = _NO_LINES,
    **text: Any,
) -> list[Any]:
    """Write each word at the free place nearest to its point.

    Words are placed in turn, each where it covers least of the labels that stand
    already, of the points, of the lines and of the outside of the axes.

    Parameters
    ----------
    axes : Axes
        Its limits and the size of its figure must be final.
    points : ndarray of shape (n_words, 2), float64
        In the coordinates of the data.
    words : sequence of str
        What to write.
    lines : ndarray of shape (n_lines, 2, 2), float64
        The two ends of each line that the words should not stand on, in the
        coordinates of the data.
    **text : dict
        Passed to ``Axes.annotate``.

    Returns
    -------
    list of Annotation
    """
    from matplotlib.text import Text

    # Nothing may move the axes once the places of the words are chosen.
    axes.figure.draw_without_rendering()
    # All lengths from here on are in points of type.
    unit = axes.figure.dpi / 72
    to_page = axes.transData.transform
    dots = to_page(points) / unit
    frame = axes.get_window_extent().extents / unit
    obstacles = [_box(dot, _DOT) for dot in dots]
    for start, end in to_page(lines.reshape(-1, 2)).reshape(-1, 2, 2) / unit:
        steps = np.linspace(0, 1, _PIECES)[:, np.newaxis]
        obstacles += [_box(dot, _LINE) for dot in start + steps * (end - start)]
    labels = []
    for dot, point, word in zip(dots, points, words, strict=True):
        label = _write(axes, point, word, **text)
        # Without the line, which the extent of an annotation includes.
        size = np.array(Text.get_window_extent(label).size) / unit + _PADDING
        offset = _best_offset(dot, size, np.array(obstacles), frame)
        label.set_position(offset)
        gap = (np.abs(offset) - size / 2).max()
        label.arrow_patch.set_visible(bool(gap > _JOINED_FROM))
        # A layout engine would move the axes to make room, and the points with them.
        label.set_in_layout(False)
        obstacles.append(_box(dot + offset, size))
        labels.append(label)
    return labels


def _write(axes: Any, point: _Array, word: str, **text: Any) -> Any:
    return axes.annotate(
        # A word with "$" is not a formula.
        word,
        point,
        xytext=(0, 0),
        textcoords="offset points",
        ha="center",
        va="center",
        parse_math=False,
        arrowprops={"arrowstyle": "-", "color": "0.6", "linewidth": 0.6, "shrinkB": 2},
        **text,
    )


def _best_offset(dot: _Array, size: _Array, obstacles: _Array, frame: _Array) -> _Array:
    """Return where the center of a label hides least, as seen from its point."""
    candidates: list[tuple[float, _Array]] = []
    for distance in _DISTANCES:
        for direction in np.array(_DIRECTIONS, dtype=np.float64):
            offset = direction * (size / 2 + distance / np.hypot(*direction))
            box = _box(dot + offset, size)
            outside = size.prod() - _overlap(box, frame[np.newaxis]).sum()
            cost = _overlap(box, obstacles).sum() + outside
            candidates.append((cost, offset))
    # Of equal candidates the first, that is the nearest.
    return min(candidates, key=lambda candidate: round(candidate[0], 6))[1]


def _box(center: _Array, size: _Array) -> _Array:
    return np.concatenate([center - size / 2, center + size / 2])


def _overlap(box: _Array, boxes: _Array) -> _Array:
    """Areas that a box shares with others, each box being (left, low, right, high)."""
    low = np.maximum(box[:2], boxes[:, :2])
    high = np.minimum(box[2:], boxes[:, 2:])
    shared: _Array = np.clip(high - low, 0, None).prod(axis=1)
    return shared
