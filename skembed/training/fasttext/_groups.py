"""Rows that the same words have, which move together, and are trained as one.

Each step of a word moves all of its rows alike. So the rows that the same words have,
each as often, keep their distances for ever: an own row and the n-grams of that word
alone, the n-grams that only a word and its plural have. Their mean, counted as often as
they are many, stands for them, and what it moves is added to each in the end. Of
Wikipedia's words that is a fourth less to read and to write, of a third of the rows.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from skembed.training.fasttext._config import Matrix
from skembed.training.fasttext._kernels.rows import (
    add_changes,
    list_groups,
    number_by_first_use,
    split_groups,
    write_means,
)
from skembed.training.skipgram._kernels.center import Composition
from skembed.training.skipgram._tables import padded_table


class RowGroups(NamedTuple):
    """Rows in groups, and words that are made of them.

    Parameters
    ----------
    composition : Composition
        Words are made of the groups' means. Those of the first words come first.
    group_of : ndarray of shape (n_rows,), int64
        The group of each row; n_groups for rows that no word has.
    sizes : ndarray of shape (n_groups,), int64
        How many rows each has.
    """

    composition: Composition
    group_of: npt.NDArray[np.int64]
    sizes: npt.NDArray[np.int64]

    def means(self, table: Matrix) -> Matrix:
        """Average the rows of each group.

        Parameters
        ----------
        table : ndarray of shape (n_rows + 1, n_columns), float32
            Padded, as what is returned.

        Returns
        -------
        means : ndarray of shape (n_groups + 1, n_columns), float32
        """
        bounds = np.concatenate([[0], np.cumsum(self.sizes)])
        by_group = np.argsort(self.group_of, kind="stable")
        members = Composition(
            by_group[: bounds[-1]].astype(np.int32),
            bounds,
            np.repeat(1.0 / self.sizes, self.sizes).astype(np.float32),
            np.ones(len(self.sizes), dtype=np.float32),
        )
        means = padded_table(len(self.sizes), table.shape[1])
        write_means(table, members, means[:-1])
        return means

    def move(self, table: Matrix, means: Matrix) -> None:
        """Move the rows of each group until they have a given mean.

        Parameters
        ----------
        table : ndarray of shape (n_rows + 1, n_columns), float32
            Updated in place.
        means : ndarray of shape (n_groups + 1, n_columns), float32
        """
        # Rows that no word has get the row of zeros at the end.
        add_changes(table, means - self.means(table), self.group_of)


def group_rows(composition: Composition, n_rows: int) -> RowGroups:
    """Group the rows that the same words have, each as often.

    Parameters
    ----------
    composition : Composition
        From `compose`: a word's rows weigh the same.
    n_rows : int

    Returns
    -------
    groups : RowGroups

    Examples
    --------
    Two words have row 2; rows 0 and 3 are of the first alone:

    >>> rows = np.array([0, 2, 3, 1, 2], dtype=np.int32)
    >>> weight, step = (
    ...     np.float32([1 / 3, 1 / 3, 1 / 3, 1 / 2, 1 / 2]),
    ...     np.float32([1, 1]),
    ... )
    >>> words = Composition(rows, np.array([0, 3, 5]), weight, step)
    >>> groups = group_rows(words, 4)
    >>> groups.group_of
    array([0, 2, 1, 0])
    >>> groups.composition.rows, groups.composition.weight.round(2)
    (array([0, 1, 2, 1], dtype=int32), array([0.67, 0.33, 0.5 , 0.5 ], dtype=float32))
    """
    rows, offsets = composition.rows, composition.offsets
    group_of = np.zeros(n_rows, dtype=np.int64)
    split_groups(rows, offsets, group_of)
    # Words and their n-grams that are met together lie together.
    places = np.full(len(rows) + 1, -1, dtype=np.int64)
    n_groups = number_by_first_use(group_of[rows], places)
    group_of = places[group_of]
    group_of[group_of < 0] = n_groups
    sizes = np.bincount(group_of)[:n_groups]
    groups, bounds = np.empty_like(rows), np.empty_like(offsets)
    list_groups(group_of[rows], offsets, sizes, groups, bounds)
    groups = groups[: bounds[-1]].copy()
    share = np.repeat(composition.weight[offsets[:-1]], np.diff(bounds))
    weight = (share * sizes[groups]).astype(np.float32)
    return RowGroups(
        Composition(groups, bounds, weight, composition.step), group_of, sizes
    )
