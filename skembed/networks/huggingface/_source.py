"""What the name of a model stands for: a folder of weights, settings, tokenizer."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from skembed.networks.huggingface._hub import snapshots
from skembed.networks.huggingface._settings import (
    SENTENCE_SETTINGS,
    names_like,
    read_json,
    read_modules,
    read_sentence_settings,
)

# In the order in which transformers looks for them.
_WEIGHTS = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)
_VOCABULARIES = (
    "tokenizer.json",
    "vocab.*",
    "*.model",
    "*.tiktoken",
    "bpe.codes",
    "tekken.json",
)
_SETTINGS = (
    *_VOCABULARIES,
    "config.json",
    SENTENCE_SETTINGS,
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "merges.txt",
    "dict.txt",
    "entity_vocab.json",
)
_ADAPTER = "adapter_config.json"
_SAFE_DOWNLOADS = (_ADAPTER, "model*.safetensors", "model.safetensors.index.json")
_BIN_DOWNLOADS = ("pytorch_model*.bin", "pytorch_model.bin.index.json")
_HUB_ID = re.compile(r"[\w-][\w.-]*(/[\w.-]+)?")
_SHOWN = 8


@dataclass(frozen=True)
class ModelFolder:
    """A transformer on the disk, and what its folder says beside the weights.

    Parameters
    ----------
    name : str
        The path or hub id that was asked for.
    path : Path
        The folder that holds the transformer's own files.
    weights : tuple of str
        The names of the files of weights, with the index of these where there is one.
    settings : tuple of str
        The names of the files of configuration and tokenizer.
    revision : str or None
        The commit on the hub; None for a local folder.
    max_length : int or None
        Most tokens of a text, as sentence-transformers has saved it.
    lowercase : bool
        Whether sentence-transformers makes the letters of texts small.
    further_modules : tuple of str
        What sentence-transformers does after the transformer, such as ``"Pooling"`` or
        ``"Dense"``, which loading the folder leaves undone.
    """

    name: str
    path: Path
    weights: tuple[str, ...]
    settings: tuple[str, ...]
    revision: str | None = None
    max_length: int | None = None
    lowercase: bool = False
    further_modules: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        """The names of all files that features depend on, sorted."""
        return tuple(sorted({*self.weights, *self.settings}))

    @property
    def has_tokenizer(self) -> bool:
        """Whether any file holds a vocabulary."""
        return bool(names_like(self.path, _VOCABULARIES))


def find_model(
    model: str | os.PathLike[str],
    revision: str | None = None,
    *,
    local_files_only: bool = False,
) -> ModelFolder:
    """Find the folder that a path or a hub id stands for; nothing is loaded from it.

    Parameters
    ----------
    model : str or path-like
        A folder as transformers or sentence-transformers saves it, or a hub id. Where
        both are possible, a folder of that name goes first.
    revision : str or None
        Branch, tag or commit on the hub.
    local_files_only : bool
        Do not ask the hub for what is not in its cache on this machine. So it is, too,
        where the environment variable HF_HUB_OFFLINE is 1. What the cache holds is
        taken without asking whether the hub has something newer.

    Returns
    -------
    folder : ModelFolder

    Raises
    ------
    FileNotFoundError
        If there is no such folder or hub model, or the hub cannot be reached, or files
        are missing.
    ValueError
        If a file says nothing that makes sense, or there is a revision of a folder.

    Examples
    --------
    >>> find_model("no/such/folder")
    Traceback (most recent call last):
    ...
    FileNotFoundError: There is no folder 'no/such/folder'...
    """
    name = os.fspath(model)
    path = Path(name).expanduser()
    if path.is_dir():
        if revision is not None:
            msg = (
                f"revision must be None for a local folder, got {revision!r} for "
                f"{str(path)!r}."
            )
            raise ValueError(msg)
        return _describe(name, path)
    if not isinstance(model, str) or not _HUB_ID.fullmatch(name):
        raise _no_folder(path)
    return _find_on_hub(name, revision, local_files_only=local_files_only)


def _no_folder(path: Path) -> FileNotFoundError:
    kind = "is a file" if path.exists() else "does not exist"
    return FileNotFoundError(
        f"There is no folder {str(path)!r} ({path.absolute()} {kind}). `model` must be "
        "a folder with config.json, weights and tokenizer, or the id of a model on the "
        "hub, such as 'sentence-transformers/all-MiniLM-L6-v2'."
    )


def _find_on_hub(
    name: str, revision: str | None, *, local_files_only: bool
) -> ModelFolder:
    """Take the first snapshot that holds all that is needed.

    Weights that only `pickle` can read are asked for when there are no others.
    """
    patterns = [*_SETTINGS, *_SAFE_DOWNLOADS]
    patterns += [f"0_*/{pattern}" for pattern in patterns] + ["modules.json"]
    more = [*_BIN_DOWNLOADS, *(f"0_*/{pattern}" for pattern in _BIN_DOWNLOADS)]
    lists = [patterns, patterns + more]
    without_tokenizer, lack = None, ""
    try:
        for path in snapshots(name, revision, lists, local_files_only=local_files_only):
            try:
                found = _describe(name, path, path.name)
            except FileNotFoundError as error:
                lack = f" {error}"
                continue
            if found.has_tokenizer:
                return found
            without_tokenizer = found
    except FileNotFoundError as error:
        msg = f"{error}{lack}"
    # A tokenizer can be had from elsewhere.
    if without_tokenizer is None:
        raise FileNotFoundError(msg)
    return without_tokenizer


def _describe(name: str, path: Path, revision: str | None = None) -> ModelFolder:
    modules = read_modules(path)
    if modules:
        path = path / modules[0]["path"]
    if (path / _ADAPTER).is_file():
        msg = (
            f"The folder {path} holds an adapter, which would be left out. Put it into "
            "the weights (`merge_and_unload` of peft) and save the model again."
        )
        raise ValueError(msg)
    if not (path / "config.json").is_file():
        remark = f" It is to hold a {modules[0]['type']}." if modules else ""
        raise _lacks(path, "config.json", remark)
    saved = read_sentence_settings(path)
    return ModelFolder(
        name=name,
        path=path,
        weights=_find_weights(path),
        settings=names_like(path, _SETTINGS),
        revision=revision,
        max_length=saved.get("max_seq_length"),
        lowercase=bool(saved.get("do_lower_case")),
        further_modules=tuple(
            module["type"].rpartition(".")[2] for module in modules[1:]
        ),
    )


def _find_weights(path: Path) -> tuple[str, ...]:
    first = next((name for name in _WEIGHTS if (path / name).is_file()), None)
    if first is None:
        raise _lacks(path, " or ".join(_WEIGHTS[::2]))
    if not first.endswith("index.json"):
        return (first,)
    index = read_json(path / first)
    shards = sorted(set(index.get("weight_map", {}).values()))
    # A name with a folder in it could lead out of this one.
    if not shards or any(Path(shard).name != shard for shard in shards):
        msg = f"{path / first} must name files of weights in its folder, got {shards}."
        raise ValueError(msg)
    missing = [shard for shard in shards if not (path / shard).is_file()]
    if missing:
        raise _lacks(path, _enumerate(missing))
    return (first, *shards)


def _lacks(path: Path, what: str, remark: str = "") -> FileNotFoundError:
    held = sorted(entry.name for entry in path.iterdir()) if path.is_dir() else []
    content = f"which holds {_enumerate(held)}" if held else "which is empty"
    return FileNotFoundError(
        f"{what} is missing in the folder {path}, {content}.{remark} `model` must be a "
        "folder as `save_pretrained` of transformers or sentence-transformers writes it"
        ", downloaded completely."
    )


def _enumerate(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
