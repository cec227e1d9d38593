"""Epoch after epoch: step sizes, losses, and when to stop."""

from collections.abc import Callable, Iterator
from typing import Protocol

import numpy as np
import numpy.typing as npt

from skembed._ragged import Ragged
from skembed.counts import keep_probability
from skembed.training.skipgram._config import SkipGramConfig
from skembed.training.skipgram._kernels.span import Corpus

Progress = Callable[[int, float, float], object]

# A mean loss of so many times that of all scores 0 is not a model any more.
_DIVERGED = 30.0


class Runs(Protocol):
    """What runs one epoch on tables that it has, such as a `Schedule`."""

    def run_epoch(
        self, key: np.uint64, rate: Callable[[float], float]
    ) -> Iterator[tuple[float, float, float]]:
        """Do what `Schedule.run_epoch` does."""


def sampled(
    corpus: Ragged,
    counts: npt.NDArray[np.int64],
    sample: float,
    document_weight: npt.NDArray[np.float32] | None,
) -> Corpus:
    """Hand a corpus to the kernels, with how often each word is kept."""
    keep = np.floor(keep_probability(counts, sample) * 2.0**31)
    if document_weight is None:
        document_weight = np.empty(0, dtype=np.float32)
    return Corpus(
        corpus.values,
        corpus.offsets,
        np.minimum(keep, 2.0**31 - 1).astype(np.uint32),
        np.asarray(document_weight, dtype=np.float32),
    )


def run_epochs(
    schedule: Runs,
    initial_loss: float,
    config: SkipGramConfig,
    seeds: np.random.SeedSequence,
    progress: Progress | None,
) -> list[float]:
    """Train until the last epoch, or the loss stalls; return the losses."""
    losses: list[float] = []
    for epoch, seed in enumerate(seeds.spawn(config.epochs)):
        key = seed.generate_state(1, dtype=np.uint64)[0]
        total_loss = total_weight = 0.0
        stop: object = False

        def rate(done: float, epoch: int = epoch) -> float:
            gone = (epoch + done) / config.epochs
            fall = config.learning_rate - config.min_learning_rate
            return config.learning_rate - gone * fall

        for done, loss, weight in schedule.run_epoch(key, rate):
            total_loss += loss
            total_weight += weight
            if not loss <= _DIVERGED * initial_loss * max(weight, 1.0):
                raise ValueError(_diverged_message(epoch, config))
            if progress is not None:
                stop = progress(epoch, done, _mean(total_loss, total_weight)) or stop
        losses.append(_mean(total_loss, total_weight))
        if stop or _has_stalled(losses, config):
            break
    return losses


def _mean(loss: float, weight: float) -> float:
    """Mean loss of pairs, NaN if there were none."""
    return loss / weight if weight else np.nan


def _has_stalled(losses: list[float], config: SkipGramConfig) -> bool:
    """Whether the last epochs' losses are no better than the best one before them."""
    n = config.n_iter_no_change
    if config.tol is None or len(losses) <= n:
        return False
    return min(losses[-n:]) > min(losses[:-n]) - config.tol


def _diverged_message(epoch: int, config: SkipGramConfig) -> str:
    return (
        f"Training diverged in epoch {epoch + 1}: the loss has become infinite or far "
        f"larger than at the start. Lower learning_rate={config.learning_rate}."
    )
