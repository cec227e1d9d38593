"""Weights of the network: drawn, taken from published arrays, and given back so."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from skembed.text import N_CHARACTERS
from skembed.training.bilm._config import BiLMArchitecture
from skembed.training.bilm._torch_network import (
    BiLM,
    CharacterEncoder,
    Lstm,
)

Float32Array = npt.NDArray[np.float32]


def empty_network(architecture: BiLMArchitecture) -> BiLM:
    """Make a network whose weights are to be filled in.

    Drawing some, as torch does, would take from the user's random numbers.
    """
    with torch.device("meta"):
        network = BiLM(architecture)
    return network.to_empty(device="cpu")


@torch.no_grad()
def draw_weights(network: BiLM, generator: torch.Generator) -> None:
    """Fill the network with random weights, as the original programme does.

    Parameters
    ----------
    network : BiLM
    generator : torch.Generator
    """
    encoder = network.encoder
    encoder.embedding.weight.uniform_(-1.0, 1.0, generator=generator)
    for linear in encoder.modules():
        if isinstance(linear, nn.Linear):
            std = linear.in_features**-0.5
            linear.weight.normal_(0.0, std, generator=generator)
            linear.bias.zero_()
    if network.architecture.activation == "relu":
        for filters in encoder.convolutions:
            filters.weight.uniform_(-0.05, 0.05, generator=generator)
    for highway in encoder.highways:
        # At first, the input passes as it is.
        highway.gate.bias.fill_(-2.0)
    for _, lstm in _named_lstms(network):
        _draw_lstm(lstm, generator)


def _draw_lstm(lstm: Lstm, generator: torch.Generator) -> None:
    n_rows, n_in = lstm.weight_ih_l0.shape
    n_out = lstm.weight_hh_l0.shape[1]
    # Glorot's bound, for the matrix that both are parts of.
    bound = (6.0 / (n_in + n_out + n_rows)) ** 0.5
    lstm.weight_ih_l0.uniform_(-bound, bound, generator=generator)
    lstm.weight_hh_l0.uniform_(-bound, bound, generator=generator)
    if lstm.proj_size:
        bound = (6.0 / sum(lstm.weight_hr_l0.shape)) ** 0.5
        lstm.weight_hr_l0.uniform_(-bound, bound, generator=generator)
    lstm.bias_hh_l0.zero_()
    lstm.bias_ih_l0.zero_()
    # The forget gate is open at first.
    lstm.bias_ih_l0[lstm.hidden_size : 2 * lstm.hidden_size] = 1.0


def to_arrays(network: BiLM) -> dict[str, Float32Array]:
    """Return the weights by their published names, in the published layout.

    Without a projection, an identity stands for it: readers that want one find it, and
    nothing changes for the others.

    Parameters
    ----------
    network : BiLM

    Returns
    -------
    arrays : dict of str to ndarray, float32
    """
    arrays = {
        name: parameter.detach().cpu().numpy().T.reshape(shape)
        for name, parameter, shape in _plain_parameters(network)
    }
    for name, lstm in _named_lstms(network):
        parameters = {
            key.removesuffix("_l0"): value.detach().cpu().numpy()
            for key, value in lstm.named_parameters()
        }
        weights = [parameters["weight_ih"], parameters["weight_hh"]]
        bias = parameters["bias_ih"] + parameters["bias_hh"]
        # Readers add it.
        bias[lstm.hidden_size : 2 * lstm.hidden_size] -= 1.0
        arrays[f"{name}/W_0"] = _swap_gates(np.concatenate(weights, axis=1)).T
        arrays[f"{name}/B"] = _swap_gates(bias)
        identity = np.eye(lstm.hidden_size, dtype=np.float32)
        arrays[f"{name}/W_P_0"] = parameters.get("weight_hr", identity).T
    return {
        # Copies, which training does not go on to change.
        name: np.array(array, dtype=np.float32, order="C")
        for name, array in arrays.items()
    }


@torch.no_grad()
def load_arrays(network: BiLM, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Fill the network with published weights.

    Parameters
    ----------
    network : BiLM
    arrays : mapping of str to ndarray
        Without a projection, ``W_P_0`` is not looked at.

    Raises
    ------
    ValueError
        If an array is missing, has another shape than the options say, or holds values
        that are not finite.
    """
    for name, parameter, shape in _plain_parameters(network):
        array = _take(arrays, name, shape)
        _fill(parameter, array.reshape(parameter.shape[::-1]).T)
    for name, lstm in _named_lstms(network):
        (n_rows, n_in), n_out = lstm.weight_ih_l0.shape, lstm.weight_hh_l0.shape[1]
        weights = _swap_gates(_take(arrays, f"{name}/W_0", (n_in + n_out, n_rows)).T)
        bias = _swap_gates(_take(arrays, f"{name}/B", (n_rows,)))
        bias[lstm.hidden_size : 2 * lstm.hidden_size] += 1.0
        _fill(lstm.weight_ih_l0, weights[:, :n_in])
        _fill(lstm.weight_hh_l0, weights[:, n_in:])
        _fill(lstm.bias_ih_l0, bias)
        lstm.bias_hh_l0.zero_()
        if lstm.proj_size:
            projection = _take(arrays, f"{name}/W_P_0", (lstm.hidden_size, n_out))
            _fill(lstm.weight_hr_l0, projection.T)


