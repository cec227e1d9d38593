import io

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import NotFittedError
from sklearn.preprocessing import StandardScaler

from skembed import SkipGramVectorizer
from skembed.plotting import WordMapDisplay
from skembed.vectors import WordVectors


@pytest.fixture(autouse=True)
def _agg():
    with mpl.rc_context({"backend": "Agg"}):
        yield
    plt.close("all")


@pytest.fixture
def word_vectors(rng):
    words = [f"word{i}" for i in range(60)]
    return WordVectors(words, rng.normal(size=(60, 8)).astype(np.float32))


def shown(display):
    return [text.get_text() for text in display.text_]


def picture(display):
    buffer = io.BytesIO()
    display.figure_.savefig(buffer, format="raw")
    return buffer.getvalue()


def test_the_first_words_are_shown_where_none_are_chosen(word_vectors):
    display = WordMapDisplay.from_vectors(word_vectors)
    assert shown(display) == word_vectors.index_to_key[:50]


def test_the_words_of_the_arrows_are_shown_where_none_are_chosen(word_vectors):
    arrows = [("word3", "word1"), ("word3", "word7")]
    display = WordMapDisplay.from_vectors(word_vectors, arrows=arrows)
    assert shown(display) == ["word3", "word1", "word7"]


def test_an_arrow_goes_from_its_first_word_to_its_second(word_vectors):
    words = ["word0", "word1", "word2"]
    display = WordMapDisplay.from_vectors(
        word_vectors, words, arrows=[("word2", "word0")]
    )
    (arrow,) = display.arrows_
    assert_array_equal(arrow.xyann, display.positions[2])
    assert_array_equal(arrow.xy, display.positions[0])


def test_arrows_add_the_words_that_are_not_chosen(word_vectors):
    display = WordMapDisplay.from_vectors(
        word_vectors, ["word5"], arrows=[("word5", "word9")]
    )
    assert shown(display) == ["word5", "word9"]


def test_pca_keeps_the_distances_between_directions_in_a_plane(rng):
    table = np.zeros((7, 5), dtype=np.float32)
    table[:, [1, 3]] = rng.normal(size=(7, 2))
    words = list("abcdefg")
    display = WordMapDisplay.from_vectors(WordVectors(words, table), words)
    directions = table / np.linalg.norm(table, axis=1, keepdims=True)
    expected = np.linalg.norm(directions[:, None] - directions, axis=-1)
    found = np.linalg.norm(display.positions[:, None] - display.positions, axis=-1)
    assert_allclose(found, expected, atol=1e-6)


