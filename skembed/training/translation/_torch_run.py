"""What a translator is trained on, and what each step and each epoch of it does."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from skembed.training._torch_epochs import EpochRun, Weights
from skembed.training.translation._batches import (
    Batch,
    by_length,
    epoch_order,
    make_batch,
)
from skembed.training.translation._config import (
    EpochScores,
    Pairs,
    TranslationConfig,
)
from skembed.training.translation._torch_model import (
    Dropout,
    blank_translator,
    keep_all,
)

# A loss of so many times that of equal probabilities is not a model any more.
_DIVERGED = 10.0


class Corpora(NamedTuple):
    """What is trained on, what is held out, and what their ids mean.

    Parameters
    ----------
    training, held_out : Pairs
        None of an empty text. `held_out` may be of no pair.
    vectors : ndarray of shape (n_source_words, input_size), float32
    n_target_words : int
    """

    training: Pairs
    held_out: Pairs
    vectors: npt.NDArray[np.float32]
    n_target_words: int


class Run(EpochRun[TranslationConfig, Batch, EpochScores]):
    """The training of a translator.

    Parameters
    ----------
    corpora : Corpora
    config : TranslationConfig
    seed : int
    device : torch.device
    """

    def __init__(
        self,
        corpora: Corpora,
        config: TranslationConfig,
        seed: int,
        device: torch.device,
    ) -> None:
        n_steps = -(-len(corpora.training.source) // config.batch_size)
        super().__init__(config, n_steps, seed)
        self._corpora, self._device = corpora, device
        self._low_precision = _uses_bfloat16(config.precision, device)
        self.translator = blank_translator(
            corpora.vectors.shape[1], corpora.n_target_words, config, device
        )
        self.translator.draw(seed)
        self._optimizer = torch.optim.Adam(
            self.translator.parameters(), lr=config.learning_rate
        )

    def _batches(self, rng: np.random.Generator, first: int) -> Iterable[Batch]:
        pairs, boundary = self._corpora.training, self._corpora.n_target_words
        order = epoch_order(pairs, self._config.batch_size, rng)
        return (make_batch(pairs, rows, boundary) for rows in order[first:])

    def _step(self, batch: Batch) -> tuple[float, int]:
        left = 1.0 - self._n_steps_taken / (self._n_steps * self._config.epochs)
        for group in self._optimizer.param_groups:
            group["lr"] = self._config.learning_rate * left
        loss = self._loss(batch, self._dropout())
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(
            self.translator.parameters(), self._config.clip_norm
        )
        self._optimizer.step()
        return loss.item(), batch.n_outputs

    def _loss(self, batch: Batch, dropout: Dropout) -> torch.Tensor:
        vectors = torch.from_numpy(self._corpora.vectors[batch.source])
        with torch.autocast(
            self._device.type, torch.bfloat16, enabled=self._low_precision
        ):
            return self.translator.loss(vectors.to(self._device), batch, dropout)

    def _dropout(self) -> Dropout:
        """Return what drops inputs: the same ones each time that a step is taken."""
        share = self._config.dropout
        if not share:
            return keep_all
        seeds = np.random.SeedSequence(self._step_seed)
        generator = torch.Generator(self._device)
        generator.manual_seed(int(seeds.generate_state(1)[0]))

        def drop(x: torch.Tensor) -> torch.Tensor:
            kept = torch.empty(x.shape, dtype=x.dtype, device=x.device)
            kept.bernoulli_(1.0 - share, generator=generator)
            return x * kept.div_(1.0 - share)

        return drop

    @property
    def _largest_loss(self) -> float:
        return float(_DIVERGED * np.log(self._corpora.n_target_words + 1))

    def _measure(self) -> EpochScores:
        return EpochScores(self.place.mean_loss, self._held_out_perplexity())

    def _perplexity(self, scores: EpochScores) -> float | None:
        return scores.perplexity if len(self._corpora.held_out.source) else None

    @torch.no_grad()
    def _held_out_perplexity(self) -> float:
        held_out, total, n_outputs = self._corpora.held_out, 0.0, 0
        boundary = self._corpora.n_target_words
        for batch in by_length(held_out, self._config.batch_size, boundary):
            total += self._loss(batch, keep_all).item() * batch.n_outputs
            n_outputs += batch.n_outputs
        return float(np.exp(total / n_outputs)) if n_outputs else np.nan

    def _tensors(self) -> Weights:
        return dict(self.translator.state_dict())

    def set_weights(self, weights: Weights) -> None:
        """Go back to a copy that `weights` returned."""
        self.translator.load_state_dict(weights)

    def content(self) -> dict[str, Any]:
        """Return all that the rest of the training depends on, not copied."""
        return {
            **super().content(),
            "optimizer": self._optimizer.state_dict(),
            "history": [tuple(scores) for scores in self.history],
        }

    def restore(self, content: dict[str, Any]) -> None:
        """Go on from what a checkpoint holds of `content`."""
        super().restore(content)
        self._optimizer.load_state_dict(content["optimizer"])
        self.history = [EpochScores(*scores) for scores in content["history"]]


def _uses_bfloat16(precision: str, device: torch.device) -> bool:
    if precision != "auto":
        return precision == "bfloat16"
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    if device.type != "cpu":
        return False
    try:
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    # A private name: another version of torch may have none of it.
    except (AttributeError, RuntimeError):
        return False
