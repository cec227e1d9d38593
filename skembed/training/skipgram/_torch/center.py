"""What the vector of a centre word is: a row of its own, or a mean of several rows.

The twin of `skembed.training.skipgram._kernels.center`, which says why rows move as
they do.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

from skembed.training._torch.moves import resultant
from skembed.training._torch.ranks import SharedTable
from skembed.training._torch.segments import find_segments
from skembed.training._torch.steps import TINY, Force, dots
from skembed.training.skipgram._kernels.center import Composition
from skembed.training.skipgram._torch.draws import Block


class Parts(NamedTuple):
    """A `Composition` on a device, with the word that stands in where there is none.

    Parameters
    ----------
    rows : Tensor of shape (n,), int64
        Rows of the input table, word by word.
    offsets : Tensor of shape (n_words + 2,), int64
        Word w has ``rows[offsets[w]:offsets[w + 1]]``.
    weight : Tensor of shape (n,), float32
        What part each row is of its word's vector.
    step : Tensor of shape (n_words + 1,), float32
        What part of its word's step each row takes.
    """

    rows: Tensor
    offsets: Tensor
    weight: Tensor
    step: Tensor

    @classmethod
    def on(cls, device: torch.device, composition: Composition, n_rows: int) -> "Parts":
        """Copy a composition, and add a word that is made of row n_rows, of zeros."""
        parts = (
            np.append(composition.rows.astype(np.int64), n_rows),
            np.append(composition.offsets, len(composition.rows) + 1),
            np.append(composition.weight, np.float32(1.0)),
            np.append(composition.step, np.float32(1.0)),
        )
        return cls(*(torch.from_numpy(part).to(device) for part in parts))


class Vectors(NamedTuple):
    """The vectors of centre words, which are rows of a table.

    Parameters
    ----------
    table : Tensor of shape (n, vector_size), float32
    rows : Tensor of shape (n_centers,), int64
        The row of each centre.
    """

    table: Tensor
    rows: Tensor


class Centers(Protocol):
    """The centre words of one block."""

    def vectors(self) -> Vectors:
        """Return the vector of each centre."""

    def move(self, forces: Sequence[Force], rate: float) -> None:
        """Move the rows that the vectors are made of.

        Parameters
        ----------
        forces : sequence of Force
            Of one row for each centre.
        rate : float
        """


class Tables(NamedTuple):
    """What is trained, and what the words of the input table are made of.

    Parameters
    ----------
    input, output : SharedTable of shape (n_rows + 1, vector_size)
        The last row stays zero.
    parts : Parts or None
        None: word w has row w of `input`.
    """

    input: SharedTable
    output: SharedTable
    parts: Parts | None = None

    def centers(self, block: Block) -> Centers:
        """Return the centre words of a block."""
        if self.parts is None:
            return WordCenters(self.input, block)
        return ComposedCenters(self.input, block, self.parts)


class WordCenters:
    """Centre words that have a row each.

    Parameters
    ----------
    table : SharedTable
    block : Block
    """

    def __init__(self, table: SharedTable, block: Block) -> None:
        self._table, self._block = table, block

    def vectors(self) -> Vectors:
        """Return the vector of each centre."""
        n_centers = self._block.reach.numel()
        window = (len(self._block.words) - n_centers) // 2
        words = self._block.words[window : window + n_centers]
        return Vectors(self._table.table, words)

    def move(self, forces: Sequence[Force], rate: float) -> None:
        """Move the words' rows; see `Centers`."""
        self._table.move(self._block.centers, forces, rate)


class ComposedCenters:
    """Centre words that are a mean of several rows.

    The mean is taken, and its rows are moved, once for each distinct word.

    Parameters
    ----------
    table : SharedTable
    block : Block
    parts : Parts
    """

    def __init__(self, table: SharedTable, block: Block, parts: Parts) -> None:
        self._table, self._words = table, block.centers
        words = self._words.rows
        starts = parts.offsets[words]
        lengths = parts.offsets[words + 1] - starts
        self._bags = lengths.cumsum(0) - lengths
        word = torch.arange(len(words), device=words.device)
        self._word_of = word.repeat_interleave(lengths)
        place = torch.arange(len(self._word_of), device=words.device)
        place += (starts - self._bags)[self._word_of]
        self._rows, self._weight = parts.rows[place], parts.weight[place]
        self._step = parts.step[words]

    def vectors(self) -> Vectors:
        """Return the vector of each centre."""
        means = embedding_bag(
            self._rows, self._table.table, self._bags, mode="sum",
            per_sample_weights=self._weight,
        )  # fmt: skip
        word_of_center = torch.empty_like(self._words.order)
        word_of_center[self._words.order] = torch.arange(
            len(means), device=means.device
        ).repeat_interleave(self._words.counts.long(), output_size=len(word_of_center))
        return Vectors(means, word_of_center)

    def move(self, forces: Sequence[Force], rate: float) -> None:
        """Move the rows that the words are made of; see `Centers`.

        A row takes as many steps as the words that it is part of. That they are made of
        other rows, too, is not counted: those move along.
        """
        sums, stiffness = resultant(self._words, forces)
        # As strong as it is stiff, so that the row is, in other directions, less so.
        strength = dots(sums, sums) / stiffness.clamp_min(TINY)
        of_words = Force(sums * self._step[:, None], strength)
        (segments,) = find_segments(self._rows[None])
        segments = segments._replace(
            counts=segments.sum(self._words.counts[self._word_of])
        )
        self._table.move(segments, [of_words], rate, of=self._word_of)
