"""A transformer that has been named: what is known of it, and what runs it."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from skembed.networks._fingerprint import fingerprint_packed
from skembed.networks.huggingface._fingerprint import fingerprint
from skembed.networks.huggingface._source import ModelFolder, find_model

if TYPE_CHECKING:
    import torch

    from skembed.networks.huggingface._network import HuggingFaceNetwork

# What tokenizers say where they know no limit, and more than any model can read.
_NO_LIMIT = 10**9


@dataclass(frozen=True)
class PretrainedModel:
    """A model and its tokenizer, on disk or loaded; this loads nothing until asked.

    Parameters
    ----------
    name : str
        What the user calls it.
    fingerprint : str
        Digest of all that the layers of a text depend on.
    folder : ModelFolder or None
        Where it is, unless it is loaded.
    pair : tuple of (PreTrainedModel, PreTrainedTokenizerBase), or None
        The loaded model.
    tokenizer : PreTrainedTokenizerBase or None
        Takes the place of the model's own.
    """

    name: str
    fingerprint: str
    folder: ModelFolder | None = None
    pair: tuple[Any, Any] | None = None
    tokenizer: Any = None

    @property
    def further_modules(self) -> tuple[str, ...]:
        """What sentence-transformers does after the transformer, left undone."""
        return self.folder.further_modules if self.folder else ()

    @property
    def lowercase(self) -> bool:
        """Whether sentence-transformers makes the letters of texts small first."""
        return self.folder is not None and self.folder.lowercase

    def config(self) -> Any:
        """Return the configuration of what reads texts, without loading weights.

        Models of pictures and texts have one for each.
        """
        from skembed.networks.huggingface._registry import loaded_config

        whole = self.pair[0].config if self.pair else loaded_config(self._folder)
        config = whole.get_text_config()
        if not hasattr(config, "hidden_size") or not hasattr(
            config, "num_hidden_layers"
        ):
            msg = (
                f"The configuration of {self.name!r} ({type(whole).__name__}) says no "
                "hidden_size or num_hidden_layers of a network for texts. Choose the "
                "model of text alone."
            )
            raise ValueError(msg)
        return config

    def load_tokenizer(self) -> Any:
        """Return the tokenizer, loaded now or before."""
        if self.tokenizer is not None:
            return self.tokenizer
        if self.pair:
            return self.pair[1]
        from skembed.networks.huggingface._registry import loaded_tokenizer

        return loaded_tokenizer(self._folder)

    def network(
        self, device: "torch.device", dtype: "torch.dtype"
    ) -> "HuggingFaceNetwork":
        """Return what runs the model, made now or before; see `Registry`."""
        from skembed.networks.huggingface._pair import adopt
        from skembed.networks.huggingface._registry import loaded_model, made_network

        def load() -> Any:
            if self.pair:
                return adopt(self.pair[0], device=device, dtype=dtype)
            return loaded_model(self._folder, device=device, dtype=dtype)

        return made_network((self.fingerprint, str(device), dtype), load)

    def longest(self) -> tuple[int | None, int | None]:
        """Return how many tokens a window has by default, and at most.

        Returns
        -------
        usual, most : int or None
            What the model was saved with, and what it can read; None for no limit.
        """
        config = self.config()
        positions = getattr(config, "max_position_embeddings", None)
        # fairseq's models, such as RoBERTa, keep their first positions for padding.
        if positions and getattr(config, "pad_token_id", None) == 1:
            positions -= 2
        said = self.load_tokenizer().model_max_length
        saved = self.folder.max_length if self.folder else None
        usual = [int(n) for n in (saved, said, positions) if n and 0 < n < _NO_LIMIT]
        most = positions or (said if said < _NO_LIMIT else None)
        return min(usual, default=None), most

    @property
    def _folder(self) -> ModelFolder:
        if self.folder is None:
            msg = "a loaded model has no folder"
            raise TypeError(msg)
        return self.folder


@dataclass(frozen=True, eq=False, repr=False)
class PackedModel:
    """All files of a model, to be stored with what uses it.

    Parameters
    ----------
    files : mapping of str to bytes
    """

    files: Mapping[str, bytes]

    @classmethod
    def of(cls, model: PretrainedModel) -> "PackedModel":
        """Read all that a model needs."""
        from skembed.networks.huggingface._pack import pack_folder, pack_pair

        if model.pair:
            return cls(pack_pair(*model.pair))
        return cls(pack_folder(model._folder))

    @cached_property
    def fingerprint(self) -> str:
        """The fingerprint of the model, once it is unpacked."""
        return fingerprint_packed(self.files)

    def unpack(self) -> ModelFolder:
        """Write the files to where models are loaded from, unless they are there."""
        from skembed.networks.huggingface._pack import unpack

        return unpack(self.files, self.fingerprint)

    def __repr__(self) -> str:
        n_bytes = sum(map(len, self.files.values()))
        return f"PackedModel({len(self.files)} files, {n_bytes / 1e6:.1f} MB)"


def named_model(
    model: Any,
    *,
    revision: str | None = None,
    tokenizer: Any = None,
    local_files_only: bool = False,
) -> PretrainedModel:
    """Find what the parameter `model` names, and digest it; nothing is loaded.

    Parameters
    ----------
    model : str, path, PackedModel, or tuple (model, tokenizer)
    revision : str or None
    tokenizer : str, path, PreTrainedTokenizerBase or None
    local_files_only : bool

    Returns
    -------
    named : PretrainedModel

    Raises
    ------
    FileNotFoundError, ValueError, TypeError
        As `find_model` and `fingerprint_pair` do.
    """
    if isinstance(tokenizer, (str, os.PathLike)):
        from skembed.networks.huggingface._load import load_named_tokenizer

        tokenizer = load_named_tokenizer(tokenizer, local_files_only=local_files_only)
    if isinstance(model, (str, os.PathLike)):
        folder = find_model(model, revision, local_files_only=local_files_only)
        return _of_folder(folder, str(model), tokenizer)
    if isinstance(model, PackedModel):
        folder = model.unpack()
        return _of_folder(folder, folder.name, tokenizer)
    if not isinstance(model, (tuple, list)) or len(model) != 2:
        msg = (
            "model must be the path of a folder, a hub id, or a tuple (model, "
            f"tokenizer) of transformers, got {type(model).__name__}."
        )
        raise TypeError(msg)
    from skembed.networks.huggingface._pair import fingerprint_pair

    own = model[1] if tokenizer is None else tokenizer
    name = getattr(getattr(model[0], "config", None), "_name_or_path", "")
    return PretrainedModel(
        name=name or type(model[0]).__name__,
        fingerprint=fingerprint_pair(model[0], own),
        pair=(model[0], own),
    )


def _of_folder(folder: ModelFolder, name: str, tokenizer: Any) -> PretrainedModel:
    digest = fingerprint(folder)
    if tokenizer is not None:
        from skembed.networks.huggingface._pair import fingerprint_tokenizer

        digest += fingerprint_tokenizer(tokenizer)
    return PretrainedModel(
        name=name, fingerprint=digest, folder=folder, tokenizer=tokenizer
    )
