"""Things that are slow to make and large to keep, a few at a time."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Registry(Generic[T]):
    """Things that are slow to make and large to keep, for all threads of a process.

    Parameters
    ----------
    n_kept : int
        Those used last are kept. What is dropped lives on where it is in use.

    Examples
    --------
    >>> registry = Registry(n_kept=2)
    >>> registry.get("key", lambda: "made once")
    'made once'
    >>> registry.get("key", lambda: "not made")
    'made once'
    """

    def __init__(self, n_kept: int) -> None:
        self.n_kept = n_kept
        self._entries: OrderedDict[Hashable, _Entry[T]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what is kept for a key, or make it; others wait for it meanwhile.

        What `make` raises is raised here, and the next one tries again.
        """
        with self._lock:
            entry = self._entries.setdefault(key, _Entry())
            self._entries.move_to_end(key)
            while len(self._entries) > self.n_kept:
                self._entries.popitem(last=False)
        with entry.lock:
            if not entry.made:
                entry.made.append(make())
            return entry.made[0]

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()


class _Entry(Generic[T]):
    def __init__(self) -> None:
        self.lock = threading.Lock()
        # Empty, or the one thing.
        self.made: list[T] = []
