"""The encoder of CoVe: weights of a bidirectional LSTM, in torch's or in our format.

The published file is the state dict of an ``nn.LSTM`` of 2 layers of 300 cells per
direction; its arrays keep these names and shapes here, whatever file they are in.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from skembed.formats._errors import FormatError
from skembed.formats._safetensors import TensorFile, write_tensors

Float32Array = npt.NDArray[np.float32]
Shape = tuple[int, ...]

_METADATA = {"format": "skembed.lstm_encoder", "version": "1"}
_FIRST = "weight_ih_l0"


class LstmSizes(NamedTuple):
    """How large a bidirectional LSTM is.

    Parameters
    ----------
    input_size : int
        Length of the vectors that it reads.
    hidden_size : int
        Cells per direction.
    n_layers : int

    Examples
    --------
    The published encoder has 16 arrays:

    >>> shapes = LstmSizes(input_size=300, hidden_size=300, n_layers=2).shapes()
    >>> len(shapes), shapes["weight_ih_l1_reverse"]
    (16, (1200, 600))
    """

    input_size: int
    hidden_size: int
    n_layers: int

    def shapes(self) -> dict[str, Shape]:
        """Return the arrays' names and shapes, in the order of ``nn.LSTM``."""
        n_gates = 4 * self.hidden_size
        shapes: dict[str, Shape] = {}
        for layer in range(self.n_layers):
            n_inputs = 2 * self.hidden_size if layer else self.input_size
            for suffix in (f"l{layer}", f"l{layer}_reverse"):
                shapes[f"weight_ih_{suffix}"] = (n_gates, n_inputs)
                shapes[f"weight_hh_{suffix}"] = (n_gates, self.hidden_size)
                shapes[f"bias_ih_{suffix}"] = (n_gates,)
                shapes[f"bias_hh_{suffix}"] = (n_gates,)
        return shapes


def read_lstm_encoder(path: str | os.PathLike[str]) -> dict[str, Float32Array]:
    """Read the weights of a bidirectional LSTM.

    Parameters
    ----------
    path : str or path-like
        What `write_lstm_encoder` wrote, or torch's state dict, published or own. The
        names in it may begin with a prefix, such as ``rnn.``; what has another prefix,
        such as a table of word vectors, is passed over. Code is never run.

    Returns
    -------
    weights : dict of str to ndarray, float32
        With the names of ``nn.LSTM``, in its order.

    Raises
    ------
    FormatError
        If the file is damaged, an array is missing, of a shape that does not fit the
        others, or not finite.
    """
    if Path(path).suffix.lower() == ".safetensors":
        return _read_native(path)
    # Here, as it loads torch.
    from skembed.formats._torch import read_state_dict

    tensors = read_state_dict(path)
    prefix = _prefix(path, tensors)
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    sizes = _sizes(path, {name: found[prefix + name] for name in _own(found, prefix)})
    weights = {
        name: np.array(tensors[prefix + name].detach().float().numpy())
        for name in sizes.shapes()
    }
    _expect_finite(path, weights)
    return weights


def write_lstm_encoder(
    path: str | os.PathLike[str], weights: Mapping[str, Float32Array]
) -> None:
    """Write the weights of a bidirectional LSTM.

    Parameters
    ----------
    path : str or path-like
        Ends in ``.safetensors``, or in ``.pth`` or ``.pt`` for torch's state dict under
        the published names. An earlier file is replaced when the new one is complete.
    weights : mapping of str to ndarray, float32
        With the names of ``nn.LSTM``.

    Raises
    ------
    FormatError
        If the weights do not fit together, or are not finite.
    ValueError
        If the path ends otherwise.
    """
    shapes = {name: np.shape(array) for name, array in weights.items()}
    sizes = _sizes(path, shapes)
    ordered = {
        name: np.ascontiguousarray(weights[name], dtype=np.float32)
        for name in sizes.shapes()
    }
    _expect_finite(path, ordered)
    suffix = Path(path).suffix.lower()
    if suffix == ".safetensors":
        write_tensors(path, ordered, _METADATA)
    elif suffix in (".pth", ".pt"):
        from skembed.formats._torch import write_state_dict

        write_state_dict(path, ordered)
    else:
        msg = f"path must end in .safetensors, .pth or .pt, got {os.fspath(path)!r}."
        raise ValueError(msg)


