"""Block after block on one device; several devices, each with a share of the corpus.

The blocks of an epoch are as many as the corpus is long, whatever subsampling keeps of
it, so that several processes take as many steps each.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from skembed.counts import noise_distribution
from skembed.training._torch.ranks import Ranks, SharedTable
from skembed.training.skipgram._config import SkipGramConfig
from skembed.training.skipgram._torch.center import Parts, Tables
from skembed.training.skipgram._torch.draws import Layout, Noise, Sample, Source
from skembed.training.skipgram._torch.step import step

TILE = 32
"""Centres that share their noise words: enough for matrix products to be worth it."""
N_SHARED = 32
"""Noise words of a tile, at least."""
MIN_BLOCKS = 400
"""Blocks of an epoch, unless they would be too short: with fewer, words of a block
would know too little of others."""
MIN_BLOCKS_OF_NGRAMS = 3_200
"""The same where words are made of n-grams, which many words of a block share."""
SHORTEST, LONGEST = 512, 32_768
"""Tokens of a block. Longer ones would use a GPU no better."""
MOST_PAIRS = 1 << 26
"""Scores of a block, which bound its memory where windows are long."""
AT_ONCE = 16
"""Blocks between two reports, and between two merges of several processes."""


class TorchSchedule:
    """Trains epoch after epoch on given tables, in place.

    Parameters
    ----------
    corpus : Corpus
    counts : ndarray of shape (n_words,), int64
    tables : tuple of ndarray of shape (n_words + 1, >= vector_size), float32
        The padded input and output tables, which an epoch leaves as it has trained
        them, the same in all processes.
    config : SkipGramConfig
    device : torch.device
    composition : Composition or None
        As for the compiled kernels: None trains skip-gram, else fastText, with an input
        table of n_rows + 1 rows.
    """

    def __init__(
        self,
        corpus: Any,
        counts: np.ndarray[Any, np.dtype[np.int64]],
        tables: tuple[Any, Any],
        config: SkipGramConfig,
        device: torch.device,
        composition: Any = None,
    ) -> None:
        self._config, self._device = config, device
        self._tables = [table[:, : config.vector_size] for table in tables]
        self._ranks = Ranks()
        parts = composition and Parts.on(device, composition, len(tables[0]) - 1)
        w_in, w_out = map(self._shared, self._tables)
        self._trained = Tables(w_in, w_out, parts)
        self._source = Source.of_share(corpus, self._ranks, device)
        self._noise = Noise.from_probabilities(
            noise_distribution(counts, config.ns_exponent),
            max(N_SHARED, config.negative),
            device,
        )
        per_process = len(corpus.ids) // self._ranks.size
        scores = TILE + 2 * config.window + self._noise.n_shared
        n_blocks = MIN_BLOCKS if composition is None else MIN_BLOCKS_OF_NGRAMS
        length = min(per_process // n_blocks, LONGEST, MOST_PAIRS // scores)
        self._n_blocks = -(-per_process // max(length, SHORTEST)) or 1

    def _shared(self, values: Any) -> SharedTable:
        table = torch.from_numpy(np.ascontiguousarray(values)).to(self._device)
        # On the CPU these would be the values themselves, if they are contiguous.
        return SharedTable(table.clone(), self._ranks)

    def run_epoch(
        self, key: np.uint64, rate: Callable[[float], float]
    ) -> Iterator[tuple[float, float, float]]:
        """Train once through the corpus, some blocks at a time.

        Parameters
        ----------
        key : uint64
            Fixes all draws of the epoch.
        rate : callable
            Gives the step size for the part of the epoch that is done.

        Yields
        ------
        done : float
            The part of the epoch that is done.
        loss, weight : float
            Summed over the pairs of these blocks, in all processes.
        """
        generator = torch.Generator(self._device)
        generator.manual_seed((int(key) + self._ranks.rank) % (1 << 63))
        sample = self._source.sample(generator)
        n_done = 0
        for blocks in self._source.blocks(
            sample, self._noise, self._layout(sample), AT_ONCE, generator
        ):
            sums = torch.zeros(2, device=self._device)
            for block in blocks:
                size = rate(n_done / self._n_blocks)
                sums += step(self._trained, block, float(self._config.negative), size)
                n_done += 1
            self._trained.input.merge(size)
            self._trained.output.merge(size)
            loss, weight = self._ranks.total(sums).tolist()
            yield n_done / self._n_blocks, loss, weight
        self._read_back()

    def _layout(self, sample: Sample) -> Layout:
        """Spread the words of a sample over all blocks."""
        per_block = -(-len(sample.words) // self._n_blocks)
        return Layout(
            n_blocks=self._n_blocks,
            n_tiles=max(-(-per_block // TILE), 1),
            tile=TILE,
            window=self._config.window,
            shrink=self._config.shrink_windows,
        )

    def _read_back(self) -> None:
        """Copy what has been trained to where it came from."""
        for table, trained in zip(self._tables, self._trained[:2], strict=True):
            table[...] = trained.table.cpu().numpy()
