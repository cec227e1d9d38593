"""Room for the private copies of rows that spans are trained on."""

import numpy as np

from skembed.training.skipgram._kernels.replica import Copies, Replicas
from skembed.training.skipgram._tables import aligned_zeros

Shape = tuple[int, int]


def new_copies(n_spans: int, capacity: int, shape: Shape) -> Copies:
    """Make room for copies of a table's rows.

    Parameters
    ----------
    n_spans : int
        Spans of a round. 0 makes room for nothing: spans work on the table itself.
    capacity : int
        Rows that a span touches at most.
    shape : tuple of int
        Rows and columns of the table, padded columns included.

    Returns
    -------
    copies : Copies
        Memory that is never touched is never taken: most spans need far less than
        their capacity.
    """
    n_rows, n_columns = shape
    n_rows = n_rows if n_spans else 0
    capacity = min(capacity, n_rows)
    return Copies(
        rows=aligned_zeros(n_spans * (capacity + 1), n_columns),
        row_of=np.full((n_rows, n_spans), -1, dtype=np.int32),
        item_of=np.empty((n_spans, capacity), dtype=np.int32),
        touches=np.empty((n_spans, capacity), dtype=np.float32),
        n=np.zeros(n_spans, dtype=np.int64),
    )


def replicas_of_words(n_spans: int, capacity: int, shape: Shape) -> Replicas:
    """Make room for copies of rows of two tables with a row for each word.

    Parameters are those of `new_copies`, of either table. Copy k of a span is of the
    same word in both.
    """
    output = new_copies(n_spans, capacity, shape)
    return Replicas(
        output._replace(
            rows=aligned_zeros(*output.rows.shape),
            touches=np.empty_like(output.touches),
            n=np.zeros_like(output.n),
        ),
        output,
    )
