"""What a biLM gives to words in their places."""

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812

from skembed._ragged import Ragged
from skembed.training.bilm._batches import sentence_batches
from skembed.training.bilm._result import Perplexity
from skembed.training.bilm._torch_network import BiLM, Dropout
from skembed.training.bilm._torch_step import Words, read

# Numbers of a matrix of logits.
_LOGITS_AT_ONCE = 1 << 24


@torch.no_grad()
def measure_perplexity(
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
        tops, targets, _ = read(network, batch, words, None, Dropout())
        losses = _losses(tops, table, torch.from_numpy(targets).to(table.device))
        totals += losses.reshape(2, -1).sum(axis=1)
        n_targets += batch.n_targets
    losses = totals / n_targets
    return Perplexity(*np.exp([*losses, losses.mean()]).tolist())


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
