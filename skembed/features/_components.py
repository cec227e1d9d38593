"""What the features of all documents have in common, and taking it away."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

Float32Array = npt.NDArray[np.float32]


def common_components(
    blocks: Iterable[Float32Array], n_components: int
) -> Float32Array:
    """Find the directions along which the documents lie most.

    Parameters
    ----------
    blocks : iterable of ndarray of shape (n_block_documents, n_features), float32
        The features of the training documents, some rows at a time, so that they need
        not be in memory all at once. At least one block.
    n_components : int
        How many directions.

    Returns
    -------
    components : ndarray of shape (n_components, n_features), float32
        The first right singular vectors of the (uncentred) feature matrix, as in
        algorithm 1 of [1]_: orthonormal rows, the strongest first. A row is zero where
        the matrix has no further direction.

    References
    ----------
    .. [1] S. Arora, Y. Liang and T. Ma, "A Simple but Tough-to-Beat Baseline for
       Sentence Embeddings", ICLR 2017.

    Examples
    --------
    >>> features = np.array([[3, 0], [4, 0]], dtype=np.float32)
    >>> abs(common_components([features], 2))
    array([[1., 0.],
           [0., 0.]], dtype=float32)
    """
    # The right singular vectors are the eigenvectors of the Gram matrix, which is
    # small and a sum over documents. The few largest lose nothing by the squaring.
    gram: npt.NDArray[np.float64] | float = 0.0
    for block in blocks:
        rows = block.astype(np.float64)
        gram = gram + rows.T @ rows
    values, vectors = np.linalg.eigh(gram)
    strongest = slice(None, -n_components - 1, -1)
    components = vectors.T[strongest]
    # What the rounding of float32 features alone could have made.
    rounding = (len(values) * np.finfo(np.float32).eps) ** 2 * values[-1]
    components[values[strongest] <= rounding] = 0.0
    return np.ascontiguousarray(components, np.float32)


def remove_components(features: Float32Array, components: Float32Array) -> Float32Array:
    """Subtract from each row its projection on the components.

    Parameters
    ----------
    features : ndarray of shape (n_documents, n_features), float32
    components : ndarray of shape (n_components, n_features), float32
        Orthonormal rows.

    Returns
    -------
    features : ndarray of shape (n_documents, n_features), float32
        Orthogonal to the components; zero rows stay zero.

    Examples
    --------
    >>> remove_components(np.float32([[2, 3]]), components=np.float32([[1, 0]]))
    array([[0., 3.]], dtype=float32)
    """
    projection = (features @ components.T) @ components
    difference: Float32Array = (features - projection).astype(np.float32, copy=False)
    return difference
