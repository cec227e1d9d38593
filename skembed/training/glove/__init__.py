"""GloVe: word vectors whose products are the logarithms of co-occurrence counts."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from skembed.training.cooccurrence import Cooccurrences
from skembed.training.glove._blocks import Blocks, into_blocks
from skembed.training.glove._config import GloVeConfig, GloVeResult, GloVeTables
from skembed.training.glove._schedule import Runs, Schedule, torch_schedule
from skembed.training.glove._tables import pack_tables, random_tables, unpack_tables

if TYPE_CHECKING:
    import torch

__all__ = [
    "GloVeConfig",
    "GloVeResult",
    "GloVeTables",
    "random_tables",
    "train_glove",
]

Progress = Callable[[int, float, float], object]

# A loss of so many times that of all scores 0 is not a model any more.
_DIVERGED = 30.0


def train_glove(
    counts: Cooccurrences,
    n_words: int,
    config: GloVeConfig,
    *,
    seed: int,
    n_threads: int = 1,
    device: "torch.device | None" = None,
    initial: GloVeTables | None = None,
    progress: Progress | None = None,
) -> GloVeResult:
    """Learn vectors and biases of words from co-occurrence counts.

    Parameters
    ----------
    counts : Cooccurrences
    n_words : int
    config : GloVeConfig
    seed : int
        Fixes the initial tables and the order of entries in each epoch.
    n_threads : int
        The result does not depend on it. More than 16 are of no use.
    device : torch.device or None
        Where the torch core trains: if torch.distributed has been initialised, together
        with the other processes, which call this with the same arguments. None trains
        in compiled code on the CPU.
    initial : GloVeTables or None
        To start from, copied. None: random ones.
    progress : callable or None
        Called several times in each epoch with the epoch (from 0), the part of it that
        is done and the mean loss in it so far. A true result stops the training after
        the epoch; what it raises, at once.

    Returns
    -------
    result : GloVeResult

    Raises
    ------
    ValueError
        If there are no counts, or some that are not positive, or `initial` has another
        shape, or training diverges.

    Examples
    --------
    >>> pairs = np.array([[0, 1], [1, 0]], dtype=np.int32)
    >>> counts = Cooccurrences(*pairs, np.full(2, 3, dtype=np.float32))
    >>> result = train_glove(counts, 2, GloVeConfig(vector_size=4, epochs=3), seed=0)
    >>> result.tables.input.shape, result.losses.shape
    ((2, 4), (3,))
    """
    _check_counts(counts, n_words)
    seeds = np.random.SeedSequence(seed)
    if initial is None:
        rng = np.random.default_rng(seeds)
        initial = random_tables(n_words, config.vector_size, rng)
    _check_initial(initial, n_words, config.vector_size)
    tables = pack_tables(initial)
    blocks = into_blocks(counts, config)
    schedule: Runs
    if device is None:
        schedule = Schedule(blocks, tables, config, n_threads)
    else:
        schedule = torch_schedule(blocks, tables, config, device)
    losses = _run_epochs(schedule, blocks, config, seeds, progress)
    return GloVeResult(unpack_tables(tables, config.vector_size), np.array(losses))


def _run_epochs(
    schedule: Runs,
    blocks: Blocks,
    config: GloVeConfig,
    seeds: np.random.SeedSequence,
    progress: Progress | None,
) -> list[float]:
    """Train until the last epoch, or as long as `progress` wants; return the losses."""
    # The weights stand for errors of 1 where all logarithms are 0.
    limit = _DIVERGED * (blocks.initial_loss + blocks.total_weight)
    losses: list[float] = []
    for epoch, seed in enumerate(seeds.spawn(config.epochs)):
        total, n_done = 0.0, 0
        stop = False
        for n_entries, loss in schedule.run_epoch(seed):
            total, n_done = total + loss, n_done + n_entries
            if not total <= limit:
                raise ValueError(_diverged_message(epoch, config))
            if progress is not None and n_entries:
                part = n_done / len(blocks.entries)
                stop = bool(progress(epoch, part, total / n_done)) or stop
        losses.append(total / n_done)
        if stop or _has_settled(losses, config.tol):
            break
    return losses


def _diverged_message(epoch: int, config: GloVeConfig) -> str:
    return (
        f"Training diverged in epoch {epoch + 1}: the loss has become infinite or far "
        f"larger than at the start. Lower learning_rate={config.learning_rate}."
    )


def _has_settled(losses: list[float], tol: float | None) -> bool:
    """Whether the last epoch has hardly lowered the loss."""
    if tol is None or len(losses) < 2:
        return False
    return not losses[-1] < (1.0 - tol) * losses[-2]


def _check_initial(initial: GloVeTables, n_words: int, vector_size: int) -> None:
    shapes = [(n_words, vector_size)] * 2 + [(n_words,)] * 2
    for name, table, shape in zip(initial._fields, initial, shapes, strict=True):
        if table.shape != shape:
            msg = (
                f"initial.{name} must have the shape {shape} of n_words and "
                f"config.vector_size, got {table.shape}."
            )
            raise ValueError(msg)


def _check_counts(counts: Cooccurrences, n_words: int) -> None:
    if not len(counts.rows):
        msg = (
            "There are no co-occurrences to learn from: no document has two known "
            "words. Lower min_count, or pass documents of several words."
        )
        raise ValueError(msg)
    low, high = counts.values.min(), counts.values.max()
    if not 0 < low <= high < np.inf:
        msg = f"Counts must be positive and finite, got values from {low} to {high}."
        raise ValueError(msg)
    highest = max(counts.rows.max(), counts.columns.max())
    lowest = min(counts.rows.min(), counts.columns.min())
    if lowest < 0 or highest >= n_words:
        msg = (
            f"Rows and columns must be from 0 to n_words - 1 = {n_words - 1}, got "
            f"{lowest} to {highest}."
        )
        raise ValueError(msg)
