"""One step of training, and what it needs of the corpus."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812

from skembed.training.bilm._batches import Batch
from skembed.training.bilm._config import BiLMArchitecture, BiLMConfig
from skembed.training.bilm._model import BEGIN, END, lengths_of, with_boundaries
from skembed.training.bilm._torch_network import BiLM, Dropout, State
from skembed.training.bilm._torch_softmax import choose_candidates, mean_loss

Int64Array = npt.NDArray[np.int64]
# Words of a batch are encoded in so many groups.
_N_GROUPS = 4
States = list[list[State]]


class Words:
    """What words are to the network: their characters, and their rows of the softmax.

    Parameters
    ----------
    characters : ndarray of shape (n_words, max_characters), int
    rows : ndarray of shape (n_words,), int64
        Row of the softmax for each word.
    architecture : BiLMArchitecture

    Attributes
    ----------
    rows : ndarray of shape (n_words + 2,), int64
        Row of the softmax for each word, and for the two boundaries.
    """

    def __init__(
        self,
        characters: npt.NDArray[Any],
        rows: Int64Array,
        architecture: BiLMArchitecture,
    ) -> None:
        self._characters = with_boundaries(characters)
        self._lengths = lengths_of(self._characters)
        self._widest = max(width for width, _ in architecture.filters)
        self.rows = np.append(rows, [BEGIN, END])

    def of_batch(self, inputs: npt.NDArray[Any]) -> tuple[list[Int64Array], Int64Array]:
        """Return the characters of the distinct words, and which word is where.

        Parameters
        ----------
        inputs : ndarray of any shape, int

        Returns
        -------
        characters : list of ndarray of shape (n_words, n_columns), int64
            Groups of words of like length, without the columns of padding that change
            no maximum over windows.
        places : ndarray of the shape of `inputs`, int64
            Rows of all groups together.
        """
        words, places = np.unique(inputs, return_inverse=True)
        order = np.argsort(self._lengths[words], kind="stable")
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        groups = np.array_split(words[order], min(_N_GROUPS, len(order)))
        # One window of nothing but padding is left, where there was one.
        characters = [
            self._characters[group, : self._lengths[group[-1]] + self._widest]
            for group in groups
        ]
        return characters, rank[places].reshape(inputs.shape)


def read(
    network: BiLM,
    batch: Batch,
    words: Words,
    states: States | None,
    dropout: Dropout,
) -> tuple[torch.Tensor, Int64Array, States]:
    """Run both directions over a batch.

    Parameters
    ----------
    network : BiLM
    batch : Batch
    words : Words
    states : list of list of (Tensor, Tensor), or None
        Of each direction and layer, before the batch.
    dropout : Dropout

    Returns
    -------
    tops : Tensor of shape (n_forward + n_backward, projection_size)
        The states from which a target is to be predicted: the forward ones, then as
        many backward ones.
    targets : ndarray of shape (n_forward + n_backward,), int64
        Rows of the softmax.
    states : list of list of (Tensor, Tensor)
        After the batch.
    """
    device = network.encoder.embedding.weight.device
    groups, places = words.of_batch(batch.inputs)
    vectors = network.encoder([torch.from_numpy(g).to(device) for g in groups])
    inputs = F.embedding(torch.from_numpy(places).to(device), vectors)
    tops, targets, after = [], [], []
    for d, direction in enumerate(network.directions):
        before = None if states is None else states[d]
        outputs, left = direction(inputs[d], before, dropout)
        chosen = np.flatnonzero(batch.targets[d] >= 0)
        tops.append(outputs.flatten(0, 1)[torch.from_numpy(chosen).to(device)])
        targets.append(words.rows[batch.targets[d].ravel()[chosen]])
        after.append(left)
    return torch.cat(tops), np.concatenate(targets), after


def step_loss(
    network: BiLM,
    table: torch.Tensor,
    batch: Batch,
    words: Words,
    config: BiLMConfig,
    rng: np.random.Generator,
    states: States | None = None,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, States]:
    """Compute the loss of one batch.

    Parameters
    ----------
    network : BiLM
    table : Tensor of shape (n_rows, projection_size + 1)
        The softmax; its last column is the bias.
    batch : Batch
    words : Words
    config : BiLMConfig
    rng : numpy.random.Generator
        Draws the noise words, and seeds dropout.
    states : list of list of (Tensor, Tensor), or None

    Returns
    -------
    loss : Tensor of shape ()
        Mean over the targets of both directions.
    rows : Tensor of shape (n_used,), int64
        Those of `table` that were used.
    used : Tensor of shape (n_used, projection_size + 1)
        A copy of them, which takes their gradient.
    states : list of list of (Tensor, Tensor)
        After the batch, without their history.
    """
    generator = torch.Generator(table.device)
    generator.manual_seed(int(rng.integers(2**63)))
    dropout = Dropout(config.dropout, generator)
    with autocast(config.precision, table.device):
        tops, targets, after = read(network, batch, words, states, dropout)
        candidates = choose_candidates(targets, len(table), config.n_negatives, rng)
        rows = torch.from_numpy(candidates.rows).to(table.device)
        used = table.detach()[rows].requires_grad_()
        loss = mean_loss(dropout(tops), used, candidates)
    kept = [[(h.detach(), c.detach()) for h, c in layers] for layers in after]
    return loss, rows, used, kept


def autocast(precision: str, device: torch.device) -> AbstractContextManager[Any]:
    """Have matrix products computed in bfloat16, where `precision` asks for it."""
    if precision == "auto":
        precision = "bfloat16" if _has_bfloat16(device) else "float32"
    if precision == "float32":
        return nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)


def _has_bfloat16(device: torch.device) -> bool:
    """Whether there are instructions for it, so that it is faster than float32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    # Torch has no public name for it yet.
    check = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return device.type == "cpu" and check is not None and bool(check())
