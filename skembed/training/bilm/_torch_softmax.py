"""The loss of predicting words: over all of them, or over a sample."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812

from skembed.training.bilm._negatives import LogUniform

Int64Array = npt.NDArray[np.int64]
# A logit that counts for nothing, and of which no NaN comes.
_NOTHING = -1e30


class Candidates(NamedTuple):
    """The rows of the softmax that a step needs, and where in them its targets are.

    Parameters
    ----------
    rows : ndarray of shape (n_rows,), int64
        Of the whole softmax, each once.
    targets : ndarray of shape (n_targets,), int64
        Places in `rows`.
    noise : ndarray of shape (n_noise,), int64, or None
        Places in `rows` of the words drawn. None: all of `rows`, which are all words.
    log_counts : ndarray of shape (n_rows,), float32, or None
        Logarithm of how often each row is expected among the noise.
    """

    rows: Int64Array
    targets: Int64Array
    noise: Int64Array | None = None
    log_counts: npt.NDArray[np.float32] | None = None


def choose_candidates(
    targets: Int64Array,
    n_rows: int,
    n_negatives: int | None,
    rng: np.random.Generator,
) -> Candidates:
    """Choose the words that the targets are compared with.

    Parameters
    ----------
    targets : ndarray of shape (n_targets,), int64
        Rows of the softmax.
    n_rows : int
        Of the softmax.
    n_negatives : int or None
        How many different words are drawn; None, or as many as there are: all.
    rng : numpy.random.Generator

    Returns
    -------
    candidates : Candidates
    """
    if n_negatives is None or n_negatives >= n_rows:
        return Candidates(np.arange(n_rows), targets)
    distribution = LogUniform(n_rows)
    drawn, n_tries = distribution.draw_distinct(n_negatives, rng)
    both = np.concatenate([targets, drawn])
    rows, places = np.unique(both, return_inverse=True)
    log_counts = distribution.log_expected_count(n_tries)[rows]
    return Candidates(rows, places[: len(targets)], places[len(targets) :], log_counts)


def mean_loss(
    states: torch.Tensor, table: torch.Tensor, candidates: Candidates
) -> torch.Tensor:
    """Mean of the negative logarithms of the probabilities of the targets.

    Over a sample, each logit is lowered by the logarithm of how often its word is
    expected in a sample, so that the gradient approaches that of the softmax over all
    words (Jean et al. 2015, "On Using Very Large Target Vocabulary for Neural Machine
    Translation", section 3). A word drawn that is a target is left out of its noise.

    Parameters
    ----------
    states : Tensor of shape (n_targets, size)
    table : Tensor of shape (n_rows, size + 1)
        The candidates' rows of the softmax; the last column is the bias.
    candidates : Candidates

    Returns
    -------
    loss : Tensor of shape ()
    """
    device = states.device
    targets = torch.from_numpy(candidates.targets).to(device)
    weight, bias = table[:, :-1], table[:, -1]
    if candidates.noise is None:
        return F.cross_entropy((states @ weight.T).float() + bias, targets)
    noise = torch.from_numpy(candidates.noise).to(device)
    bias = bias - torch.from_numpy(candidates.log_counts).to(device)
    true = (states * F.embedding(targets, weight)).sum(dim=1) + bias[targets]
    hits = [torch.from_numpy(p).to(device) for p in _accidental_hits(candidates)]
    others = _log_sum_exp(states, weight[noise], bias[noise], hits)
    # The share of e^true in its sum with all e^others, as a logarithm.
    return F.softplus(others - true).mean()


class _LogSumExp(torch.autograd.Function):
    """Logarithm of the sum of e to the power of products, in few passes over memory.

    Their matrix is what a step mostly reads and writes: it is kept once, and in the
    precision in which it is multiplied again.
    """

    @staticmethod
    def forward(ctx: Any, *tensors: torch.Tensor) -> torch.Tensor:
        """Take states (n, size), weight (m, size), bias (m,), and hits; return (n,)."""
        states, weight, bias, rows, columns = tensors
        powers = (states @ weight.T) + bias
        powers[rows, columns] = _NOTHING
        largest = powers.amax(dim=1, keepdim=True)
        sums = powers.sub_(largest).exp_().sum(dim=1)
        ctx.save_for_backward(states, weight, powers.to(states.dtype), sums)
        return sums.log() + largest[:, 0]

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """Return the gradients for states, weight and bias."""
        states, weight, powers, sums = ctx.saved_tensors
        # Of each row of powers; their product is the row's shares of the sum.
        scale = (gradients[0] / sums).to(states.dtype)
        on_states = (powers @ weight) * scale[:, None]
        return (
            on_states,
            powers.T @ (states * scale[:, None]),
            scale @ powers,
            None,
            None,
        )


def _log_sum_exp(
    states: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor,
    hits: list[torch.Tensor],
) -> torch.Tensor:
    device = states.device.type
    if torch.is_autocast_enabled(device):
        # What autocast does to a product, seen from within a function of our own.
        dtype = torch.get_autocast_dtype(device)
        states, weight = states.to(dtype), weight.to(dtype)
    with torch.autocast(device, enabled=False):
        result: torch.Tensor = _LogSumExp.apply(states, weight, bias, *hits)  # type: ignore[no-untyped-call]
    return result


def _accidental_hits(candidates: Candidates) -> tuple[Int64Array, Int64Array]:
    """Which targets are among the noise, and where."""
    assert candidates.noise is not None
    place = np.full(len(candidates.rows), -1, dtype=np.int64)
    place[candidates.noise] = np.arange(len(candidates.noise))
    column = place[candidates.targets]
    hit = np.flatnonzero(column >= 0)
    return hit, column[hit]
