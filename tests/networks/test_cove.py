"""CoVe's encoder gives each text what it gives it alone."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from torch import nn

from skembed._ragged import Ragged
from skembed.networks.cove import _lstm
from skembed.networks.cove._lstm import BidirectionalLstm
from skembed.networks.cove._reader import CoVeReader
from tests.reference import lstm as reference

SIZES = {"input": 5, "hidden": 3, "layers": 2}
# More than one stretch, two of one length, and in no order.
LENGTHS = [3, 1, 150, 64, 3, 65, 2]


@pytest.fixture(scope="module")
def lstm():
    torch.manual_seed(0)
    module = nn.LSTM(SIZES["input"], SIZES["hidden"], num_layers=2, bidirectional=True)
    with torch.no_grad():
        for tensor in module.parameters():
            # Larger than they are drawn, so that no gate is nearly linear.
            tensor.mul_(2.0)
    return module.eval()


@pytest.fixture
def weights(lstm):
    return {name: tensor.numpy() for name, tensor in lstm.state_dict().items()}


@pytest.fixture
def table(rng):
    return rng.normal(size=(40, SIZES["input"])).astype(np.float32)


@pytest.fixture
def ids(rng):
    return Ragged.from_lengths(rng.integers(40, size=sum(LENGTHS)), LENGTHS)


def layers_of(network, ids, last=2):
    found = {}
    network.run(ids, last, lambda k, states: found.update({k: states.clone()}))
    assert list(found) == list(range(last + 1))
    return [states.float().cpu().numpy() for states in found.values()]


def cove(table, weights, dtype=torch.float32):
    lstm = BidirectionalLstm(weights, torch.device("cpu"), dtype)
    # Words are the names of rows here.
    words = [str(row) for row in range(len(table))]
    return CoVeReader(lstm, words, lambda names: table[[int(name) for name in names]])


def test_layers_follow_the_equations(table, weights, ids):
    found = layers_of(cove(table, weights), ids)
    for i in range(len(ids)):
        place = slice(ids.offsets[i], ids.offsets[i + 1])
        expected = reference.layers(table[ids[i]], weights, n_layers=2)
        for layer, truth in zip(found, expected, strict=True):
            assert_allclose(layer[place], truth, rtol=1e-5, atol=1e-6)


def test_layers_are_those_of_torch_one_text_at_a_time(table, weights, ids, lstm):
    top = layers_of(cove(table, weights), ids)[2]
    with torch.inference_mode():
        texts = [torch.from_numpy(table[ids[i]]) for i in range(len(ids))]
        expected = torch.cat([lstm(text)[0] for text in texts])
    assert_allclose(top, expected, rtol=1e-5, atol=1e-6)


def test_the_length_of_stretches_changes_nothing(table, weights, ids, monkeypatch):
    expected = layers_of(cove(table, weights), ids)
    monkeypatch.setattr(_lstm, "_STRETCH", 7)
    for layer, truth in zip(
        layers_of(cove(table, weights), ids), expected, strict=True
    ):
        assert_allclose(layer, truth, rtol=1e-5, atol=1e-6)


def test_widths_are_those_of_the_layers(table, weights, ids):
    network = cove(table, weights)
    assert network.widths == (5, 6, 6)
    assert network.widths == tuple(x.shape[1] for x in layers_of(network, ids))


@pytest.mark.parametrize("last", [0, 1])
def test_layers_above_the_last_are_not_computed(last, table, weights, ids):
    network = cove(table, weights)
    expected = layers_of(network, ids)
    # Whatever it would do with them raises.
    del network._lstm._layers[last:]
    for layer, truth in zip(layers_of(network, ids, last), expected, strict=False):
        assert_array_equal(layer, truth)


def test_bfloat16_is_near_and_leaves_the_vectors_alone(table, weights, ids):
    found = layers_of(cove(table, weights, torch.bfloat16), ids)
    expected = layers_of(cove(table, weights), ids)
    assert_array_equal(found[0], table[ids.values])
    for layer, truth in zip(found[1:], expected[1:], strict=True):
        assert 0 < np.abs(layer - truth).max() < 0.05


def test_weights_are_not_changed_and_may_be_read_only(table, weights, ids):
    for array in weights.values():
        array.flags.writeable = False
    layers_of(cove(table, weights), ids)
