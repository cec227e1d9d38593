"""What a biLM gives to words in their places."""

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812

from skembed._ragged import Ragged
from skembed.training.bilm._batches import Batch, sentence_batches
from skembed.training.bilm._model import BiLMModel
from skembed.training.bilm._result import Perplexity
from skembed.training.bilm._torch_network import BiLM, Dropout
from skembed.training.bilm._torch_step import (
    Words,
    encode,
    read_side,
    rows_of_targets,
)
from skembed.training.bilm._torch_weights import empty_network, load_arrays

# Numbers of a matrix of logits.
_LOGITS_AT_ONCE = 1 << 24


@torch.no_grad()
def network_perplexity(
    network: BiLM,
    table: torch.Tensor,
    framed: Ragged,
    words: Words,
    batch_tokens: int = 2048,
) -> Perplexity:
    """Measure how well each word is predicted from what precedes or follows it.

    Parameters
    ----------
    network : BiLM
    table : Tensor of shape (n_rows, projection_size + 1)
        The softmax; its last column is the bias.
    framed : Ragged of int32
        Sentences with their boundaries, each read whole, from the zero state.
    words : Words
    batch_tokens : int

    Returns
    -------
    perplexity : Perplexity
    """
    totals, n_targets = np.zeros(2), 0
    longest = int(framed.lengths.max())
    for batch in sentence_batches(framed, longest, batch_tokens, None):
        targets = torch.from_numpy(rows_of_targets(batch, words)).to(table.device)
        losses = _losses(_read(network, batch, words), table, targets)
        totals += losses.reshape(2, -1).sum(axis=1)
        n_targets += batch.n_targets
    losses = totals / n_targets
    return Perplexity(*np.exp([*losses, losses.mean()]).tolist())


def _read(network: BiLM, batch: Batch, words: Words) -> torch.Tensor:
    """Run both directions: the states of all targets, forward, then backward."""
    vectors, places = encode(network, batch, words)
    sides = zip(network.directions, places, batch.targets, strict=True)
    tops = [
        read_side(direction, F.embedding(rows, vectors), targets, None, Dropout())[0]
        for direction, rows, targets in sides
    ]
    return torch.cat(tops)


def _losses(
    tops: torch.Tensor, table: torch.Tensor, targets: torch.Tensor
) -> npt.NDArray[np.float64]:
    n_at_once = max(1, _LOGITS_AT_ONCE // len(table))
    losses = [
        F.cross_entropy(
            _logits(tops[start : start + n_at_once], table),
            targets[start : start + n_at_once],
            reduction="none",
        )
        for start in range(0, len(tops), n_at_once)
    ]
    return torch.cat(losses).double().cpu().numpy()


def _logits(tops: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
    return torch.addmm(table[:, -1], tops, table[:, :-1].T)


def load_model(model: BiLMModel, device: torch.device) -> tuple[BiLM, torch.Tensor]:
    """Make a network and a softmax of a model that has one.

    Parameters
    ----------
    model : BiLMModel
    device : torch.device

    Returns
    -------
    network : BiLM
    table : Tensor of shape (n_rows, projection_size + 1)

    Raises
    ------
    ValueError
        If the model has no softmax.
    """
    if model.softmax is None or model.bias is None:
        msg = (
            "This model has no softmax, as published files have none: it predicts no "
            "words. Train or fine-tune it on texts first."
        )
        raise ValueError(msg)
    network = empty_network(model.architecture)
    load_arrays(network, model.arrays)
    table = np.column_stack([model.softmax, model.bias]).astype(np.float32)
    return network.to(device), torch.from_numpy(table).to(device)


@torch.no_grad()
def log_probabilities(
    network: BiLM, table: torch.Tensor, framed: Ragged, words: Words, place: int
) -> npt.NDArray[np.float64]:
    """What both directions expect at one place of a sentence.

    Parameters
    ----------
    network : BiLM
    table : Tensor of shape (n_rows, projection_size + 1)
    framed : Ragged of int32
        One sentence, with its boundaries.
    words : Words
    place : int
        Of the word in the sentence, from 0.

    Returns
    -------
    logarithms : ndarray of shape (2, n_rows), float64
        Of the probability of each row of the softmax, from what precedes the place, and
        from what follows it.
    """
    length = int(framed.lengths[0])
    (batch,) = sentence_batches(framed, length, length, None)
    tops = _read(network, batch, words)
    n_steps = length - 1
    # Forward, step k predicts word k; backward, the last step predicts the begin.
    chosen = tops[[place, n_steps + n_steps - 2 - place]]
    result: npt.NDArray[np.float64] = (
        _logits(chosen, table).double().log_softmax(dim=1).cpu().numpy()
    )
    return result
