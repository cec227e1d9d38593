"""Read the weights and the tokenizer of a model folder."""

import os
import re
from pickle import UnpicklingError
from typing import Any

import torch

from skembed.networks.huggingface._pair import without_head
from skembed.networks.huggingface._quiet import quiet
from skembed.networks.huggingface._settings import read_json
from skembed.networks.huggingface._source import ModelFolder

# Heads that base models have, which no layer depends on.
_UNUSED = re.compile(r"(^|\.)(pooler|contact_head)\.")
_LFS_START = b"version https://git-lfs"
_SHOWN = 3
# What reading damaged files of weights raises, be they safetensors or zip or neither.
_DAMAGES = (
    OSError,
    ValueError,
    RuntimeError,
    KeyError,
    TypeError,
    AttributeError,
    EOFError,
    UnpicklingError,
)


def load_model(
    folder: ModelFolder,
    *,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
) -> Any:
    """Load a model without its head, for use and not for training.

    Weights that are stored as safetensors of this dtype stay in the file, mapped into
    memory, while the model is on the CPU: processes on one machine share them. Replace
    the file meanwhile as `save_pretrained` does, by renaming; do not write into it.

    Parameters
    ----------
    folder : ModelFolder
    device : torch.device or str
    dtype : torch.dtype
        Whatever the file holds.

    Returns
    -------
    model : transformers.PreTrainedModel
        In evaluation mode and without gradients. Of a model with encoder and decoder
        (T5, BART) it is the encoder.

    Raises
    ------
    ValueError
        If weights are missing, damaged or of another shape than the configuration
        says, or the model needs code that does not come with transformers.
    """
    config = load_config(folder)
    _check_safetensors(folder)
    # A pooler that no file holds is drawn at random: not from the user's generator.
    with quiet(), torch.random.fork_rng(devices=[]):
        try:
            model, found = _choose_class(folder, config).from_pretrained(
                folder.path,
                config=config,
                dtype=dtype,
                local_files_only=True,
                trust_remote_code=False,
                weights_only=True,
                ignore_mismatched_sizes=True,
                output_loading_info=True,
            )
        except _DAMAGES as error:
            raise _cannot_load(folder, _one_line(error)) from None
    _check_complete(folder, found)
    _convert_rest(model, dtype)
    return without_head(model).requires_grad_(False).eval().to(device)  # noqa: FBT003


def load_config(folder: ModelFolder) -> Any:
    """Read the configuration of a model that transformers knows.

    Raises
    ------
    ValueError
        If it is of an unknown kind, or makes no sense.
    """
    from transformers import CONFIG_MAPPING, AutoConfig

    file = folder.path / "config.json"
    stored = read_json(file)
    kind = stored.get("model_type")
    if kind not in CONFIG_MAPPING:
        msg = (
            f"The model_type in {file} is {kind!r}, which transformers does not know. "
        )
        if "auto_map" in stored:
            msg += (
                "It comes with Python code of its own, which is never run here: load "
                "it yourself, if you trust it, and give the tuple (model, tokenizer)."
            )
        elif kind is None:
            msg += 'Write there which it is, such as "model_type": "bert".'
        else:
            msg += "A newer version of transformers may."
        raise ValueError(msg)
    try:
        with quiet():
            return AutoConfig.from_pretrained(
                folder.path, local_files_only=True, trust_remote_code=False
            )
    # Each family checks its settings in its own way.
    except Exception as error:  # noqa: BLE001
        msg = f"{file} makes no configuration of a {kind!r}: {_one_line(error)}"
        raise ValueError(msg) from None


def load_tokenizer(folder: ModelFolder) -> Any:
    """Load the tokenizer of a model, a fast one where there is one.

    Parameters
    ----------
    folder : ModelFolder

    Returns
    -------
    tokenizer : transformers.PreTrainedTokenizerBase

    Raises
    ------
    ValueError
        If there is none, or its files are damaged, or it needs code that does not come
        with transformers.
    """
    from transformers import AutoTokenizer

    try:
        with quiet():
            tokenizer = AutoTokenizer.from_pretrained(
                folder.path, local_files_only=True, trust_remote_code=False
            )
    # The Rust library raises plain exceptions for files that it cannot read.
    except Exception as error:  # noqa: BLE001
        if folder.has_tokenizer:
            msg = (
                f"The tokenizer in {folder.path} cannot be loaded: {_one_line(error)}. "
                "Download its files again, or give the `tokenizer`."
            )
            raise ValueError(msg) from None
    else:
        # Slow ones may do without a vocabulary. Fast ones then know no word.
        if folder.has_tokenizer or not tokenizer.is_fast:
            return tokenizer
    msg = (
        f"The folder {folder.path} holds no tokenizer (tokenizer.json, vocab.txt, "
        "*.model). Download the model completely, or give the `tokenizer`."
    )
    raise ValueError(msg)


