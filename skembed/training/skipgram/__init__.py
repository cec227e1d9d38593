"""Skip-gram: one function, whatever the loss, the number of threads or the device.

It makes the tables and runs the epochs; a `Schedule` runs an epoch on tables that it is
given. The core for GPUs is another schedule.
"""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from skembed._ragged import Ragged
from skembed.training.skipgram._config import Matrix, SkipGramConfig, SkipGramResult
from skembed.training.skipgram._epochs import Progress, Runs, run_epochs, sampled
from skembed.training.skipgram._objectives import OBJECTIVES, Objective
from skembed.training.skipgram._schedule import Schedule, torch_schedule
from skembed.training.skipgram._tables import (
    draw_input,
    padded_table,
    random_input,
    unpadded,
)

if TYPE_CHECKING:
    import torch

__all__ = ["SkipGramConfig", "SkipGramResult", "random_input", "train_skipgram"]


def train_skipgram(
    corpus: Ragged,
    counts: npt.NDArray[np.int64],
    config: SkipGramConfig,
    *,
    seed: int,
    n_threads: int = 1,
    device: "torch.device | None" = None,
    document_weight: npt.NDArray[np.float32] | None = None,
    initial: tuple[Matrix, Matrix | None] | None = None,
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
    device : torch.device or None
        Where the torch core trains, for ``loss="negative_sampling"``: if
        torch.distributed has been initialised, together with the other processes, which
        call this with the same arguments. None trains in compiled code on the CPU.
    document_weight : ndarray of shape (n_documents,), float32, or None
        Factor of the learning rate for each document's centre words.
    initial : tuple of ndarray, or None
        Input and output vectors to go on from, (n_words, vector_size) and
        (n_outputs, vector_size), float32; copied. Without the latter: zero. None:
        random and zero.
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
    words = sampled(corpus, counts, config.sample, document_weight)
    schedule: Runs
    if device is None:
        schedule = Schedule(words, tables, objective, config, n_threads)
    else:
        schedule = torch_schedule(words, counts, tables, config, device)
    losses = run_epochs(schedule, objective.initial_loss, config, seeds, progress)
    w_in, w_out = unpadded(tables[0], size), unpadded(tables[1], size)
    return SkipGramResult(w_in, w_out, np.array(losses))
