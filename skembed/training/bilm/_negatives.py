"""Noise words of a sampled softmax, drawn log-uniformly."""

import numpy as np
import numpy.typing as npt

Int64Array = npt.NDArray[np.int64]


class LogUniform:
    """The distribution P(k) = log((k + 2) / (k + 1)) / log(n + 1) over 0 ... n - 1.

    It is close to that of words which are sorted by how often they occur. TensorFlow's
    ``log_uniform_candidate_sampler`` draws from it.

    Parameters
    ----------
    n_classes : int

    Examples
    --------
    >>> LogUniform(3).probabilities.round(3)
    array([0.5  , 0.292, 0.208])
    """

    def __init__(self, n_classes: int) -> None:
        k = np.arange(n_classes, dtype=np.float64)
        self.n_classes = n_classes
        self.probabilities = np.log1p(1.0 / (k + 1.0)) / np.log(n_classes + 1.0)

    def draw_distinct(self, n: int, rng: np.random.Generator) -> tuple[Int64Array, int]:
        """Draw until there are `n` different classes.

        Parameters
        ----------
        n : int
            Less than `n_classes`.
        rng : numpy.random.Generator

        Returns
        -------
        classes : ndarray of shape (n,), int64
            In the order in which they came first.
        n_tries : int
            How many draws that took.
        """
        drawn = np.empty(0, dtype=np.int64)
        while True:
            # As the range is [0, 1), no class is too large but by rounding.
            places = np.exp(rng.random(max(n, 16)) * np.log(self.n_classes + 1.0))
            more = np.minimum(places.astype(np.int64) - 1, self.n_classes - 1)
            drawn = np.concatenate([drawn, more])
            first = np.sort(np.unique(drawn, return_index=True)[1])
            if len(first) >= n:
                return drawn[first[:n]], int(first[n - 1]) + 1

    def log_expected_count(self, n_tries: int) -> npt.NDArray[np.float32]:
        """Logarithm of the probability to be among the classes of so many draws.

        Parameters
        ----------
        n_tries : int

        Returns
        -------
        logarithms : ndarray of shape (n_classes,), float32
        """
        inside = -np.expm1(n_tries * np.log1p(-self.probabilities))
        logarithms: npt.NDArray[np.float32] = np.log(inside).astype(np.float32)
        return logarithms
