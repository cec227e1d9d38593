"""From vectors to points of the plane."""

import numpy as np
import numpy.typing as npt
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

# With fewer words there are no neighborhoods for t-SNE to keep.
_LEAST_FOR_TSNE = 4
_MOST_FOR_EXACT = 200


def project(
    vectors: npt.NDArray[np.float32], method: str, seed: int
) -> npt.NDArray[np.float64]:
    """Place vectors in the plane, looking at their directions only.

    Parameters
    ----------
    vectors : ndarray of shape (n_words, vector_size), float32
        A vector of length 0 stays at the origin.
    method : {"pca", "tsne"}
        How to project.
    seed : int
        For t-SNE.

    Returns
    -------
    ndarray of shape (n_words, 2), float64

    Raises
    ------
    ValueError
        For another method, or too few words for t-SNE.

    Examples
    --------
    >>> import numpy as np
    >>> project(np.float32([[2, 0, 0], [0, 1, 0], [0, 9, 0]]), "pca", seed=0).round(2)
    array([[ 0.94,  0.  ],
           [-0.47,  0.  ],
           [-0.47,  0.  ]])
    """
    if method not in ("pca", "tsne"):
        msg = f"method must be 'pca' or 'tsne', got {method!r}."
        raise ValueError(msg)
    directions = vectors.astype(np.float64)
    lengths = np.linalg.norm(directions, axis=1, keepdims=True)
    directions /= np.where(lengths == 0, 1.0, lengths)
    if method == "pca":
        return _pca(directions)
    return _tsne(directions, seed)


def _pca(directions: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    plane = np.zeros((len(directions), 2))
    n_components = min(2, *directions.shape)
    if len(directions) > 1 and np.ptp(directions, axis=0).any():
        pca = PCA(n_components, svd_solver="full")
        plane[:, :n_components] = pca.fit_transform(directions)
    return plane


def _tsne(directions: npt.NDArray[np.float64], seed: int) -> npt.NDArray[np.float64]:
    n_words, vector_size = directions.shape
    if n_words < _LEAST_FOR_TSNE:
        msg = (
            f"method='tsne' needs at least {_LEAST_FOR_TSNE} words, got {n_words}. "
            "Show more words or use method='pca'."
        )
        raise ValueError(msg)
    tsne = TSNE(
        perplexity=min(30.0, (n_words - 1) / 3),
        # As fast for few words, and without threads that wait for busy cores.
        method="exact" if n_words <= _MOST_FOR_EXACT else "barnes_hut",
        init="pca" if vector_size > 1 else "random",
        random_state=seed,
    )
    return np.asarray(tsne.fit_transform(directions), dtype=np.float64)
