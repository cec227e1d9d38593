"""Which rows of a table score highest: blocked matrix products, then a selection.

Never are all the scores of all the queries held at once: a search goes through blocks
of queries and blocks of words, and keeps the best rows so far. What is kept is scored
again in float64, pair by pair, so that an answer does not depend on how the product was
cut: a query alone and among ten thousand others gives the same words in the same order.
"""

import numpy as np
import numpy.typing as npt

from skembed.vectors._kernels import keep_best
from skembed.vectors._objectives import Objective

# A block of scores takes 16 MB. Smaller ones would stay in the cache, but then the
# threads of BLAS would wait for each other more often, for long on a busy machine.
_BLOCK_QUERIES = 256
_BLOCK_SCORES = 1 << 22
# The vectors that are scored again at once, or the rows that are kept, take 32 MB.
_KEPT_NUMBERS = 1 << 22
# How many rows beyond the wanted ones are scored again, because the rounding of
# float32 may have put some of them in another order.
_SLACK = 8


def search(
    objective: Objective,
    topn: int,
    *,
    n_words: int,
    exclude: npt.NDArray[np.int64],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Find the rows of highest score for every query.

    Parameters
    ----------
    objective : Objective
        Gives the scores, in blocks and in pairs.
    topn : int
        How many rows to find for each query.
    n_words : int
        Only the first `n_words` rows are searched.
    exclude : ndarray of shape (n_queries, n_excluded), int64
        Rows which are no answer to their query; -1 excludes nothing.

    Returns
    -------
    rows : ndarray of shape (n_queries, k), int64
        Best first, equal scores by row number. ``k`` is the smaller of `topn` and
        `n_words`. -1 where exclusion left less than ``k`` rows.
    scores : ndarray of shape (n_queries, k), float64
        -inf where `rows` is -1.
    """
    k = min(topn, n_words)
    rows = np.full((objective.n_queries, k), -1, dtype=np.int64)
    scores = np.full((objective.n_queries, k), -np.inf)
    n_kept = min(k + _SLACK, n_words)
    step = max(1, min(_BLOCK_QUERIES, _KEPT_NUMBERS // max(n_kept, 1)))
    for start in range(0, objective.n_queries if k else 0, step):
        queries = slice(start, min(start + step, objective.n_queries))
        candidates = _candidates(objective, queries, n_kept, n_words, exclude)
        exact = _score_again(objective, queries, candidates)
        best = np.lexsort((candidates, -exact))[:, :k]
        scores[queries] = np.take_along_axis(exact, best, axis=1)
        rows[queries] = np.take_along_axis(candidates, best, axis=1)
    return rows, scores


def _candidates(
    objective: Objective,
    queries: slice,
    n_kept: int,
    n_words: int,
    exclude: npt.NDArray[np.int64],
) -> npt.NDArray[np.int64]:
    """Find the best rows by float32 scores, in no particular order; -1 for none."""
    n_queries = queries.stop - queries.start
    rows = np.full((n_queries, n_kept), -1, dtype=np.int64)
    scores = np.full((n_queries, n_kept), -np.inf, dtype=np.float32)
    step = _BLOCK_SCORES // n_queries
    for start in range(0, n_words, step):
        words = slice(start, min(start + step, n_words))
        block = objective.block(queries, words)
        keep_best(block, start, exclude[queries], scores, rows)
    return rows


def _score_again(
    objective: Objective, queries: slice, candidates: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Score candidates (n_queries, n_kept) in float64; -inf where they are -1."""
    scores = np.full(candidates.shape, -np.inf)
    query, place = np.nonzero(candidates >= 0)
    step = max(1, _KEPT_NUMBERS // objective.vector_size)
    for start in range(0, len(query), step):
        part = slice(start, start + step)
        at = query[part], place[part]
        scores[at] = objective.pairs(at[0] + queries.start, candidates[at])
    return scores
