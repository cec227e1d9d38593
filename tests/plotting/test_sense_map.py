import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.text import Text
from numpy.testing import assert_allclose, assert_array_equal

from skembed.plotting import SenseMapDisplay

TEXTS = [
    "He sat on the bank of the river and fished for hours.",
    "She opened an account at the bank yesterday.",
    "The Bank raised its interest rates again this month.",
    "Grass grew along the bank.",
    ["They", "robbed", "the", "bank", "at", "noon"],
    "Embankment, then a bank.",
]
SENSES = ["river", "money", "money", "river", "money", "river"]


@pytest.fixture(autouse=True)
def _agg():
    with mpl.rc_context({"backend": "Agg"}):
        yield
    plt.close("all")


@pytest.fixture
def vectors(rng):
    side = np.array([[1.0 if sense == "river" else -1.0] for sense in SENSES])
    return (5 * side + rng.normal(size=(6, 8))).astype(np.float32)


class Reader:
    """Give vectors as an estimator does, and keep what it was asked for."""

    def __init__(self, vectors):
        self.vectors = vectors

    def word_in_context(self, X, word):
        self.asked = (X, word)
        return self.vectors


def shown(display):
    return [text.get_text() for text in display.text_]


def legend_of(display):
    return [text.get_text() for text in display.ax_.get_legend().get_texts()]


def test_from_estimator_asks_for_the_word_and_draws_it(vectors):
    reader = Reader(vectors)
    display = SenseMapDisplay.from_estimator(reader, iter(TEXTS), "bank", SENSES)
    assert reader.asked == (TEXTS, "bank")
    expected = SenseMapDisplay.from_vectors(vectors, SENSES)
    assert_array_equal(display.positions, expected.positions)


def test_pca_tells_far_senses_apart(vectors):
    display = SenseMapDisplay.from_vectors(vectors, SENSES)
    sides = display.positions[:, 0] > 0
    assert_array_equal(sides == sides[0], [sense == "river" for sense in SENSES])


def test_tsne_keeps_senses_together(rng):
    senses = np.arange(24) // 8
    vectors = 5 * np.eye(3, 10)[senses] + rng.normal(scale=0.3, size=(24, 10))
    display = SenseMapDisplay.from_vectors(vectors, senses, method="tsne")
    apart = np.linalg.norm(display.positions[:, None] - display.positions, axis=-1)
    np.fill_diagonal(apart, np.inf)
    assert_array_equal(senses[apart.argmin(axis=1)], senses)


def test_senses_differ_in_color_and_shape_and_stand_in_the_legend(vectors):
    display = SenseMapDisplay.from_vectors(vectors, SENSES)
    assert legend_of(display) == ["river", "money"]
    river, money = display.scatter_
    assert_array_equal(river.get_offsets(), display.positions[[0, 3, 5]])
    assert_array_equal(money.get_offsets(), display.positions[[1, 2, 4]])
    assert tuple(river.get_facecolor()[0]) != tuple(money.get_facecolor()[0])
    shapes = [points.get_paths()[0].vertices.tolist() for points in (river, money)]
    assert shapes[0] != shapes[1]


def test_dozens_of_senses_all_look_different(rng):
    vectors = rng.normal(size=(40, 5))
    display = SenseMapDisplay.from_vectors(vectors, range(40))
    looks = {
        (tuple(points.get_facecolor()[0]), str(points.get_paths()[0].vertices))
        for points in display.scatter_
    }
    assert len(looks) == 40


def test_without_senses_all_look_alike(vectors):
    display = SenseMapDisplay.from_vectors(vectors)
    (points,) = display.scatter_
    assert_array_equal(points.get_offsets(), display.positions)
    assert display.ax_.get_legend() is None
    assert display.text_ == []


def test_labels_may_be_what_stands_around_the_word(vectors):
    display = SenseMapDisplay.from_estimator(
        Reader(vectors), TEXTS, "bank", SENSES, labels="context"
    )
    assert shown(display) == [
        "He sat on the bank of the river…",
        "…at the bank yesterday.",
        "The Bank raised its…",
        "…along the bank.",
        "…robbed the bank at noon",
        "…then a bank.",
    ]


def test_context_is_taken_around_spans(vectors):
    text = "A bank, and the other bank too."
    display = SenseMapDisplay.from_estimator(
        Reader(vectors[:2]), [text, text], [(2, 6), (22, 26)], labels="context"
    )
    assert shown(display) == ["A bank, and the…", "…the other bank too."]


