"""A map of words, in the manner of scikit-learn's displays."""

from collections.abc import Mapping, Sequence
from typing import Any, Self, TypeAlias

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_is_fitted

from skembed.plotting._axes import axes_to_draw_on, legend_below
from skembed.plotting._labels import write_labels
from skembed.plotting._projection import project
from skembed.vectors import WordVectors

# The words to show: all alike, or in named groups.
Words: TypeAlias = Sequence[str] | Mapping[str, Sequence[str]]
Pairs: TypeAlias = Sequence[tuple[str, str]]

# How many of the most frequent words are shown where none are chosen.
_N_WORDS = 50


class WordMapDisplay:
    """A map of words: those with similar vectors lie close together.

    Make one with `from_estimator` or `from_vectors`. Both look at the directions of the
    vectors only, as similarities do.

    Parameters
    ----------
    positions : ndarray of shape (n_words, 2), float64
        Where each word lies.
    words : sequence of str
        The words.
    groups : sequence of str or None, default=None
        The name of the group that each word belongs to; groups differ in color.
    arrows : sequence of (str, str), default=()
        Pairs of the words that an arrow joins.

    Attributes
    ----------
    ax_ : Axes
        What was drawn on.
    figure_ : Figure
        The figure of `ax_`.
    scatter_ : list of PathCollection
        The points, one collection for each group, or the only one.
    text_ : list of Annotation
        The words, in the order of `words`.
    arrows_ : list of Annotation
        The arrows, in the order of `arrows`.

    See Also
    --------
    skembed.WordVectors.most_similar : The nearest words, as a list.

    Examples
    --------
    >>> from skembed import WordVectors
    >>> from skembed.plotting import WordMapDisplay
    >>> words = ["king", "queen", "man", "woman"]
    >>> word_vectors = WordVectors(words, [[3, 1], [3, -1], [1, 1], [1, -1]])
    >>> display = WordMapDisplay.from_vectors(
    ...     word_vectors, arrows=[("man", "king"), ("woman", "queen")]
    ... )
    >>> display.figure_.savefig("words.png")  # doctest: +SKIP
    """

    def __init__(
        self,
        positions: npt.NDArray[np.float64],
        words: Sequence[str],
        *,
        groups: Sequence[str] | None = None,
        arrows: Pairs = (),
    ) -> None:
        self.positions = positions
        self.words = words
        self.groups = groups
        self.arrows = arrows

    @classmethod
    def from_estimator(
        cls, estimator: Any, words: Words | None = None, **options: Any
    ) -> Self:
        """Draw words with the vectors that an estimator has learned.

        Parameters
        ----------
        estimator : estimator
            Fitted, and with the attribute ``word_vectors_``.
        words : sequence of str, mapping of str to sequence of str, or None
            As in `from_vectors`.
        **options : dict
            The other parameters of `from_vectors`.

        Returns
        -------
        WordMapDisplay
            With the picture drawn.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it has no word vectors.
        """
        if not hasattr(estimator, "word_vectors_"):
            check_is_fitted(estimator)
            msg = (
                f"estimator must have the attribute word_vectors_, got a fitted "
                f"{type(estimator).__name__}. Of a pipeline, pass the step that has it."
            )
            raise TypeError(msg)
        return cls.from_vectors(estimator.word_vectors_, words, **options)

    @classmethod
    def from_vectors(
        cls,
        word_vectors: WordVectors,
        words: Words | None = None,
        *,
        method: str = "pca",
        arrows: Pairs = (),
        random_state: int = 0,
        ax: Any = None,
        **options: Any,
    ) -> Self:
        """Draw words with their vectors.

        Parameters
        ----------
        word_vectors : WordVectors
            The vectors.
        words : sequence of str, mapping of str to sequence of str, or None
            The words to show, or words by the name of their group, to be told apart by
            color. None, the default, shows those of the arrows or, without arrows, the
            first 50 of `word_vectors`, commonly the most frequent.
        method : {"pca", "tsne"}, default="pca"
            How to get to the plane. Principal components keep what differs most, and
            parallels: the picture for analogies. t-SNE keeps neighborhoods: the picture
            for many words.
        arrows : sequence of (str, str), default=()
            Pairs of words to join by an arrow. Words that are not in `words` are shown
            too.
        random_state : int, default=0
            Seed for t-SNE.
        ax : Axes or None, default=None
            Where to draw. None draws in a new figure.
        **options : dict
            Passed to `plot`.

        Returns
        -------
        WordMapDisplay
            With the picture drawn.

        Raises
        ------
        KeyError
            If words have no vector. The message names them.
        TypeError
            If a list of words is a single str, or an arrow is no pair of words.
        ValueError
            For another method, no words, a word in two places, or fewer words than
            t-SNE needs.
        """
        arrows = list(arrows)
        _check_arrows(arrows)
        ends = dict.fromkeys(word for arrow in arrows for word in arrow)
        if words is None:
            words = list(ends) or word_vectors.index_to_key[:_N_WORDS]
        names, groups = _names_and_groups(words, list(ends))
        _check_known(names, word_vectors)
        positions = project(word_vectors[names], method, random_state)
        display = cls(positions, names, groups=groups, arrows=arrows)
        return display.plot(ax=ax, **options)

    def plot(self, ax: Any = None, *, fontsize: float = 9, **scatter: Any) -> Self:
        """Draw the map.

        Words are written where they hide least of each other, for the size that the
        figure has now.

        Parameters
        ----------
        ax : Axes or None, default=None
            Where to draw. None draws in a new figure.
        fontsize : float, default=9
            Size of the words, in points.
        **scatter : dict
            Passed to ``Axes.scatter``.

        Returns
        -------
        WordMapDisplay
            Itself.
        """
        ax = axes_to_draw_on(ax, (7, 5.5), needed_by="WordMapDisplay")
        self.ax_, self.figure_ = ax, ax.figure
        self.scatter_ = self._draw_points({"s": 14, "zorder": 2, **scatter})
        ax.set(xticks=[], yticks=[])
        ax.margins(0.08)
        rows = dict(zip(self.words, self.positions, strict=True))
        lines = np.array([[rows[word] for word in arrow] for arrow in self.arrows])
        self.arrows_ = [self._draw_arrow(*line) for line in lines]
        self.text_ = write_labels(
            ax, self.positions, self.words, lines=lines, fontsize=fontsize
        )
        return self

    def _draw_points(self, options: dict[str, Any]) -> list[Any]:
        if self.groups is None:
            return [self.ax_.scatter(*self.positions.T, **options)]
        of_group = np.array(self.groups, dtype=object)
        points = [
            self.ax_.scatter(*self.positions[of_group == name].T, label=name, **options)
            for name in dict.fromkeys(self.groups)
            if name
        ]
        if (of_group == "").any():
            rest = {"color": "0.5", **options}
            points.append(self.ax_.scatter(*self.positions[of_group == ""].T, **rest))
        legend_below(self.ax_)
        return points

    def _draw_arrow(
        self, start: npt.NDArray[np.float64], end: npt.NDArray[np.float64]
    ) -> Any:
        return self.ax_.annotate(
            "",
            end,
            xytext=start,
            arrowprops={
                "arrowstyle": "->",
                "color": "0.45",
                "shrinkA": 4,
                "shrinkB": 4,
            },
        )


