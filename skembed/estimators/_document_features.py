"""From word vectors to the features that the parameters of an estimator ask for."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
import numpy.typing as npt

from skembed._ragged import Ragged
from skembed._sklearn_private import Interval, Options, StrOptions
from skembed.features import (
    POOLINGS,
    common_components,
    normalize_rows,
    pool,
    pooling_names,
    remove_components,
    smooth_inverse_frequency,
)

Float32Array = npt.NDArray[np.float32]

FEATURE_CONSTRAINTS: dict[str, list[Any]] = {
    "pooling": [StrOptions(set(POOLINGS)), tuple, list],
    "normalize": [StrOptions({"l1", "l2", "max"}), Options(bool, {False})],
    "remove_components": [Interval(Integral, 0, None, closed="left")],
}


@dataclass(frozen=True)
class WeightedWords:
    """Word vectors, and what weighs them.

    Parameters
    ----------
    vectors : ndarray of shape (n_words, vector_size), float32
    idf : ndarray of shape (n_words,), float64
        See `skembed.features.inverse_document_frequency`.
    counts : ndarray of shape (n_words,), int64
        Occurrences in the training documents.
    n_tokens : int or None
        Occurrences of all words there; None if these words are all.
    """

    vectors: Float32Array
    idf: npt.NDArray[np.float64]
    counts: npt.NDArray[np.int64]
    n_tokens: int | None = None

    def pool(self, ids: Ragged, pooling: str) -> Float32Array:
        """Pool documents in one way; shape (n_documents, vector_size)."""
        sif = None
        if pooling == "sif":
            sif = smooth_inverse_frequency(self.counts, n_tokens=self.n_tokens)
        return pool(ids, self.vectors, pooling, idf=self.idf, sif=sif)


def check_feature_parameters(
    pooling: Any, normalize: Any, remove_components: Any
) -> None:
    """Raise for what `FEATURE_CONSTRAINTS` rule out, also if it was set after `fit`.

    Parameters
    ----------
    pooling, normalize, remove_components : object
        The parameters of an estimator.

    Raises
    ------
    ValueError
        If one of them is not what it may be.
    """
    pooling_names(pooling)
    if normalize is not False and normalize not in ("l1", "l2", "max"):
        msg = f"normalize must be 'l1', 'l2', 'max' or False, got {normalize!r}."
        raise ValueError(msg)
    if not isinstance(remove_components, Integral) or remove_components < 0:
        msg = f"remove_components must be an int >= 0, got {remove_components!r}."
        raise ValueError(msg)


def learn_components(
    words: WeightedWords, ids: Ragged, poolings: Sequence[str], n_components: int
) -> dict[str, Float32Array]:
    """Find what the features of the training documents have in common.

    Parameters
    ----------
    words : WeightedWords
    ids : Ragged of int32
        The training documents.
    poolings : sequence of str
    n_components : int
        If 0, there is nothing to find.

    Returns
    -------
    components : dict of str to ndarray of shape (n_components, vector_size), float32
        For each pooling, the first right singular vectors of the features it gives.
    """
    if n_components == 0:
        return {}
    return {
        pooling: common_components(
            (words.pool(block, pooling) for block in _blocks(ids)), n_components
        )
        for pooling in poolings
    }


def document_features(
    words: WeightedWords,
    ids: Ragged,
    poolings: Sequence[str],
    components: Mapping[str, Float32Array],
    norm: str | bool,
) -> Float32Array:
    """Pool documents, remove common components, concatenate, and normalize.

    Parameters
    ----------
    words : WeightedWords
    ids : Ragged of int32
        The documents.
    poolings : sequence of str
    components : mapping of str to ndarray of shape (n_components, vector_size)
        What to remove from the features of each pooling; nothing where it has no item.
    norm : {"l1", "l2", "max"} or False
        Which norm of each row to make 1.

    Returns
    -------
    features : ndarray of shape (n_documents, n_poolings * vector_size), float32
        A document without words gets zeros.
    """
    blocks = []
    for pooling in poolings:
        block = words.pool(ids, pooling)
        if len(components.get(pooling, ())):
            block = remove_components(block, components[pooling])
        blocks.append(block)
    features = blocks[0] if len(blocks) == 1 else np.hstack(blocks)
    return normalize_rows(features, str(norm)) if norm else features


def _blocks(ids: Ragged, size: int = 4096) -> Iterator[Ragged]:
    """Cut a corpus into parts of at most `size` documents."""
    for first in range(0, len(ids), size):
        offsets = ids.offsets[first : first + size + 1]
        values = ids.values[offsets[0] : offsets[-1]]
        yield Ragged(values, offsets - offsets[0])