def _plain_parameters(
    network: BiLM,
) -> Iterator[tuple[str, torch.Tensor, tuple[int, ...]]]:
    """Name each parameter but those of the LSTMs, and say its shape in files.

    There, weights are transposed: rows are multiplied by them from the left.
    """
    encoder, sizes = network.encoder, network.architecture
    yield "char_embed", encoder.embedding.weight.T, (N_CHARACTERS, sizes.character_size)
    for i, filters in enumerate(encoder.convolutions):
        width, n = sizes.filters[i]
        yield f"CNN/W_cnn_{i}", filters.weight, (1, width, sizes.character_size, n)
        yield f"CNN/b_cnn_{i}", filters.bias, (n,)
    for name, weight_name, linear in _named_linear(encoder):
        shape = (linear.in_features, linear.out_features)
        yield f"{name}/W_{weight_name}", linear.weight, shape
        yield f"{name}/b_{weight_name}", linear.bias, shape[1:]


def _named_linear(encoder: CharacterEncoder) -> Iterator[tuple[str, str, nn.Linear]]:
    for i, highway in enumerate(encoder.highways):
        # The published "carry" is the gate of what is transformed.
        yield f"CNN_high_{i}", "transform", highway.transform
        yield f"CNN_high_{i}", "carry", highway.gate
    if isinstance(encoder.projection, nn.Linear):
        yield "CNN_proj", "proj", encoder.projection


def _named_lstms(network: BiLM) -> Iterator[tuple[str, Lstm]]:
    for d, direction in enumerate(network.directions):
        for i, layer in enumerate(direction.layers):
            yield f"RNN_{d}/RNN/MultiRNNCell/Cell{i}/LSTMCell", layer


def _swap_gates(rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Bring rows from torch's order of gates, i f g o, to the published i g f o."""
    i, f, g, o = np.split(rows, 4)
    return np.concatenate([i, g, f, o])


def _fill(parameter: torch.Tensor, array: npt.NDArray[Any]) -> None:
    parameter.copy_(torch.from_numpy(np.array(array, dtype=np.float32)))


def _take(
    arrays: Mapping[str, npt.NDArray[Any]], name: str, shape: tuple[int, ...]
) -> npt.NDArray[Any]:
    array = arrays.get(name)
    if array is None or array.shape != shape:
        found = "none" if array is None else f"one of shape {array.shape}"
        msg = (
            f"The options ask for an array {name!r} of shape {shape}, but there is "
            f"{found}. Are these the options of these weights?"
        )
        raise ValueError(msg)
    if not np.isfinite(array).all():
        msg = f"The array {name!r} to start from holds NaN or infinity."
        raise ValueError(msg)
    return np.asarray(array, dtype=np.float32)
