"""Work for other processes: those of joblib's backend, wherever they run."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from joblib import Parallel, cpu_count, delayed, effective_n_jobs
from joblib.parallel import get_active_backend

Map = Callable[..., Iterator[Any]]

# Tasks for each worker before results are waited for: so many are held in memory.
_TASKS_PER_WORKER = 2


def process_map(n_jobs: int | None) -> Map | None:
    """Give a `map` over the processes of joblib's backend, if it works with any.

    Threads need no such map: compiled kernels make use of them in the memory of this
    process. It is for :func:`joblib.parallel_config` with ``backend="dask"`` and the
    like.

    Parameters
    ----------
    n_jobs : int or None
        As an estimator has it.

    Returns
    -------
    process_map : callable or None
        ``process_map(function, items, *shared)`` iterates over the results of
        ``function(*shared, item)``, in their order. All of it is pickled; large arrays
        are best in `shared`, so that each machine gets them once. Items are read, in
        this thread, only a little ahead of the results.

    Examples
    --------
    >>> process_map(4) is None
    True
    """
    backend, _ = get_active_backend(prefer="threads")
    n_workers = effective_n_jobs(n_jobs)
    if _is_here(backend) or n_jobs == 1 or n_workers == 1:
        return None

    def spread(
        function: Callable[..., Any], items: Iterable[Any], *shared: Any
    ) -> Iterator[Any]:
        waiting = iter(items)
        call = delayed(function)
        with Parallel(n_jobs=n_jobs) as parallel:
            while batch := list(islice(waiting, _TASKS_PER_WORKER * n_workers)):
                yield from parallel([call(*shared, item) for item in batch])

    return spread


def thread_count(n_jobs: int | None) -> int:
    """Say how many threads of this process `n_jobs` stands for.

    Parameters
    ----------
    n_jobs : int or None

    Returns
    -------
    n_threads : int
        Not more than there are processors here, if the workers of joblib's backend may
        be elsewhere.

    Examples
    --------
    >>> thread_count(None), thread_count(3)
    (1, 3)
    """
    n_workers: int = effective_n_jobs(n_jobs)
    backend, _ = get_active_backend(prefer="threads")
    if _is_here(backend):
        return n_workers
    n_processors: int = cpu_count()
    return min(n_workers, n_processors)


def _is_here(backend: Any) -> bool:
    """Whether a backend works in this process, as those do that share its memory."""
    return bool(getattr(backend, "supports_sharedmem", False))
