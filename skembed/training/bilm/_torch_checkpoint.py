"""A training on disk, from which it goes on after a crash as if there had been none."""

import time
import warnings
import zipfile
from pathlib import Path
from typing import Any

import torch

from skembed._atomic import atomic_path
from skembed.training.bilm._result import Epoch, Perplexity
from skembed.training.bilm._torch_run import Place, Run

_NAMES = ("checkpoint.pt", "checkpoint.previous.pt")


class Checkpoints:
    """The last two states of a training, in a folder.

    Parameters
    ----------
    folder : Path
        Made when the first one is written.
    fingerprint : str
        Of the texts, the settings and the seed.
    seconds : float
        Time between two of them.
    """

    def __init__(self, folder: Path, fingerprint: str, seconds: float) -> None:
        self._paths = [folder / name for name in _NAMES]
        self._fingerprint = fingerprint
        self._seconds = seconds
        self._written = time.monotonic()

    def resume(self, run: Run) -> bool:
        """Bring a run to where the newest checkpoint that is whole was made.

        Parameters
        ----------
        run : Run

        Returns
        -------
        is_resumed : bool
            False where there is no checkpoint.

        Warns
        -----
        RuntimeWarning
            If the newest is damaged, and the one before it is taken.

        Raises
        ------
        ValueError
            If the checkpoints are of another training, or all damaged.
        """
        paths = [path for path in self._paths if path.exists()]
        for path in paths:
            content = _read(path, run.table.device)
            if content is None:
                warnings.warn(
                    f"The checkpoint {path} is damaged, and left out.",
                    RuntimeWarning,
                    stacklevel=2,
                )
            else:
                self._check(path, content)
                _restore(run, content)
                return True
        if paths:
            msg = (
                f"No checkpoint in {paths[0].parent} is whole. Remove the folder to "
                "train from the start."
            )
            raise ValueError(msg)
        return False

    def _check(self, path: Path, content: dict[str, Any]) -> None:
        if content["fingerprint"] != self._fingerprint:
            msg = (
                f"The checkpoint {path} is of a training on other texts, or with other "
                "settings or another seed. Choose another folder, or remove this one."
            )
            raise ValueError(msg)

    def save_if_due(self, run: Run) -> None:
        """Write a checkpoint, if the last one is older than the interval."""
        if time.monotonic() - self._written < self._seconds:
            return
        newest, previous = self._paths
        newest.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(newest) as temporary:
            torch.save({"fingerprint": self._fingerprint, **_content(run)}, temporary)
            if newest.exists():
                newest.replace(previous)
        self._written = time.monotonic()

    def remove(self) -> None:
        """Remove all checkpoints: the training is over."""
        for path in self._paths:
            path.unlink(missing_ok=True)


def _content(run: Run) -> dict[str, Any]:
    return {
        "weights": run.weights(),
        "optimizer": run.optimizer.state(),
        "place": tuple(run.place),
        "history": [
            (epoch.loss, epoch.perplexity and tuple(epoch.perplexity))
            for epoch in run.history
        ],
        "best": run.best,
        "best_epoch": run.best_epoch,
        "states": run.states,
    }


def _restore(run: Run, content: dict[str, Any]) -> None:
    run.set_weights(content["weights"])
    run.optimizer.restore(content["optimizer"])
    run.place = Place(*content["place"])
    run.history = [
        Epoch(loss, None if values is None else Perplexity(*values))
        for loss, values in content["history"]
    ]
    run.best, run.best_epoch = content["best"], content["best_epoch"]
    run.states = content["states"]


def _read(path: Path, device: torch.device) -> dict[str, Any] | None:
    """Read a checkpoint; None if a byte of it is not what was written."""
    try:
        with zipfile.ZipFile(path) as archive:
            # It reads all and compares checksums, which torch does not.
            if archive.testzip() is not None:
                return None
    except (zipfile.BadZipFile, EOFError):
        return None
    content: dict[str, Any] = torch.load(path, device, weights_only=True)
    return content
