"""A model and tokenizer that the user has loaded already."""

import copy
import json
from hashlib import blake2b
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import nn

_DIGEST_BYTES = 16
_START = b"skembed loaded model 1"

# What a configuration says about other things than the features.
_NO_MATTER = {
    "architectures",
    "dtype",
    "output_attentions",
    "output_hidden_states",
    "return_dict",
    "torch_dtype",
    "transformers_version",
    "use_cache",
}

# By model: what was looked at, and the digest.
_remembered: WeakKeyDictionary[nn.Module, tuple[object, str]] = WeakKeyDictionary()


def fingerprint_pair(model: Any, tokenizer: Any) -> str:
    """Digest a model that is loaded already, and its tokenizer.

    The weights are read once, and again after a training step.

    Parameters
    ----------
    model : transformers.PreTrainedModel
        A head that it has does not matter.
    tokenizer : transformers.PreTrainedTokenizerBase

    Returns
    -------
    digest : str
        32 hexadecimal digits; not those of the folder that the two came from.

    Raises
    ------
    TypeError
        If the model is none of transformers.
    """
    check_pair(model, tokenizer)
    settings = _config_settings(model.config), _tokenizer_settings(tokenizer)
    state = dict(sorted(model.base_model.state_dict().items()))
    # What is changed in place counts its changes, what is replaced lies elsewhere.
    seen = (settings, [(t.data_ptr(), _n_changes(t)) for t in state.values()])
    remembered = _remembered.get(model)
    if remembered is not None and remembered[0] == seen:
        return remembered[1]
    whole = blake2b(b"\0".join([_START, *settings]), digest_size=_DIGEST_BYTES)
    for name, tensor in state.items():
        whole.update(f"{name}\0{tensor.dtype}\0{tuple(tensor.shape)}\0".encode())
        whole.update(_bytes_of(tensor))
    _remembered[model] = seen, whole.hexdigest()
    return whole.hexdigest()


def fingerprint_tokenizer(tokenizer: Any) -> str:
    """Digest what a tokenizer does with a text.

    Parameters
    ----------
    tokenizer : transformers.PreTrainedTokenizerBase

    Returns
    -------
    digest : str
        32 hexadecimal digits.
    """
    settings = _tokenizer_settings(tokenizer)
    return blake2b(settings, digest_size=_DIGEST_BYTES).hexdigest()


def adopt(
    model: Any,
    *,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
) -> Any:
    """Make a model without head, in evaluation mode, of one that is loaded already.

    The given model stays as it is, and the two share their weights as long as neither
    device nor dtype changes.

    Parameters
    ----------
    model : transformers.PreTrainedModel
        With a head or without. Of an encoder and decoder the encoder is taken.
    device : torch.device, str or None
        None for where it is.
    dtype : torch.dtype or None
        None for what it has.

    Returns
    -------
    base : transformers.PreTrainedModel
    """
    base = without_head(model)
    # `deepcopy` takes what this holds for copies that it has made.
    copies: dict[int, Any] = {}
    for weight in base.parameters():
        moved = weight.detach().to(device=device, dtype=dtype)
        copies[id(weight)] = nn.Parameter(moved, False)  # noqa: FBT003
    for buffer in base.buffers():
        # Not rounded, as loading does not: they hold frequencies of positions.
        copies[id(buffer)] = buffer.detach().to(device=device)
    return copy.deepcopy(base, copies).eval()


def without_head(model: Any) -> Any:
    """Return the part of a transformers model that makes the layers of a text."""
    base = model.base_model
    return base.get_encoder() if base.config.is_encoder_decoder else base


def check_pair(model: Any, tokenizer: Any) -> None:
    """Check that a model and a tokenizer are transformers' own.

    Raises
    ------
    TypeError
        If one is not.
    """
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    for thing, kind in ((model, PreTrainedModel), (tokenizer, PreTrainedTokenizerBase)):
        if not isinstance(thing, kind):
            msg = (
                "model must be a path, a hub id, or a tuple (model, tokenizer) of "
                f"transformers; instead of a {kind.__name__} it holds a "
                f"{type(thing).__name__}."
            )
            raise TypeError(msg)


def _n_changes(tensor: torch.Tensor) -> int:
    """Return how often a tensor was changed in place, where torch counts it."""
    return 0 if tensor.is_inference() else tensor._version


def _config_settings(config: Any) -> bytes:
    settings = {
        name: value
        for name, value in config.to_dict().items()
        if name not in _NO_MATTER and not name.startswith("_")
    }
    return json.dumps(settings, sort_keys=True, default=str).encode()


def _tokenizer_settings(tokenizer: Any) -> bytes:
    """Serialise what a tokenizer does with a text, without length limit and padding.

    These two are states that each call of it may leave behind.
    """
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        kind = type(tokenizer).__name__
        settings = json.dumps([kind, tokenizer.get_vocab()], sort_keys=True)
    else:
        written = backend.to_str()
        # The two stand before this, and parsing it all takes ten times as long.
        settings = written.partition('"added_tokens"')[2] or written
    return blake2b(settings.encode()).digest()


def _bytes_of(tensor: torch.Tensor) -> Any:
    flat = tensor.detach().cpu().contiguous().flatten()
    return flat.view(torch.uint8).numpy()
