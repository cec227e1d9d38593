"""Linear layers by oneDNN."""

import pytest
import torch
from torch import nn
from transformers.pytorch_utils import Conv1D

from skembed.networks import _onednn
from skembed.networks._onednn import PackedLinear, product_and_sum
from skembed.networks.huggingface._linear import OneDnnLinear, speed_up_linear


class Doubled(nn.Linear):
    """A layer that is no plain one."""

    def forward(self, states):
        return 2 * super().forward(states)


class Model(nn.Module):
    device, dtype = torch.device("cpu"), torch.float32

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(8, 24)
        self.middle = nn.ModuleList([nn.Linear(24, 24, bias=False), nn.Tanh()])
        self.conv = Conv1D(16, 24)
        self.norm = nn.LayerNorm(16)
        self.last = Doubled(16, 4)

    def forward(self, states):
        states = self.middle[1](self.middle[0](self.first(states)))
        return self.last(self.norm(self.conv(states)))


@pytest.fixture
def model():
    return Model().requires_grad_(False).eval()  # noqa: FBT003


def test_a_model_gives_what_it_gave(model):
    states = torch.randn(3, 7, 8)
    with torch.inference_mode():
        expected = model(states)
        assert speed_up_linear(model) is model
        torch.testing.assert_close(model(states), expected, rtol=1e-5, atol=1e-5)
        assert model(states[:, :0]).shape == (3, 0, 4)


def test_plain_layers_alone_are_replaced_and_keep_their_weights(model):
    weights = [model.first.weight, model.middle[0].weight, model.conv.weight]
    speed_up_linear(model)
    layers = [model.first, model.middle[0], model.conv]
    assert all(type(layer) is OneDnnLinear for layer in layers)
    assert type(model.last) is Doubled
    for layer, weight in zip(layers, weights, strict=True):
        assert layer.weight.data_ptr() == weight.data_ptr()


@pytest.mark.parametrize(
    ("activation", "algorithm", "function"),
    [
        ("none", "none", lambda states: states),
        ("relu", "none", torch.relu),
        ("gelu", "none", nn.functional.gelu),
        ("gelu", "tanh", lambda s: nn.functional.gelu(s, approximate="tanh")),
    ],
)
def test_the_activation_comes_after_the_product(activation, algorithm, function):
    states, weight, bias = torch.randn(5, 8), torch.randn(6, 8), torch.randn(6)
    layer = OneDnnLinear(weight, bias, activation, algorithm)
    expected = function(states @ weight.T + bias)
    with torch.inference_mode():
        torch.testing.assert_close(layer(states), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("device", "dtype"), [("cpu", torch.float16), ("cuda", torch.float32)]
)
def test_nothing_is_replaced_where_nothing_would_be_faster(model, device, dtype):
    model.device, model.dtype = torch.device(device), dtype
    assert speed_up_linear(model) is None
    assert type(model.first) is nn.Linear


@pytest.fixture
def forgotten():
    """Have it looked at anew what works here."""
    _onednn.works.cache_clear()
    yield
    _onednn.works.cache_clear()


@pytest.mark.usefixtures("forgotten")
@pytest.mark.parametrize("error", [AttributeError, RuntimeError, TypeError])
def test_a_torch_without_the_product_is_left_alone(model, monkeypatch, error):
    def missing(*_):
        raise error

    monkeypatch.setattr(_onednn, "product_and_sum", missing)
    assert speed_up_linear(model) is None


@pytest.mark.usefixtures("forgotten")
def test_a_product_that_is_wrong_is_not_used(model, monkeypatch):
    product = _onednn.product_and_sum
    monkeypatch.setattr(_onednn, "product_and_sum", lambda *args: product(*args) + 0.01)
    assert speed_up_linear(model) is None


@pytest.mark.usefixtures("forgotten")
def test_a_torch_that_is_built_without_onednn_is_left_alone(model, monkeypatch):
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    monkeypatch.setattr(torch, "ops", object())
    assert speed_up_linear(model) is None


@pytest.mark.usefixtures("forgotten")
def test_bfloat16_is_sped_up_where_the_processor_has_it(model, monkeypatch):
    model = model.to(torch.bfloat16)
    model.dtype = torch.bfloat16
    states = torch.randn(3, 7, 8, dtype=torch.bfloat16)
    with torch.inference_mode():
        expected = model(states)
        has_it = torch.ops.mkldnn._is_mkldnn_bf16_supported()
        assert (speed_up_linear(model) is model) == has_it
        torch.testing.assert_close(model(states), expected, rtol=0.1, atol=0.1)


@pytest.mark.parametrize("shape", [(5, 8), (2, 5, 8), (0, 8)])
def test_the_sum_comes_after_the_product(shape):
    states, weight, bias = torch.randn(shape), torch.randn(6, 8), torch.randn(6)
    other = torch.randn(*shape[:-1], 6)
    before = other.clone()
    with torch.inference_mode():
        found = product_and_sum(states, other, weight, bias)
    torch.testing.assert_close(
        found, states @ weight.T + bias + other, rtol=1e-5, atol=1e-5
    )
    assert torch.equal(other, before)


@pytest.mark.usefixtures("forgotten")
@pytest.mark.parametrize("has_onednn", [True, False])
@pytest.mark.parametrize("bias", [None, torch.arange(6.0)])
def test_a_packed_layer_is_a_linear_layer(monkeypatch, has_onednn, bias):
    if not has_onednn:
        monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    states, weight, other = torch.randn(3, 8), torch.randn(6, 8), torch.randn(3, 6)
    linear = PackedLinear(weight, bias)
    assert linear._is_packed == has_onednn
    with torch.inference_mode():
        expected = states @ weight.T + (0 if bias is None else bias)
        torch.testing.assert_close(linear(states), expected, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(
            linear.plus(states, other), expected + other, rtol=1e-5, atol=1e-5
        )
