"""The axes that a display draws on, and the legend below them."""

from typing import Any

from skembed._optional import require


def axes_to_draw_on(ax: Any, size: tuple[float, float], needed_by: str) -> Any:
    """Return the axes that were given, or else those of a new figure.

    Parameters
    ----------
    ax : Axes or None
    size : (float, float)
        Width and height of a new figure, in inches.
    needed_by : str
        What is drawn, for the error where there is no matplotlib.

    Returns
    -------
    Axes
    """
    pyplot = require("matplotlib.pyplot", needed_by=needed_by)
    if ax is None:
        _, ax = pyplot.subplots(figsize=size, layout="constrained")
    return ax


def legend_below(ax: Any, *, distance: float = 0.0, n_columns: int = 4) -> None:
    """Write the legend below the axes, where it can hide nothing.

    Parameters
    ----------
    ax : Axes
    distance : float, default=0.0
        From the axes, as a part of their height.
    n_columns : int, default=4
    """
    ax.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, -distance),
        ncols=n_columns,
        frameon=False,
    )