def test_tsne_keeps_clusters_together(rng):
    centers = 5 * np.eye(3, 10).repeat(8, axis=0)
    table = (centers + rng.normal(scale=0.3, size=(24, 10))).astype(np.float32)
    words = [f"word{i}" for i in range(24)]
    display = WordMapDisplay.from_vectors(
        WordVectors(words, table), words, method="tsne"
    )
    apart = np.linalg.norm(display.positions[:, None] - display.positions, axis=-1)
    np.fill_diagonal(apart, np.inf)
    assert_array_equal(apart.argmin(axis=1) // 8, np.arange(24) // 8)


@pytest.mark.parametrize("method", ["pca", "tsne"])
def test_the_same_seed_gives_the_same_picture(word_vectors, method):
    displays = [
        WordMapDisplay.from_vectors(word_vectors, method=method, random_state=3)
        for _ in range(2)
    ]
    assert picture(displays[0]) == picture(displays[1])


def test_tsne_of_single_numbers_depends_on_the_seed_alone():
    words = [f"word{i}" for i in range(9)]
    vectors = WordVectors(words, [[(-1.0) ** i] for i in range(9)])
    one, again, other = (
        WordMapDisplay.from_vectors(vectors, method="tsne", random_state=seed).positions
        for seed in (3, 3, 4)
    )
    assert_array_equal(one, again)
    assert not np.allclose(one, other)


def test_groups_differ_in_color_and_stand_in_the_legend(word_vectors):
    groups = {"left": ["word1", "word2"], "right": ["word3"]}
    display = WordMapDisplay.from_vectors(word_vectors, groups)
    assert display.words == ["word1", "word2", "word3"]
    legend = display.ax_.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["left", "right"]
    assert [len(points.get_offsets()) for points in display.scatter_] == [2, 1]
    colors = [tuple(points.get_facecolor()[0]) for points in display.scatter_]
    assert len(set(colors)) == 2


def test_words_of_arrows_only_belong_to_no_group(word_vectors):
    display = WordMapDisplay.from_vectors(
        word_vectors, {"left": ["word1"]}, arrows=[("word1", "word8")]
    )
    assert display.groups == ["left", ""]
    assert len(display.ax_.get_legend().get_texts()) == 1
    assert_array_equal(display.scatter_[1].get_offsets(), display.positions[1:])


def test_labels_do_not_hide_each_other(word_vectors):
    display = WordMapDisplay.from_vectors(word_vectors, word_vectors.index_to_key[:40])
    display.figure_.canvas.draw()
    boxes = [mpl.text.Text.get_window_extent(label) for label in display.text_]
    hidden = [
        (i, j) for i in range(40) for j in range(i) if boxes[i].overlaps(boxes[j])
    ]
    assert not hidden


def test_labels_stay_inside_the_axes(word_vectors):
    display = WordMapDisplay.from_vectors(word_vectors)
    display.figure_.canvas.draw()
    frame = display.ax_.get_window_extent()
    for label in display.text_:
        box = mpl.text.Text.get_window_extent(label)
        assert frame.containsx(box.x0)
        assert frame.containsx(box.x1)
        assert frame.containsy(box.y0)
        assert frame.containsy(box.y1)


def test_a_word_too_long_for_the_axes_does_not_move_them(word_vectors):
    words = ["long" * 40, "short"]
    vectors = WordVectors(words, word_vectors.vectors[:2])
    display = WordMapDisplay.from_vectors(vectors, words)
    before = display.ax_.get_position().bounds
    display.figure_.canvas.draw()
    assert_allclose(display.ax_.get_position().bounds, before, atol=1e-9)


def test_words_with_dollars_are_written_as_they_are(rng):
    words = ["$\\frac$", "$x", "y$", "a_b"]
    vectors = WordVectors(words, rng.normal(size=(4, 3)).astype(np.float32))
    display = WordMapDisplay.from_vectors(vectors, words)
    display.figure_.canvas.draw()
    assert shown(display) == words


def test_the_given_axes_are_drawn_on(word_vectors):
    figure, (_, ax) = plt.subplots(1, 2)
    display = WordMapDisplay.from_vectors(word_vectors, ax=ax)
    assert display.ax_ is ax
    assert display.figure_ is figure
    assert plt.get_fignums() == [figure.number]


def test_plotting_again_draws_on_other_axes(word_vectors):
    display = WordMapDisplay.from_vectors(word_vectors)
    first = display.ax_
    assert display.plot() is display
    assert display.ax_ is not first


def test_options_reach_the_points_and_the_words(word_vectors):
    display = WordMapDisplay.from_vectors(
        word_vectors, ["word1"], s=99, color="red", fontsize=17
    )
    assert display.scatter_[0].get_sizes().tolist() == [99]
    assert display.text_[0].get_fontsize() == 17


@pytest.mark.parametrize(
    "table", [[[1.0, 2.0]], [[0.0, 0.0], [0.0, 0.0]], [[1.0], [-1.0]], [[2.0], [3.0]]]
)
def test_few_or_flat_vectors_give_a_picture(table):
    words = [f"word{i}" for i in range(len(table))]
    display = WordMapDisplay.from_vectors(WordVectors(words, table), words)
    assert display.positions.shape == (len(table), 2)
    assert np.isfinite(display.positions).all()


def test_from_estimator_shows_the_words_that_it_learned(two_topics):
    vectorizer = SkipGramVectorizer(8, min_count=1, random_state=0).fit(two_topics)
    display = WordMapDisplay.from_estimator(vectorizer)
    assert sorted(shown(display)) == list("abcdpqrs")


def test_all_unknown_words_are_named(word_vectors):
    with pytest.raises(KeyError, match=r"\['king', 'queen'\].*min_count"):
        WordMapDisplay.from_vectors(word_vectors, ["word1", "king", "queen"])


def test_unknown_words_of_arrows_are_named(word_vectors):
    with pytest.raises(KeyError, match=r"\['man'\]"):
        WordMapDisplay.from_vectors(word_vectors, arrows=[("word1", "man")])


@pytest.mark.parametrize(
    ("words", "error", "match"),
    [
        ([], ValueError, "at least one word"),
        ("word1", TypeError, "list of words"),
        ({"a": "word1"}, TypeError, "list of words.*got 'word1'"),
        (["word1", "word2", "word1"], ValueError, r"once.*\['word1'\]"),
        ({"a": ["word1"], "b": ["word1"]}, ValueError, r"once.*\['word1'\]"),
    ],
)
def test_words_that_make_no_map_are_refused(word_vectors, words, error, match):
    with pytest.raises(error, match=match):
        WordMapDisplay.from_vectors(word_vectors, words)


@pytest.mark.parametrize("arrow", ["word1", "ab", ("word1",)])
def test_an_arrow_is_a_pair_of_words(word_vectors, arrow):
    with pytest.raises(TypeError, match="pairs of words"):
        WordMapDisplay.from_vectors(word_vectors, arrows=[arrow])


def test_an_unknown_method_is_refused_with_the_choices(word_vectors):
    with pytest.raises(ValueError, match="'pca' or 'tsne', got 'umap'"):
        WordMapDisplay.from_vectors(word_vectors, method="umap")


def test_tsne_asks_for_more_words(word_vectors):
    with pytest.raises(ValueError, match="at least 4 words, got 2"):
        WordMapDisplay.from_vectors(word_vectors, ["word1", "word2"], method="tsne")


def test_an_estimator_that_is_not_fitted_is_refused():
    with pytest.raises(NotFittedError):
        WordMapDisplay.from_estimator(SkipGramVectorizer())


def test_an_estimator_without_word_vectors_is_refused():
    scaler = StandardScaler().fit([[0.0], [1.0]])
    with pytest.raises(TypeError, match="word_vectors_, got a fitted StandardScaler"):
        WordMapDisplay.from_estimator(scaler)
