"""What a block of steps is about: centre words, their windows, and noise words.

The corpus lies on the device, and all draws are made there, for many blocks at a time:
sizes that the host has to wait for are few.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import pad

from skembed.counts import AliasTable
from skembed.training._torch.ranks import Ranks
from skembed.training._torch.segments import Segments, find_segments

# Tokens that are drawn for at once: what this takes of memory is little.
_AT_ONCE = 1 << 24


class Noise(NamedTuple):
    """Where noise words come from, and how many serve a tile.

    Parameters
    ----------
    threshold : Tensor of shape (n_words,), int64
    alias : Tensor of shape (n_words,), int64
        See `skembed.counts.AliasTable`.
    n_shared : int
        Noise words of each tile.
    """

    threshold: Tensor
    alias: Tensor
    n_shared: int

    @classmethod
    def from_probabilities(
        cls, probabilities: npt.NDArray[np.float64], n_shared: int, device: torch.device
    ) -> "Noise":
        """Build the table of a distribution, shape (n_words,), on a device."""
        table = AliasTable.from_probabilities(probabilities)
        threshold = torch.from_numpy(table.threshold.astype(np.int64))
        alias = torch.from_numpy(table.alias.astype(np.int64))
        return cls(threshold.to(device), alias.to(device), n_shared)

    def draw(self, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        """Draw words, int64."""
        device = self.alias.device
        slot, bits = (
            torch.randint(high, shape, generator=generator, device=device)
            for high in (len(self.alias), 1 << 32)
        )
        return torch.where(bits <= self.threshold[slot], slot, self.alias[slot])


class Sample(NamedTuple):
    """The words of a corpus that subsampling keeps, in their order.

    Parameters
    ----------
    words : Tensor of shape (n_kept,), int32
    documents : Tensor of shape (n_kept,), int32
        The document of each.
    """

    words: Tensor
    documents: Tensor


class Layout(NamedTuple):
    """How a sample is cut up.

    Parameters
    ----------
    n_blocks, n_tiles, tile : int
        How many blocks, how many tiles in each, and how many centres in each tile.
    window : int
        The longest reach.
    shrink : bool
        Whether each window's reach is drawn from 1 to `window`, or is `window`.
    """

    n_blocks: int
    n_tiles: int
    tile: int
    window: int
    shrink: bool


class Block(NamedTuple):
    """Consecutive centre words in tiles, their windows, and the noise of each tile.

    Parameters
    ----------
    words : Tensor of shape (n_tiles * tile + 2 * window,), int64
        The centre words, with `window` words before and after them. Where the corpus
        ends, the row of zeros after the last word stands in.
    documents : Tensor of the same shape, int32
        Windows do not cross a document's ends. -1 where there is no word.
    reach : Tensor of shape (n_tiles, tile), int32
        How far each centre's window goes to either side, up to `window`.
    weight : Tensor of shape (n_tiles, tile), float32, or None
        Factor of the learning rate for each centre; None for 1.
    noise : Tensor of shape (n_tiles, n_shared), int64
    centers : Segments
        The distinct centre words, and which centres each has.
    output_rows : Segments
        The distinct rows of the output table, and the updates each has: those of
        `noise` come first, then those of `words`.
    """

    words: Tensor
    documents: Tensor
    reach: Tensor
    weight: Tensor | None
    noise: Tensor
    centers: Segments
    output_rows: Segments


class Source:
    """A corpus on a device, from which blocks are drawn.

    Parameters
    ----------
    ids : ndarray of shape (n_tokens,), int32
    offsets : ndarray of shape (n_documents + 1,), int64
    keep : ndarray of shape (n_words,), uint32
        Of 2 ** 31 draws, how many (less one) keep a token of that word.
    document_weight : ndarray of shape (n_documents,) or (0,), float32
        Factor of the rate for each document's centres; empty for 1.
    device : torch.device
    """

    def __init__(
        self,
        ids: npt.NDArray[np.int32],
        offsets: npt.NDArray[np.int64],
        keep: npt.NDArray[np.uint32],
        document_weight: npt.NDArray[np.float32],
        device: torch.device,
    ) -> None:
        self._ids = _on(device, ids)
        self._ends = _on(device, offsets[1:])
        self._keep = _on(device, keep.astype(np.int32))
        self._weight = _on(device, document_weight) if len(document_weight) else None
        self._device = device
        self._n_words = len(keep)

    @classmethod
    def of_share(cls, corpus: Any, ranks: Ranks, device: torch.device) -> "Source":
        """Copy a process' share of a `Corpus`, which may cut documents, to a device."""
        start, stop = ranks.share(len(corpus.ids))
        return cls(
            corpus.ids[start:stop],
            (corpus.offsets - start).clip(0, stop - start),
            corpus.keep,
            corpus.document_weight,
            device,
        )

    def sample(self, generator: torch.Generator) -> Sample:
        """Draw the words that subsampling keeps, anew at each call."""
        parts = []
        for start in range(0, max(len(self._ids), 1), _AT_ONCE):
            ids = self._ids[start : start + _AT_ONCE]
            draws = torch.randint(
                1 << 31, ids.shape, generator=generator, device=self._device,
                dtype=torch.int32,
            )  # fmt: skip
            kept = (draws <= self._keep[ids]).nonzero()[:, 0]
            documents = torch.searchsorted(
                self._ends, kept + start, right=True, out_int32=True
            )
            parts.append(Sample(ids[kept], documents))
        return Sample(*(torch.cat(part) for part in zip(*parts, strict=True)))

    def blocks(
        self,
        sample: Sample,
        noise: Noise,
        layout: Layout,
        n_at_once: int,
        generator: torch.Generator,
    ) -> Iterator[list[Block]]:
        """Cut a sample into blocks, and draw the windows and noise of each.

        Parameters
        ----------
        sample : Sample
        noise : Noise
        layout : Layout
            With room for the whole sample.
        n_at_once : int
            Blocks that are drawn at once, and yielded together.
        generator : torch.Generator
        """
        length, window = layout.n_tiles * layout.tile, layout.window
        missing = layout.n_blocks * length - len(sample.words)
        words = pad(sample.words, (window, missing + window), value=self._n_words)
        documents = pad(sample.documents, (window, missing + window), value=-1)
        for first in range(0, layout.n_blocks, n_at_once):
            n = min(n_at_once, layout.n_blocks - first)
            span = slice(first * length, (first + n) * length + 2 * window)
            yield self._draw(
                words[span].unfold(0, length + 2 * window, length).long(),
                documents[span].unfold(0, length + 2 * window, length),
                noise,
                layout,
                generator,
            )

    def _draw(
        self,
        words: Tensor,
        documents: Tensor,
        noise: Noise,
        layout: Layout,
        generator: torch.Generator,
    ) -> list[Block]:
        """Draw the windows and noise of several blocks; see `Block`."""
        n_blocks, window = len(words), layout.window
        centers = slice(window, -window)
        reach = torch.full_like(documents[:, centers], window)
        if layout.shrink:
            reach.random_(1, window + 1, generator=generator)
        # Where there is no word there is no window.
        reach *= documents[:, centers] >= 0
        weight = None
        if self._weight is not None:
            weight = self._weight[documents[:, centers].clamp_min(0)]
        shape = n_blocks, layout.n_tiles, noise.n_shared
        noise_words = noise.draw(shape, generator)
        distinct = find_segments(words[:, centers])
        output_rows = find_segments(torch.cat([noise_words.flatten(1), words], dim=1))
        tiles = layout.n_tiles, layout.tile
        return [
            Block(
                words[k],
                documents[k],
                reach[k].view(tiles),
                None if weight is None else weight[k].view(tiles),
                noise_words[k],
                distinct[k],
                output_rows[k],
            )
            for k in range(n_blocks)
        ]


def _on(device: torch.device, values: npt.NDArray[np.generic]) -> Tensor:
    """Copy an array to a device."""
    return torch.from_numpy(np.array(values)).to(device)
