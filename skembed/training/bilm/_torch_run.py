"""What a biLM is trained on, and what each step and each epoch of it does."""

from collections.abc import Iterable
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from skembed._ragged import Ragged
from skembed.training._threads import Map
from skembed.training._torch_epochs import EpochRun, Weights
from skembed.training.bilm._batches import Batch, count_batches, epoch_batches
from skembed.training.bilm._config import BiLMConfig
from skembed.training.bilm._model import UNKNOWN
from skembed.training.bilm._result import Epoch, Perplexity
from skembed.training.bilm._torch_network import BiLM
from skembed.training.bilm._torch_optimizer import Optimizer
from skembed.training.bilm._torch_score import network_perplexity
from skembed.training.bilm._torch_step import States, Words, take_gradient


class Corpora(NamedTuple):
    """What is trained on, and what is held out, with boundaries, and their words.

    Parameters
    ----------
    training : Ragged of int32
    held_out : Ragged of int32
        May be of no sentence.
    words : Words
    """

    training: Ragged
    held_out: Ragged
    words: Words

    def row_frequencies(self) -> npt.NDArray[np.float64]:
        """Return the share of each row of the softmax in the targets, never 0."""
        rows = self.words.rows
        n_rows = max(rows.max(), UNKNOWN) + 1
        n_targets = np.bincount(rows[self.training.values], minlength=n_rows)
        frequencies: npt.NDArray[np.float64] = (n_targets + 1) / (n_targets + 1).sum()
        return frequencies


class Run(EpochRun[BiLMConfig, Batch, Epoch]):
    """The training of a biLM.

    Parameters
    ----------
    network : BiLM
        Trained in place.
    table : torch.nn.Parameter of shape (n_rows, projection_size + 1)
        The softmax, trained in place; its last column is the bias.
    corpora : Corpora
    config : BiLMConfig
    seed : int
    thread_map : callable
        Runs the two directions of a step.

    Attributes
    ----------
    states : list, or None
        Of the LSTMs, to go on from.
    """

    def __init__(
        self,
        network: BiLM,
        table: torch.nn.Parameter,
        corpora: Corpora,
        config: BiLMConfig,
        seed: int,
        thread_map: Map = map,
    ) -> None:
        super().__init__(config, count_batches(corpora.training, config), seed)
        self.network, self.table = network, table
        self._corpora, self._thread_map = corpora, thread_map
        self.optimizer = Optimizer(
            network, table, config, self._n_steps * config.epochs
        )
        self.states: States | None = None

    def _batches(self, rng: np.random.Generator, first: int) -> Iterable[Batch]:
        batches = epoch_batches(self._corpora.training, self._config, rng)
        return islice(batches, first, None)

    def _step(self, batch: Batch) -> tuple[float, int]:
        config = self._config
        rng = np.random.default_rng(self._step_seed)
        found = take_gradient(
            self.network, self.table, batch, self._corpora.words, config, rng,
            states=self.states, thread_map=self._thread_map,
        )  # fmt: skip
        self.optimizer.step(self._n_steps_taken, found.rows, found.values)
        self.states = found.states if config.packing == "stream" else None
        return found.loss, batch.n_targets

    @property
    def _largest_loss(self) -> float:
        # Twice the loss of knowing nothing.
        return float(2.0 * np.log(len(self.table)) + 1.0)

    def _measure(self) -> Epoch:
        held_out, words = self._corpora.held_out, self._corpora.words
        perplexity = None
        if len(held_out):
            perplexity = network_perplexity(self.network, self.table, held_out, words)
        return Epoch(self.place.mean_loss, perplexity)

    def _perplexity(self, scores: Epoch) -> float | None:
        return scores.perplexity and scores.perplexity.mean

    def _best_weights(self) -> Weights | None:
        # Without held-out words it is the latest, which need not be copied.
        return self.weights() if len(self._corpora.held_out) else None

    def _tensors(self) -> Weights:
        return {**self.network.state_dict(), "softmax": self.table.detach()}

    def set_weights(self, weights: Weights) -> None:
        """Go back to a copy that `weights` returned."""
        own = dict(weights)
        with torch.no_grad():
            self.table.copy_(own.pop("softmax"))
        self.network.load_state_dict(own)

    def content(self) -> dict[str, Any]:
        """Return all that the rest of the training depends on, not copied."""
        return {
            **super().content(),
            "optimizer": self.optimizer.state(),
            "history": [
                (epoch.loss, epoch.perplexity and tuple(epoch.perplexity))
                for epoch in self.history
            ],
            "states": self.states,
        }

    def restore(self, content: dict[str, Any]) -> None:
        """Go on from what a checkpoint holds of `content`."""
        super().restore(content)
        self.optimizer.restore(content["optimizer"])
        self.history = [
            Epoch(loss, None if values is None else Perplexity(*values))
            for loss, values in content["history"]
        ]
        self.states = content["states"]
