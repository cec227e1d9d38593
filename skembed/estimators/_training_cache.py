"""Train once, whoever asks: results kept on disk, by what they are a function of."""

import os
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from numbers import Integral
from pathlib import Path
from typing import Any, TypeVar

import joblib
from filelock import FileLock
from sklearn.utils.validation import check_memory

from skembed._devices import trains_together

Result = TypeVar("Result")


class _NotWholeError(Exception):
    """Carries a result past `joblib.Memory`, which keeps nothing if a call raises."""

    def __init__(self, result: Any) -> None:
        super().__init__()
        self.result = result


def _always() -> bool:
    return True


def seeded_memory(memory: Any, random_state: Any) -> Any:
    """Return `memory`, if a seed says which training is asked for; else None.

    Examples
    --------
    >>> seeded_memory("cache", 0), seeded_memory("cache", None)
    ('cache', None)
    """
    return memory if isinstance(random_state, Integral) else None


def train_once(
    memory: Any,
    train: Callable[..., Result],
    arguments: Mapping[str, Any],
    *,
    is_whole: Callable[[], bool] = _always,
    **unhashed: Any,
) -> Result:
    """Return ``train(**arguments, **unhashed)``, from the cache if it is there.

    Parameters
    ----------
    memory : None, path or joblib.Memory
        Where results are kept. None trains, and keeps nothing; so do processes that
        train together on several GPUs.
    train : callable
        A function of a module, whose result is pickled.
    arguments : mapping
        What the result depends on: its contents are the key, with the name of `train`
        and the version of skembed.
    is_whole : callable
        Says after training whether its result may be kept: whether it is all that the
        arguments ask for, and not that of a training which somebody has stopped. Nor is
        one that says ``was_interrupted``.
    **unhashed : dict
        Arguments that change how long training takes, but not the result.

    Returns
    -------
    result : object
        Of two processes that ask for the same result at the same time, one trains; the
        other waits for it, and reads what it has kept.
    """
    # Processes that train together would wait for the one that has the lock.
    if memory is None or trains_together(arguments.get("device")):
        return train(**arguments, **unhashed)
    if isinstance(memory, os.PathLike):
        memory = os.fspath(memory)
    memory = check_memory(memory)
    key = _key(train, arguments)
    cached = memory.cache(_call, ignore=["function", "arguments", "is_whole"])
    result: Result
    with _lock(memory, key):
        try:
            result = cached(key, train, {**arguments, **unhashed}, is_whole)
        except _NotWholeError as stopped:
            result = stopped.result
    return result


def _call(
    key: str,  # noqa: ARG001
    function: Callable[..., Any],
    arguments: Mapping[str, Any],
    is_whole: Callable[[], bool],
) -> Any:
    # `joblib.Memory` knows the call by its key alone.
    result = function(**arguments)
    if not is_whole() or getattr(result, "was_interrupted", False):
        raise _NotWholeError(result)
    return result


def _key(train: Callable[..., Any], arguments: Mapping[str, Any]) -> str:
    # The corpus is hashed once, here: `joblib.Memory` then only hashes this key.
    from skembed import __version__

    key: str = joblib.hash((__version__, train.__qualname__, dict(arguments)))
    return key


def _lock(memory: Any, key: str) -> Any:
    location = getattr(getattr(memory, "store_backend", None), "location", None)
    if not isinstance(location, str):
        # A Memory of location None, or a store that is no folder.
        return nullcontext()
    folder = Path(location) / "skembed-locks"
    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / f"{key}.lock")
