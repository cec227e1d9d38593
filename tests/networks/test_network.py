"""A transformer as a network: its layers, by whatever way it runs."""

import copy
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from transformers import AutoModel

from skembed._ragged import Ragged
from skembed.networks.huggingface import _network
from skembed.networks.huggingface._attention import NAME
from skembed.networks.huggingface._blocks import find_blocks
from skembed.networks.huggingface._load import load_model
from skembed.networks.huggingface._network import HuggingFaceNetwork
from skembed.networks.huggingface._pair import adopt
from skembed.networks.huggingface._source import find_model
from tests.reference.states import layer_states
from tests.tiny_models import FAMILIES

# Attention by relative positions is not spelled out without padding.
PADDED = {"mpnet", "deberta", "deberta-v2", "deberta-v3"}
WAYS = {name: (packed, make) for name, packed, make in _network._WAYS}


@pytest.fixture(scope="module")
def load(tiny_model):
    """Return the model of a family, loaded once."""
    models = {}

    def load_once(family):
        if family not in models:
            model = AutoModel.from_pretrained(tiny_model(family), dtype=torch.float32)
            models[family] = model.eval().requires_grad_(False)  # noqa: FBT003
        return models[family]

    return load_once


@pytest.fixture
def windows(rng):
    """Windows of many lengths, and several of one; longer than those of attention."""
    lengths = [64, 40, 40, 40, 17, 9, 2, 2, 1]
    ids = rng.integers(10, 500, sum(lengths)).astype(np.int32)
    return Ragged.from_lengths(ids, lengths)


def run(network, windows, last):
    """Return the layers that are shown, in the order in which they are."""
    layers = []

    def visit(layer, states):
        assert layer == len(layers)
        layers.append(states.float().numpy(force=True).copy())

    network.run(windows, last, visit)
    return layers


def assert_states(layers, model, windows, tolerance=1e-5):
    expected = [layer_states(model, ids) for ids in windows]
    for layer, states in enumerate(layers):
        truth = np.concatenate([window[layer] for window in expected])
        assert states.shape == truth.shape
        assert np.abs(states - truth).max() <= tolerance * np.abs(truth).max()


@pytest.mark.parametrize("family", FAMILIES)
def test_each_family_runs_by_its_fastest_way(load, family):
    network = HuggingFaceNetwork(load(family))
    kind = "padded" if family in PADDED else "ragged"
    assert network.way == f"{kind}, packed"
    assert network.pads == (kind == "padded")
    assert network.widths == (32, 32, 32, 32)
    assert (network.device.type, network.dtype) == ("cpu", torch.float32)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("family", FAMILIES)
def test_every_way_gives_the_layers_of_transformers(
    load, windows, monkeypatch, family, way
):
    monkeypatch.setattr(_network, "_WAYS", ((way, *WAYS[way]),))
    if family in PADDED and way.startswith("ragged"):
        with pytest.raises(ValueError, match=r"gives no layer states that do not depe"):
            HuggingFaceNetwork(load(family))
        return
    network = HuggingFaceNetwork(load(family))
    assert network.way == way
    layers = run(network, windows, last=3)
    assert len(layers) == 4
    assert_states(layers, load(family), windows)


@pytest.mark.parametrize("last", [0, 1, 3])
@pytest.mark.parametrize("family", FAMILIES)
def test_no_block_runs_above_the_layer_that_is_wanted(
    load, windows, monkeypatch, family, last
):
    network = HuggingFaceNetwork(load(family))
    kind = type(find_blocks(load(family))[0])
    calls, forward = [], kind.forward

    def counted(self, *args, **kwargs):
        calls.append(self)
        return forward(self, *args, **kwargs)

    monkeypatch.setattr(kind, "forward", counted)
    assert len(run(network, windows, last)) == last + 1
    assert len(calls) == last
    # Ending a run early leaves nothing behind.
    assert len(run(network, windows, last=3)) == 4


@pytest.mark.parametrize("family", ["bert", "gpt2", "mpnet"])
def test_the_given_model_stays_as_it_is(load, windows, family):
    model = load(family)
    before = copy.deepcopy(model.state_dict())
    config = copy.deepcopy(model.config)
    places = [p.data_ptr() for p in model.parameters()]
    run(HuggingFaceNetwork(model), windows, last=3)
    assert places == [p.data_ptr() for p in model.parameters()]
    for name, weight in model.state_dict().items():
        assert torch.equal(weight, before[name])
    assert model.config.to_dict() == config.to_dict()
    assert model.config._attn_implementation != NAME
    assert not any(module._forward_pre_hooks for module in model.modules())


