"""From corpora and a configuration to a trained model."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from skembed._devices import torch_threads
from skembed.training.bilm._config import BiLMConfig
from skembed.training.bilm._model import BiLMModel
from skembed.training.bilm._result import BiLMResult
from skembed.training.bilm._torch_checkpoint import Checkpoints
from skembed.training.bilm._torch_network import BiLM
from skembed.training.bilm._torch_run import Corpora, Progress, Run
from skembed.training.bilm._torch_weights import (
    draw_weights,
    empty_network,
    load_arrays,
    to_arrays,
)

Float32Array = npt.NDArray[np.float32]


class Resources(NamedTuple):
    """Where training runs, and where it is kept while it does.

    Parameters
    ----------
    device : torch.device
    n_threads : int
        Of the CPU.
    checkpoint : (Path, str), or None
        The folder of checkpoints, and what tells this training from others.
    keep_on_interrupt : bool
        Whether an interrupt ends the training with the best model so far.
    """

    device: torch.device
    n_threads: int
    checkpoint: tuple[Path, str] | None
    keep_on_interrupt: bool


def train(
    corpora: Corpora,
    config: BiLMConfig,
    seed: int,
    initial: BiLMModel | None,
    resources: Resources,
    progress: Progress | None,
) -> BiLMResult:
    """Train a model, or go on with a training that a checkpoint holds.

    Parameters
    ----------
    corpora : Corpora
    config : BiLMConfig
    seed : int
    initial : BiLMModel or None
        To start from.
    resources : Resources
    progress : callable or None

    Returns
    -------
    result : BiLMResult
    """
    network, table = _start(corpora, config, seed, initial)
    network.to(resources.device)
    table = torch.nn.Parameter(table.to(resources.device))
    was_interrupted = False
    with torch_threads(resources.n_threads):
        run = Run(network, table, corpora, config, seed)
        checkpoints = _checkpoints(resources, config)
        if checkpoints is not None:
            checkpoints.resume(run)
        try:
            run.train(progress, checkpoints.save_if_due if checkpoints else None)
        except KeyboardInterrupt:
            if not resources.keep_on_interrupt:
                raise
            was_interrupted = True
        if run.best is not None:
            run.set_weights(run.best)
        if checkpoints is not None:
            checkpoints.remove()
    model = BiLMModel(
        to_arrays(network), config.architecture.options(), *_softmax(table)
    )
    return BiLMResult(model, tuple(run.history), run.best_epoch, was_interrupted)


def _checkpoints(resources: Resources, config: BiLMConfig) -> Checkpoints | None:
    if resources.checkpoint is None:
        return None
    return Checkpoints(*resources.checkpoint, config.checkpoint_seconds)


def _start(
    corpora: Corpora, config: BiLMConfig, seed: int, initial: BiLMModel | None
) -> tuple[BiLM, torch.Tensor]:
    """Return a network and a softmax with the weights that training starts from."""
    generator = torch.Generator().manual_seed(seed)
    network = empty_network(config.architecture)
    if initial is None:
        draw_weights(network, generator)
    else:
        load_arrays(network, initial.arrays)
    if initial is not None and initial.softmax is not None:
        parts = [np.asarray(initial.softmax), np.asarray(initial.bias)]
        given = np.column_stack(parts).astype(np.float32)
        return network, torch.from_numpy(given)
    frequencies = corpora.row_frequencies()
    size = config.architecture.projection_size
    table = torch.empty(len(frequencies), size + 1)
    table.normal_(0.0, size**-0.5, generator=generator)
    # At first, words are as likely as they are frequent.
    table[:, -1] = torch.from_numpy(np.log(frequencies))
    return network, table


def _softmax(table: torch.Tensor) -> tuple[Float32Array, Float32Array]:
    values = table.detach().cpu().numpy()
    return values[:, :-1].copy(), values[:, -1].copy()
