"""Windows through a network, batch by batch, on one device or on several."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from queue import SimpleQueue

import numpy as np
import numpy.typing as npt
import torch

from skembed._ragged import Ragged
from skembed.encoding._batches import batches
from skembed.networks._network import Network, Visit

Rows = npt.NDArray[np.int64]
Start = Callable[[Ragged, Rows, torch.device], tuple[Visit, Callable[[], object]]]
"""Begins a batch: gives what is shown its layers, and what to call when all is done."""


def run_windows(
    networks: Sequence[Network],
    ids: Ragged,
    last: int,
    batch_tokens: int,
    start: Start,
) -> Iterator[Rows]:
    """Run windows through networks that are alike, each on its device.

    Parameters
    ----------
    networks : sequence of Network
        Batches go to whichever is free.
    ids : Ragged of int32
        The token ids of each window.
    last : int
        The highest layer that is wanted.
    batch_tokens : int
        Most tokens of a batch.
    start : callable
        Called with the ids of a batch, its rows of `ids`, and the device. Returns
        what is shown the layers, and what is called once, from this thread, when the
        batch has been run.

    Yields
    ------
    rows : ndarray of shape (n_windows,), int64
        The windows that have been run since; those without tokens never are.
    """

    def run(network: Network, rows: Rows) -> list[Callable[[], object]]:
        return _run_batch(network, ids, rows, last, start)

    work = batches(ids.lengths, batch_tokens)
    if len(networks) == 1:
        for rows in work:
            for finish in run(networks[0], rows):
                finish()
            yield rows
        return
    yield from _run_side_by_side(networks, work, run)


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

    with ThreadPoolExecutor(len(networks)) as executor:
        waiting: set[Future[tuple[Rows, list[Callable[[], object]]]]] = set()
        for rows in work:
            waiting.add(executor.submit(run_on_free, rows))
            if len(waiting) > len(networks):
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                yield from map(_finish, done)
        yield from map(_finish, waiting)


def _finish(future: Future[tuple[Rows, list[Callable[[], object]]]]) -> Rows:
    rows, finishes = future.result()
    for finish in finishes:
        finish()
    return rows


def _run_batch(
    network: Network, ids: Ragged, rows: Rows, last: int, start: Start
) -> list[Callable[[], object]]:
    """Run some windows, in halves if memory is short; return what is to be called."""
    batch = _take(ids, rows)
    visit, finish = start(batch, rows, network.device)
    try:
        network.run(batch, last, visit)
    except torch.OutOfMemoryError as error:
        if len(rows) == 1:
            raise _too_long(int(batch.lengths[0]), network) from error
    else:
        return [finish]
    torch.cuda.empty_cache()
    warnings.warn(
        f"A batch of {len(batch.values)} tokens did not fit into the memory of "
        f"{network.device}, and is run in halves. Lower batch_tokens.",
        RuntimeWarning,
        stacklevel=2,
    )
    half = len(rows) // 2
    return [
        finish
        for part in (rows[:half], rows[half:])
        for finish in _run_batch(network, ids, part, last, start)
    ]


def _too_long(n_tokens: int, network: Network) -> MemoryError:
    msg = (
        f"A single text of {n_tokens} tokens does not fit into the memory of "
        f"{network.device}. Lower max_length: longer texts are read by windows."
    )
    return MemoryError(msg)


def _take(ids: Ragged, rows: Rows) -> Ragged:
    """Copy some windows into a batch."""
    return Ragged.from_lengths(
        np.concatenate([ids[row] for row in rows]), ids.lengths[rows]
    )
