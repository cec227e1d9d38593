"""The epochs of training: where it stands, what it has reached, when it ends."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from skembed.training.translation._batches import (
    Batch,
    by_length,
    epoch_order,
    make_batch,
)
from skembed.training.translation._config import (
    EpochScores,
    Pairs,
    TranslationConfig,
)
from skembed.training.translation._torch_model import (
    Dropout,
    blank_translator,
    keep_all,
)

Progress = Callable[[int, float, float], object]
_SECONDS_BETWEEN_REPORTS = 0.1
# A loss of so many times that of equal probabilities is not a model any more.
_DIVERGED = 10.0


class Place(NamedTuple):
    """How far training has come.

    Parameters
    ----------
    epoch, step : int
        The step to be taken next; `step` counts within the epoch.
    loss : float
        Sum of the epoch's losses so far, each times its number of target words.
    n_outputs : int
        Target words of the epoch so far.
    """

    epoch: int = 0
    step: int = 0
    loss: float = 0.0
    n_outputs: int = 0

    @property
    def mean_loss(self) -> float:
        """Of a target word, NaN before the first."""
        return self.loss / self.n_outputs if self.n_outputs else np.nan


class Corpora(NamedTuple):
    """What is trained on, what is held out, and what their ids mean.

    Parameters
    ----------
    training, held_out : Pairs
        None of an empty text. `held_out` may be of no pair.
    vectors : ndarray of shape (n_source_words, input_size), float32
    n_target_words : int
    """

    training: Pairs
    held_out: Pairs
    vectors: npt.NDArray[np.float32]
    n_target_words: int


class Run:
    """A training that can be stopped after any step, and taken up again.

    Parameters
    ----------
    corpora : Corpora
    config : TranslationConfig
    seed : int
    device : torch.device

    Attributes
    ----------
    place : Place
    history : list of EpochScores
    best : dict of str to Tensor, or None
        The weights at the end of the best epoch so far.
    best_epoch : int or None
        Its number, from 0.
    """

    def __init__(
        self,
        corpora: Corpora,
        config: TranslationConfig,
        seed: int,
        device: torch.device,
    ) -> None:
        self._corpora, self._config, self._seed = corpora, config, seed
        self._device = device
        self._low_precision = _uses_bfloat16(config.precision, device)
        self._n_steps = -(-len(corpora.training.source) // config.batch_size)
        self.translator = blank_translator(
            corpora.vectors.shape[1], corpora.n_target_words, config, device
        )
        self.translator.draw(seed)
        self._optimizer = torch.optim.Adam(
            self.translator.parameters(), lr=config.learning_rate
        )
        self.place = Place()
        self.history: list[EpochScores] = []
        self.best: dict[str, torch.Tensor] | None = None
        self.best_epoch: int | None = None

    @property
    def is_done(self) -> bool:
        """Whether all epochs have run, or the perplexity has ceased to fall."""
        patience = self._config.n_iter_no_change
        has_held_out = len(self._corpora.held_out.source) > 0
        if has_held_out and patience is not None and self.best_epoch is not None:
            n_worse = len(self.history) - 1 - self.best_epoch
        else:
            n_worse, patience = 0, 1
        return n_worse >= patience or self.place.epoch >= self._config.epochs

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
            Called when all attributes agree.
        """
        stop = False
        while not (self.is_done or stop):
            stop = self._run_epoch(progress, after_step)

    def _run_epoch(
        self, progress: Progress | None, after_step: Callable[[], object]
    ) -> bool:
        epoch, pairs = self.place.epoch, self._corpora.training
        rng = np.random.default_rng([self._seed, epoch])
        order = epoch_order(pairs, self._config.batch_size, rng)
        stop, reported = False, time.monotonic()
        for rows in order[self.place.step :]:
            self._step(make_batch(pairs, rows, self._corpora.n_target_words))
            is_last = self.place.step == self._n_steps
            now = time.monotonic()
            if is_last or now - reported > _SECONDS_BETWEEN_REPORTS:
                reported = now
                self._check_loss()
                if progress is not None:
                    done = self.place.step / self._n_steps
                    stop = bool(progress(epoch, done, self.place.mean_loss)) or stop
            if is_last:
                self._end_epoch()
            after_step()
        return stop

    def _step(self, batch: Batch) -> None:
        epoch, step, loss_so_far, n_so_far = self.place
        number = epoch * self._n_steps + step
        for group in self._optimizer.param_groups:
            left = 1.0 - number / (self._n_steps * self._config.epochs)
            group["lr"] = self._config.learning_rate * left
        loss = self._loss(batch, self._dropout(epoch, step))
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(
            self.translator.parameters(), self._config.clip_norm
        )
        self._optimizer.step()
        total = loss_so_far + loss.item() * batch.n_outputs
        self.place = Place(epoch, step + 1, total, n_so_far + batch.n_outputs)

    def _loss(self, batch: Batch, dropout: Dropout) -> torch.Tensor:
        vectors = torch.from_numpy(self._corpora.vectors[batch.source])
        with torch.autocast(
            self._device.type, torch.bfloat16, enabled=self._low_precision
        ):
            return self.translator.loss(vectors.to(self._device), batch, dropout)

    def _dropout(self, epoch: int, step: int) -> Dropout:
        """Return what drops inputs: the same ones each time that a step is taken."""
        share = self._config.dropout
        if not share:
            return keep_all
        seeds = np.random.SeedSequence([self._seed, epoch, step])
        generator = torch.Generator(self._device)
        generator.manual_seed(int(seeds.generate_state(1)[0]))

        def drop(x: torch.Tensor) -> torch.Tensor:
            kept = torch.empty(x.shape, dtype=x.dtype, device=x.device)
            kept.bernoulli_(1.0 - share, generator=generator)
            return x * kept.div_(1.0 - share)

        return drop

    def _check_loss(self) -> None:
        limit = _DIVERGED * np.log(self._corpora.n_target_words + 1)
        if not self.place.mean_loss <= limit:
            msg = (
                f"Training diverged in epoch {self.place.epoch + 1}: the loss has "
                "become infinite or far larger than at the start. Lower "
                f"learning_rate={self._config.learning_rate}."
            )
            raise ValueError(msg)

    def _end_epoch(self) -> None:
        perplexity = self._perplexity()
        reached = [earlier.perplexity for earlier in self.history]
        self.history.append(EpochScores(self.place.mean_loss, perplexity))
        # Without held-out pairs, NaN: the last epoch is the best.
        if not any(earlier <= perplexity for earlier in reached):
            self.best_epoch = len(self.history) - 1
            self.best = {
                name: tensor.clone()
                for name, tensor in self.translator.state_dict().items()
            }
        self.place = Place(self.place.epoch + 1)

    @torch.no_grad()
    def _perplexity(self) -> float:
        held_out, total, n_outputs = self._corpora.held_out, 0.0, 0
        boundary = self._corpora.n_target_words
        for batch in by_length(held_out, self._config.batch_size, boundary):
            total += self._loss(batch, keep_all).item() * batch.n_outputs
            n_outputs += batch.n_outputs
        return float(np.exp(total / n_outputs)) if n_outputs else np.nan

    def content(self) -> dict[str, Any]:
        """Return all that a checkpoint must hold."""
        return {
            "weights": self.translator.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "place": tuple(self.place),
            "history": [tuple(scores) for scores in self.history],
            "best": self.best,
            "best_epoch": self.best_epoch,
        }

    def restore(self, content: dict[str, Any]) -> None:
        """Go on from where a checkpoint was made."""
        self.translator.load_state_dict(content["weights"])
        self._optimizer.load_state_dict(content["optimizer"])
        self.place = Place(*content["place"])
        self.history = [EpochScores(*scores) for scores in content["history"]]
        self.best, self.best_epoch = content["best"], content["best_epoch"]


def _uses_bfloat16(precision: str, device: torch.device) -> bool:
    if precision != "auto":
        return precision == "bfloat16"
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    if device.type != "cpu":
        return False
    try:
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    # A private name: another version of torch may have none of it.
    except (AttributeError, RuntimeError):
        return False
