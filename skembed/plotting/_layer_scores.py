"""The score of each layer alone, in the manner of scikit-learn's displays."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from skembed.features import LayerScores
from skembed.plotting._axes import axes_to_draw_on
from skembed.plotting._check_method import check_method
from skembed.plotting._layer_weights import write_layers


class LayerScoresDisplay:
    """How well each layer of a network serves a task: the probing curve.

    Make one with `from_estimator` or `from_layer_scores`. A line shows the mean score
    over the folds, a band one standard deviation to either side, a star the best layer.

    Parameters
    ----------
    layers : sequence of int
        The number of each layer; 0 is the embedding output.
    scores : array-like of shape (n_layers, n_folds)
        The score of each layer in each fold of the cross-validation.
    scoring : str, default="score"
        What was measured, such as ``"accuracy"``; greater is better.

    Attributes
    ----------
    ax_ : Axes
        What was drawn on.
    figure_ : Figure
        The figure of `ax_`.
    line_ : Line2D
        The mean scores, by number of layer.
    band_ : PolyCollection
        One standard deviation to either side.
    best_ : Line2D
        The mark of the best layer.

    Raises
    ------
    ValueError
        If the scores are not a row for each layer.

    See Also
    --------
    LayerWeightsDisplay : How much each layer counts in a learned mix.

    Examples
    --------
    >>> from skembed.plotting import LayerScoresDisplay
    >>> scores = [[0.70, 0.74], [0.81, 0.85], [0.79, 0.80]]
    >>> display = LayerScoresDisplay([0, 1, 2], scores, scoring="accuracy")
    >>> display.plot().figure_.savefig("scores.png")  # doctest: +SKIP
    """

    def __init__(
        self, layers: Sequence[int], scores: npt.ArrayLike, *, scoring: str = "score"
    ) -> None:
        self._scores = LayerScores(
            tuple(layers), np.asarray(scores, dtype=np.float64), scoring
        )
        self.layers = self._scores.layers
        self.scores = self._scores.scores
        self.scoring = scoring

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        cv: Any = None,
        scoring: Any = None,
        classifier: Any = None,
        ax: Any = None,
        **line: Any,
    ) -> Self:
        """Score each layer by cross-validation, and draw the scores.

        Parameters
        ----------
        estimator : estimator
            With the method ``layer_scores``. It need not be fitted.
        X : iterable of str
            The texts.
        y : array-like of shape (n_texts,)
            What is to be predicted.
        cv, scoring, classifier : object
            Passed to ``layer_scores``: how to split the texts, what to measure, and
            what predicts from the features. None leaves each at its default.
        ax : Axes or None, default=None
            Where to draw. None draws in a new figure.
        **line : dict
            Passed to ``Axes.plot``.

        Returns
        -------
        LayerScoresDisplay
            With the picture drawn.

        Raises
        ------
        TypeError
            If the estimator has no such method.
        """
        check_method(estimator, "layer_scores")
        scores = estimator.layer_scores(
            X, y, cv=cv, scoring=scoring, classifier=classifier
        )
        return cls.from_layer_scores(scores, ax=ax, **line)

    @classmethod
    def from_layer_scores(
        cls, scores: LayerScores, *, ax: Any = None, **line: Any
    ) -> Self:
        """Draw the scores that an estimator's ``layer_scores`` has returned.

        Parameters
        ----------
        scores : LayerScores
            The scores.
        ax : Axes or None, default=None
            Where to draw. None draws in a new figure.
        **line : dict
            Passed to ``Axes.plot``.

        Returns
        -------
        LayerScoresDisplay
            With the picture drawn.
        """
        display = cls(scores.layers, scores.scores, scoring=scores.scoring)
        return display.plot(ax, **line)

    def plot(self, ax: Any = None, **line: Any) -> Self:
        """Draw the curve.

        Parameters
        ----------
        ax : Axes or None, default=None
            Where to draw. None draws in a new figure.
        **line : dict
            Passed to ``Axes.plot``.

        Returns
        -------
        LayerScoresDisplay
            Itself.
        """
        ax = axes_to_draw_on(ax, (6, 3.8), needed_by="LayerScoresDisplay")
        self.ax_, self.figure_ = ax, ax.figure
        order = np.argsort(self.layers)
        layers = np.array(self.layers)[order]
        mean, spread = self.scores.mean(axis=1)[order], self.scores.std(axis=1)[order]
        (self.line_,) = ax.plot(layers, mean, **{"marker": "o", "ms": 4, **line})
        self.band_ = ax.fill_between(
            layers,
            mean - spread,
            mean + spread,
            color=self.line_.get_color(),
            alpha=0.2,
            linewidth=0,
            label="one standard deviation over folds",
        )
        self._mark_best()
        ax.set_ylabel(self.scoring)
        write_layers(ax, self.layers)
        return self

    def _mark_best(self) -> None:
        best = self._scores.best_layer
        score = self.scores[self.layers.index(best)].mean()
        (self.best_,) = self.ax_.plot(
            [best],
            [score],
            "*",
            color="C1",
            markeredgecolor="black",
            markeredgewidth=0.5,
            markersize=13,
            zorder=3,
            label=f"best: layer {best} ({score:.3g})",
        )
