"""The training of a network, whatever its kind: where, how often, and what is shown."""

from collections.abc import Callable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any, Protocol, TypeVar

from joblib import effective_n_jobs
from sklearn.utils import check_random_state

from skembed._devices import resolve_devices
from skembed.estimators._feature_memory import feature_cache
from skembed.estimators._progress import epoch_progress
from skembed.estimators._training_cache import seeded_memory, train_once

Result = TypeVar("Result")


class NetworkTraining(Protocol):
    """The parameters of a featurizer that say how its network is trained."""

    epochs: int
    checkpoint: str | PathLike[str] | None
    on_interrupt: str
    device: Any
    n_jobs: int | None
    random_state: Any
    memory: Any
    verbose: int


def draw_seed(random_state: Any) -> int:
    """Return the seed of a training.

    Examples
    --------
    >>> draw_seed(0)
    209652396
    """
    return int(check_random_state(random_state).randint(2**31 - 1))


def train_network(
    train: Callable[..., Result], arguments: Mapping[str, Any], given: NetworkTraining
) -> Result:
    """Train a network, or find the one that was trained before.

    Parameters
    ----------
    train : callable
        Takes the arguments, and ``device``, ``n_threads``, ``checkpoint``,
        ``keep_on_interrupt`` and ``progress``, on which its result does not depend. If
        it was interrupted, its result says ``was_interrupted``.
    arguments : mapping of str to object
    given : NetworkTraining

    Returns
    -------
    result : object
        Of `train`.
    """
    cache = feature_cache(seeded_memory(given.memory, given.random_state))
    with epoch_progress(given.epochs, given.verbose) as progress:
        return train_once(
            None if cache is None else cache.location,
            train,
            arguments,
            device=resolve_devices(given.device)[0],
            n_threads=None if given.n_jobs is None else effective_n_jobs(given.n_jobs),
            checkpoint=None if given.checkpoint is None else Path(given.checkpoint),
            keep_on_interrupt=given.on_interrupt == "keep",
            progress=progress,
        )
