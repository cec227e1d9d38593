"""Many analogies at once."""

from typing import Literal

import numpy as np
import numpy.typing as npt

from skembed.vectors._objectives import (
    Cosine,
    CosineProduct,
    Objective,
    Table,
    unit_rows,
)
from skembed.vectors._search import search


def solve_analogies(
    vectors: npt.NDArray[np.float32],
    norms: npt.NDArray[np.float32],
    questions: npt.NDArray[np.int64],
    exclude: npt.NDArray[np.int64],
    *,
    method: Literal["add", "mul"] = "add",
) -> npt.NDArray[np.int64]:
    """Answer questions "a is to b as c is to what?" by the rows of words.

    Parameters
    ----------
    vectors : ndarray of shape (n_words, vector_size), float32
        All possible answers.
    norms : ndarray of shape (n_words,), float32
        Lengths of the vectors.
    questions : ndarray of shape (n_questions, 3), int64
        The rows of a, b and c.
    exclude : ndarray of shape (n_questions, n_excluded), int64
        Rows which are no answer to their question; -1 excludes nothing.
    method : {"add", "mul"}
        3CosAdd or 3CosMul, as in `WordVectors.analogy`.

    Returns
    -------
    answers : ndarray of shape (n_questions,), int64
        -1 where every row is excluded.
    """
    table = Table(vectors, norms)
    used, terms = np.unique(questions, return_inverse=True)
    a, b, c = terms.reshape(-1, 3).T
    objective: Objective
    if method == "add":
        units = unit_rows(vectors[used])
        objective = Cosine(table, units[b] + units[c] - units[a])
    else:
        positive = np.stack([b, c], axis=1)
        objective = CosineProduct(table, vectors[used], positive, a[:, None])
    rows, _ = search(objective, 1, n_words=len(vectors), exclude=exclude)
    return rows[:, 0]
