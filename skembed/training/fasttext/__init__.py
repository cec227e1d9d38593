"""fastText: skip-gram in which a word is the mean of its own row and its n-grams'.

It makes the tables, and says how words are made of rows; the epochs, the spans and
their replicas are those of `skembed.training.skipgram`.
"""

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from skembed._ragged import Ragged
from skembed.training.fasttext._composition import compose, word_vectors
from skembed.training.fasttext._config import (
    FastTextConfig,
    FastTextResult,
    FastTextTables,
)
from skembed.training.fasttext._groups import group_rows
from skembed.training.fasttext._objective import NgramSampling
from skembed.training.fasttext._schedule import NgramSchedule
from skembed.training.fasttext._tables import draw_rows, own_rows, padded_tables
from skembed.training.skipgram._epochs import Progress, Runs, run_epochs, sampled
from skembed.training.skipgram._schedule import torch_schedule
from skembed.training.skipgram._tables import padded_table, unpadded

if TYPE_CHECKING:
    import torch

__all__ = [
    "FastTextConfig",
    "FastTextResult",
    "FastTextTables",
    "draw_rows",
    "own_rows",
    "train_fasttext",
]


def train_fasttext(
    corpus: Ragged,
    counts: npt.NDArray[np.int64],
    ngrams: Ragged,
    config: FastTextConfig,
    *,
    seed: int,
    n_threads: int = 1,
    device: "torch.device | None" = None,
    document_weight: npt.NDArray[np.float32] | None = None,
    initial: FastTextTables | None = None,
    progress: Progress | None = None,
) -> FastTextResult:
    """Learn the vectors of words and of their n-grams.

    Parameters
    ----------
    corpus : Ragged of int32
        Token ids. Windows never cross a document's end.
    counts : ndarray of shape (n_words,), int64
        Occurrences of each word, all positive, most frequent first.
    ngrams : Ragged of int32
        For each word the rows of its n-grams, from 0 to n_ngrams - 1, every one of
        which some word has. A row may be there several times.
    config : FastTextConfig
    seed : int
        Fixes the initial tables and every draw.
    n_threads : int
        With ``parallel="reproducible"`` the result does not depend on it.
    device : torch.device or None
        As in `skembed.training.skipgram.train_skipgram`.
    document_weight : ndarray of shape (n_documents,), float32, or None
        Factor of the learning rate for each document's centre words.
    initial : FastTextTables or None
        Tables to go on from; copied. None: random inputs, outputs of zeros.
    progress : callable or None
        As in `skembed.training.skipgram.train_skipgram`.

    Returns
    -------
    result : FastTextResult

    Raises
    ------
    ValueError
        If training diverges, or the loss is another than negative sampling.

    Examples
    --------
    >>> corpus = Ragged.from_lengths(np.array([0, 1, 0, 2], dtype=np.int32), [2, 2])
    >>> ngrams = Ragged.from_lengths(np.array([0, 1, 1, 2], dtype=np.int32), [2, 1, 1])
    >>> config = FastTextConfig(vector_size=4, epochs=2)
    >>> result = train_fasttext(corpus, np.array([2, 1, 1]), ngrams, config, seed=0)
    >>> result.vectors.shape, result.tables.ngrams.shape, result.losses.shape
    ((3, 4), (3, 4), (2,))
    """
    if config.loss != "negative_sampling":
        msg = f"fastText's loss is 'negative_sampling', got loss={config.loss!r}."
        raise ValueError(msg)
    n_words, size = len(counts), config.vector_size
    seeds = np.random.SeedSequence(seed)
    if initial is None:
        n_ngrams = int(ngrams.values.max(initial=-1)) + 1
        rows, w_out = (
            padded_table(n_words + n_ngrams, size),
            padded_table(n_words, size),
        )
        draw_rows(rows[:-1, :size], np.random.default_rng(seeds))
    else:
        rows, w_out = padded_tables(initial)
    if device is not None:
        from skembed.training._torch.ranks import begin_alike

        # What their groups move is added to them in the end, in each process.
        begin_alike(rows, device)
    groups = group_rows(compose(ngrams), len(rows) - 1)
    composition = groups.composition
    objective = NgramSampling(counts, composition, config)
    words = sampled(corpus, counts, config.sample, document_weight)
    both = groups.means(rows), w_out
    schedule: Runs
    if device is None:
        schedule = NgramSchedule(words, both, composition, objective, config, n_threads)
    else:
        schedule = torch_schedule(words, counts, both, config, device, composition)
    losses = run_epochs(schedule, objective.initial_loss, config, seeds, progress)
    del schedule
    vectors = word_vectors(both[0], composition, size)
    groups.move(rows, both[0])
    tables = FastTextTables(
        rows[:n_words, :size].copy(),
        rows[n_words:-1, :size].copy(),
        unpadded(w_out, size),
    )
    return FastTextResult(vectors, tables, np.array(losses))
