"""Co-occurrence counts that are kept, so that a grid of models counts once."""

from collections.abc import Mapping
from typing import Any

from skembed._ragged import Ragged
from skembed.estimators._training_cache import train_once
from skembed.training.cooccurrence import Cooccurrences, count_cooccurrences
from skembed.training.glove import GloVeConfig, GloVeResult, GloVeTables, train_glove


def counted_once(
    memory: Any,
    corpus: Ragged,
    n_words: int,
    counting: Mapping[str, Any],
    **unhashed: Any,
) -> Cooccurrences:
    """Count the co-occurrences of a corpus, or read what was counted.

    Parameters
    ----------
    memory : None, path or joblib.Memory
    corpus : Ragged of int32
    n_words : int
    counting : mapping
        What else the counts depend on: `window`, `weighting`, `symmetric`,
        `document_weight`.
    **unhashed : dict
        `n_threads` and `max_memory`.

    Returns
    -------
    counts : Cooccurrences
    """
    arguments = {"corpus": corpus, "n_words": n_words, **counting}
    return train_once(memory, count_cooccurrences, arguments, **unhashed)


def count_and_train(
    corpus: Ragged,
    n_words: int,
    counting: Mapping[str, Any],
    config: GloVeConfig,
    seed: int,
    initial: GloVeTables | None,
    *,
    counts_memory: Any,
    n_threads: int,
    max_memory: float,
    progress: Any,
) -> GloVeResult:
    """Train GloVe on the counts of a corpus.

    A function of the corpus, so that a trained model is found without its counts.

    Parameters
    ----------
    corpus : Ragged of int32
    n_words : int
    counting : mapping
        See `counted_once`.
    config : GloVeConfig
    seed : int
    initial : GloVeTables or None
        What to begin with; None for random ones.
    counts_memory : None, path or joblib.Memory
        Where the counts are kept.
    n_threads : int
    max_memory : float
        In bytes.
    progress : callable

    Returns
    -------
    result : GloVeResult
    """
    counts = counted_once(
        counts_memory,
        corpus,
        n_words,
        counting,
        n_threads=n_threads,
        max_memory=max_memory,
    )
    return train_glove(
        counts,
        n_words,
        config,
        seed=seed,
        n_threads=n_threads,
        initial=initial,
        progress=progress,
    )
