"""Translation: an encoder of contexts, trained as a part of a translator.

Pairs of texts go in, the weights of a bidirectional LSTM come out: the MT-LSTM of
McCann, Bradbury, Xiong and Socher (2017), "Learned in Translation: Contextualized Word
Vectors". Importing this package loads no torch.
"""

from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from skembed._devices import resolve_devices, torch_threads
from skembed._ragged import Ragged
from skembed.training.translation._config import (
    EpochScores,
    Pairs,
    TranslationConfig,
    TranslationResult,
)

__all__ = [
    "EpochScores",
    "Pairs",
    "TranslationConfig",
    "TranslationResult",
    "train_translation",
    "translate",
]

Float32Array = npt.NDArray[np.float32]
Progress = Callable[[int, float, float], object]


def train_translation(
    training: Pairs,
    vectors: Float32Array,
    n_target_words: int,
    config: TranslationConfig,
    *,
    held_out: Pairs | None = None,
    seed: int,
    device: Any = "auto",
    n_threads: int | None = None,
    checkpoint: str | PathLike[str] | None = None,
    keep_on_interrupt: bool = False,
    progress: Progress | None = None,
) -> TranslationResult:
    """Train an attentional translator of texts of fixed word vectors.

    Parameters
    ----------
    training : Pairs
        Those of which a text is empty are passed over.
    vectors : ndarray of shape (n_source_words, input_size), float32
        Of the words of sources. They are not trained.
    n_target_words : int
        The ids of words of targets are below it.
    config : TranslationConfig
    held_out : Pairs or None
        To measure the perplexity on, after each epoch.
    seed : int
        Fixes the initial weights, the order of pairs and the dropout.
    device : str or torch.device
    n_threads : int or None
        Threads of torch on a CPU; None leaves them as they are.
    checkpoint : str, path or None
        A folder for the state of the training. If it holds one of the same training,
        that is gone on with: the result is the same as without the interruption. It is
        emptied at the end.
    keep_on_interrupt : bool
        Whether a KeyboardInterrupt ends the training with the best weights so far.
    progress : callable or None
        Called several times in each epoch with the epoch (from 0), the part of it that
        is done and the mean loss in it so far. A true result stops the training after
        the epoch; what it raises, at once.

    Returns
    -------
    result : TranslationResult

    Raises
    ------
    ValueError
        If no pair is left to train on, ids are out of range, training diverges, or the
        checkpoint is of another training.

    Examples
    --------
    >>> texts = Ragged.from_lengths(np.array([0, 1, 1, 0], np.int32), [2, 2])
    >>> config = TranslationConfig(hidden_size=4, epochs=2)
    >>> vectors = np.eye(2, dtype=np.float32)
    >>> result = train_translation(Pairs(texts, texts), vectors, 2, config, seed=0)
    >>> result.encoder["weight_ih_l1"].shape, len(result.history)
    ((16, 8), 2)
    """
    from skembed.training.translation._torch_run import Corpora
    from skembed.training.translation._torch_train import run_training

    empty = Ragged.from_lengths(np.empty(0, dtype=np.int32), [])
    corpora = Corpora(
        _checked(training, len(vectors), n_target_words),
        _checked(held_out or Pairs(empty, empty), len(vectors), n_target_words),
        np.ascontiguousarray(vectors, dtype=np.float32),
        n_target_words,
    )
    if not len(corpora.training.source):
        msg = (
            f"None of the {len(training.source)} pairs to train on has words on both "
            "sides."
        )
        raise ValueError(msg)
    with torch_threads(n_threads):
        return run_training(
            corpora,
            config,
            seed=seed,
            device=resolve_devices(device)[0],
            checkpoint=None if checkpoint is None else Path(checkpoint),
            keep_on_interrupt=keep_on_interrupt,
            progress=progress,
        )


def translate(
    result: TranslationResult,
    source: Ragged,
    vectors: Float32Array,
    config: TranslationConfig,
    *,
    beam_size: int = 5,
    max_length: int = 100,
    device: Any = "auto",
) -> Ragged:
    """Translate texts by what training gave.

    Parameters
    ----------
    result : TranslationResult
    source : Ragged of int32
        Rows of `vectors`.
    vectors : ndarray of shape (n_source_words, input_size), float32
    config : TranslationConfig
        That of the training.
    beam_size : int
        Beginnings that are kept; 1 takes the likeliest word at each step.
    max_length : int
        Most words of a translation.
    device : str or torch.device

    Returns
    -------
    target : Ragged of int32
        Empty for an empty text.
    """
    from skembed.training.translation._torch_train import run_translation

    encoder, decoder = result.encoder, result.decoder
    return run_translation(
        encoder,
        decoder,
        source,
        vectors,
        config,
        beam_size=beam_size,
        max_length=max_length,
        device=resolve_devices(device)[0],
    )


def _checked(pairs: Pairs, n_source_words: int, n_target_words: int) -> Pairs:
    """Return the pairs without empty texts, or raise a ValueError."""
    if len(pairs.source) != len(pairs.target):
        msg = (
            "There must be one target for each source, got "
            f"{len(pairs.target)} for {len(pairs.source)}."
        )
        raise ValueError(msg)
    for ids, n_words in zip(pairs, (n_source_words, n_target_words), strict=True):
        values = ids.values
        if len(values) and not 0 <= values.min() <= values.max() < n_words:
            msg = f"Ids must be from 0 to {n_words - 1}, got {values.min()} to "
            msg += f"{values.max()}."
            raise ValueError(msg)
    rows = np.flatnonzero((pairs.source.lengths > 0) & (pairs.target.lengths > 0))
    return Pairs(_take(pairs.source, rows), _take(pairs.target, rows))


def _take(ids: Ragged, rows: npt.NDArray[np.int64]) -> Ragged:
    parts = [ids[int(row)] for row in rows]
    empty = np.empty(0, dtype=np.int32)
    return Ragged.from_lengths(np.concatenate([empty, *parts]), ids.lengths[rows])
