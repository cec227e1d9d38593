"""Which rows words are made of, and which rows always move together."""

import numpy as np

from skembed._kernels.compiling import compiled
from skembed._kernels.simd import LANES, add, load, store
from skembed.training.skipgram._kernels.center import read_center


@compiled()
def add_own_rows(ngrams, offsets, rows):
    """Write the rows of each word: its own, then those of its n-grams.

    Parameters
    ----------
    ngrams : ndarray of shape (n,), int32
    offsets : ndarray of shape (n_words + 1,), int64
    rows : ndarray of shape (n_words + n,), int32
        Overwritten. Word w has row w, n-gram g has row n_words + g.
    """
    n_words = len(offsets) - 1
    for word in range(n_words):
        rows[offsets[word] + word] = word
        for i in range(offsets[word], offsets[word + 1]):
            rows[i + word + 1] = n_words + ngrams[i]


@compiled()
def count_squares(rows, offsets, n_rows, squares):
    """Sum the squares of how often each word has each of its rows.

    Parameters
    ----------
    rows : ndarray of shape (n,), int32
    offsets : ndarray of shape (n_words + 1,), int64
    n_rows : int
    squares : ndarray of shape (n_words,), int64
        Overwritten.
    """
    last_word = np.full(n_rows, -1, dtype=np.int64)
    times = np.zeros(n_rows, dtype=np.int64)
    for word in range(len(squares)):
        squares[word] = 0
        for i in range(offsets[word], offsets[word + 1]):
            row = rows[i]
            if last_word[row] != word:
                last_word[row] = word
                times[row] = 0
            # The square of m + 1 is that of m and so much more.
            squares[word] += 2 * times[row] + 1
            times[row] += 1


@compiled()
def split_groups(rows, offsets, group_of):
    """Group the rows that the same words have, each as often.

    All rows are one group at first; each word splits those of which it has a part, by
    whether it has a row, and how often. So a row that a word has again leaves the group
    that it has just been put into.

    Parameters
    ----------
    rows : ndarray of shape (n,), int32
    offsets : ndarray of shape (n_words + 1,), int64
    group_of : ndarray of shape (n_rows,), int64, all 0
        Overwritten with numbers below n + 1.
    """
    last_word = np.full(len(rows) + 1, -1, dtype=np.int64)
    part_of = np.empty(len(rows) + 1, dtype=np.int64)
    n_groups = 1
    for word in range(len(offsets) - 1):
        for i in range(offsets[word], offsets[word + 1]):
            group = group_of[rows[i]]
            if last_word[group] != word:
                last_word[group] = word
                part_of[group] = n_groups
                n_groups += 1
            group_of[rows[i]] = part_of[group]


@compiled()
def number_by_first_use(numbers, places):
    """Number anew in the order in which numbers are first met.

    Parameters
    ----------
    numbers : ndarray of shape (n,), int64
    places : ndarray of shape (n_numbers,), int64, all -1
        Overwritten, but for those that are never met.

    Returns
    -------
    n : int
        How many there are.
    """
    n = 0
    for i in range(len(numbers)):
        if places[numbers[i]] < 0:
            places[numbers[i]] = n
            n += 1
    return n


@compiled()
def list_groups(groups, offsets, sizes, listed, bounds):
    """List the groups of each word, each as often as the word has any row of it.

    Parameters
    ----------
    groups : ndarray of shape (n,), int64
        The group of each row of each word.
    offsets : ndarray of shape (n_words + 1,), int64
    sizes : ndarray of shape (n_groups,), int64
        How many rows are in each group.
    listed : ndarray of shape (n,), int32
        The first ``bounds[-1]`` are overwritten.
    bounds : ndarray of shape (n_words + 1,), int64
        Overwritten. Word w has ``listed[bounds[w]:bounds[w + 1]]``.
    """
    # A word has all rows of a group as often: what is left over is 0 at its end.
    n_met = np.zeros(len(sizes), dtype=np.int64)
    n = 0
    bounds[0] = 0
    for word in range(len(offsets) - 1):
        for i in range(offsets[word], offsets[word + 1]):
            group = groups[i]
            if n_met[group] % sizes[group] == 0:
                listed[n] = group
                n += 1
            n_met[group] += 1
        bounds[word + 1] = n


@compiled()
def add_changes(table, change, group_of):
    """Add to each row what its group has changed by, in place.

    Parameters
    ----------
    table : ndarray of shape (>= n_rows, n_columns), float32
    change : ndarray of shape (>= n_groups, n_columns), float32
    group_of : ndarray of shape (n_rows,), int64
    """
    for row in range(len(group_of)):
        for d in range(0, table.shape[1], LANES):
            moved = add(load(table, row, d), load(change, group_of[row], d))
            store(table, row, d, moved)


@compiled()
def write_means(table, composition, vectors):
    """Write the means of rows that words, or groups, are made of.

    Parameters
    ----------
    table : ndarray of shape (n_rows + 1, n_columns), float32
    composition : Composition
    vectors : ndarray of shape (n_words, n_columns), float32
        Overwritten.
    """
    for word in range(len(vectors)):
        read_center(table, word, composition, vectors, word)
