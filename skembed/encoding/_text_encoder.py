"""What featurizers ask of a network with its tokenizer, whatever its kind."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from skembed.encoding._cache import FeatureCache
from skembed.encoding._cache_space import FeatureSpace
from skembed.networks import Windows

Text = str | Sequence[str]
Float32Array = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]
Mix = Callable[[list[Float32Array]], Float32Array]
Compute = Callable[[list[Text], Rows], Iterable[tuple[Rows, dict[str, Float32Array]]]]


class TextEncoder(Protocol):
    """A network with its settings, which is loaded when texts need it."""

    @property
    def fingerprint(self) -> str:
        """Digest of all of the network that its layers depend on."""

    @property
    def widths(self) -> tuple[int, ...]:
        """Features of each layer, the embedding output first."""

    @property
    def ordered(self) -> bool:
        """Whether what a text gives depends on the texts before it.

        Each then goes through the network, in their order, and nothing can be kept.
        """

    def space(self, cache: FeatureCache) -> FeatureSpace:
        """Return the part of a cache that is for this network and these settings."""

    def statistics(
        self,
        layers: tuple[int, ...] | None = None,
        names: tuple[str, ...] | None = None,
    ) -> Compute:
        """Return what computes statistics of texts, for `distinct_features`.

        Parameters
        ----------
        layers : tuple of int or None
            None for all.
        names : tuple of str or None
            Of `skembed.features.STATISTICS`; None for all.
        """

    def token_states(
        self, texts: Sequence[Text], layers: tuple[int, ...], mix: Mix
    ) -> Iterator[tuple[Rows, Windows, Float32Array]]:
        """Compute the mixed states of the tokens of texts, with their words.

        Yields
        ------
        rows : ndarray of shape (n_texts_of_chunk,), int64
            Which texts a chunk holds.
        windows : Windows
            Their windows, with words.
        states : ndarray of shape (n_own_tokens, n_features), float32
            Of the tokens that are `own` and not `special`.
        """

    def count_overlong(self, texts: Sequence[Text]) -> tuple[int, int]:
        """Count the texts that are read in windows, and those that are cut off."""
