"""Texts through a frozen network: tokenised ahead, batched, pooled, put in order."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from skembed._ragged import Ragged
from skembed.encoding._batches import Rows, chunks, count_lanes
from skembed.encoding._pooled import PooledTexts, Wanted
from skembed.encoding._run import TokenBudget, run_windows
from skembed.features._torch import TokenStatistics
from skembed.networks import Windows
from skembed.networks._network import CarryingNetwork, Network, Visit

Text = str | Sequence[str]
Float32Array = npt.NDArray[np.float32]
Finish = Callable[[], object]


class Encoder(NamedTuple):
    """A network, and how texts come to it.

    Parameters
    ----------
    networks : sequence of Network
        The same one on each of the devices.
    tokenize : callable
        Makes the `Windows` of a list of texts, which messages call by the numbers that
        are given, too. Called in another thread.
    budget : TokenBudget
        How many tokens run together.
    progress : callable
        Called with how many more texts are done.
    chunks : callable
        Says which texts are tokenised together, as `skembed.encoding._batches.chunks`.
    most_lanes : int
        How many batches each network may run side by side.
    """

    networks: Sequence[Network]
    tokenize: Callable[[list[Text], list[int]], Windows]
    budget: TokenBudget
    progress: Callable[[int], object]
    chunks: Callable[[Sequence[Text]], Iterator[Rows]] = chunks
    most_lanes: int = 1

    def windows(
        self, texts: Sequence[Text], numbers: Rows
    ) -> Iterator[tuple[Rows, Windows]]:
        """Tokenise texts chunk by chunk, each while the one before is worked on.

        Parameters
        ----------
        texts : sequence of str or of sequences of str
        numbers : ndarray of shape (n_texts,), int64
            What messages call them.

        Yields
        ------
        rows : ndarray of shape (n_texts_of_chunk,), int64
            Which texts the chunk holds.
        windows : Windows
        """
        with ThreadPoolExecutor(1) as executor:
            waiting = None
            for rows in self.chunks(texts):
                job = executor.submit(
                    self.tokenize, [texts[row] for row in rows], numbers[rows].tolist()
                )
                if waiting is not None:
                    yield waiting[0], waiting[1].result()
                waiting = rows, job
            if waiting is not None:
                yield waiting[0], waiting[1].result()

    def run(
        self,
        windows: Windows,
        last: int,
        start: Callable[[Ragged, Rows, torch.device], tuple[Visit, Finish]],
    ) -> None:
        """Run windows through the networks, and tell of the progress."""
        ends_text = np.append(np.diff(windows.text) != 0, True)
        network, begins = self.networks[0], None
        if isinstance(network, CarryingNetwork):
            begins = network.carry(windows, last)
        n_lanes = count_lanes(
            windows.ids.lengths, self.budget.n_tokens, self.most_lanes
        )
        done = run_windows(
            self.networks,
            windows.ids,
            last,
            self.budget,
            start,
            begins,
            n_lanes=n_lanes,
        )
        n_done = 0
        # What goes wrong here ends the run, too, and gives the threads back at once.
        with closing(done):
            for rows in done:
                n_more = int(ends_text[rows].sum())
                n_done += n_more
                self.progress(n_more)
        # Texts without tokens have not been run.
        self.progress(int(ends_text.sum()) - n_done)


def pooled_texts(
    encoder: Encoder, texts: Sequence[Text], numbers: Rows, wanted: Wanted
) -> Iterator[tuple[Rows, dict[str, Float32Array]]]:
    """Compute statistics of the layers of texts, chunk by chunk.

    Parameters
    ----------
    encoder : Encoder
    texts : sequence of str or of sequences of str
    numbers : ndarray of shape (n_texts,), int64
        What messages call them.
    wanted : Wanted

    Yields
    ------
    rows : ndarray of shape (n_texts_of_chunk,), int64
        Which texts the chunk holds; each is in one.
    arrays : dict of str to ndarray of shape (n_texts_of_chunk, width), float32
        See `PooledTexts.arrays`.
    """
    for rows, windows in encoder.windows(texts, numbers):
        pooled = PooledTexts(windows, wanted, encoder.networks[0].widths)
        encoder.run(windows, max(wanted.layers), _pooling(windows, wanted, pooled))
        yield rows, pooled.arrays()


def _pooling(
    windows: Windows, wanted: Wanted, pooled: PooledTexts
) -> Callable[[Ragged, Rows, torch.device], tuple[Visit, Finish]]:
    """Give what pools each batch where it is computed."""
    counts = Ragged(pooled.counts, windows.ids.offsets)

    def start(batch: Ragged, rows: Rows, device: torch.device) -> tuple[Visit, Finish]:
        statistics = TokenStatistics(
            batch.offsets, np.concatenate([counts[row] for row in rows]), device
        )
        found: dict[int, dict[str, torch.Tensor]] = {}

        def visit(layer: int, states: torch.Tensor) -> None:
            if layer in wanted.layers:
                found[layer] = statistics.of(states, wanted.statistics)

        def finish() -> None:
            for layer, values in found.items():
                pooled.add(rows, layer, values)

        return visit, finish

    return start


def token_states(
    encoder: Encoder,
    texts: Sequence[Text],
    layers: tuple[int, ...],
    mix: Callable[[list[Float32Array]], Float32Array],
) -> Iterator[tuple[Rows, Windows, Float32Array]]:
    """Compute the mixed states of all tokens of texts, special ones left out.

    Parameters
    ----------
    encoder : Encoder
    texts : sequence of str or of sequences of str
    layers : tuple of int
    mix : callable
        Makes one array of shape (n_tokens, n_features) of those of all `layers`.

    Yields
    ------
    rows : ndarray of shape (n_texts_of_chunk,), int64
        Which texts the chunk holds.
    windows : Windows
        Their windows.
    states : ndarray of shape (n_own_tokens, n_features), float32
        Of the tokens that are `own` and not `special`, in the order of the windows.
    """
    for rows, windows in encoder.windows(texts, np.arange(len(texts))):
        kept = windows.own & ~windows.special
        place = np.cumsum(kept) - 1
        widths = encoder.networks[0].widths
        empty = [np.empty((0, widths[layer]), dtype=np.float32) for layer in layers]
        states = np.zeros((int(kept.sum()), mix(empty).shape[1]), dtype=np.float32)
        start = _keeping(windows, kept, place, layers, mix, states)
        encoder.run(windows, max(layers), start)
        yield rows, windows, states


def _keeping(
    windows: Windows,
    kept: npt.NDArray[np.bool_],
    place: Rows,
    layers: tuple[int, ...],
    mix: Callable[[list[Float32Array]], Float32Array],
    states: Float32Array,
) -> Callable[[Ragged, Rows, torch.device], tuple[Visit, Finish]]:
    """Give what keeps the mixed states of each batch."""
    offsets = windows.ids.offsets

    def start(_: Ragged, rows: Rows, device: torch.device) -> tuple[Visit, Finish]:
        token = np.concatenate(
            [np.arange(offsets[row], offsets[row + 1]) for row in rows]
        )
        chosen = torch.from_numpy(np.flatnonzero(kept[token])).to(device)
        found: dict[int, Float32Array] = {}

        def visit(layer: int, layer_states: torch.Tensor) -> None:
            if layer in layers:
                found[layer] = layer_states[chosen].float().cpu().numpy()

        def finish() -> None:
            if len(chosen):
                mixed = mix([found[layer] for layer in layers])
                states[place[token[kept[token]]]] = mixed

        return visit, finish

    return start
