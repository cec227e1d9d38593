"""The files of bidirectional language models: as published, and damaged."""

import json
import zipfile

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from skembed.formats import (
    FormatError,
    array_shapes,
    find_elmo,
    parse_elmo_options,
    read_elmo,
    read_elmo_options,
)
from tests.tiny_elmo import VARIANTS, options_of, save_elmo, tiny_elmo, zip_folder

CELL = "RNN_1/RNN/MultiRNNCell/Cell1/LSTMCell"


@pytest.fixture
def folder(tmp_path):
    return save_elmo(tmp_path / "model")


@pytest.fixture(scope="module")
def damaged(tmp_path_factory):
    """A folder to damage, what its files hold, and its zip."""
    folder = save_elmo(tmp_path_factory.mktemp("damaged") / "model")
    path = zip_folder(folder, folder.parent / "model.zip")
    contents = {file.name: file.read_bytes() for file in folder.iterdir()}
    return folder, contents, path, path.read_bytes()


def read(weights):
    return read_elmo(find_elmo(weights))


def change(folder, name, array):
    with h5py.File(folder / "weights.hdf5", "r+") as file:
        del file[name]
        if array is not None:
            file[name] = array


def set_option(folder, part, **values):
    content = json.loads((folder / "options.json").read_text())
    content[part] |= values
    (folder / "options.json").write_text(json.dumps(content))


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_is_read(tmp_path, variant):
    expected = tiny_elmo(variant)
    found = read(save_elmo(tmp_path / "model", variant=variant))
    assert found.options == expected.options
    assert found.words == expected.words
    assert set(found.arrays) == set(expected.arrays)
    for name, array in expected.arrays.items():
        assert found.arrays[name].dtype == np.float32
        assert_array_equal(found.arrays[name], array)


def test_published_sizes_have_the_published_numbers_of_parameters():
    filters = [[1, 32], [2, 32], [3, 64], [4, 128], [5, 256], [6, 512], [7, 1024]]
    for dim, width, n_highway, millions in (
        (1024, 128, 1, 13.6), (2048, 256, 1, 28.0), (4096, 512, 2, 93.6),
    ):  # fmt: skip
        cnn = {"embedding": {"dim": 16}, "filters": filters, "n_highway": n_highway}
        lstm = {"dim": dim, "projection_dim": width, "n_layers": 2}
        options = parse_elmo_options(json.dumps({"lstm": lstm, "char_cnn": cnn}))
        n = sum(int(np.prod(shape)) for shape in array_shapes(options).values())
        assert round(n / 1e6, 1) == millions


def test_options_of_training_are_passed_over(folder):
    expected = read_elmo_options(find_elmo(folder))
    content = options_of("usual") | {"dropout": 0.1, "n_epochs": 10, "unroll_steps": 20}
    (folder / "options.json").write_text(json.dumps(content))
    assert read_elmo_options(find_elmo(folder)) == expected


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        ("char_embed", None, r"dataset 'char_embed' to be in the file, found nothing"),
        ("char_embed", np.ones((262, 4), "f4"), r"shape \(261, 4\)"),
        (f"{CELL}/W_0", np.ones((12, 35), "f4"), r"shape \(12, 36\)"),
        (f"{CELL}/W_P_0", None, "W_P_0' to be in the file"),
        ("CNN_proj/b_proj", np.full(6, np.nan, "f4"), "6 that are NaN or infinite"),
        ("CNN_proj/b_proj", np.full(6, np.inf, "f4"), "finite"),
        ("CNN_proj/b_proj", np.ones(6, "i4"), "of float32"),
        ("CNN_proj/b_proj", h5py.ExternalLink("x.hdf5", "/x"), "a link to elsewhere"),
        ("CNN_proj/b_proj", h5py.SoftLink("/char_embed"), "a link to elsewhere"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(folder, name, array, message):
    change(folder, name, array)
    with pytest.raises(FormatError, match=message):
        read(folder)


def test_nothing_is_taken_into_memory_before_all_shapes_are_right(folder, monkeypatch):
    change(folder, f"{CELL}/B", np.ones(35, "f4"))
    monkeypatch.setattr(h5py.Dataset, "__getitem__", None)
    with pytest.raises(FormatError, match=r"of shape \(36,\)"):
        read(folder)


def test_a_dataset_larger_than_its_file_is_refused(folder):
    set_option(folder, "lstm", dim=1 << 20)
    with h5py.File(folder / "weights.hdf5", "r+") as file:
        del file[f"{CELL}/W_0"]
        file.create_dataset(
            f"{CELL}/W_0", (12, 4 << 20), "f4", chunks=(1, 1 << 20), compression="gzip"
        )
        for direction, layer, part in (
            (d, k, part) for d in range(2) for k in range(2) for part in ("B", "W_P_0")
        ):
            cell = f"RNN_{direction}/RNN/MultiRNNCell/Cell{layer}/LSTMCell"
            del file[f"{cell}/{part}"]
            shape = (4 << 20,) if part == "B" else (1 << 20, 6)
            file.create_dataset(f"{cell}/{part}", shape, "f4", chunks=True)
            if part == "B" and cell != CELL:
                del file[f"{cell}/W_0"]
                file.create_dataset(f"{cell}/W_0", (12, 4 << 20), "f4", chunks=True)
    with pytest.raises(FormatError, match="no larger than the file can hold"):
        read(folder)


@pytest.mark.parametrize(
    ("part", "values", "message"),
    [
        ("lstm", {"dim": "9"}, "lstm.dim to be a whole number"),
        ("lstm", {"dim": True}, "lstm.dim"),
        ("lstm", {"n_layers": 65}, "from 1 to 64"),
        ("lstm", {"cell_clip": -1}, "not negative"),
        ("lstm", {"use_skip_connections": 1}, "true or false"),
        ("lstm", {"n_layers": 3}, "Cell2"),
        ("char_cnn", {"activation": "gelu"}, "one of"),
        ("char_cnn", {"filters": []}, "a list of pairs"),
        ("char_cnn", {"filters": [[51, 2]]}, "up to 50 characters"),
        ("char_cnn", {"max_characters_per_token": 2}, "from 3"),
    ],
)
def test_options_that_are_wrong_are_refused(folder, part, values, message):
    set_option(folder, part, **values)
    with pytest.raises(FormatError, match=message):
        read(folder)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"lstm": []}', "[" * 100_000])
