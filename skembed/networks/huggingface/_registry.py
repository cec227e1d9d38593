"""The models that this process has loaded, a few at a time."""

from collections.abc import Callable, Hashable
from typing import Any

import torch

from skembed.networks._registry import Registry
from skembed.networks.huggingface._fingerprint import fingerprint
from skembed.networks.huggingface._load import (
    load_config,
    load_model,
    load_tokenizer,
)
from skembed.networks.huggingface._network import HuggingFaceNetwork
from skembed.networks.huggingface._source import ModelFolder

_models: Registry[Any] = Registry(n_kept=2)
_configs: Registry[Any] = Registry(n_kept=8)
_tokenizers: Registry[Any] = Registry(n_kept=8)
_networks: Registry[HuggingFaceNetwork] = Registry(n_kept=2)


def loaded_model(
    folder: ModelFolder,
    *,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
) -> Any:
    """Return a model, loaded now or before: one for all who ask for the same.

    Parameters
    ----------
    folder : ModelFolder
        The same content in another place is the same model.
    device : torch.device or str
    dtype : torch.dtype

    Returns
    -------
    model : transformers.PreTrainedModel
        Not to be changed.

    Raises
    ------
    ValueError
        As `load_model` does.
    """
    key = fingerprint(folder), str(torch.device(device)), dtype
    return _models.get(key, lambda: load_model(folder, device=device, dtype=dtype))


def loaded_config(folder: ModelFolder) -> Any:
    """Return a model's configuration, read once: each fit of a grid asks for it.

    Parameters
    ----------
    folder : ModelFolder

    Returns
    -------
    config : transformers.PreTrainedConfig
        Not to be changed.

    Raises
    ------
    FileNotFoundError
        If a file of the model has gone.
    ValueError
        As `load_config` does.
    """
    return _configs.get(fingerprint(folder), lambda: load_config(folder))


def loaded_tokenizer(folder: ModelFolder) -> Any:
    """Return a model's tokenizer, which neither truncates nor pads, loaded once.

    Parameters
    ----------
    folder : ModelFolder

    Returns
    -------
    tokenizer : transformers.PreTrainedTokenizerBase
        Not to be changed.

    Raises
    ------
    ValueError
        As `load_tokenizer` does.
    """

    def load() -> Any:
        tokenizer = load_tokenizer(folder)
        if tokenizer.is_fast:
            # As many are saved. What reads whole texts would copy those each time.
            tokenizer.backend_tokenizer.no_truncation()
            tokenizer.backend_tokenizer.no_padding()
        return tokenizer

    return _tokenizers.get(fingerprint(folder), load)


def made_network(key: Hashable, make: Callable[[], Any]) -> HuggingFaceNetwork:
    """Return what runs a model, made now or before.

    Parameters
    ----------
    key : hashable
        What the network depends on.
    make : callable
        Returns the model.

    Returns
    -------
    network : HuggingFaceNetwork
    """
    return _networks.get(key, lambda: HuggingFaceNetwork(make()))


def clear_loaded() -> None:
    """Forget all models, tokenizers and configurations that this process has loaded."""
    _networks.clear()
    _models.clear()
    _tokenizers.clear()
    _configs.clear()
