"""Training in epochs: where it stands, what it has reached, when it ends."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import numpy as np
import torch

from skembed.training._torch_checkpoint import CheckpointFolder

Progress = Callable[[int, float, float], object]
Weights = dict[str, torch.Tensor]
_SECONDS_BETWEEN_REPORTS = 0.1


class Place(NamedTuple):
    """How far training has come.

    Parameters
    ----------
    epoch, step : int
        The step to be taken next; `step` counts within the epoch.
    loss : float
        Sum of the epoch's losses so far, each times its number of targets.
    n_targets : int
        Words to be predicted in the epoch so far.
    """

    epoch: int = 0
    step: int = 0
    loss: float = 0.0
    n_targets: int = 0

    @property
    def mean_loss(self) -> float:
        """Of a target, NaN before the first."""
        return self.loss / self.n_targets if self.n_targets else np.nan


class EpochConfig(Protocol):
    """The settings that every training in epochs has."""

    @property
    def epochs(self) -> int:
        """Passes over the corpus, at most."""

    @property
    def n_iter_no_change(self) -> int | None:
        """It ends after so many epochs without a better perplexity; None: never."""

    @property
    def learning_rate(self) -> float:
        """The one to lower where training diverges."""


Config = TypeVar("Config", bound=EpochConfig)
Batch = TypeVar("Batch")
Scores = TypeVar("Scores")


class EpochRun(ABC, Generic[Config, Batch, Scores]):
    """A training that can be stopped after any step, and taken up again.

    A subclass has the weights, and says what batches an epoch has, what a step does,
    and what is measured at the end of an epoch.

    Parameters
    ----------
    config : EpochConfig
    n_steps : int
        Of each epoch.
    seed : int

    Attributes
    ----------
    place : Place
    history : list of Scores
    best : dict of str to Tensor, or None
        The weights at the end of the best epoch so far.
    best_epoch : int or None
        Its number, from 0.
    """

    def __init__(self, config: Config, n_steps: int, seed: int) -> None:
        self._config, self._n_steps, self._seed = config, n_steps, seed
        self.place = Place()
        self.history: list[Scores] = []
        self.best: Weights | None = None
        self.best_epoch: int | None = None

    @abstractmethod
    def _batches(self, rng: np.random.Generator, first: int) -> Iterable[Batch]:
        """Return the batches of an epoch that `rng` draws, from number `first` on."""

    @abstractmethod
    def _step(self, batch: Batch) -> tuple[float, int]:
        """Train on a batch, and return its mean loss and its number of targets."""

    @property
    @abstractmethod
    def _largest_loss(self) -> float:
        """The mean loss above which this is not a model any more."""

    @abstractmethod
    def _measure(self) -> Scores:
        """Return what the epoch that now ends has reached."""

    @abstractmethod
    def _perplexity(self, scores: Scores) -> float | None:
        """Return what is lowest in the best epoch; None if nothing is held out."""

    @abstractmethod
    def _tensors(self) -> Weights:
        """Return all that is trained, not copied."""

    @abstractmethod
    def set_weights(self, weights: Weights) -> None:
        """Go back to a copy that `weights` returned."""

    def weights(self) -> Weights:
        """Return a copy of all that is trained."""
        return {name: tensor.clone() for name, tensor in self._tensors().items()}

    @property
    def is_done(self) -> bool:
        """Whether all epochs have run, or the perplexity has ceased to fall."""
        patience = self._config.n_iter_no_change
        if self.place.epoch >= self._config.epochs:
            return True
        if patience is None or self.best_epoch is None:
            return False
        return len(self.history) - 1 - self.best_epoch >= patience

    def train(self, progress: Progress | None, folder: CheckpointFolder | None) -> None:
        """Run the epochs that are left.

        Parameters
        ----------
        progress : callable or None
            Called with the epoch, the part of it that is done, and the mean loss in it.
            A true result stops the training after the epoch.
        folder : CheckpointFolder or None
            For a checkpoint after each step for which one is due.

        Raises
        ------
        ValueError
            If training diverges.
        """
        stop = False
        while not (self.is_done or stop):
            stop = self._run_epoch(progress, folder)

    def _run_epoch(
        self, progress: Progress | None, folder: CheckpointFolder | None
    ) -> bool:
        rng = np.random.default_rng([self._seed, self.place.epoch])
        stop, reported = False, time.monotonic()
        for batch in self._batches(rng, self.place.step):
            self._advance(*self._step(batch))
            is_last = self.place.step == self._n_steps
            now = time.monotonic()
            if is_last or now - reported > _SECONDS_BETWEEN_REPORTS:
                reported = now
                stop = self._report(progress) or stop
            if is_last:
                self._end_epoch()
            if folder is not None:
                folder.write_if_due(self.content)
        return stop

    @property
    def _n_steps_taken(self) -> int:
        """In all epochs."""
        return self.place.epoch * self._n_steps + self.place.step

    @property
    def _step_seed(self) -> list[int]:
        """For what the next step draws: the same each time that it is taken."""
        return [self._seed, self.place.epoch, self.place.step]

    def _advance(self, loss: float, n_targets: int) -> None:
        epoch, step, loss_so_far, n_so_far = self.place
        total = loss_so_far + loss * n_targets
        self.place = Place(epoch, step + 1, total, n_so_far + n_targets)

    def _report(self, progress: Progress | None) -> bool:
        """Tell how far training is, and whether to stop; see that it goes well."""
        place = self.place
        # NaN is not below it either.
        if not place.mean_loss <= self._largest_loss:
            msg = (
                f"Training diverged in epoch {place.epoch + 1}: the loss has become "
                "infinite or far larger than at the start. Lower "
                f"learning_rate={self._config.learning_rate}."
            )
            raise ValueError(msg)
        if progress is None:
            return False
        done = place.step / self._n_steps
        return bool(progress(place.epoch, done, place.mean_loss))

    def _end_epoch(self) -> None:
        scores = self._measure()
        is_best = self._is_best(self._perplexity(scores))
        self.history.append(scores)
        if is_best:
            self.best_epoch = self.place.epoch
            self.best = self._best_weights()
        self.place = Place(self.place.epoch + 1)

    def _is_best(self, perplexity: float | None) -> bool:
        # Without held-out data, the latest is the best.
        if perplexity is None:
            return True
        reached = [self._perplexity(scores) for scores in self.history]
        # One that is not finite is no better than any.
        finite = [value for value in reached if value is not None and value < np.inf]
        return perplexity < min(finite, default=np.inf)

    def _best_weights(self) -> Weights | None:
        """Return what `best` is to be where the weights are the best so far."""
        return self.weights()

    def content(self) -> dict[str, Any]:
        """Return all that the rest of the training depends on, not copied."""
        return {
            "weights": self._tensors(),
            "place": tuple(self.place),
            "best": self.best,
            "best_epoch": self.best_epoch,
        }

    def restore(self, content: dict[str, Any]) -> None:
        """Go on from what a checkpoint holds of `content`."""
        self.set_weights(content["weights"])
        self.place = Place(*content["place"])
        self.best, self.best_epoch = content["best"], content["best_epoch"]


def train_to_best(
    run: EpochRun[Any, Any, Any],
    folder: CheckpointFolder | None,
    device: torch.device,
    *,
    keep_on_interrupt: bool,
    progress: Progress | None,
) -> bool:
    """Train, or go on with a training, and leave `run` with the best weights.

    Parameters
    ----------
    run : EpochRun
    folder : CheckpointFolder or None
        Gone on from if it holds a checkpoint, and emptied at the end.
    device : torch.device
        Where the tensors of a checkpoint are put.
    keep_on_interrupt : bool
        Whether a KeyboardInterrupt ends the training with the best weights so far.
    progress : callable or None
        See `EpochRun.train`.

    Returns
    -------
    was_interrupted : bool
    """
    content = None if folder is None else folder.read(device)
    if content is not None:
        run.restore(content)
    was_interrupted = False
    try:
        run.train(progress, folder)
    except KeyboardInterrupt:
        if not keep_on_interrupt:
            raise
        was_interrupted = True
    if run.best is not None:
        run.set_weights(run.best)
    if folder is not None:
        folder.remove()
    return was_interrupted