def test_options_that_are_no_object_are_refused(folder, content):
    (folder / "options.json").write_text(content)
    with pytest.raises(FormatError, match=r"options\.json"):
        read(folder)


@given(data=st.data())
def test_files_cut_off_or_changed_anywhere_are_refused_or_read(damaged, data):
    folder, contents, _, _ = damaged
    name = data.draw(st.sampled_from(sorted(contents)))
    (folder / name).write_bytes(harmed(contents[name], data))
    try:
        check_read(folder)
    finally:
        (folder / name).write_bytes(contents[name])


@given(data=st.data())
def test_zips_cut_off_or_changed_anywhere_are_refused_or_read(damaged, data):
    _, _, path, content = damaged
    path.write_bytes(harmed(content, data))
    check_read(path)


def harmed(content, data):
    place = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        return content[:place]
    byte = data.draw(st.integers(0, 255))
    return content[:place] + bytes([byte]) + content[place + 1 :]


def check_read(weights):
    """Read a model that is whole in form, or raise the one error that says why not."""
    try:
        model = read(weights)
    except FormatError:
        return
    shapes = array_shapes(model.options, len(model.words or ()))
    for name, array in model.arrays.items():
        assert array.shape == shapes[name]
        assert np.isfinite(array).all()


def test_a_zip_is_the_same_model(folder, tmp_path):
    expected = read(folder)
    for prefix in ("", "136/"):
        found = read(zip_folder(folder, tmp_path / "model.zip", prefix))
        assert found.options == expected.options
        for name, array in expected.arrays.items():
            assert_array_equal(found.arrays[name], array)


@pytest.mark.parametrize("name", ["../evil.hdf5", "/etc/evil", "a/../../b", "c:\\d"])
def test_members_outside_of_their_folder_are_refused(folder, tmp_path, name):
    path = zip_folder(folder, tmp_path / "model.zip")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, b"x")
    with pytest.raises(FormatError, match="members within the folder"):
        read(path)


def test_a_member_that_would_fill_the_memory_is_refused(folder, tmp_path):
    path = tmp_path / "model.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(folder / "options.json", "options.json")
        archive.writestr("weights.hdf5", bytes(1 << 26))
    with pytest.raises(FormatError, match="what numbers can be packed into"):
        read(path)


@pytest.mark.parametrize(
    ("weights", "error", "message"),
    [
        ("nowhere", FileNotFoundError, "no file or folder"),
        (("a", "b", "c"), ValueError, "must be a pair"),
        (7, TypeError, "the path of a folder or a zip"),
    ],
)
def test_what_names_no_model_is_refused(weights, error, message):
    with pytest.raises(error, match=message):
        find_elmo(weights)


def test_a_folder_must_hold_one_model(folder):
    (folder / "other.hdf5").write_bytes(b"")
    find_elmo(folder)
    (folder / "more_weights.hdf5").write_bytes(b"")
    with pytest.raises(FormatError, match="pass the pair"):
        find_elmo(folder)
    (folder / "options.json").unlink()
    with pytest.raises(FormatError, match=r"a file \*options\.json"):
        find_elmo(folder)


def test_a_model_of_words_needs_their_list(tmp_path):
    folder = save_elmo(tmp_path / "model", variant="words")
    (folder / "vocab.txt").write_text("the\nthe\n")
    with pytest.raises(FormatError, match="distinct words"):
        read(folder)
    (folder / "vocab.txt").write_text("the\n")
    with pytest.raises(FormatError, match=r"shape \(1, 6\)"):
        read(folder)
    (folder / "vocab.txt").unlink()
    with pytest.raises(FormatError, match="reads words and not characters"):
        read(folder)
