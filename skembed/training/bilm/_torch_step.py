"""One step of training, and what it needs of the corpus."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812

from skembed.training._threads import Map
from skembed.training.bilm._batches import Batch
from skembed.training.bilm._config import BiLMArchitecture, BiLMConfig
from skembed.training.bilm._model import BEGIN, END, lengths_of, with_boundaries
from skembed.training.bilm._torch_network import BiLM, Direction, Dropout, State
from skembed.training.bilm._torch_softmax import choose_candidates, mean_loss

Int32Array = npt.NDArray[np.int32]
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


def encode(
    network: BiLM, batch: Batch, words: Words
) -> tuple[torch.Tensor, torch.Tensor]:
    """Make the vectors of a batch's words from their characters.

    Parameters
    ----------
    network : BiLM
    batch : Batch
    words : Words

    Returns
    -------
    vectors : Tensor of shape (n_distinct_words, projection_size)
    places : Tensor of shape (2, n_steps, n_lanes), int64
        The row of `vectors` for each input.
    """
    device = network.encoder.embedding.weight.device
    groups, places = words.of_batch(batch.inputs)
    vectors = network.encoder([torch.from_numpy(g).to(device) for g in groups])
    return vectors, torch.from_numpy(places).to(device)


def read_side(
    direction: Direction,
    inputs: torch.Tensor,
    targets: Int32Array,
    states: list[State] | None,
    dropout: Dropout,
) -> tuple[torch.Tensor, list[State]]:
    """Run one direction over its part of a batch.

    Parameters
    ----------
    direction : Direction
    inputs : Tensor of shape (n_steps, n_lanes, projection_size)
    targets : ndarray of shape (n_steps, n_lanes), int32
        -1 where nothing is to be predicted.
    states : list of (Tensor, Tensor), or None
        Of each layer, before the batch.
    dropout : Dropout

    Returns
    -------
    tops : Tensor of shape (n_targets, projection_size)
        The states from which a target is to be predicted.
    states : list of (Tensor, Tensor)
        After the batch.
    """
    outputs, after = direction(inputs, states, dropout)
    chosen = torch.from_numpy(np.flatnonzero(targets >= 0))
    return outputs.flatten(0, 1)[chosen.to(outputs.device)], after


def rows_of_targets(batch: Batch, words: Words) -> Int64Array:
    """The rows of the softmax to be predicted, forward, then as many backward."""
    return words.rows[batch.targets[batch.targets >= 0]]


class Gradient(NamedTuple):
    """What a step has found; the gradient of the network is at its parameters.

    Parameters
    ----------
    loss : float
        Mean over the targets of both directions.
    rows : Tensor of shape (n_used,), int64
        Those of the softmax that were used.
    values : Tensor of shape (n_used, projection_size + 1)
        Their gradient.
    states : list of list of (Tensor, Tensor)
        Of each direction and layer after the batch, without their history.
    """

    loss: float
    rows: torch.Tensor
    values: torch.Tensor
    states: States


def take_gradient(
    network: BiLM,
    table: torch.Tensor,
    batch: Batch,
    words: Words,
    config: BiLMConfig,
    rng: np.random.Generator,
    *,
    states: States | None = None,
    thread_map: Map = map,
) -> Gradient:
    """Compute the gradient of the loss of one batch.

    The directions share the vectors of words and the rows of the softmax, and nothing
    else: each is gone through by itself, and the gradients for what they share are
    added. So threads change no bit of the result.

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
        Of each direction and layer, before the batch.
    thread_map : callable
        Runs the two directions.

    Returns
    -------
    gradient : Gradient
    """
    device, n_targets = table.device, batch.n_targets
    targets = rows_of_targets(batch, words)
    candidates = choose_candidates(targets, len(table), config.n_negatives, rng)
    rows = torch.from_numpy(candidates.rows).to(device)
    used = table.detach()[rows]
    seeds = rng.integers(2**63, size=2).tolist()
    with autocast(config.precision, device):
        vectors, places = encode(network, batch, words)

    def one_side(
        d: int,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, list[State]]:
        dropout = Dropout(config.dropout, torch.Generator(device).manual_seed(seeds[d]))
        leaves = [shared.detach().requires_grad_() for shared in (vectors, used)]
        before = None if states is None else states[d]
        part = slice(d * n_targets, (d + 1) * n_targets)
        wanted = candidates._replace(targets=candidates.targets[part])
        with autocast(config.precision, device):
            inputs = F.embedding(places[d], leaves[0])
            direction = network.directions[d]
            tops, after = read_side(
                direction, inputs, batch.targets[d], before, dropout
            )
            loss = mean_loss(dropout(tops), leaves[1], wanted)
        (loss * (config.loss_scale / 2)).backward()  # type: ignore[no-untyped-call]
        on_vectors, on_used = (leaf.grad for leaf in leaves)
        assert on_vectors is not None
        assert on_used is not None
        kept = [(h.detach(), c.detach()) for h, c in after]
        return loss.detach(), on_vectors, on_used, kept

    losses, on_vectors, on_used, kept = zip(
        *thread_map(one_side, range(2)), strict=True
    )
    vectors.backward(on_vectors[0] + on_vectors[1])  # type: ignore[no-untyped-call]
    loss = (losses[0] + losses[1]).item() / 2
    return Gradient(loss, rows, on_used[0] + on_used[1], list(kept))


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
