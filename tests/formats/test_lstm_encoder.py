"""The weights of CoVe's encoder: as torch writes them, as we do, and damaged."""

import pickle
import zipfile

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from torch import nn

from skembed.formats import (
    FormatError,
    LstmSizes,
    lstm_sizes,
    read_lstm_encoder,
    write_lstm_encoder,
)
from skembed.formats._safetensors import write_tensors

SUFFIXES = [".safetensors", ".pth"]


@pytest.fixture(scope="module")
def lstm():
    torch.manual_seed(0)
    return nn.LSTM(5, 3, num_layers=2, bidirectional=True)


@pytest.fixture
def state(lstm):
    return {name: tensor.clone() for name, tensor in lstm.state_dict().items()}


@pytest.fixture
def weights(state):
    return {name: tensor.numpy() for name, tensor in state.items()}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "encoder.pth"


def expect_same_weights(actual, expected):
    assert list(actual) == list(expected)
    for name, array in expected.items():
        assert actual[name].dtype == np.float32
        assert_array_equal(actual[name], array)


def test_the_published_encoder_has_the_published_shapes():
    published = nn.LSTM(300, 300, num_layers=2, bidirectional=True).state_dict()
    shapes = {name: tuple(tensor.shape) for name, tensor in published.items()}
    assert LstmSizes(300, 300, 2).shapes() == shapes


@pytest.mark.parametrize("prefix", ["", "rnn.", "rnn1.", "module.rnn."])
def test_names_may_have_a_prefix(prefix, state, weights, path):
    torch.save({prefix + name: tensor for name, tensor in state.items()}, path)
    expect_same_weights(read_lstm_encoder(path), weights)


def test_what_has_another_prefix_is_passed_over(state, weights, path):
    prefixed = {"rnn." + name: tensor for name, tensor in state.items()}
    torch.save({"vectors.weight": torch.zeros(7, 5), **prefixed}, path)
    expect_same_weights(read_lstm_encoder(path), weights)


def test_files_of_old_versions_of_torch_are_read(state, weights, path):
    torch.save(state, path, _use_new_zipfile_serialization=False)
    assert not zipfile.is_zipfile(path)
    expect_same_weights(read_lstm_encoder(path), weights)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_numbers_of_other_types_become_float32(dtype, state, path):
    torch.save({name: tensor.to(dtype) for name, tensor in state.items()}, path)
    expected = {name: x.to(dtype).float().numpy() for name, x in state.items()}
    expect_same_weights(read_lstm_encoder(path), expected)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_written_is_read_back(suffix, weights, tmp_path):
    path = tmp_path / f"encoder{suffix}"
    write_lstm_encoder(path, dict(reversed(weights.items())))
    expect_same_weights(read_lstm_encoder(path), weights)


def test_torch_loads_what_is_written(weights, lstm, path):
    write_lstm_encoder(path, weights)
    other = nn.LSTM(5, 3, num_layers=2, bidirectional=True)
    other.load_state_dict(torch.load(path, weights_only=True))
    x = torch.randn(4, 5)
    assert_array_equal(other(x)[0].detach(), lstm(x)[0].detach())


@pytest.mark.parametrize("sizes", [(5, 3, 2), (1, 1, 1), (4, 7, 3)])
def test_sizes_follow_from_the_arrays(sizes):
    shapes = LstmSizes(*sizes).shapes()
    assert lstm_sizes({name: np.zeros(shape) for name, shape in shapes.items()}) == (
        sizes
    )


CHANGES = {
    "missing": ("bias_hh_l1", lambda _: None, "'bias_hh_l1' of shape"),
    "misshapen": ("weight_ih_l1", lambda x: x[:, 1:], r"'weight_ih_l1' of .*\(12, 6\)"),
    "no gates": ("weight_ih_l0", lambda x: x[:-1], "4 \\* hidden_size"),
    "NaN": ("weight_hh_l0_reverse", lambda x: x * np.nan, "12|36 that are NaN"),
    "infinite": ("bias_ih_l0", lambda x: x / 0, "finite numbers in 'bias_ih_l0'"),
}


