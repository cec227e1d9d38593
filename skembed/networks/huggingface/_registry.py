"""The models that this process has loaded, a few at a time."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

import torch

from skembed.networks.huggingface._fingerprint import fingerprint
from skembed.networks.huggingface._load import load_model, load_tokenizer
from skembed.networks.huggingface._network import HuggingFaceNetwork
from skembed.networks.huggingface._source import ModelFolder

T = TypeVar("T")


class Registry(Generic[T]):
    """Things that are slow to make and large to keep, for all threads of a process.

    Parameters
    ----------
    n_kept : int
        Those used last are kept. What is dropped lives on where it is in use.

    Examples
    --------
    >>> registry = Registry(n_kept=2)
    >>> registry.get("key", lambda: "made once")
    'made once'
    >>> registry.get("key", lambda: "not made")
    'made once'
    """

    def __init__(self, n_kept: int) -> None:
        self.n_kept = n_kept
        self._entries: OrderedDict[Hashable, _Entry[T]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what is kept for a key, or make it; others wait for it meanwhile.

        What `make` raises is raised here, and the next one tries again.
        """
        with self._lock:
            entry = self._entries.setdefault(key, _Entry())
            self._entries.move_to_end(key)
            while len(self._entries) > self.n_kept:
                self._entries.popitem(last=False)
        with entry.lock:
            if not entry.made:
                entry.made.append(make())
            return entry.made[0]

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()


class _Entry(Generic[T]):
    def __init__(self) -> None:
        self.lock = threading.Lock()
        # Empty, or the one thing.
        self.made: list[T] = []


_models: Registry[Any] = Registry(n_kept=2)
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
    """Forget all models and tokenizers that this process has loaded."""
    _networks.clear()
    _models.clear()
    _tokenizers.clear()
