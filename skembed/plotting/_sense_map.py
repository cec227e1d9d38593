"""A map of the occurrences of a word, in the manner of scikit-learn's displays."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from skembed.plotting._axes import axes_to_draw_on, legend_below
from skembed.plotting._check_method import check_method
from skembed.plotting._labels import write_labels
from skembed.plotting._projection import project

# The palette of Okabe and Ito, told apart by all kinds of color vision, less the yellow
# that is faint on white. With the shapes it is told apart without any color, too.
_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
# How many characters of context to either side a label takes from a text.
_CONTEXT = 14


class SenseMapDisplay:
    """A map of the occurrences of a word: those used alike lie close together.

    Make one with `from_estimator` or `from_vectors`. Both look at the directions of the
    vectors only, as similarities do.

    Parameters
    ----------
    positions : ndarray of shape (n_texts, 2), float64
        Where each occurrence lies.
    senses : sequence or None, default=None
        The sense of the word in each text, such as a name; senses differ in color and
        shape.
    labels : sequence of str or None, default=None
        What to write beside the points, such as a few words of each text.

    Attributes
    ----------
    ax_ : Axes
        What was drawn on.
    figure_ : Figure
        The figure of `ax_`.
    scatter_ : list of PathCollection
        The points, one collection for each sense, or the only one.
    text_ : list of Annotation
        The labels.

    Raises
    ------
    ValueError
        If there are no positions, or not a sense and a label for each.

    See Also
    --------
    WordMapDisplay : A map of different words.

    Examples
    --------
    >>> import numpy as np
    >>> from skembed.plotting import SenseMapDisplay
    >>> vectors = np.float32([[3, 1, 0], [2, 1, 0], [0, 1, 2], [0, 1, 3]])
    >>> display = SenseMapDisplay.from_vectors(
    ...     vectors, senses=["river", "river", "money", "money"]
    ... )
    >>> display.figure_.savefig("bank.png")  # doctest: +SKIP
    """

    def __init__(
        self,
        positions: npt.NDArray[np.float64],
        senses: Iterable[Any] | None = None,
        *,
        labels: Iterable[str] | None = None,
    ) -> None:
        if len(positions) == 0:
            msg = "positions must hold at least one occurrence, got none."
            raise ValueError(msg)
        self.positions = positions
        self.senses = _one_for_each(senses, "senses", len(positions))
        self.labels = _one_for_each(labels, "labels", len(positions))

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        texts: Sequence[Any],
        word: Any,
        senses: Iterable[Any] | None = None,
        *,
        labels: str | Iterable[str] | None = None,
        **options: Any,
    ) -> Self:
        """Draw a word of some texts with the vectors that an estimator gives it.

        Parameters
        ----------
        estimator : estimator
            With the method ``word_in_context``.
        texts : sequence of str
            Texts in which the word occurs.
        word : str or sequence of (int, int)
            The word, or where it begins and ends in each text; passed to
            ``word_in_context``.
        senses : sequence or None, default=None
            The sense of the word in each text. None draws all alike.
        labels : "context", sequence of str, or None, default=None
            What to write beside the points. ``"context"`` takes a few characters
            around `word`, which must be a str, or around the spans.
        **options : dict
            The other parameters of `from_vectors`.

        Returns
        -------
        SenseMapDisplay
            With the picture drawn.

        Raises
        ------
        TypeError
            If the estimator has no such method.
        """
        check_method(estimator, "word_in_context")
        texts = list(texts)
        if isinstance(labels, str):
            labels = _contexts(texts, word, labels)
        vectors = estimator.word_in_context(texts, word)
        return cls.from_vectors(vectors, senses, labels=labels, **options)

    @classmethod
    def from_vectors(
        cls,
        vectors: npt.ArrayLike,
        senses: Iterable[Any] | None = None,
        *,
        labels: Iterable[str] | None = None,
        method: str = "pca",
        random_state: int = 0,
        ax: Any = None,
        **options: Any,
    ) -> Self:
        """Draw the occurrences of a word with their vectors.

        Parameters
        ----------
        vectors : array-like of shape (n_texts, n_features)
            The vector of each occurrence.
        senses : sequence or None, default=None
            The sense of each occurrence. None draws all alike.
        labels : sequence of str or None, default=None
            What to write beside the points.
        method : {"pca", "tsne"}, default="pca"
            How to get to the plane. Principal components keep what differs most, t-SNE
            keeps neighborhoods.
        random_state : int, default=0
            Seed for t-SNE.
        ax : Axes or None, default=None
            Where to draw. None draws in a new figure.
        **options : dict
            Passed to `plot`.

        Returns
        -------
        SenseMapDisplay
            With the picture drawn.

        Raises
        ------
        ValueError
            For another method, vectors that are no matrix, no vectors, fewer than t-SNE
            needs, or another number of senses or labels.
        """
        vectors = np.asarray(vectors, dtype=np.float32)
        if vectors.ndim != 2 or 0 in vectors.shape:
            msg = (
                "vectors must be a matrix with a row for each occurrence, got shape "
                f"{vectors.shape}."
            )
            raise ValueError(msg)
        positions = project(vectors, method, random_state)
        return cls(positions, senses, labels=labels).plot(ax, **options)

    def plot(self, ax: Any = None, *, fontsize: float = 8, **scatter: Any) -> Self:
        """Draw the map.

        Labels are written where they hide least of each other, for the size that the
        figure has now.

        Parameters
        ----------
        ax : Axes or None, default=None
            Where to draw. None draws in a new figure.
        fontsize : float, default=8
            Size of the labels, in points.
        **scatter : dict
            Passed to ``Axes.scatter``.

        Returns
        -------
        SenseMapDisplay
            Itself.
        """
        ax = axes_to_draw_on(ax, (7, 5.5), needed_by="SenseMapDisplay")
        self.ax_, self.figure_ = ax, ax.figure
        self.scatter_ = self._draw_points({"s": 28, "zorder": 2, **scatter})
        ax.set(xticks=[], yticks=[])
        ax.margins(0.1)
        self.text_: list[Any] = []
        if self.labels is not None:
            self.text_ = write_labels(
                ax, self.positions, self.labels, fontsize=fontsize
            )
        return self

    def _draw_points(self, options: dict[str, Any]) -> list[Any]:
        if self.senses is None:
            look = {"color": _COLORS[0], **options}
            return [self.ax_.scatter(*self.positions.T, **look)]
        names = list(dict.fromkeys(self.senses))
        points = []
        for i, name in enumerate(names):
            rows = np.array([sense == name for sense in self.senses])
            look = {
                "color": _COLORS[i % len(_COLORS)],
                "marker": _MARKERS[i % len(_MARKERS)],
                "label": str(name),
                **options,
            }
            points.append(self.ax_.scatter(*self.positions[rows].T, **look))
        legend_below(self.ax_)
        return points


def _one_for_each(values: Iterable[Any] | None, name: str, n: int) -> list[Any] | None:
    if values is None:
        return None
    listed = list(values)
    if isinstance(values, str) or len(listed) != n:
        got = repr(values) if isinstance(values, str) else len(listed)
        msg = f"{name} must hold one for each of {n} occurrences, got {got}."
        raise ValueError(msg)
    return listed


def _contexts(texts: Sequence[Any], word: Any, labels: str) -> list[str]:
    """Cut out what stands around the word in each text."""
    if labels != "context":
        msg = (
            f"labels must be 'context', one str for each text, or None, got {labels!r}."
        )
        raise ValueError(msg)
    joined = [text if isinstance(text, str) else " ".join(text) for text in texts]
    if isinstance(word, str):
        pattern = re.compile(rf"\b{re.escape(word)}\b|$", re.IGNORECASE)
        found = [pattern.search(text) for text in joined]
        spans = [match.span() if match else (0, 0) for match in found]
    else:
        spans = [(int(begin), int(end)) for begin, end in word]
    return [_context(text, *span) for text, span in zip(joined, spans, strict=True)]


def _context(text: str, begin: int, end: int) -> str:
    """Cut a text some characters before and after a span, between words."""
    before, after = text[:begin], text[end:]
    if len(before) > _CONTEXT:
        before = "\N{HORIZONTAL ELLIPSIS}" + before[-_CONTEXT:].partition(" ")[2]
    if len(after) > _CONTEXT:
        after = after[:_CONTEXT].rpartition(" ")[0] + "\N{HORIZONTAL ELLIPSIS}"
    return " ".join((before + text[begin:end] + after).split())