def load_named_tokenizer(
    name: str | os.PathLike[str], *, local_files_only: bool = False
) -> Any:
    """Load a tokenizer by the path of a folder or file, or by a hub id.

    Raises
    ------
    ValueError
        If it cannot be loaded.
    """
    from transformers import AutoTokenizer

    try:
        with quiet():
            return AutoTokenizer.from_pretrained(
                os.fspath(name),
                local_files_only=local_files_only,
                trust_remote_code=False,
            )
    # The Rust library raises plain exceptions for files that it cannot read.
    except Exception as error:  # noqa: BLE001
        msg = f"tokenizer={os.fspath(name)!r} cannot be loaded: {_one_line(error)}"
        raise ValueError(msg) from None


def _choose_class(folder: ModelFolder, config: Any) -> Any:
    from transformers import (
        MODEL_FOR_TEXT_ENCODING_MAPPING,
        MODEL_MAPPING,
        AutoModel,
        AutoModelForTextEncoding,
    )

    # Of T5 and its like, only the encoder: the decoder need not be there.
    if type(config) in MODEL_FOR_TEXT_ENCODING_MAPPING:
        return AutoModelForTextEncoding
    if type(config) not in MODEL_MAPPING:
        msg = f"{folder.path} holds a {config.model_type!r}, which has no plain model."
        raise ValueError(msg)
    return AutoModel


def _check_safetensors(folder: ModelFolder) -> None:
    """Check that the files are as long as their headers say, and name one that is not.

    Raises
    ------
    ValueError
        If one is cut off or no such file.
    """
    from safetensors import SafetensorError, safe_open

    for name in folder.weights:
        if not name.endswith(".safetensors"):
            continue
        path = folder.path / name
        try:
            with safe_open(path, framework="pt"):
                pass
        except (SafetensorError, OSError, ValueError) as error:
            with path.open("rb") as file:
                is_pointer = file.read(len(_LFS_START)) == _LFS_START
            reason = "it is a pointer of git-lfs" if is_pointer else _one_line(error)
            raise _cannot_load(folder, reason, name) from None


def _check_complete(folder: ModelFolder, found: dict[str, Any]) -> None:
    """Refuse a model of which a part was drawn at random.

    Raises
    ------
    ValueError
        If a layer depends on weights that are missing or of another shape.
    """
    wrong = sorted(found["mismatched_keys"])
    if wrong:
        name, stored, needed = wrong[0]
        reason = (
            f"{name} has the shape {tuple(stored)} and not {tuple(needed)}, as "
            "config.json says"
        )
        raise _cannot_load(folder, reason)
    missing = sorted(key for key in found["missing_keys"] if not _UNUSED.search(key))
    if missing:
        reason = f"{len(missing)} weights are missing: {', '.join(missing[:_SHOWN])}"
        raise _cannot_load(folder, reason + ", ..." * (len(missing) > _SHOWN))


def _convert_rest(model: Any, dtype: torch.dtype) -> None:
    """Convert parameters that are made in float32 whatever is asked for (DeBERTa's).

    Not those of models that have reasons for it.
    """
    if model._keep_in_fp32_modules or model._keep_in_fp32_modules_strict:
        return
    for parameter in model.parameters():
        if parameter.dtype != dtype:
            parameter.data = parameter.data.to(dtype)


def _cannot_load(folder: ModelFolder, reason: str, file: str = "") -> ValueError:
    path = folder.path / (file or folder.weights[0])
    msg = f"{path} holds no whole model: {reason}. Download or save it again."
    return ValueError(msg)


def _one_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    kind = type(error).__name__
    return f"{kind}: {lines[0]:.300}".rstrip(".:") if lines else kind