def test_weights_are_not_copied(load):
    model = load("bert")
    twin = _network._with_shared_weights(model)
    places = {p.data_ptr() for p in model.parameters()}
    assert places == {p.data_ptr() for p in twin.parameters()}


@pytest.mark.parametrize("family", ["bert", "mpnet"])
def test_threads_may_run_one_network(load, rng, family):
    network = HuggingFaceNetwork(load(family))
    texts = [
        Ragged.from_lengths(rng.integers(10, 500, 60).astype(np.int32), [40, 20])
        for _ in range(6)
    ]
    lasts = [3, 1, 2, 3, 0, 2]
    alone = [run(network, ids, last) for ids, last in zip(texts, lasts, strict=True)]
    together = threading.Barrier(6)

    def run_many(ids, last):
        together.wait()
        return [run(network, ids, last) for _ in range(5)]

    with ThreadPoolExecutor(6) as executor:
        for layers, runs in zip(
            alone, executor.map(run_many, texts, lasts), strict=True
        ):
            for again in runs:
                assert_array_equal(again, layers)


def test_an_interrupted_run_leaves_the_network_usable(load, windows):
    network = HuggingFaceNetwork(load("bert"))

    def interrupted(layer, states):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        network.run(windows, 3, interrupted)
    assert_states(run(network, windows, last=3), load("bert"), windows)


@pytest.mark.parametrize("family", FAMILIES)
def test_half_precision_is_close_however_it_is_had(load, tiny_model, windows, family):
    folder = find_model(tiny_model(family))
    converted = adopt(load(family), dtype=torch.bfloat16)
    stored = load_model(folder, dtype=torch.bfloat16)
    networks = [HuggingFaceNetwork(model) for model in (converted, stored)]
    # Whether products are packed is for the processor to say.
    assert networks[0].way.startswith("padded" if family in PADDED else "ragged")
    one, other = (run(network, windows, last=3) for network in networks)
    assert_array_equal(one, other)
    # 8 bits: the errors of some states add up over the layers.
    assert_states(one, load(family), windows, tolerance=0.2)


def test_a_model_that_does_not_run_in_half_precision_is_told(load):
    model = copy.deepcopy(load("bert")).to(torch.bfloat16)
    model.encoder.layer[1].attention.self.query.float()
    with pytest.raises(ValueError, match=r"^BertModel does not run .* dtype='float32'"):
        HuggingFaceNetwork(model)


def test_unknown_structure_runs_as_transformers_does(load, windows, monkeypatch):
    monkeypatch.setattr(_network, "find_blocks", lambda _: None)
    network = HuggingFaceNetwork(load("bert"))
    assert network.way == "plain"
    layers = run(network, windows, last=1)
    assert len(layers) == 2
    assert_states(layers, load("bert"), windows)


def test_a_way_that_gives_something_else_is_not_taken(load, windows, monkeypatch):
    def wrong(factor):
        def make(model):
            way = _network._plain(model)
            return lambda ids, last, visit: way(
                ids, last, lambda layer, s: visit(layer, factor * s)
            )

        return make

    def failing(model):
        raise RuntimeError

    ways = [(f"{f}", False, wrong(f)) for f in (1.001, float("nan"), 1 + 1e-6)]
    monkeypatch.setattr(_network, "_WAYS", (("failing", False, failing), *ways))
    assert HuggingFaceNetwork(load("bert")).way == str(1 + 1e-6)


def test_a_model_whose_texts_mix_is_refused_with_the_reasons(load):
    model = copy.deepcopy(load("bert"))
    model.embeddings.register_forward_hook(lambda *args: args[-1] + args[-1].mean())
    with pytest.raises(
        ValueError, match=r"^BertModel gives no layer .*plain: other states"
    ):
        HuggingFaceNetwork(model)


def test_a_model_without_layer_states_is_refused(load, monkeypatch):
    model = copy.deepcopy(load("bert"))
    model.register_forward_hook(lambda *args: args[-1].__class__(args[-1][:1]))
    with pytest.raises(ValueError, match=r"^BertModel returns no hidden_states"):
        HuggingFaceNetwork(model)


@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_a_decoder_looks_back_only(load, windows, family):
    network = HuggingFaceNetwork(load(family))
    ids = windows[0]
    changed = np.concatenate([ids[:40], ids[40:][::-1]])
    one, other = (
        run(network, Ragged.from_lengths(row, [len(row)]), last=3)[3]
        for row in (ids, changed)
    )
    np.testing.assert_allclose(one[:40], other[:40], atol=1e-5)
    assert np.abs(one[40:] - other[40:]).max() > 0.1
