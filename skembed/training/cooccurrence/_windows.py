"""What counts as the context of a word, and how much."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class Windows(NamedTuple):
    """What the kernels are told about windows.

    Parameters
    ----------
    steps : ndarray of shape (window + 1,), int64
        What a word at each distance adds to a sum.
    symmetric : bool
        Whether the context lies on both sides, or to the left only.
    document_weight : ndarray of shape (n_documents,) or (0,), float64
        Factor of the steps in each document, at most 1; empty for 1.
    """

    steps: npt.NDArray[np.int64]
    symmetric: bool
    document_weight: npt.NDArray[np.float64]
