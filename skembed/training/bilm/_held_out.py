"""Sentences that are kept from training."""

import numpy as np
import numpy.typing as npt

from skembed._ragged import Ragged


def hold_out(corpus: Ragged, fraction: float, seed: int) -> tuple[Ragged, Ragged]:
    """Draw sentences to be held out.

    Parameters
    ----------
    corpus : Ragged
    fraction : float
        Share of the sentences, rounded down: of few sentences, none may be held out.
    seed : int

    Returns
    -------
    kept, held_out : Ragged
        Both in the order of the corpus.

    Examples
    --------
    >>> corpus = Ragged.from_lengths(np.arange(10), np.full(10, 1))
    >>> kept, held_out = hold_out(corpus, 0.2, seed=0)
    >>> len(kept), len(held_out)
    (8, 2)
    """
    chosen = np.zeros(len(corpus), dtype=bool)
    n_chosen = int(fraction * len(corpus))
    rng = np.random.default_rng(seed)
    chosen[rng.choice(len(corpus), size=n_chosen, replace=False)] = True
    return _rows(corpus, ~chosen), _rows(corpus, chosen)


def _rows(corpus: Ragged, is_chosen: npt.NDArray[np.bool_]) -> Ragged:
    values = corpus.values[np.repeat(is_chosen, corpus.lengths)]
    return Ragged.from_lengths(values, corpus.lengths[is_chosen])
