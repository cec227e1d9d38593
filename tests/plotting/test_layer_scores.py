import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt
from numpy.testing import assert_allclose

from skembed.features import LayerScores
from skembed.plotting import LayerScoresDisplay


@pytest.fixture(autouse=True)
def _agg():
    with mpl.rc_context({"backend": "Agg"}):
        yield
    plt.close("all")


@pytest.fixture
def scores(rng):
    return LayerScores((0, 4, 2), rng.uniform(size=(3, 5)), "accuracy")


class Scorer:
    """Score as an estimator does, and keep what it was asked for."""

    def __init__(self, scores):
        self.scores = scores

    def layer_scores(self, X, y, **options):
        self.asked = (X, y, options)
        return self.scores


def test_the_line_is_the_mean_by_number_of_layer(scores):
    display = LayerScoresDisplay.from_layer_scores(scores)
    mean = scores.scores.mean(axis=1)
    assert display.line_.get_xdata().tolist() == [0, 2, 4]
    assert_allclose(display.line_.get_ydata(), mean[[0, 2, 1]])


def test_the_band_is_one_standard_deviation_wide(scores):
    display = LayerScoresDisplay.from_layer_scores(scores)
    corners = display.band_.get_paths()[0].vertices
    for layer, row in zip(scores.layers, scores.scores, strict=True):
        heights = corners[corners[:, 0] == layer, 1]
        assert_allclose(heights.min(), row.mean() - row.std())
        assert_allclose(heights.max(), row.mean() + row.std())


def test_the_best_layer_is_marked(scores):
    scores.scores[1] += 2
    display = LayerScoresDisplay.from_layer_scores(scores)
    mean = scores.scores[1].mean()
    assert_allclose(display.best_.get_data(), [[4], [mean]])
    assert display.best_.get_label() == f"best: layer 4 ({mean:.3g})"


def test_the_axes_say_what_was_measured(scores):
    display = LayerScoresDisplay.from_layer_scores(scores)
    assert display.ax_.get_ylabel() == "accuracy"
    assert display.ax_.get_xticks().tolist() == [0, 2, 4]


def test_from_estimator_asks_for_the_scores_and_draws_them(scores):
    scorer, options = Scorer(scores), {"cv": 3, "scoring": "f1", "classifier": "probe"}
    display = LayerScoresDisplay.from_estimator(scorer, ["a", "b"], [0, 1], **options)
    assert scorer.asked == (["a", "b"], [0, 1], options)
    assert display.layers == (0, 4, 2)
    assert display.line_ in display.ax_.lines


def test_a_single_layer_and_fold_give_a_picture():
    display = LayerScoresDisplay([3], [[0.5]]).plot()
    display.figure_.canvas.draw()
    assert display.best_.get_xdata() == [3]


def test_the_given_axes_are_drawn_on_and_options_reach_the_line(scores):
    figure, ax = plt.subplots()
    display = LayerScoresDisplay.from_estimator(
        Scorer(scores), [], [], ax=ax, color="red"
    )
    assert (display.ax_, display.figure_) == (ax, figure)
    assert display.line_.get_color() == "red"
    assert_allclose(display.band_.get_facecolor()[0, :3], [1, 0, 0])
    assert plt.get_fignums() == [figure.number]


def test_the_legend_hides_nothing_of_the_axes(scores):
    display = LayerScoresDisplay.from_layer_scores(scores)
    display.figure_.canvas.draw()
    legend = display.ax_.get_legend().get_window_extent()
    assert not legend.overlaps(display.ax_.get_window_extent())
    assert not legend.overlaps(display.ax_.xaxis.label.get_window_extent())


def test_plot_returns_the_display(scores):
    display = LayerScoresDisplay.from_layer_scores(scores)
    assert display.plot() is display


@pytest.mark.parametrize("scores", [[0.5, 0.6], [[0.5, 0.6]], np.zeros((2, 0))])
def test_scores_are_a_row_for_each_layer(scores):
    with pytest.raises(ValueError, match="row for each layer"):
        LayerScoresDisplay([0, 1], scores)


def test_an_estimator_without_layer_scores_is_refused():
    with pytest.raises(TypeError, match="layer_scores, got object"):
        LayerScoresDisplay.from_estimator(object(), [], [])


@pytest.mark.parametrize("width", [3.2, 5, 7])
def test_the_legend_fits_into_the_figure(scores, width):
    figure, ax = plt.subplots(figsize=(width, 3), layout="constrained")
    LayerScoresDisplay.from_layer_scores(scores, ax=ax)
    figure.draw_without_rendering()
    legend = ax.get_legend().get_window_extent()
    assert figure.bbox.x0 <= legend.x0
    assert legend.x1 <= figure.bbox.x1
