"""The entries, ordered such that threads can train on them without meeting.

Words are dealt out to a fixed number of blocks of rows and of columns, as in the
distributed gradient descent of Gemulla et al. (2011), "Large-Scale Matrix Factorization
with Distributed Stochastic Gradient Descent", section 4.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from skembed.training.cooccurrence import Cooccurrences
from skembed.training.glove._config import GloVeConfig
from skembed.training.glove._kernels import count_blocks, fill_blocks

N_BLOCKS = 16
"""Blocks of rows, and so the most threads that can be of use."""
_AT_ONCE = 1 << 20


class Blocks(NamedTuple):
    """Entries of the counts, block by block.

    Parameters
    ----------
    entries : ndarray of shape (n_entries, 4), int32
        Row, column, and the bits of the float32 log x and f(x).
    bounds : ndarray of shape (N_BLOCKS ** 2 + 1,), int64
        Where each block begins.
    total_weight : float
        The sum of f(x).
    initial_loss : float
        The sum of the losses if all parameters were 0.
    """

    entries: npt.NDArray[np.int32]
    bounds: npt.NDArray[np.int64]
    total_weight: float
    initial_loss: float


def into_blocks(counts: Cooccurrences, config: GloVeConfig) -> Blocks:
    """Order the entries by block, with what training needs of their values.

    Parameters
    ----------
    counts : Cooccurrences
    config : GloVeConfig

    Returns
    -------
    blocks : Blocks
    """
    n = len(counts.rows)
    bounds = np.zeros(N_BLOCKS**2 + 1, dtype=np.int64)
    entries = np.empty((n, 4), dtype=np.int32)
    spans = [slice(start, start + _AT_ONCE) for start in range(0, n, _AT_ONCE)]
    for span in spans:
        count_blocks(counts.rows[span], counts.columns[span], N_BLOCKS, bounds[1:])
    np.cumsum(bounds, out=bounds)
    cursor = bounds[:-1].copy()
    total_weight = initial_loss = 0.0
    for span in spans:
        log_x = np.log(counts.values[span])
        # In logarithms, no power overflows.
        excess = np.minimum(log_x - np.float32(np.log(config.x_max)), np.float32(0.0))
        weights = np.exp(np.float32(config.alpha) * excess)
        total_weight += float(weights.sum(dtype=np.float64))
        initial_loss += float(np.sum(weights * log_x**2, dtype=np.float64))
        fill_blocks(
            counts.rows[span], counts.columns[span], log_x.view(np.int32),
            weights.view(np.int32), N_BLOCKS, cursor, entries,
        )  # fmt: skip
    return Blocks(entries, bounds, total_weight, initial_loss)
