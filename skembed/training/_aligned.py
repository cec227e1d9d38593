"""Tables whose rows begin where the processor loads them fastest."""

import numpy as np
import numpy.typing as npt

from skembed._kernels.simd import LANES

_ALIGNMENT = 4 * LANES


def aligned_zeros(n_rows: int, n_columns: int) -> npt.NDArray[np.float32]:
    """Make a table whose rows start where a vector of the processor does.

    Parameters
    ----------
    n_rows : int
    n_columns : int
        Rounded up to whole vectors.

    Returns
    -------
    table : ndarray of shape (n_rows, padded n_columns), float32
    """
    n_columns = -(-n_columns // LANES) * LANES
    n_bytes = n_rows * n_columns * 4
    memory = np.zeros(n_bytes + _ALIGNMENT, dtype=np.uint8)
    start = -memory.ctypes.data % _ALIGNMENT
    aligned = memory[start : start + n_bytes].view(np.float32)
    return aligned.reshape(n_rows, n_columns)
