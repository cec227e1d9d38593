"""From corpora and a configuration to a trained model."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from skembed._devices import torch_threads
from skembed.training._threads import threads
from skembed.training._torch_checkpoint import CheckpointFolder
from skembed.training._torch_epochs import Progress, train_to_best
from skembed.training.bilm._config import BiLMConfig
from skembed.training.bilm._model import BiLMModel
from skembed.training.bilm._result import BiLMResult
from skembed.training.bilm._torch_network import BiLM
from skembed.training.bilm._torch_run import Corpora, Run
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
    n_threads : int or None
        Of the CPU; None: as many as torch has. Two directions keep two threads busy.
    checkpoint : (Path, str), or None
        The folder of checkpoints, and what tells this training from others.
    keep_on_interrupt : bool
        Whether an interrupt ends the training with the best model so far.
    """

    device: torch.device
    n_threads: int | None
    checkpoint: tuple[Path, str] | None
    keep_on_interrupt: bool

    @property
    def n_directions(self) -> int:
        """How many directions are gone through at once; a GPU is busy with one."""
        if self.device.type != "cpu":
            return 1
        return min(self.n_threads or torch.get_num_threads(), 2)


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
    # One thread of torch: its sums depend on their number, by rounding.
    with torch_threads(1), threads(resources.n_directions) as thread_map:
        run = Run(network, table, corpora, config, seed, thread_map)
        was_interrupted = train_to_best(
            run,
            _checkpoint_folder(resources, config),
            resources.device,
            keep_on_interrupt=resources.keep_on_interrupt,
            progress=progress,
        )
    model = BiLMModel(
        to_arrays(network), config.architecture.options(), *_softmax(table)
    )
    return BiLMResult(model, tuple(run.history), run.best_epoch, was_interrupted)


def _checkpoint_folder(
    resources: Resources, config: BiLMConfig
) -> CheckpointFolder | None:
    if resources.checkpoint is None:
        return None
    return CheckpointFolder(*resources.checkpoint, config.checkpoint_seconds)


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
