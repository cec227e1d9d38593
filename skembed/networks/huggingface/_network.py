"""A transformer as a network: ragged batches in, layer after layer out.

The fastest way to run a model that gives what the model itself gives is chosen by
trying: a few made-up texts go through each way, fastest first, and through the model as
transformers runs it, one text at a time and without padding.
"""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from skembed._ragged import Ragged
from skembed.networks._network import Visit
from skembed.networks.huggingface._attention import NAME, groups_of
from skembed.networks.huggingface._blocks import (
    LayerReached,
    find_blocks,
    shown,
    watch,
)
from skembed.networks.huggingface._fused import fuse
from skembed.networks.huggingface._linear import speed_up_linear

# Lengths of the texts that ways are tried on: two of one length, in one group.
_TRIED = (5, 5, 9, 2)
# Largest deviation of a way, relative to the largest state of the layer.
_TOLERANCE = {torch.float32: 2e-5, torch.float64: 1e-10}
_ROUGH_TOLERANCE = 0.05


class HuggingFaceNetwork:
    """The layers of a transformer; see `skembed.networks.Network` for what it does.

    Parameters
    ----------
    model : transformers.PreTrainedModel
        In evaluation mode, without a head. It is not changed, its weights are shared.

    Attributes
    ----------
    way : str
        How it runs: "ragged" without padding, "padded" with it, "plain" through all
        layers, which transformers gathers; "packed" where oneDNN's matrix products are
        used.
    pads : bool
        Whether short windows cost as much as the longest one they run with.
    is_shareable : bool
        Whether several threads may run it at a time.
    """

    def __init__(self, model: Any) -> None:
        self.device, self.dtype = model.device, model.dtype
        ids = _made_up_texts(model.config.get_text_config())
        expected = _expected_states(model, ids)
        self.widths = tuple(states.shape[1] for states in expected)
        self.way, self._run = _choose_way(model, ids, expected)
        self.pads = not self.way.startswith("ragged")
        self.is_shareable = not self.pads and not _changes_in_runs(model)

    def run(self, ids: Ragged, last: int, visit: Visit) -> None:
        """Show the states of layers 0 to `last`, one layer at a time.

        Parameters
        ----------
        ids : Ragged of int32
        last : int
        visit : callable
        """
        with torch.inference_mode():
            self._run(ids, last, visit)


Way = Callable[[Ragged, int, Visit], None]


def _choose_way(
    model: Any, ids: Ragged, expected: list[torch.Tensor]
) -> tuple[str, Way]:
    """Return the first way that gives what is expected, and its name."""
    reasons = []
    for name, packed, make in _WAYS:
        try:
            changeable = _with_shared_weights(model)
            if packed:
                changeable = _sped_up(changeable)
            way = None if changeable is None else make(changeable)
            if way is not None and _gives(way, ids, expected):
                return name, way
            reasons.append(f"{name}: " + ("other states" if way else "not possible"))
        # A way may fail in any manner: models differ, and so do versions of libraries.
        except Exception as error:  # noqa: BLE001
            reasons.append(f"{name}: {type(error).__name__}: {error}")
    msg = (
        f"{type(model).__name__} gives no layer states that do not depend on the batch "
        f"({'; '.join(reasons)}). Choose another model."
    )
    raise ValueError(msg)


def _sped_up(model: Any) -> Any | None:
    """Use oneDNN's matrix products, and do what follows along with them."""
    faster = speed_up_linear(model)
    if faster is not None:
        fuse(faster)
    return faster


def _gives(way: Way, ids: Ragged, expected: list[torch.Tensor]) -> bool:
    """Whether a way shows all the expected layers, and them in their order."""
    shown_layers: list[torch.Tensor] = []

    def visit(layer: int, states: torch.Tensor) -> None:
        if layer == len(shown_layers):
            shown_layers.append(states.clone())

    with torch.inference_mode():
        way(ids, len(expected) - 1, visit)
    return len(shown_layers) == len(expected) and all(
        _is_close(states, truth)
        for states, truth in zip(shown_layers, expected, strict=True)
    )


def _is_close(states: torch.Tensor, truth: torch.Tensor) -> bool:
    tolerance = _TOLERANCE.get(truth.dtype, _ROUGH_TOLERANCE)
    if states.shape != truth.shape:
        return False
    error = (states.float() - truth.float()).abs().max()
    return bool(error <= tolerance * truth.float().abs().max())


