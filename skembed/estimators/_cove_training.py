"""An encoder of contexts, trained to translate the user's texts."""

import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Protocol

import numpy as np
import numpy.typing as npt

from skembed._ragged import Ragged
from skembed.estimators._cove_parts import look_up
from skembed.estimators._network_training import (
    NetworkTraining,
    draw_seed,
    train_network,
)
from skembed.training.translation import (
    Pairs,
    TranslationConfig,
    TranslationResult,
    train_translation,
)
from skembed.vectors import WordVectors

Float32Array = npt.NDArray[np.float32]
Texts = Sequence[Sequence[str]]


class TranslatorTraining(NetworkTraining, Protocol):
    """The parameters of `CoVeFeaturizer` that say how an encoder is trained."""

    hidden_size: int
    batch_size: int
    learning_rate: float
    dropout: float
    min_count: int
    max_vocab_size: int | None
    max_pair_length: int
    validation_fraction: float
    n_iter_no_change: int | None


def train_encoder(
    sources: Texts, targets: Texts, word_vectors: WordVectors, given: TranslatorTraining
) -> TranslationResult:
    """Train a translator of texts, or find the one that was trained before.

    Parameters
    ----------
    sources, targets : sequence of sequences of str
        The words of texts and of their translations, as many.
    word_vectors : WordVectors
    given : TranslatorTraining

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
    seed = draw_seed(given.random_state)
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
    return train_network(train_translation, arguments, given)


def _config(given: TranslatorTraining) -> TranslationConfig:
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


def _target_ids(targets: Texts, given: TranslatorTraining) -> dict[str, int]:
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
