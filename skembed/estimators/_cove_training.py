"""An encoder of contexts, trained to translate the user's texts."""

import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from numbers import Integral
from os import PathLike
from typing import Any

import numpy as np
import numpy.typing as npt
from joblib import effective_n_jobs
from sklearn.utils import check_random_state

from skembed._devices import resolve_devices
from skembed._ragged import Ragged
from skembed.estimators._cove_parts import look_up
from skembed.estimators._feature_memory import feature_cache
from skembed.estimators._progress import epoch_progress
from skembed.estimators._training_cache import train_once
from skembed.training.translation import (
    Pairs,
    TranslationConfig,
    TranslationResult,
    train_translation,
)
from skembed.vectors import WordVectors

Float32Array = npt.NDArray[np.float32]
Texts = Sequence[Sequence[str]]


class TrainingParameters:
    """The parameters of `CoVeFeaturizer` that say how an encoder is trained."""

    hidden_size: int
    epochs: int
    batch_size: int
    learning_rate: float
    dropout: float
    min_count: int
    max_vocab_size: int | None
    max_pair_length: int
    validation_fraction: float
    n_iter_no_change: int | None
    checkpoint: str | PathLike[str] | None
    device: Any
    n_jobs: int | None
    random_state: Any
    memory: Any
    verbose: int


def train_encoder(
    sources: Texts, targets: Texts, word_vectors: WordVectors, given: TrainingParameters
) -> TranslationResult:
    """Train a translator of texts, or find the one that was trained before.

    Parameters
    ----------
    sources, targets : sequence of sequences of str
        The words of texts and of their translations, as many.
    word_vectors : WordVectors
    given : TrainingParameters

    Returns
    -------
    result : TranslationResult
        Of which the encoder is wanted.

    Raises
    ------
    ValueError
        If there are not as many targets, no pair is left, or no word has a vector.
    """
    sources, targets = _usable(sources, targets, given.max_pair_length)
    row_of = {word: row for row, word in enumerate(_distinct(sources))}
    vectors = look_up(word_vectors, list(row_of))
    _expect_known(vectors, list(row_of))
    id_of = _target_ids(targets, given)
    # All that are left out of the vocabulary are one more word.
    pairs = Pairs(
        _encode(sources, lambda word: row_of[word]),
        _encode(targets, lambda word: id_of.get(word, len(id_of))),
    )
    seed = int(check_random_state(given.random_state).randint(2**31 - 1))
    order = np.random.default_rng([seed, 1]).permutation(len(sources))
    n_held_out = int(given.validation_fraction * len(order))
    arguments = {
        "training": _take(pairs, np.sort(order[n_held_out:])),
        "held_out": _take(pairs, np.sort(order[:n_held_out])),
        "vectors": vectors,
        "n_target_words": len(id_of) + 1,
        "config": _config(given),
        "seed": seed,
    }
    # Without a seed, another training is what is asked for.
    has_seed = isinstance(given.random_state, Integral)
    cache = feature_cache(given.memory) if has_seed else None
    with epoch_progress(given.epochs, given.verbose) as progress:
        return train_once(
            None if cache is None else cache.location,
            train_translation,
            arguments,
            device=resolve_devices(given.device)[0],
            n_threads=None if given.n_jobs is None else effective_n_jobs(given.n_jobs),
            checkpoint=given.checkpoint,
            progress=progress,
        )


def _config(given: TrainingParameters) -> TranslationConfig:
    names = (
        "hidden_size", "epochs", "batch_size", "learning_rate", "dropout",
        "n_iter_no_change",
    )  # fmt: skip
    return TranslationConfig(**{name: getattr(given, name) for name in names})


def _expect_known(vectors: Float32Array, words: list[str]) -> None:
    if not vectors.any():
        msg = (
            f"None of the {len(words)} different words of X, such as {words[:5]}, has "
            "a vector. Check that lowercase and tokenizer make words that vectors "
            "knows."
        )
        raise ValueError(msg)


def _usable(sources: Texts, targets: Texts, most: int) -> tuple[Texts, Texts]:
    """Return the pairs that can be trained on, and warn of those that are too long."""
    if len(sources) != len(targets):
        msg = (
            "targets must hold one translation for each document of X, got "
            f"{len(targets)} for {len(sources)}."
        )
        raise ValueError(msg)
    pairs = [(s, t) for s, t in zip(sources, targets, strict=True) if s and t]
    kept = [(s, t) for s, t in pairs if max(len(s), len(t)) <= most]
    if len(kept) < 2:
        msg = (
            f"Of {len(sources)} pairs, {len(pairs)} have words on both sides, and "
            f"{len(kept)} of these at most max_pair_length={most}. At least 2 are "
            "needed."
        )
        raise ValueError(msg)
    if len(kept) < len(pairs):
        msg = (
            f"{len(pairs) - len(kept)} of {len(pairs)} pairs are not trained on: one "
            f"of their texts has more than max_pair_length={most} words. Split them "
            "into sentences, or raise max_pair_length."
        )
        # Of fit, which scikit-learn's check of parameters calls.
        warnings.warn(msg, stacklevel=7)
    return [s for s, _ in kept], [t for _, t in kept]


def _distinct(texts: Texts) -> Iterable[str]:
    return dict.fromkeys(chain.from_iterable(texts))


def _target_ids(targets: Texts, given: TrainingParameters) -> dict[str, int]:
    """Number the frequent words; of equally frequent ones those that come first."""
    counts = Counter(chain.from_iterable(targets)).most_common(given.max_vocab_size)
    words = [word for word, n in counts if n >= given.min_count]
    return {word: number for number, word in enumerate(words)}


def _encode(texts: Texts, id_of: Callable[[str], int]) -> Ragged:
    ids = [id_of(word) for text in texts for word in text]
    return Ragged.from_lengths(np.array(ids, np.int32), [len(text) for text in texts])


def _take(pairs: Pairs, rows: npt.NDArray[np.int64]) -> Pairs:
    empty = np.empty(0, dtype=np.int32)
    source, target = (
        Ragged.from_lengths(
            np.concatenate([empty, *[ids[int(row)] for row in rows]]),
            ids.lengths[rows],
        )
        for ids in pairs
    )
    return Pairs(source, target)