def _names_and_groups(
    words: Words, ends: list[str]
) -> tuple[list[str], list[str] | None]:
    """List the words with the names of their groups, "" for those of arrows only."""
    groups: list[str] | None = None
    for group in words.values() if isinstance(words, Mapping) else [words]:
        if isinstance(group, str):
            msg = f"words must be a list of words, or lists by group, got {group!r}."
            raise TypeError(msg)
    if isinstance(words, Mapping):
        names = [word for group in words.values() for word in group]
        groups = [name for name, group in words.items() for _ in group]
    else:
        names = list(words)
    twice = sorted({word for word in names if names.count(word) > 1})
    if twice:
        msg = f"Each word can be shown once, but words holds these again: {twice}."
        raise ValueError(msg)
    more = [word for word in ends if word not in set(names)]
    if not names + more:
        msg = "words must hold at least one word, got none."
        raise ValueError(msg)
    return names + more, None if groups is None else groups + [""] * len(more)


def _check_arrows(arrows: Sequence[Any]) -> None:
    for arrow in arrows:
        if isinstance(arrow, str) or len(arrow) != 2:
            msg = f"arrows must be pairs of words, (start, end), got {arrow!r}."
            raise TypeError(msg)


def _check_known(names: list[str], word_vectors: WordVectors) -> None:
    unknown = [word for word in names if word not in word_vectors]
    if unknown:
        msg = (
            f"No vectors for {unknown}: not among the {len(word_vectors)} words. Only "
            "words that occur at least min_count times get one, in lower case unless "
            "lowercase=False."
        )
        raise KeyError(msg)