def lstm_sizes(weights: Mapping[str, npt.NDArray[Any]]) -> LstmSizes:
    """Return the sizes of an LSTM from its weights, all of which are known to fit.

    Examples
    --------
    >>> shapes = LstmSizes(3, 2, 1).shapes()
    >>> lstm_sizes({name: np.zeros(shape) for name, shape in shapes.items()})
    LstmSizes(input_size=3, hidden_size=2, n_layers=1)
    """
    n_gates, input_size = weights[_FIRST].shape
    n_layers = sum(f"weight_ih_l{k}" in weights for k in range(len(weights)))
    return LstmSizes(input_size, n_gates // 4, n_layers)


def _read_native(path: str | os.PathLike[str]) -> dict[str, Float32Array]:
    file = TensorFile(path)
    for key, value in _METADATA.items():
        if file.metadata.get(key) != value:
            found = repr(file.metadata.get(key))
            raise FormatError(path, expected=f"the {key} {value!r}", found=found)
    sizes = _sizes(path, file.shapes)
    weights = {
        name: file.read(name, "F32", len(shape))
        for name, shape in sizes.shapes().items()
    }
    _expect_finite(path, weights)
    return weights


def _prefix(path: str | os.PathLike[str], names: Iterable[str]) -> str:
    """Return what stands before the names of the LSTM's arrays."""
    names = list(names)
    prefixes = [
        name.removesuffix(_FIRST)
        for name in names
        if name == _FIRST or name.endswith(f".{_FIRST}")
    ]
    if len(prefixes) == 1:
        return prefixes[0]
    found = f"{len(prefixes)} of them among {sorted(names)[:4]} ..."
    expected = f"one array {_FIRST!r}, with any prefix such as 'rnn.'"
    raise FormatError(path, expected=expected, found=found)


def _own(names: Iterable[str], prefix: str) -> list[str]:
    """Return the names behind a prefix; without one, those that are not in a module."""
    rest = [name.removeprefix(prefix) for name in names if name.startswith(prefix)]
    return [name for name in rest if "." not in name]


def _sizes(path: str | os.PathLike[str], shapes: Mapping[str, Shape]) -> LstmSizes:
    """Return the sizes of an LSTM, of which all arrays must be there and fit."""
    first = shapes.get(_FIRST, ())
    if len(first) != 2 or 0 in first or first[0] % 4:
        expected = f"{_FIRST!r} of shape (4 * hidden_size, input_size)"
        found = f"shape {first}" if _FIRST in shapes else f"only {sorted(shapes)[:4]}"
        raise FormatError(path, expected=expected, found=found)
    n_layers = 1
    while f"weight_ih_l{n_layers}" in shapes:
        n_layers += 1
    sizes = LstmSizes(first[1], first[0] // 4, n_layers)
    wanted = sizes.shapes()
    for name, shape in wanted.items():
        if shapes.get(name) != shape:
            found = f"shape {shapes[name]}" if name in shapes else "none"
            expected = f"{name!r} of shape {shape}, as {_FIRST!r} is {first}"
            raise FormatError(path, expected=expected, found=found)
    # Projections, or biases of another kind, would change what the network does.
    unknown = sorted(set(shapes) - set(wanted))
    if unknown:
        expected = f"the {len(wanted)} arrays of a bidirectional LSTM alone"
        found = f"also {unknown[:4]}"
        raise FormatError(path, expected=expected, found=found)
    return sizes


def _expect_finite(
    path: str | os.PathLike[str], weights: Mapping[str, Float32Array]
) -> None:
    for name, array in weights.items():
        n_bad = int((~np.isfinite(array)).sum())
        if n_bad:
            found = f"{n_bad} that are NaN or infinite"
            expected = f"finite numbers in {name!r}"
            raise FormatError(path, expected=expected, found=found)
