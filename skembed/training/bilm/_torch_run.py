"""The epochs of training: where it stands, what it has reached, when it ends."""

import time
from collections.abc import Callable
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from skembed._ragged import Ragged
from skembed.training._threads import Map
from skembed.training.bilm._batches import Batch, count_batches, epoch_batches
from skembed.training.bilm._config import BiLMConfig
from skembed.training.bilm._model import UNKNOWN
from skembed.training.bilm._result import Epoch, Perplexity
from skembed.training.bilm._torch_network import BiLM
from skembed.training.bilm._torch_optimizer import Optimizer
from skembed.training.bilm._torch_score import network_perplexity
from skembed.training.bilm._torch_step import States, Words, take_gradient

Progress = Callable[[int, float, float], object]
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
        Of the epoch so far.
    """

    epoch: int = 0
    step: int = 0
    loss: float = 0.0
    n_targets: int = 0

    @property
    def mean_loss(self) -> float:
        """Of a word, NaN before the first."""
        return self.loss / self.n_targets if self.n_targets else np.nan


class Corpora(NamedTuple):
    """What is trained on, and what is held out, with boundaries, and their words.

    Parameters
    ----------
    training : Ragged of int32
    held_out : Ragged of int32
        May be of no sentence.
    words : Words
    """

    training: Ragged
    held_out: Ragged
    words: Words

    def row_frequencies(self) -> npt.NDArray[np.float64]:
        """Return the share of each row of the softmax in the targets, never 0."""
        rows = self.words.rows
        n_rows = max(rows.max(), UNKNOWN) + 1
        n_targets = np.bincount(rows[self.training.values], minlength=n_rows)
        frequencies: npt.NDArray[np.float64] = (n_targets + 1) / (n_targets + 1).sum()
        return frequencies


class Run:
    """A training that can be stopped after any step, and taken up again.

    Parameters
    ----------
    network : BiLM
        Trained in place.
    table : torch.nn.Parameter of shape (n_rows, projection_size + 1)
        The softmax, trained in place; its last column is the bias.
    corpora : Corpora
    config : BiLMConfig
    seed : int
    thread_map : callable
        Runs the two directions of a step.

    Attributes
    ----------
    place : Place
    history : list of Epoch
    best : dict of str to Tensor, or None
        The weights at the end of the best epoch so far.
    best_epoch : int or None
        Its number, from 0.
    states : list, or None
        Of the LSTMs, to go on from.
    """

    def __init__(
        self,
        network: BiLM,
        table: torch.nn.Parameter,
        corpora: Corpora,
        config: BiLMConfig,
        seed: int,
        thread_map: Map = map,
    ) -> None:
        self.network, self.table = network, table
        self._thread_map = thread_map
        self._corpora, self._config, self._seed = corpora, config, seed
        self._n_steps = count_batches(corpora.training, config)
        self.optimizer = Optimizer(
            network, table, config, self._n_steps * config.epochs
        )
        self.place = Place()
        self.history: list[Epoch] = []
        self.best: dict[str, torch.Tensor] | None = None
        self.best_epoch: int | None = None
        self.states: States | None = None

    @property
    def is_done(self) -> bool:
        """Whether all epochs have run, or the perplexity has ceased to fall."""
        patience = self._config.n_iter_no_change
        if self.place.epoch >= self._config.epochs:
            return True
        if patience is None or self.best_epoch is None:
            return False
        return len(self.history) - 1 - self.best_epoch >= patience

    def train(
        self, progress: Progress | None, after_step: Callable[[], object]
    ) -> None:
        """Run the epochs that are left.

        Parameters
        ----------
        progress : callable or None
            Called with the epoch, the part of it that is done, and the mean loss in it.
            A true result stops the training after the epoch.
        after_step : callable
            Called after each step, when all attributes agree.
        """
        stop = False
        while not (self.is_done or stop):
            stop = self._run_epoch(progress, after_step)

    def _run_epoch(
        self, progress: Progress | None, after_step: Callable[[], object]
    ) -> bool:
        epoch, first = self.place.epoch, self.place.step
        rng = np.random.default_rng([self._seed, epoch])
        batches = epoch_batches(self._corpora.training, self._config, rng)
        stop, reported = False, time.monotonic()
        for batch in islice(batches, first, None):
            self._step(batch)
            is_last = self.place.step == self._n_steps
            now = time.monotonic()
            if is_last or now - reported > _SECONDS_BETWEEN_REPORTS:
                reported = now
                stop = self._report(progress) or stop
            if is_last:
                self._end_epoch()
            after_step()
        return stop

    def _report(self, progress: Progress | None) -> bool:
        """Tell how far training is, and whether to stop; see that it goes well."""
        place = self.place
        # Twice the loss of knowing nothing is not a model any more.
        if not place.mean_loss <= 2.0 * np.log(len(self.table)) + 1.0:
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

    def _step(self, batch: Batch) -> None:
        place, config = self.place, self._config
        rng = np.random.default_rng([self._seed, place.epoch, place.step])
        found = take_gradient(
            self.network, self.table, batch, self._corpora.words, config, rng,
            states=self.states, thread_map=self._thread_map,
        )  # fmt: skip
        number = place.epoch * self._n_steps + place.step
        self.optimizer.step(number, found.rows, found.values)
        self.states = found.states if config.packing == "stream" else None
        self.place = Place(
            place.epoch,
            place.step + 1,
            place.loss + found.loss * batch.n_targets,
            place.n_targets + batch.n_targets,
        )

    def _end_epoch(self) -> None:
        perplexity = self._held_out_perplexity()
        reached = [epoch.perplexity.mean for epoch in self.history if epoch.perplexity]
        self.history.append(Epoch(self.place.mean_loss, perplexity))
        if perplexity is None or perplexity.mean < min(reached, default=np.inf):
            self.best_epoch = self.place.epoch
            # Without held-out words it is the latest, which need not be copied.
            self.best = None if perplexity is None else self.weights()
        self.place = Place(self.place.epoch + 1)

    def _held_out_perplexity(self) -> Perplexity | None:
        held_out, words = self._corpora.held_out, self._corpora.words
        if not len(held_out):
            return None
        return network_perplexity(self.network, self.table, held_out, words)

    def weights(self) -> dict[str, torch.Tensor]:
        """Return a copy of all that is trained."""
        tensors = {**self.network.state_dict(), "softmax": self.table.detach()}
        return {name: tensor.clone() for name, tensor in tensors.items()}

    def set_weights(self, weights: dict[str, torch.Tensor]) -> None:
        """Go back to a copy that `weights` returned."""
        own = dict(weights)
        with torch.no_grad():
            self.table.copy_(own.pop("softmax"))
        self.network.load_state_dict(own)

    def content(self) -> dict[str, Any]:
        """Return all that the rest of the training depends on, for a checkpoint."""
        return {
            "weights": self.weights(),
            "optimizer": self.optimizer.state(),
            "place": tuple(self.place),
            "history": [
                (epoch.loss, epoch.perplexity and tuple(epoch.perplexity))
                for epoch in self.history
            ],
            "best": self.best,
            "best_epoch": self.best_epoch,
            "states": self.states,
        }

    def restore(self, content: dict[str, Any]) -> None:
        """Go on from what `content` returned."""
        self.set_weights(content["weights"])
        self.optimizer.restore(content["optimizer"])
        self.place = Place(*content["place"])
        self.history = [
            Epoch(loss, None if values is None else Perplexity(*values))
            for loss, values in content["history"]
        ]
        self.best, self.best_epoch = content["best"], content["best_epoch"]
        self.states = content["states"]
