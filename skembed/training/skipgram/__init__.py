"""Skip-gram: one function, whatever the loss or the number of threads.

It makes the tables and runs the epochs; a `Schedule` runs an epoch on tables that it is
given. A core for another device is another schedule.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from skembed._ragged import Ragged
from skembed.counts import keep_probability
from skembed.training.skipgram._config import Matrix, SkipGramConfig, SkipGramResult
from skembed.training.skipgram._kernels.span import Corpus
from skembed.training.skipgram._objectives import OBJECTIVES, Objective
from skembed.training.skipgram._schedule import Schedule
from skembed.training.skipgram._tables import (
    draw_input,
    padded_table,
    random_input,
    unpadded,
)

__all__ = ["SkipGramConfig", "SkipGramResult", "random_input", "train_skipgram"]

Progress = Callable[[int, float, float], object]

# A mean loss of so many times that of all scores 0 is not a model any more.
_DIVERGED = 30.0


def train_skipgram(
    corpus: Ragged,
    counts: npt.NDArray[np.int64],
    config: SkipGramConfig,
    *,
    seed: int,
    n_threads: int = 1,
    document_weight: npt.NDArray[np.float32] | None = None,
    initial: tuple[Matrix, Matrix] | None = None,
    progress: Progress | None = None,
) -> SkipGramResult:
    """Learn the two tables of skip-gram.

    Parameters
    ----------
    corpus : Ragged of int32
        Token ids. Windows never cross a document's end.
    counts : ndarray of shape (n_words,), int64
        Occurrences of each word, all positive, most frequent first.
    config : SkipGramConfig
    seed : int
        Fixes the initial tables and every draw.
    n_threads : int
        With ``parallel="reproducible"`` the result does not depend on it.
    document_weight : ndarray of shape (n_documents,), float32, or None
        Factor of the learning rate for each document's centre words.
    initial : tuple of ndarray, or None
        Input and output vectors to go on from, (n_words, vector_size) and
        (n_outputs, vector_size), float32; copied. None: random and zero.
    progress : callable or None
        Called after each round with the epoch (from 0), the part of it that is done and
        the mean loss in it so far (NaN before the first pair). A true result stops the
        training after the epoch; what it raises, at once.

    Returns
    -------
    result : SkipGramResult

    Raises
    ------
    ValueError
        If training diverges.

    Examples
    --------
    >>> corpus = Ragged.from_lengths(np.array([0, 1, 0, 2], dtype=np.int32), [2, 2])
    >>> config = SkipGramConfig(vector_size=4, epochs=2)
    >>> result = train_skipgram(corpus, np.array([2, 1, 1]), config, seed=0)
    >>> result.input.shape, result.output.shape, result.losses.shape
    ((3, 4), (3, 4), (2,))
    """
    objective: Objective = OBJECTIVES[config.loss](counts, config)
    seeds = np.random.SeedSequence(seed)
    n_words, size = len(counts), config.vector_size
    w_in, w_out = initial or (None, None)
    tables = (
        padded_table(n_words, size, w_in),
        padded_table(objective.n_outputs, size, w_out),
    )
    if initial is None:
        draw_input(tables[0][:-1, :size], np.random.default_rng(seeds))
    schedule = Schedule(
        _sampled(corpus, counts, config.sample, document_weight),
        tables,
        objective,
        config,
        n_threads,
    )
    losses = _run_epochs(schedule, objective.initial_loss, config, seeds, progress)
    w_in, w_out = unpadded(tables[0], size), unpadded(tables[1], size)
    return SkipGramResult(w_in, w_out, np.array(losses))


def _sampled(
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


def _run_epochs(
    schedule: Schedule,
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
