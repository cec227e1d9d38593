"""Work for several threads, whose results come in the order of the work."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

Map = Callable[[Callable[[Any], Any], Iterable[Any]], Iterator[Any]]


@contextmanager
def threads(n_threads: int) -> Iterator[Map]:
    """Give a `map` whose calls run in threads.

    It reads its items only a little further than its results have been taken: what is
    in work is bounded, and done soon after an interrupt. Compiled kernels release the
    interpreter's lock, so threads are enough.

    Parameters
    ----------
    n_threads : int
        1 works in this thread.

    Examples
    --------
    >>> with threads(2) as thread_map:
    ...     list(thread_map(abs, [-3, 2, -1]))
    [3, 2, 1]
    """
    if n_threads == 1:
        yield map
        return
    with ThreadPoolExecutor(n_threads) as pool:

        def thread_map(do: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
            waiting: deque[Future[Any]] = deque()
            for item in items:
                waiting.append(pool.submit(do, item))
                if len(waiting) > 2 * n_threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

        yield thread_map
