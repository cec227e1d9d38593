import re

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from skembed.datasets import load_textbooks


@pytest.fixture(scope="module")
def everything():
    return load_textbooks()


def test_every_passage_has_a_label_and_a_section(everything):
    assert len(everything.data) == len(everything.target) == len(everything.groups)
    assert everything.target.dtype == np.int64
    assert set(everything.target) == set(range(len(everything.target_names)))


def test_the_two_subsets_make_up_the_whole(everything):
    parts = [load_textbooks(subset=subset) for subset in ("train", "test")]
    assert sorted(parts[0].data + parts[1].data) == sorted(everything.data)


def test_no_section_is_in_both_subsets():
    train, test = (load_textbooks(subset=subset) for subset in ("train", "test"))
    assert not set(train.groups) & set(test.groups)


def test_both_subsets_hold_every_subject():
    for subset in ("train", "test"):
        loaded = load_textbooks(subset=subset)
        assert np.bincount(loaded.target).min() > 100


def test_a_label_means_the_same_subject_in_each_subset(everything):
    labels = dict(zip(everything.data, everything.target, strict=True))
    for subset in ("train", "test"):
        loaded = load_textbooks(subset=subset)
        assert loaded.target_names == everything.target_names
        assert [labels[text] for text in loaded.data] == loaded.target.tolist()


def test_no_two_passages_share_a_run_of_eight_words(everything):
    seen = set()
    for text in everything.data:
        words = re.findall(r"\w+", text.lower())
        runs = {tuple(words[i : i + 8]) for i in range(len(words) - 7)}
        assert not runs & seen
        seen |= runs


def test_passages_are_whole_sentences_without_markup(everything):
    for text in everything.data:
        assert re.match(r"[“\"(]?[A-Z]", text)
        assert re.search(r"[.!?][”\")]?$", text)
        assert not re.search(r"[<>{}\\|\[\]=_~^\n\t]|https?:|  ", text)
        assert 50 <= len(text.split()) <= 150


@pytest.mark.parametrize(
    "name", ["sociolog", "psycholog", "anthropolog", "economist", "astronom", "chemist"]
)
def test_no_passage_names_its_discipline(everything, name):
    assert not [text for text in everything.data if name in text.lower()]


def test_the_pair_is_the_data_and_the_target(everything):
    X, y = load_textbooks(return_X_y=True)
    assert everything.data == X
    assert_array_equal(y, everything.target)


def test_as_frame_gives_series_of_one_frame(everything):
    loaded = load_textbooks(as_frame=True)
    assert loaded.frame.columns.tolist() == ["text", "target"]
    pd.testing.assert_series_equal(loaded.data, loaded.frame["text"])
    assert loaded.data.tolist() == everything.data
    assert_array_equal(loaded.target, everything.target)


def test_the_pair_from_a_frame_is_two_series():
    X, y = load_textbooks(subset="test", return_X_y=True, as_frame=True)
    assert isinstance(X, pd.Series)
    assert isinstance(y, pd.Series)
    assert X.index.equals(y.index)


def test_the_description_names_the_license_and_every_book(everything):
    assert "CC BY 4.0" in everything.DESCR
    assert f"{len(everything.data)} passages" in everything.DESCR
    assert everything.DESCR.count("| `") == len(
        {group.split("/")[0] for group in everything.groups}
    )


def test_the_documented_size_is_the_real_one(everything):
    assert str(len(everything.data)) in load_textbooks.__doc__
    assert f"{sum(len(text.split()) for text in everything.data):,}" in (
        load_textbooks.__doc__
    )
    assert str(len(set(everything.groups))) in load_textbooks.__doc__


def test_an_unknown_subset_is_refused_with_the_choices():
    with pytest.raises(ValueError, match=r"'train', 'test', 'all'.*got 'valid'"):
        load_textbooks(subset="valid")