def test_given_labels_are_written(vectors):
    labels = [f"text {i} for $5" for i in range(6)]
    display = SenseMapDisplay.from_vectors(vectors, labels=labels, fontsize=5)
    assert shown(display) == labels
    assert display.text_[0].get_fontsize() == 5


def test_labels_do_not_hide_each_other_or_the_legend(rng):
    senses = np.arange(12) % 3
    vectors = 3 * np.eye(3, 10)[senses] + rng.normal(size=(12, 10))
    labels = [f"… some words around {i} …" for i in range(12)]
    display = SenseMapDisplay.from_vectors(vectors, senses, labels=labels)
    display.figure_.canvas.draw()
    boxes = [mpl.text.Text.get_window_extent(label) for label in display.text_]
    hidden = [
        (i, j) for i in range(12) for j in range(i) if boxes[i].overlaps(boxes[j])
    ]
    assert not hidden
    legend = display.ax_.get_legend().get_window_extent()
    assert not any(box.overlaps(legend) for box in boxes)


@pytest.mark.parametrize("method", ["pca", "tsne"])
def test_the_same_seed_gives_the_same_places(vectors, method):
    one, again = (
        SenseMapDisplay.from_vectors(vectors, method=method, random_state=3).positions
        for _ in range(2)
    )
    assert_array_equal(one, again)


@pytest.mark.parametrize("vectors", [[[1.0, 2.0]], [[0.0], [0.0]], [[1.0], [-1.0]]])
def test_few_or_flat_vectors_give_a_picture(vectors):
    display = SenseMapDisplay.from_vectors(vectors)
    assert np.isfinite(display.positions).all()


def test_the_given_axes_are_drawn_on_and_options_reach_the_points(vectors):
    figure, ax = plt.subplots()
    display = SenseMapDisplay.from_vectors(vectors, SENSES, ax=ax, s=99, color="red")
    assert (display.ax_, display.figure_) == (ax, figure)
    assert display.scatter_[1].get_sizes().tolist() == [99]
    assert_allclose(display.scatter_[1].get_facecolor()[0], [1, 0, 0, 1])
    assert plt.get_fignums() == [figure.number]


def test_plot_returns_the_display(vectors):
    display = SenseMapDisplay.from_vectors(vectors, SENSES)
    assert display.plot() is display


@pytest.mark.parametrize("what", ["senses", "labels"])
@pytest.mark.parametrize("values", [["a"], "abcdef"])
def test_senses_and_labels_are_one_for_each_occurrence(vectors, what, values):
    with pytest.raises(ValueError, match=f"{what} must hold one for each of 6"):
        SenseMapDisplay.from_vectors(vectors, **{what: values})


@pytest.mark.parametrize("vectors", [[], np.zeros((0, 4)), [1.0, 2.0]])
def test_what_is_no_matrix_of_occurrences_is_refused(vectors):
    with pytest.raises(ValueError, match="row for each occurrence"):
        SenseMapDisplay.from_vectors(vectors)


def test_another_word_than_context_is_refused(vectors):
    with pytest.raises(ValueError, match=r"'context'.*got 'text'"):
        SenseMapDisplay.from_estimator(Reader(vectors), TEXTS, "bank", labels="text")


def test_an_unknown_method_is_refused_with_the_choices(vectors):
    with pytest.raises(ValueError, match="'pca' or 'tsne', got 'umap'"):
        SenseMapDisplay.from_vectors(vectors, method="umap")


def test_an_estimator_without_word_in_context_is_refused():
    with pytest.raises(TypeError, match="word_in_context, got object"):
        SenseMapDisplay.from_estimator(object(), TEXTS, "bank")


def test_labels_do_not_touch_their_markers(rng):
    vectors = rng.normal(size=(6, 3))
    display = SenseMapDisplay.from_vectors(vectors, labels=["word"] * 6)
    figure = display.figure_
    figure.draw_without_rendering()
    radius = np.sqrt(display.scatter_[0].get_sizes()[0]) / 2 * figure.dpi / 72
    dots = display.ax_.transData.transform(display.positions)
    for dot, label in zip(dots, display.text_, strict=True):
        box = Text.get_window_extent(label)
        gap = np.hypot(*(np.clip(dot, box.min, box.max) - dot))
        assert gap > 1.3 * radius
