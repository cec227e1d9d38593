"""Co-occurrence counts that are kept, so that a grid of models counts once."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from skembed._processes import process_map, thread_count
from skembed._ragged import Ragged
from skembed.estimators._training_cache import train_once
from skembed.training.cooccurrence import Cooccurrences, count_cooccurrences
from skembed.training.glove import GloVeConfig, GloVeResult, GloVeTables, train_glove


def counting_parameters(
    estimator: Any, document_weight: npt.NDArray[np.float64] | None, seed: int
) -> dict[str, Any]:
    """Collect the parameters that counts depend on.

    Parameters
    ----------
    estimator : object with the parameters below
    document_weight : ndarray of shape (n_documents,), float64, or None
    seed : int
        Of no effect without subsampling.

    Returns
    -------
    counting : dict
        See `count_cooccurrences`.
    """
    names = ("window", "weighting", "symmetric", "sample")
    return {
        **{name: getattr(estimator, name) for name in names},
        "document_weight": document_weight,
        "seed": seed if estimator.sample else 0,
    }


def working_parameters(estimator: Any) -> dict[str, Any]:
    """Collect what says how to count, and not what.

    Parameters
    ----------
    estimator : object with `n_jobs` and `max_memory`, the latter in gibibytes

    Returns
    -------
    working : dict
        See `count_cooccurrences`.
    """
    return {
        "n_threads": thread_count(estimator.n_jobs),
        "max_memory": estimator.max_memory * 2.0**30,
        "processes": process_map(estimator.n_jobs),
    }


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
        What else the counts depend on; see `counting_parameters`.
    **unhashed : dict
        See `working_parameters`.

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
    progress: Any,
    device: Any = None,
    **working: Any,
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
    progress : callable
    device : torch.device or None
        Where to train, after counting.
    **working : dict
        See `working_parameters`.

    Returns
    -------
    result : GloVeResult
    """
    counts = counted_once(counts_memory, corpus, n_words, counting, **working)
    return train_glove(
        counts,
        n_words,
        config,
        seed=seed,
        n_threads=working["n_threads"],
        device=device,
        initial=initial,
        progress=progress,
    )
