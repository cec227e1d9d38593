"""State dicts of torch, to and from plain arrays."""

import os
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from skembed._atomic import atomic_path
from skembed.formats._errors import FormatError

_EXPECTED = "a state dict of torch"


def read_state_dict(path: str | os.PathLike[str]) -> dict[str, torch.Tensor]:
    """Read the tensors of a state dict, without running code that a file may hold.

    Parameters
    ----------
    path : str or path-like
        What ``torch.save`` wrote, now (a zip archive) or years ago (a pickle).

    Returns
    -------
    tensors : dict of str to Tensor
        On the CPU. Those of an archive are mapped from the file: they take memory only
        once they are copied.

    Raises
    ------
    FormatError
        If the file is damaged, or holds something else.
    """
    is_archive = zipfile.is_zipfile(path)
    if is_archive:
        _check_archive(path)
    content = _load(path, mmap=is_archive)
    if not isinstance(content, Mapping) or not content:
        found = f"{type(content).__name__} {content!r:.40}"
        raise FormatError(path, expected=_EXPECTED, found=found)
    for name, tensor in content.items():
        if not isinstance(name, str) or not isinstance(tensor, torch.Tensor):
            found = f"{name!r}: {type(tensor).__name__}"
            raise FormatError(path, expected=_EXPECTED, found=found)
    return dict(content)


def write_state_dict(
    path: str | os.PathLike[str], arrays: Mapping[str, npt.NDArray[Any]]
) -> None:
    """Write arrays as a state dict, which ``torch.load`` reads.

    Parameters
    ----------
    path : str or path-like
        An earlier file is replaced when the new one is complete.
    arrays : mapping of str to ndarray
    """
    tensors = {name: torch.from_numpy(np.array(x)) for name, x in arrays.items()}
    with atomic_path(path) as temporary:
        torch.save(tensors, temporary)


def _check_archive(path: str | os.PathLike[str]) -> None:
    """Raise for what is cut or damaged, or would become larger than the file is."""
    try:
        damage = _damage(path)
    # A damaged directory may lead anywhere.
    except Exception as error:
        found = f"{type(error).__name__}: {error}"
        raise FormatError(path, expected=_EXPECTED, found=found) from error
    if damage is not None:
        raise FormatError(path, expected=_EXPECTED, found=damage)


def _damage(path: str | os.PathLike[str]) -> str | None:
    with zipfile.ZipFile(path) as archive:
        n_bytes = sum(member.file_size for member in archive.infolist())
        if n_bytes > Path(path).stat().st_size:
            return f"an archive that is compressed, to hold {n_bytes} bytes"
        damaged = archive.testzip()
    return damaged and f"a wrong checksum of the member {damaged!r}"


def _load(path: str | os.PathLike[str], *, mmap: bool) -> Any:
    try:
        with warnings.catch_warnings():
            # Old pickles make torch talk of its own storages.
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True, mmap=mmap)
    except FileNotFoundError:
        raise
    # A damaged pickle may fail in any manner.
    except Exception as error:
        found = f"{type(error).__name__}: {str(error).partition('.')[0]:.100}"
        raise FormatError(path, expected=_EXPECTED, found=found) from error
