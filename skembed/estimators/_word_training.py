"""The training of word vectors, whatever their kind: its settings and its cache."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

from skembed.estimators._progress import TrainingProgress
from skembed.estimators._training_cache import seeded_memory, train_once

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Config = TypeVar("Config", bound="DataclassInstance")
Result = TypeVar("Result")


def training_config(kind: type[Config], estimator: Any, **changes: Any) -> Config:
    """Make the settings of training from the parameters of an estimator.

    Parameters
    ----------
    kind : type
        A dataclass. Its fields are parameters of the same names.
    estimator : estimator
    **changes : dict
        What stands in the place of parameters, or is none.

    Returns
    -------
    config : object
        Of this kind.

    Examples
    --------
    >>> from skembed import PPMIVectorizer
    >>> from skembed.training.ppmi import PPMIConfig
    >>> training_config(PPMIConfig, PPMIVectorizer(shift_k=5.0), vector_size=3)
    PPMIConfig(vector_size=3, shift_k=5.0, context_smoothing=0.75, exponent=0.5)
    """
    names = {field.name for field in fields(kind)}.difference(changes)
    asked = {name: getattr(estimator, name) for name in names}
    return kind(**{**asked, **changes})


def train_words(
    train: Callable[..., Result],
    arguments: Mapping[str, Any],
    estimator: Any,
    progress: TrainingProgress,
    *,
    goes_on: bool = False,
    **unhashed: Any,
) -> Result:
    """Train word vectors, or find those that were trained before.

    Parameters
    ----------
    train : callable
        Takes the arguments, `progress` and the unhashed ones.
    arguments : mapping of str to object
        What the result depends on.
    estimator : estimator
        With the parameters `memory` and `random_state`.
    progress : TrainingProgress
    goes_on : bool
        Whether this is a call of ``partial_fit``, of which nothing is kept.
    **unhashed : dict
        What the result does not depend on.

    Returns
    -------
    result : object
        Of `train`.
    """
    memory = seeded_memory(estimator.memory, estimator.random_state)
    return train_once(
        None if goes_on else memory,
        train,
        arguments,
        is_whole=lambda: not progress.stopped,
        progress=progress,
        **unhashed,
    )
