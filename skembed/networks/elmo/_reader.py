"""Texts through a bidirectional language model, and the state they begin with.

A text that is cut into windows gives what it would give in one piece: before its
windows are shown, the model is run over them for its state alone, forward from the
first and backward from the last. Then each window, in whatever batch, begins with what
its neighbors leave.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from skembed._ragged import Ragged
from skembed.networks._network import Visit
from skembed.networks._windows import Windows
from skembed.networks.elmo._network import ElmoNetwork, State

Rows = npt.NDArray[np.int64]


class Begin(NamedTuple):
    """What windows begin with.

    Parameters
    ----------
    state : State
    end : callable, or None
        Called with what they end with.
    """

    state: State
    end: Callable[[State], None] | None


class ElmoReader:
    """A network with the words of some texts.

    See `skembed.networks._network.CarryingNetwork` for what it does.

    Parameters
    ----------
    network : ElmoNetwork
    words : list of str
        The word of each id; more may be added while this is used.
    initial_state : {"warm", "zeros", "carry"}
        What a text begins with: what a fixed text leaves; zeros; or, for each call of
        `carry`, what the text in its place ended with in the call before.
    """

    pads = False

    def __init__(
        self, network: ElmoNetwork, words: list[str], initial_state: str
    ) -> None:
        self.network, self.device = network, network.device
        self.widths = network.widths
        self._words, self._initial_state = words, initial_state
        self._slots = self._ended = network.zeros(0)

    def run(
        self, ids: Ragged, last: int, visit: Visit, begin: Begin | None = None
    ) -> None:
        """Show the states of layers 0 to `last`, one layer at a time.

        Parameters
        ----------
        ids : Ragged of int32
        last : int
        visit : callable
        begin : Begin, or None
            None for texts of one window each.
        """
        if begin is None:
            zeros = np.zeros((2, len(ids)), np.int64)
            begin = Begin(_gathered(self._initial(), zeros), None)
        state = begin.state.to(self.device)
        ended = self.network.run(self._vectors(ids), ids.lengths, last, visit, state)
        if begin.end is not None:
            begin.end(ended)

    def carry(self, windows: Windows, last: int) -> Callable[[Rows], Begin]:
        """Find out what each window begins with.

        Parameters
        ----------
        windows : Windows
        last : int

        Returns
        -------
        begins : callable
            Gives the `Begin` of some windows.
        """
        is_carried = self._initial_state == "carry"
        initial = self._next_slots(windows.n_texts) if is_carried else self._initial()
        # The row of each window in the table of states, in both directions. Those that
        # begin a text share the first rows.
        first = np.where(is_carried, windows.text, 0)
        index = np.stack([first, first])
        state = initial
        if windows.n_windowed:
            state = self._states_between(windows, last, initial, index)

        def begins(rows: Rows) -> Begin:
            end = self._keeper(windows, rows) if is_carried else None
            return Begin(_gathered(state, index[:, rows]), end)

        return begins

    def _vectors(self, ids: Ragged) -> torch.Tensor:
        distinct, place = np.unique(ids.values, return_inverse=True)
        vectors = self.network.words([self._words[i] for i in distinct.tolist()])
        return vectors[torch.from_numpy(place).to(self.device)]

    def _initial(self) -> State:
        if self._initial_state == "warm":
            return self.network.warm
        return self.network.zeros(1)

    def _states_between(
        self, windows: Windows, last: int, initial: State, index: Rows
    ) -> State:
        """Run over texts of several windows, and note the states between these.

        Returns
        -------
        state : State
            The initial ones, then those of the windows that go on. `index` is changed
            to tell which is whose.
        """
        n_initial = initial.output.shape[2]
        numbers = _numbers(windows.text)
        n_windows = np.bincount(windows.text)[windows.text]
        goes_on = np.stack([numbers > 0, numbers < n_windows - 1])
        places = n_initial + np.arange(goes_on[0].sum())
        for direction in range(2):
            index[direction, goes_on[direction]] = places
        state = _extended(initial, self.network.zeros(len(places)))
        for step in range(int(n_windows.max()) - 1):
            has_next = n_windows > step + 1
            for direction, at, towards in ((0, step, 1), (1, n_windows - 1 - step, -1)):
                rows = np.flatnonzero(has_next & (numbers == at))
                begin = _gathered(state, index[:, rows])
                ended = self._ends(windows.ids, rows, last, begin, direction)
                following = torch.from_numpy(index[direction, rows + towards])
                state.put(direction, following.to(self.device), ended)
        return state

    def _ends(
        self, ids: Ragged, rows: Rows, last: int, begin: State, direction: int
    ) -> State:
        """Run some windows for what they end with, in halves if memory is short."""
        try:
            batch = _taken(ids, rows)
            vectors = self._vectors(batch)
            return self.network.run(
                vectors, batch.lengths, last, None, begin, directions=(direction,)
            )
        except torch.OutOfMemoryError:
            if len(rows) == 1:
                raise
        torch.cuda.empty_cache()
        half = len(rows) // 2
        halves = np.arange(half), np.arange(half, len(rows))
        first, second = (
            self._ends(
                ids, rows[part], last, _gathered(begin, np.stack([part] * 2)), direction
            )
            for part in halves
        )
        return _extended(first, second)

    def _next_slots(self, n_texts: int) -> State:
        """Return what the texts begin with that follow those run last."""
        n_ended = self._ended.output.shape[2]
        rest = torch.arange(n_ended, self._slots.output.shape[2], device=self.device)
        # A place without a text in the last call keeps what it had.
        self._slots = _extended(self._ended, self._slots.of(rest, rest))
        lacking = max(n_texts - self._slots.output.shape[2], 0)
        self._slots = _extended(self._slots, self.network.zeros(lacking))
        texts = torch.arange(n_texts, device=self.device)
        self._ended = self._slots.of(texts, texts)
        return self._slots.of(texts, texts)

    def _keeper(self, windows: Windows, rows: Rows) -> Callable[[State], None]:
        """Return what keeps the states that texts end with, of those that end here."""
        numbers = _numbers(windows.text)
        n_windows = np.bincount(windows.text)[windows.text]
        ends = (numbers == n_windows - 1)[rows], (numbers == 0)[rows]
        kept = self._ended

        def end(state: State) -> None:
            for direction in range(2):
                chosen = np.flatnonzero(ends[direction])
                texts = torch.from_numpy(windows.text[rows[chosen]]).to(self.device)
                places = torch.from_numpy(chosen).to(state.output.device)
                kept.put(direction, texts, state.of(places, places))

        return end


def _numbers(text: Rows) -> Rows:
    """Return the number of each window in its text."""
    return np.arange(len(text)) - np.searchsorted(text, text, side="left")


def _gathered(state: State, index: Rows) -> State:
    forward, backward = torch.from_numpy(index).to(state.output.device)
    return state.of(forward, backward)


def _extended(state: State, other: State) -> State:
    return State(
        torch.cat([state.output, other.output], dim=2),
        torch.cat([state.cell, other.cell], dim=2),
    )


def _taken(ids: Ragged, rows: Rows) -> Ragged:
    return Ragged.from_lengths(
        np.concatenate([ids[row] for row in rows]), ids.lengths[rows]
    )