def changed(weights, change):
    name, alter, message = CHANGES[change]
    with np.errstate(all="ignore"):
        array = alter(weights[name])
    others = {key: value for key, value in weights.items() if key != name}
    if array is not None:
        others[name] = np.ascontiguousarray(array)
    return others, message


@pytest.mark.parametrize("change", CHANGES)
def test_weights_that_do_not_fit_are_refused_in_torch_files(change, weights, path):
    others, message = changed(weights, change)
    torch.save({name: torch.from_numpy(array) for name, array in others.items()}, path)
    with pytest.raises(FormatError, match=message) as error:
        read_lstm_encoder(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("change", CHANGES)
def test_weights_that_do_not_fit_are_refused_in_our_files(change, weights, tmp_path):
    others, message = changed(weights, change)
    path = tmp_path / "encoder.safetensors"
    metadata = {"format": "skembed.lstm_encoder", "version": "1"}
    write_tensors(path, others, metadata)
    with pytest.raises(FormatError, match=message):
        read_lstm_encoder(path)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("change", CHANGES)
def test_weights_that_do_not_fit_are_not_written(suffix, change, weights, tmp_path):
    others, message = changed(weights, change)
    path = tmp_path / f"encoder{suffix}"
    path.write_text("an earlier file")
    with pytest.raises(FormatError, match=message):
        write_lstm_encoder(path, others)
    assert path.read_text() == "an earlier file"


@pytest.mark.parametrize(
    "content",
    [
        {},
        [1, 2],
        {"weight_ih_l0": 3},
        {"weight": torch.ones(2, 2)},
        {"a.weight_ih_l0": torch.ones(4, 2), "b.weight_ih_l0": torch.ones(4, 2)},
    ],
)
def test_other_content_is_refused(content, path):
    torch.save(content, path)
    with pytest.raises(FormatError, match="expected"):
        read_lstm_encoder(path)


def test_an_lstm_with_projections_is_refused(path):
    projected = nn.LSTM(5, 3, num_layers=2, bidirectional=True, proj_size=2)
    torch.save(projected.state_dict(), path)
    with pytest.raises(FormatError, match="expected"):
        read_lstm_encoder(path)


class Harmful:
    def __reduce__(self):
        return exec, ("raise SystemExit('code of the file has run')",)


def test_code_in_a_file_is_not_run(path):
    for content in (pickle.dumps(Harmful()), b""):
        path.write_bytes(content)
        with pytest.raises(FormatError, match="a state dict of torch"):
            read_lstm_encoder(path)
    torch.save({"weight_ih_l0": Harmful()}, path)
    with pytest.raises(FormatError, match="a state dict of torch"):
        read_lstm_encoder(path)


def test_a_compressed_archive_is_refused(state, path, tmp_path):
    torch.save({**state, "weight_ih_l0": torch.zeros(12, 5000)}, tmp_path / "a")
    with zipfile.ZipFile(tmp_path / "a") as old, zipfile.ZipFile(path, "w") as new:
        for member in old.namelist():
            new.writestr(member, old.read(member), zipfile.ZIP_DEFLATED)
    with pytest.raises(FormatError, match="compressed"):
        read_lstm_encoder(path)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_file_cut_off_anywhere_is_refused(zipped, state, path):
    torch.save(state, path, _use_new_zipfile_serialization=zipped)
    content = path.read_bytes()
    for n_bytes in range(0, len(content), max(1, len(content) // 60)):
        path.write_bytes(content[:n_bytes])
        with pytest.raises(FormatError):
            read_lstm_encoder(path)


def test_a_changed_byte_is_seen_or_changes_nothing(rng, state, weights, path):
    torch.save(state, path)
    content = path.read_bytes()
    n_refused = 0
    for place in rng.integers(len(content), size=200):
        damaged = bytearray(content)
        damaged[place] ^= 0xFF
        path.write_bytes(damaged)
        try:
            found = read_lstm_encoder(path)
        except FormatError:
            n_refused += 1
        else:
            expect_same_weights(found, weights)
    assert n_refused > 0


def test_a_path_of_no_known_ending_is_not_written(weights, tmp_path):
    with pytest.raises(ValueError, match=r"must end in .*got .*encoder.h5"):
        write_lstm_encoder(tmp_path / "encoder.h5", weights)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing"):
        read_lstm_encoder(tmp_path / "nothing.pth")