def _made_up_texts(config: Any) -> Ragged:
    """Draw texts of token ids that are no special ones, as far as that can be known."""
    n_ids = config.vocab_size
    ids = np.random.default_rng(0).integers(n_ids // 2, n_ids, sum(_TRIED))
    return Ragged.from_lengths(ids.astype(np.int32), _TRIED)


def _expected_states(model: Any, ids: Ragged) -> list[torch.Tensor]:
    """Return the layers of all texts, or say that the model does not give them."""
    try:
        return _states_one_by_one(model, ids)
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as error:
        if model.dtype == torch.float32:
            raise
        # Some models hold numbers of 32 bits that they do not convert.
        msg = (
            f"{type(model).__name__} does not run in {model.dtype}: {error}. Set "
            "dtype='float32'."
        )
        raise ValueError(msg) from error


@torch.inference_mode()
def _states_one_by_one(model: Any, ids: Ragged) -> list[torch.Tensor]:
    """Run a model as transformers does, one text at a time; layers of all texts."""
    texts = [
        model(
            input_ids=_tensor(text, model.device)[None],
            output_hidden_states=True,
            use_cache=False,
        ).hidden_states
        for text in (ids[i] for i in range(len(ids)))
    ]
    if texts[0] is None:
        msg = (
            f"{type(model).__name__} returns no hidden_states, which layers are made "
            "of. Choose another model."
        )
        raise ValueError(msg)
    return [
        torch.cat([states[0] for states in layer]) for layer in zip(*texts, strict=True)
    ]


def _tensor(ids: npt.NDArray[Any], device: torch.device) -> torch.Tensor:
    return torch.from_numpy(ids.astype(np.int64)).to(device)


def _plain(model: Any) -> Way:
    """Let transformers pad, mask, and gather the layers."""

    def run(ids: Ragged, last: int, visit: Visit) -> None:
        inputs, real = _padded(ids, model.device)
        output = model(**inputs, output_hidden_states=True, use_cache=False)
        for layer, states in enumerate(output.hidden_states[: last + 1]):
            visit(layer, states[real])

    return run


def _padded_way(model: Any) -> Way | None:
    """Let transformers pad and mask, and stop at the highest layer that is wanted."""
    blocks = find_blocks(model)
    if blocks is None:
        return None
    watch(blocks)

    def run(ids: Ragged, last: int, visit: Visit) -> None:
        inputs, real = _padded(ids, model.device)
        _run_blocks(model, inputs, last, lambda layer, s: visit(layer, s[real]))

    return run


def _ragged_way(model: Any) -> Way | None:
    """Run all texts in one row, each attending to itself alone."""
    blocks = find_blocks(model)
    if blocks is None or not model._can_set_attn_implementation():
        return None
    watch(blocks)
    model.set_attn_implementation(NAME)
    padding = _reserved_id(model)

    def run(ids: Ragged, last: int, visit: Visit) -> None:
        row = _tensor(ids.values, model.device)[None]
        inputs = {
            "input_ids": row,
            "position_ids": _tensor(_positions(ids, padding), model.device)[None],
            # Without one, transformers would look for texts in the positions.
            "attention_mask": torch.ones_like(row),
        }
        with groups_of(ids.lengths):
            _run_blocks(model, inputs, last, lambda layer, s: visit(layer, s[0]))

    return run


_WAYS: tuple[tuple[str, bool, Callable[[Any], Way | None]], ...] = (
    ("ragged, packed", True, _ragged_way),
    ("ragged", False, _ragged_way),
    ("padded, packed", True, _padded_way),
    ("padded", False, _padded_way),
    ("plain", False, _plain),
)


def _changes_in_runs(model: Any) -> bool:
    """Whether a model adapts how it tells positions to the longest one it has seen."""
    kinds = [str(getattr(module, "rope_type", "")) for module in model.modules()]
    return any("dynamic" in kind or "longrope" in kind for kind in kinds)


def _with_shared_weights(model: Any) -> Any:
    """Copy the modules of a model, so that they can be changed, but not its weights."""
    tensors = [*model.parameters(), *model.buffers()]
    return copy.deepcopy(model, {id(tensor): tensor for tensor in tensors})


def _reserved_id(model: Any) -> int | None:
    """Return the id of padding in models of fairseq's kind, such as RoBERTa."""
    for module in model.modules():
        if hasattr(module, "create_position_ids_from_input_ids"):
            return int(module.padding_idx)
    return None


def _positions(ids: Ragged, padding: int | None) -> npt.NDArray[np.int64]:
    """Number the tokens of each text from 0, or from behind the id of padding.

    In the latter case, tokens of that id have it as their position, and the others are
    numbered without them.
    """
    if padding is None:
        return np.arange(len(ids.values)) - np.repeat(ids.offsets[:-1], ids.lengths)
    counts = ids.values != padding
    n_before = np.concatenate([[0], np.cumsum(counts)])
    in_text = n_before[1:] - np.repeat(n_before[ids.offsets[:-1]], ids.lengths)
    positions: npt.NDArray[np.int64] = padding + in_text * counts
    return positions


def _run_blocks(
    model: Any, inputs: dict[str, torch.Tensor], last: int, visit: Visit
) -> None:
    """Run a model up to a layer; the top layer is what the model returns."""
    n_layers = model.config.get_text_config().num_hidden_layers
    try:
        with shown(last, visit):
            output = model(**inputs, use_cache=False)
    except LayerReached:
        return
    visit(n_layers, output.last_hidden_state)


def _padded(
    ids: Ragged, device: torch.device
) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """Pad texts on the right; return a model's inputs, and which tokens are real."""
    real = np.arange(ids.lengths.max()) < ids.lengths[:, None]
    padded = np.zeros(real.shape, dtype=np.int64)
    # Any id will do for padding, if only the mask counts.
    padded[real] = ids.values
    mask = torch.from_numpy(real).to(device)
    return {"input_ids": _tensor(padded, device), "attention_mask": mask.long()}, mask
