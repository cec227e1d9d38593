"""Windows through a network, batch by batch, on one device or on several."""

import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt
import torch

from skembed._devices import torch_threads
from skembed._ragged import Ragged
from skembed.encoding._batches import batches
from skembed.networks._network import CarryingNetwork, Network, Visit

Rows = npt.NDArray[np.int64]
Start = Callable[[Ragged, Rows, torch.device], tuple[Visit, Callable[[], object]]]
"""Begins a batch: gives what is shown its layers, and what to call when all is done."""
Begins = Callable[[Rows], Any]
"""Says what some windows begin with, for networks that carry something into them."""


class TokenBudget:
    """How many tokens run together: fewer, once memory has proved to be short.

    Parameters
    ----------
    n_tokens : int

    Attributes
    ----------
    n_tokens : int
        Most tokens of a batch, padding included where a network pads.
    """

    def __init__(self, n_tokens: int) -> None:
        self.n_tokens = n_tokens
        self._is_said = False

    def lower(self, n_tokens: int, device: torch.device) -> None:
        """Take half of what did not fit, and say so the first time."""
        self.n_tokens = max(1, min(self.n_tokens, n_tokens // 2))
        if self._is_said:
            return
        self._is_said = True
        warnings.warn(
            f"A batch of {n_tokens} tokens did not fit into the memory of {device}. It "
            "is run in halves, and what follows in smaller batches. Lower batch_tokens "
            "for the next time.",
            RuntimeWarning,
            stacklevel=2,
        )


def run_windows(
    networks: Sequence[Network],
    ids: Ragged,
    last: int,
    budget: TokenBudget,
    start: Start,
    begins: Begins | None = None,
    *,
    n_lanes: int = 1,
) -> Generator[Rows]:
    """Run windows through networks that are alike, each on its device.

    Parameters
    ----------
    networks : sequence of Network
        Batches go to whichever is free.
    ids : Ragged of int32
        The token ids of each window.
    last : int
        The highest layer that is wanted.
    budget : TokenBudget
        Lowered where memory is short.
    start : callable
        Called with the ids of a batch, its rows of `ids`, and the device. Returns
        what is shown the layers, and what is called once, from this thread, when the
        batch has been run.
    begins : callable, or None
        From `CarryingNetwork.carry`.
    n_lanes : int
        How many batches each network runs side by side, of which each has its share of
        torch's threads and of the budget.

    Yields
    ------
    rows : ndarray of shape (n_windows,), int64
        The windows that have been run since; those without tokens never are.
    """

    def run(network: Network, rows: Rows) -> list[Callable[[], object]]:
        return _run_batch(_Work(network, ids, last, budget, start, begins), rows)

    work = batches(
        ids.lengths,
        max(1, budget.n_tokens // n_lanes),
        padded=networks[0].pads,
        n_lanes=n_lanes,
    )
    lanes = [network for network in networks for _ in range(n_lanes)]
    if len(lanes) == 1:
        for rows in work:
            for finish in run(lanes[0], rows):
                finish()
            yield rows
        return
    with torch_threads(torch.get_num_threads() // n_lanes):
        yield from _run_side_by_side(lanes, work, run)


def _run_side_by_side(
    networks: Sequence[Network],
    work: Iterator[Rows],
    run: Callable[[Network, Rows], list[Callable[[], object]]],
) -> Iterator[Rows]:
    """Keep all networks busy."""
    free: SimpleQueue[Network] = SimpleQueue()
    for network in networks:
        free.put(network)

    def run_on_free(rows: Rows) -> tuple[Rows, list[Callable[[], object]]]:
        network = free.get()
        try:
            return rows, run(network, rows)
        finally:
            free.put(network)

    executor = ThreadPoolExecutor(
        len(networks),
        # oneDNN would take as many as there are processors, until torch is asked.
        initializer=torch.set_num_threads,
        initargs=(torch.get_num_threads(),),
    )
    with executor:
        # In the order of the work, so that sums over windows always have the same bits.
        waiting: deque[Future[tuple[Rows, list[Callable[[], object]]]]] = deque()
        try:
            for rows in work:
                waiting.append(executor.submit(run_on_free, rows))
                if len(waiting) > 2 * len(networks):
                    yield _finish(waiting.popleft())
            while waiting:
                yield _finish(waiting.popleft())
        finally:
            executor.shutdown(wait=False, cancel_futures=True)


def _finish(future: Future[tuple[Rows, list[Callable[[], object]]]]) -> Rows:
    rows, finishes = future.result()
    for finish in finishes:
        finish()
    return rows


class _Work(NamedTuple):
    """What a batch of windows is run by."""

    network: Network
    ids: Ragged
    last: int
    budget: TokenBudget
    start: Start
    begins: Begins | None

    def run(self, batch: Ragged, rows: Rows, visit: Visit) -> None:
        """Run the network, which goes on from where it was left if it can."""
        if self.begins is None:
            self.network.run(batch, self.last, visit)
        else:
            network = cast("CarryingNetwork", self.network)
            network.run(batch, self.last, visit, self.begins(rows))


def _run_batch(work: _Work, rows: Rows) -> list[Callable[[], object]]:
    """Run some windows, in halves if memory is short; return what is to be called."""
    network, batch = work.network, _take(work.ids, rows)
    visit, finish = work.start(batch, rows, network.device)
    try:
        work.run(batch, rows, visit)
    except torch.OutOfMemoryError as error:
        if len(rows) == 1:
            raise _too_long(int(batch.lengths[0]), network) from error
    else:
        return [finish]
    # They hold what had been pooled by then.
    del visit, finish
    torch.cuda.empty_cache()
    n_padded = int(batch.lengths.max()) * len(rows)
    work.budget.lower(n_padded if network.pads else len(batch.values), network.device)
    half = len(rows) // 2
    return [
        finish
        for part in (rows[:half], rows[half:])
        for finish in _run_batch(work, part)
    ]


def _too_long(n_tokens: int, network: Network) -> MemoryError:
    msg = (
        f"A single text of {n_tokens} tokens does not fit into the memory of "
        f"{network.device}. Lower max_length, where there is one: longer texts are "
        "read by windows. Or set device='cpu'."
    )
    return MemoryError(msg)


def _take(ids: Ragged, rows: Rows) -> Ragged:
    """Copy some windows into a batch."""
    return Ragged.from_lengths(
        np.concatenate([ids[row] for row in rows]), ids.lengths[rows]
    )
