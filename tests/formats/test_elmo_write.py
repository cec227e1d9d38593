"""What is written in ELMo's published format is read again as it was."""

import json

import h5py
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skembed.formats import find_elmo, parse_elmo_options, read_elmo, write_elmo
from tests.tiny_elmo import VARIANTS, options_of, tiny_elmo

WITH_CHARACTERS = [name for name, (_, cnn) in VARIANTS.items() if cnn is not None]


@pytest.mark.parametrize("variant", WITH_CHARACTERS)
def test_a_model_of_each_variant_is_read_again_bit_for_bit(variant, tmp_path):
    model = tiny_elmo(variant)
    write_elmo(tmp_path / "model", options_of(variant), model.arrays)
    again = read_elmo(find_elmo(tmp_path / "model"))
    assert again.options == model.options
    assert again.arrays.keys() == model.arrays.keys()
    for name, array in model.arrays.items():
        assert_array_equal(again.arrays[name], array, err_msg=name)
        assert again.arrays[name].dtype == np.float32


def test_the_softmax_and_its_words_lie_beside_the_model(rng, tmp_path):
    model = tiny_elmo()
    softmax = np.float32(rng.normal(size=(5, 6))), np.float32(rng.normal(size=5))
    options = options_of("usual")
    write_elmo(tmp_path, options, model.arrays, softmax=softmax, words=["a", "€"])
    with h5py.File(tmp_path / "weights.hdf5") as file:
        assert_array_equal(file["softmax/W"], softmax[0])
        assert_array_equal(file["softmax/b"], softmax[1])
    lines = (tmp_path / "vocab.txt").read_text("utf-8").splitlines()
    assert lines == ["<S>", "</S>", "<UNK>", "a", "€"]
    # The readers of models do not mind them.
    assert read_elmo(find_elmo(tmp_path)).arrays.keys() == model.arrays.keys()


def test_options_are_written_as_they_are_given(tmp_path):
    options = {**options_of("usual"), "dropout": 0.1}
    write_elmo(tmp_path, options, tiny_elmo().arrays)
    assert json.loads((tmp_path / "options.json").read_text("utf-8")) == options
    assert parse_elmo_options((tmp_path / "options.json").read_bytes())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda arrays: arrays.pop("CNN/b_cnn_1"), "'CNN/b_cnn_1'.* got none"),
        (
            lambda arrays: arrays.update(char_embed=np.ones((262, 4), np.float32)),
            r"'char_embed' of shape \(261, 4\), got \(262, 4\)",
        ),
    ],
)
def test_arrays_that_do_not_fit_the_options_are_refused(change, message, tmp_path):
    arrays = dict(tiny_elmo().arrays)
    change(arrays)
    with pytest.raises(ValueError, match=message):
        write_elmo(tmp_path / "model", options_of("usual"), arrays)
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize("word", ["a\nb", "a\r"])
def test_words_with_line_breaks_are_refused(word, tmp_path):
    with pytest.raises(ValueError, match="no line break"):
        write_elmo(
            tmp_path / "model", options_of("usual"), tiny_elmo().arrays, words=[word]
        )
    assert not (tmp_path / "model").exists()


def test_a_failure_leaves_the_earlier_model_whole(monkeypatch, tmp_path):
    earlier, later = tiny_elmo(seed=1), tiny_elmo(seed=2)
    options = options_of("usual")
    write_elmo(tmp_path, options, earlier.arrays)
    create, n_left = h5py.File.create_dataset, [3]

    def fail_at_the_third(self, *arguments, **named):
        n_left[0] -= 1
        if not n_left[0]:
            raise OSError(28, "No space left on device")
        return create(self, *arguments, **named)

    monkeypatch.setattr(h5py.File, "create_dataset", fail_at_the_third)
    with pytest.raises(OSError, match="No space left"):
        write_elmo(tmp_path, options, later.arrays)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "options.json",
        "weights.hdf5",
    ]
    again = read_elmo(find_elmo(tmp_path))
    for name, array in earlier.arrays.items():
        assert_array_equal(again.arrays[name], array)
