"""Compiled selection of the best of many scores."""

import numba

from skembed._kernels.compiling import compiled

_njit = compiled()


@numba.njit
def _is_worse(scores, rows, i, j):
    return scores[i] < scores[j] or (scores[i] == scores[j] and rows[i] > rows[j])


@numba.njit
def _sink(scores, rows):
    """Restore the order of a heap with the worst on top, whose top was replaced."""
    parent = 0
    while True:
        worst, left = parent, 2 * parent + 1
        for child in range(left, min(left + 2, len(scores))):
            if _is_worse(scores, rows, child, worst):
                worst = child
        if worst == parent:
            return
        scores[parent], scores[worst] = scores[worst], scores[parent]
        rows[parent], rows[worst] = rows[worst], rows[parent]
        parent = worst


@_njit
def keep_best(scores, first_row, exclude, best_scores, best_rows):
    """Let the best scores of a block take the places of worse ones.

    Of equal scores, the one of the lower row is better. Blocks must come in the order
    of their rows.

    Parameters
    ----------
    scores : ndarray of shape (n_queries, n_words), float32
        NaN is worse than everything.
    first_row : int
        The row of the first word in the block.
    exclude : ndarray of shape (n_queries, n_excluded), int64
        Rows which are passed over.
    best_scores : ndarray of shape (n_queries, k), float32
        For each query a heap with the worst on top; at first -inf. Updated in place.
    best_rows : ndarray of shape (n_queries, k), int64
        The rows of `best_scores`; at first -1. Updated in place.
    """
    for i in range(scores.shape[0]):
        worst = best_scores[i, 0]
        for j in range(scores.shape[1]):
            # Among equals, those already here are of lower rows.
            if scores[i, j] > worst:
                row = first_row + j
                if not (exclude[i] == row).any():
                    best_scores[i, 0] = scores[i, j]
                    best_rows[i, 0] = row
                    _sink(best_scores[i], best_rows[i])
                    worst = best_scores[i, 0]


@_njit
def add_ngrams(ids, offsets, buckets, cells, shift, table, sums, counts):
    """Add the vectors of each word's n-grams to its row, where there are any.

    Parameters
    ----------
    ids : ndarray of shape (n_ngrams,), int32
        Buckets of n-grams, word by word.
    offsets : ndarray of shape (n_words + 1,), int64
        Word ``w`` has ``ids[offsets[w]:offsets[w + 1]]``.
    buckets : ndarray of shape (n_kept,), int32
        The buckets with a row in `table`, rising.
    cells : ndarray of shape (n_cells + 1,), int32
        The buckets of which all but the last `shift` bits are ``c`` stand in
        ``buckets[cells[c]:cells[c + 1]]``.
    shift : int
    table : ndarray of shape (n_kept, vector_size), float32
    sums : ndarray of shape (n_words, vector_size), float32
        Added to in place.
    counts : ndarray of shape (n_words,), int64
        Added to in place: how many vectors were added.
    """
    for word in range(len(offsets) - 1):
        for i in range(offsets[word], offsets[word + 1]):
            cell = ids[i] >> shift
            low, high = cells[cell], cells[cell + 1]
            while low < high:
                middle = (low + high) // 2
                if buckets[middle] < ids[i]:
                    low = middle + 1
                else:
                    high = middle
            if low < cells[cell + 1] and buckets[low] == ids[i]:
                counts[word] += 1
                for j in range(sums.shape[1]):
                    sums[word, j] += table[low, j]
