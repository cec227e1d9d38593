"""Bidirectional language models on characters, as ELMo's: trained, measured, asked.

A biLM is two language models that share the vectors of words, made from characters,
and the softmax: one predicts each word from those before it, the other from those
after it. Their hidden states are contextual features of the words (Peters et al. 2018,
"Deep contextualized word representations").
"""

from collections.abc import Callable
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from skembed._devices import resolve_devices
from skembed._ragged import Ragged
from skembed.training.bilm._batches import frame
from skembed.training.bilm._checks import check_corpora, check_initial
from skembed.training.bilm._config import BiLMArchitecture, BiLMConfig
from skembed.training.bilm._held_out import hold_out
from skembed.training.bilm._model import N_SPECIAL, UNKNOWN, BiLMModel, output_rows
from skembed.training.bilm._predict import measure_perplexity, place_probabilities
from skembed.training.bilm._result import BiLMResult, Epoch, Perplexity

if TYPE_CHECKING:
    from skembed.training.bilm._torch_run import Corpora

__all__ = [
    "N_SPECIAL",
    "UNKNOWN",
    "BiLMArchitecture",
    "BiLMConfig",
    "BiLMModel",
    "BiLMResult",
    "Epoch",
    "Perplexity",
    "hold_out",
    "measure_perplexity",
    "output_rows",
    "place_probabilities",
    "train_bilm",
]

Progress = Callable[[int, float, float], object]


def train_bilm(
    corpus: Ragged,
    characters: npt.NDArray[Any],
    config: BiLMConfig,
    *,
    seed: int,
    n_outputs: int | None = None,
    held_out: Ragged | None = None,
    initial: BiLMModel | None = None,
    device: Any = "cpu",
    n_threads: int | None = 1,
    checkpoint: Path | None = None,
    keep_on_interrupt: bool = False,
    progress: Progress | None = None,
) -> BiLMResult:
    """Train a biLM on sentences.

    Parameters
    ----------
    corpus : Ragged of int32
        The word ids of each sentence.
    characters : ndarray of shape (n_words, max_characters), int
        The character ids of each word, the most frequent word first; see
        `skembed.text.character_ids`.
    config : BiLMConfig
    seed : int
        Fixes the initial weights and every draw. On one machine, the same seed gives
        the same weights, bit for bit.
    n_outputs : int or None
        Only so many words, the most frequent ones, are predicted as themselves, the
        others as unknown; read they are by their characters. None: all.
    held_out : Ragged of int32, or None
        Sentences on which each epoch is measured. None holds out
        `config.validation_fraction` of the corpus.
    initial : BiLMModel or None
        To go on from, copied. Its options must be `config.architecture`'s. Its softmax,
        if it has one, must have ``3 + n_outputs`` rows for the same words.
    device : str or torch.device
    n_threads : int or None
        Of the CPU: two are kept busy, one by each direction. None: as many as torch
        has. No bit of the result depends on it.
    checkpoint : Path or None
        A folder where the state of training is written every
        `config.checkpoint_seconds`, and from which the same call goes on after a crash.
        It is emptied when training is done.
    keep_on_interrupt : bool
        Whether a KeyboardInterrupt ends the training with the best model so far.
    progress : callable or None
        Called several times in each epoch with the epoch (from 0), the part of it that
        is done and the mean loss in it so far. A true result stops the training after
        the epoch; what it raises, at once.

    Returns
    -------
    result : BiLMResult

    Raises
    ------
    ValueError
        If there are no words, ids are out of range, `initial` does not fit, checkpoints
        are of another training, or training diverges.

    Examples
    --------
    >>> import numpy as np
    >>> from skembed.text import character_ids
    >>> corpus = Ragged.from_lengths(np.array([0, 1, 0, 1], dtype=np.int32), [2, 2])
    >>> sizes = BiLMArchitecture(
    ...     hidden_size=4, projection_size=4, filters=((1, 4),), max_characters=6
    ... )
    >>> config = BiLMConfig(sizes, epochs=2, validation_fraction=0)
    >>> result = train_bilm(corpus, character_ids("ab", 6), config, seed=0)
    >>> result.model.softmax.shape
    (5, 4)
    >>> result.model.arrays["RNN_0/RNN/MultiRNNCell/Cell1/LSTMCell/W_0"].shape
    (8, 16)
    """
    n_words = len(characters)
    n_outputs = n_words if n_outputs is None else n_outputs
    if held_out is None:
        corpus, held_out = hold_out(corpus, config.validation_fraction, seed)
    check_corpora(corpus, held_out, characters, config)
    check_initial(initial, n_outputs, config)
    # Here, as it loads torch.
    from skembed.training.bilm._torch_run import Corpora
    from skembed.training.bilm._torch_step import Words
    from skembed.training.bilm._torch_train import Resources, train

    corpora = Corpora(
        frame(corpus, n_words, n_words + 1),
        frame(held_out, n_words, n_words + 1),
        Words(characters, output_rows(n_words, n_outputs), config.architecture),
    )
    fingerprint = _fingerprint(corpora, characters, n_outputs, config, seed, initial)
    resources = Resources(
        resolve_devices(device)[0],
        n_threads,
        None if checkpoint is None else (Path(checkpoint), fingerprint),
        keep_on_interrupt,
    )
    return train(corpora, config, seed, initial, resources, progress)


def _fingerprint(
    corpora: "Corpora",
    characters: npt.NDArray[Any],
    n_outputs: int,
    config: BiLMConfig,
    seed: int,
    initial: BiLMModel | None,
) -> str:
    """Digest all that decides what the weights become."""
    settings = (n_outputs, replace(config, checkpoint_seconds=0.0), seed)
    digest = blake2b(repr(settings).encode(), digest_size=16)
    parts = [corpora.training, corpora.held_out]
    arrays = [array for part in parts for array in (part.values, part.offsets)]
    arrays.append(characters)
    if initial is not None:
        arrays += [initial.arrays[name] for name in sorted(initial.arrays)]
        arrays += [a for a in (initial.softmax, initial.bias) if a is not None]
    for array in arrays:
        digest.update(f"{array.dtype} {array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
