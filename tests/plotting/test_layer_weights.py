from itertools import pairwise
from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt
from numpy.testing import assert_allclose
from sklearn.exceptions import NotFittedError
from sklearn.preprocessing import StandardScaler

from skembed.plotting import LayerWeightsDisplay


@pytest.fixture(autouse=True)
def _agg():
    with mpl.rc_context({"backend": "Agg"}):
        yield
    plt.close("all")


def learned(weights, layers, gamma):
    """Return what a fitted estimator knows of its mix."""
    return SimpleNamespace(
        layer_weights_=np.array(weights), layers_=layers, gamma_=gamma
    )


def test_each_layer_has_a_bar_of_its_weight():
    estimator = learned([0.2, 0.5, 0.3], (6, 0, 3), gamma=1.5)
    display = LayerWeightsDisplay.from_estimator(estimator)
    centers = [bar.get_x() + bar.get_width() / 2 for bar in display.bars_]
    assert_allclose(centers, [6, 0, 3])
    assert_allclose([bar.get_height() for bar in display.bars_], [0.2, 0.5, 0.3])
    assert display.ax_.get_xticks().tolist() == [0, 3, 6]


def test_the_line_stands_at_equal_weights():
    display = LayerWeightsDisplay([0.1, 0.2, 0.3, 0.4], range(4)).plot()
    assert_allclose(display.line_.get_ydata(), 0.25)


def test_gamma_is_written_above():
    display = LayerWeightsDisplay([0.4, 0.6], [0, 1], gamma=12.3456).plot()
    assert display.ax_.get_title() == "gamma = 12.3"
    assert LayerWeightsDisplay([0.4, 0.6], [0, 1]).plot().ax_.get_title() == ""


def test_the_numbers_of_many_layers_do_not_overlap():
    display = LayerWeightsDisplay(np.full(49, 1 / 49), range(49)).plot()
    display.figure_.canvas.draw()
    boxes = [
        label.get_window_extent()
        for label in display.ax_.get_xticklabels()
        if label.get_text()
    ]
    assert len(boxes) > 3
    assert not any(a.overlaps(b) for a, b in pairwise(boxes))


def test_the_legend_hides_nothing_of_the_axes():
    display = LayerWeightsDisplay([0.5, 0.5], [0, 1]).plot()
    display.figure_.canvas.draw()
    legend = display.ax_.get_legend().get_window_extent()
    assert not legend.overlaps(display.ax_.get_window_extent())
    assert not legend.overlaps(display.ax_.xaxis.label.get_window_extent())


def test_the_given_axes_are_drawn_on_and_options_reach_the_bars():
    figure, ax = plt.subplots()
    estimator = learned([0.5, 0.5], (0, 1), gamma=1.0)
    display = LayerWeightsDisplay.from_estimator(estimator, ax=ax, color="red")
    assert (display.ax_, display.figure_) == (ax, figure)
    assert display.bars_[0].get_facecolor() == (1, 0, 0, 1)
    assert plt.get_fignums() == [figure.number]


def test_plot_returns_the_display():
    display = LayerWeightsDisplay([0.5, 0.5], [0, 1])
    assert display.plot() is display


@pytest.mark.parametrize("weights", [[0.5], [[0.5, 0.5]], [0.2, 0.3, 0.5]])
def test_weights_are_one_for_each_layer(weights):
    with pytest.raises(ValueError, match=r"shape \(.*\) for 2 layers"):
        LayerWeightsDisplay(weights, [0, 1])


def test_an_estimator_that_is_not_fitted_is_refused():
    with pytest.raises(NotFittedError):
        LayerWeightsDisplay.from_estimator(StandardScaler())


def test_an_estimator_without_weights_is_refused_with_the_way_out():
    scaler = StandardScaler().fit([[0.0], [1.0]])
    with pytest.raises(TypeError, match=r"fitted StandardScaler.*mixing='learned'"):
        LayerWeightsDisplay.from_estimator(scaler)
