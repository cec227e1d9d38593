"""A model's files as bytes within a pickle, and back on the disk."""

import atexit
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from skembed.networks._fingerprint import fingerprint_packed
from skembed.networks.huggingface._fingerprint import fingerprint
from skembed.networks.huggingface._quiet import quiet
from skembed.networks.huggingface._source import ModelFolder, find_model

_SECONDS_UNTIL_ABANDONED = 24 * 3600


def pack_folder(folder: ModelFolder) -> dict[str, bytes]:
    """Read all files of a model that features depend on.

    Parameters
    ----------
    folder : ModelFolder

    Returns
    -------
    files : dict of str to bytes
    """
    return {name: (folder.path / name).read_bytes() for name in folder.files}


def pack_pair(model: Any, tokenizer: Any) -> dict[str, bytes]:
    """Save a model that is loaded already, without its head, as the files of a folder.

    Parameters
    ----------
    model : transformers.PreTrainedModel
    tokenizer : transformers.PreTrainedTokenizerBase

    Returns
    -------
    files : dict of str to bytes
    """
    with tempfile.TemporaryDirectory(prefix="skembed-") as folder:
        with quiet():
            model.base_model.save_pretrained(folder)
            tokenizer.save_pretrained(folder)
        return pack_folder(find_model(folder))


def unpack(files: Mapping[str, bytes], digest: str | None = None) -> ModelFolder:
    """Write a model's files to where this and other processes can load them from.

    That is a folder named by the content, in ``skembed/models`` of the user's cache
    (``$XDG_CACHE_HOME``, else ``~/.cache``), where it stays and serves the next time;
    or a temporary folder that goes with the process, if nothing can be written there.

    Parameters
    ----------
    files : mapping of str to bytes
        What `pack_folder` or `pack_pair` returned.
    digest : str or None
        Their fingerprint, if it is known already.

    Returns
    -------
    folder : ModelFolder
        With the fingerprint that the packed one had.
    """
    digest = digest or fingerprint_packed(files)
    try:
        return _unpack_into(_user_cache(), files, digest)
    except OSError:
        # A home that cannot be written, or is full.
        return _unpack_into(_process_cache(), files, digest)


def _user_cache() -> Path:
    cache_home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache_home).expanduser() / "skembed" / "models"


@cache
def _process_cache() -> Path:
    folder = tempfile.mkdtemp(prefix="skembed-models-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def _unpack_into(root: Path, files: Mapping[str, bytes], digest: str) -> ModelFolder:
    """Write a folder under a temporary name and rename it, unless it is there."""
    final = root / digest
    if not _holds(final, digest):
        root.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(root)
        temporary = root / f".{digest}.{secrets.token_hex(8)}.tmp"
        temporary.mkdir()
        try:
            for name, content in files.items():
                (temporary / name).write_bytes(content)
            _put(temporary, final, digest)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return find_model(final)


def _holds(folder: Path, digest: str) -> bool:
    """Whether a folder holds a model, whole and unchanged."""
    try:
        return fingerprint(find_model(folder)) == digest
    except (OSError, ValueError):
        return False


def _put(temporary: Path, final: Path, digest: str) -> None:
    """Rename a folder, unless another process was faster; damaged ones give way."""
    try:
        temporary.rename(final)
    except OSError:
        if _holds(final, digest):
            return
        # Who has its files mapped into memory keeps them.
        final.rename(temporary.with_suffix(".old.tmp"))
        temporary.rename(final)
        shutil.rmtree(temporary.with_suffix(".old.tmp"), ignore_errors=True)


def _remove_abandoned(root: Path) -> None:
    """Remove what processes left behind that were killed while they wrote."""
    for folder in root.glob(".*.tmp"):
        with suppress(OSError):
            if time.time() - folder.stat().st_mtime > _SECONDS_UNTIL_ABANDONED:
                shutil.rmtree(folder, ignore_errors=True)
