"""The weights of a learned mix of layers, in the manner of scikit-learn's displays."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_is_fitted

from skembed.plotting._axes import axes_to_draw_on, legend_below

# With more layers than this, not each gets its number.
_MOST_NUMBERS = 16
# Inches that two entries of a legend need side by side.
_WIDE = 4.5


class LayerWeightsDisplay:
    """How much each layer of a network counts in a learned mix.

    Make one with `from_estimator`. The weights are those of a softmax, so they sum to
    1; a line shows where they would all be equal.

    Parameters
    ----------
    weights : array-like of shape (n_layers,)
        The weight of each layer.
    layers : sequence of int
        The number of each layer; 0 is the embedding output.
    gamma : float or None, default=None
        The scale of the mix, written above the picture.

    Attributes
    ----------
    ax_ : Axes
        What was drawn on.
    figure_ : Figure
        The figure of `ax_`.
    bars_ : BarContainer
        The bars, in the order of `layers`.
    line_ : Line2D
        Where all weights would be equal.

    Raises
    ------
    ValueError
        If there is not one weight for each layer.

    See Also
    --------
    LayerScoresDisplay : How well each layer does alone.

    Examples
    --------
    >>> from skembed.plotting import LayerWeightsDisplay
    >>> display = LayerWeightsDisplay([0.2, 0.5, 0.3], layers=[0, 1, 2], gamma=1.4)
    >>> display.plot().figure_.savefig("weights.png")  # doctest: +SKIP
    """

    def __init__(
        self,
        weights: npt.ArrayLike,
        layers: Sequence[int],
        gamma: float | None = None,
    ) -> None:
        if np.shape(weights) != (len(layers),) or len(layers) == 0:
            msg = (
                "weights must hold one number for each layer, got shape "
                f"{np.shape(weights)} for {len(layers)} layers."
            )
            raise ValueError(msg)
        self.weights = np.asarray(weights, dtype=np.float64)
        self.layers = layers
        self.gamma = gamma

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: Any = None, **bars: Any) -> Self:
        """Draw the weights that an estimator has learned.

        Parameters
        ----------
        estimator : estimator
            Fitted with ``mixing="learned"``, so that it has the attributes
            ``layer_weights_``, ``gamma_`` and ``layers_``.
        ax : Axes or None, default=None
            Where to draw. None draws in a new figure.
        **bars : dict
            Passed to ``Axes.bar``.

        Returns
        -------
        LayerWeightsDisplay
            With the picture drawn.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it has not learned weights.
        """
        if not hasattr(estimator, "layer_weights_"):
            check_is_fitted(estimator)
            msg = (
                f"estimator must have learned weights of layers, got a fitted "
                f"{type(estimator).__name__} without layer_weights_. Fit it with "
                "mixing='learned'; of a pipeline, pass the step that has them."
            )
            raise TypeError(msg)
        display = cls(
            estimator.layer_weights_, estimator.layers_, gamma=estimator.gamma_
        )
        return display.plot(ax, **bars)

    def plot(self, ax: Any = None, **bars: Any) -> Self:
        """Draw a bar for each layer.

        Parameters
        ----------
        ax : Axes or None, default=None
            Where to draw. None draws in a new figure.
        **bars : dict
            Passed to ``Axes.bar``.

        Returns
        -------
        LayerWeightsDisplay
            Itself.
        """
        ax = axes_to_draw_on(ax, (6, 3.8), needed_by="LayerWeightsDisplay")
        self.ax_, self.figure_ = ax, ax.figure
        self.bars_ = ax.bar(self.layers, self.weights, **bars)
        self.line_ = ax.axhline(
            1 / len(self.layers), color="0.3", ls="--", lw=1, label="equal weights"
        )
        ax.set_ylabel("weight in the mix")
        if self.gamma is not None:
            ax.set_title(f"gamma = {self.gamma:.3g}", fontsize="medium")
        write_layers(ax, self.layers)
        return self


def write_layers(ax: Any, layers: Sequence[int]) -> None:
    """Write what stands below a picture of layers: their numbers, and the legend.

    Of many layers, only some get their numbers. The entries of the legend stand in
    lines of their own if the axes are narrow, in the size that they have now.
    """
    from matplotlib.ticker import MaxNLocator

    ax.set_xlabel("layer (0: embedding output)")
    if len(layers) <= _MOST_NUMBERS:
        ax.set_xticks(sorted(layers))
    else:
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    width = ax.get_window_extent().width / ax.figure.dpi
    legend_below(ax, distance=0.17, n_columns=2 if width > _WIDE else 1)
