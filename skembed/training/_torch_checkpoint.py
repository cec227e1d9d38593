"""Trainings on disk, from which they go on after a crash as if there had been none."""

import time
import warnings
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from skembed._atomic import atomic_path

_NAMES = ("checkpoint.pt", "checkpoint.previous.pt")


class CheckpointFolder:
    """The last two states of a training, in a folder.

    Parameters
    ----------
    folder : Path
        Made when the first one is written.
    fingerprint : str
        Of all that the training depends on: data, settings, seed.
    seconds : float
        Time between two of them: what a crash can cost.
    """

    def __init__(self, folder: Path, fingerprint: str, seconds: float) -> None:
        self._paths = [folder / name for name in _NAMES]
        self._fingerprint, self._seconds = fingerprint, seconds
        self._written = time.monotonic()

    def read(self, device: torch.device) -> dict[str, Any] | None:
        """Return what the newest checkpoint that is whole holds.

        Parameters
        ----------
        device : torch.device
            Where its tensors are put.

        Returns
        -------
        content : dict, or None
            None where there is no checkpoint.

        Warns
        -----
        RuntimeWarning
            If the newest is damaged, and the one before it is taken.

        Raises
        ------
        ValueError
            If the checkpoint is of another training, or all are damaged.
        """
        paths = [path for path in self._paths if path.exists()]
        for path in paths:
            content = _read_whole(path, device)
            if content is not None:
                self._check(path, content)
                return content
            msg = f"The checkpoint {path} is damaged, and left out."
            warnings.warn(msg, RuntimeWarning, stacklevel=2)
        if paths:
            msg = (
                f"No checkpoint in {paths[0].parent} is whole. Remove the folder to "
                "train from the start."
            )
            raise ValueError(msg)
        return None

    def write_if_due(self, content: Callable[[], Mapping[str, Any]]) -> None:
        """Write a checkpoint, if the last one is old enough.

        Parameters
        ----------
        content : callable
            Returns tensors, numbers, str and containers of them, by name.
        """
        if time.monotonic() - self._written < self._seconds:
            return
        newest, previous = self._paths
        newest.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(newest) as temporary:
            torch.save({**content(), "fingerprint": self._fingerprint}, temporary)
            if newest.exists():
                newest.replace(previous)
        self._written = time.monotonic()

    def remove(self) -> None:
        """Remove all checkpoints: the training is over."""
        for path in self._paths:
            path.unlink(missing_ok=True)

    def _check(self, path: Path, content: dict[str, Any]) -> None:
        if content.get("fingerprint") != self._fingerprint:
            msg = (
                f"The checkpoint {path} is of a training on other texts, or with other "
                "settings or another seed. Choose another folder, or remove this one."
            )
            raise ValueError(msg)


def _read_whole(path: Path, device: torch.device) -> dict[str, Any] | None:
    """Read a checkpoint; None if a byte of it is not what was written."""
    try:
        with zipfile.ZipFile(path) as archive:
            # It reads all and compares checksums, which torch does not.
            is_damaged = archive.testzip() is not None
        content = torch.load(path, device, weights_only=True)
    # What is damaged may fail in any manner.
    except Exception:  # noqa: BLE001
        return None
    return None if is_damaged or not isinstance(content, dict) else content
