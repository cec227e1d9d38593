"""Word vectors as a layer of torch."""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch


def make_embedding(
    key_to_index: Mapping[str, int],
    vectors: npt.NDArray[np.float32],
    vocabulary: Mapping[str, int] | Sequence[str],
    *,
    freeze: bool,
    unknown: Literal["zeros", "normal", "mean"] | npt.ArrayLike,
    padding_idx: int | None,
    random_state: int | np.random.Generator | None,
) -> torch.nn.Embedding:
    """Make a layer from the vectors; see `WordVectors.to_torch_embedding`."""
    indices = _check_vocabulary(vocabulary)
    n_rows = max(indices.values()) + 1
    if padding_idx is not None and not 0 <= padding_idx < n_rows:
        msg = f"padding_idx must be from 0 to {n_rows - 1}, got {padding_idx}."
        raise ValueError(msg)
    weight = _unknown_rows(vectors, n_rows, unknown, random_state)
    known = [word for word in indices if word in key_to_index]
    sources = [key_to_index[word] for word in known]
    weight[[indices[word] for word in known]] = vectors[sources]
    if padding_idx is not None:
        weight[padding_idx] = 0
    table = torch.from_numpy(weight)
    embedding = torch.nn.Embedding(
        n_rows, vectors.shape[1], padding_idx=padding_idx, _weight=table
    )
    embedding.weight.requires_grad = not freeze
    return embedding


def _check_vocabulary(vocabulary: Mapping[str, int] | Sequence[str]) -> dict[str, int]:
    if isinstance(vocabulary, str):
        msg = f"vocabulary must be a sequence of words, got the str {vocabulary!r}."
        raise TypeError(msg)
    if isinstance(vocabulary, Mapping):
        indices = dict(vocabulary)
    else:
        indices = {word: index for index, word in enumerate(vocabulary)}
        if len(indices) < len(vocabulary):
            index = next(i for i, word in enumerate(vocabulary) if indices[word] != i)
            msg = f"vocabulary holds {vocabulary[index]!r} twice; words must differ."
            raise ValueError(msg)
    if not indices:
        msg = "vocabulary is empty; give at least one word."
        raise ValueError(msg)
    owners: dict[int, str] = {}
    for word, index in indices.items():
        _check_index(word, index)
        if index in owners:
            msg = f"{owners[index]!r} and {word!r} have the same index {index}."
            raise ValueError(msg)
        owners[index] = word
    return indices


def _check_index(word: str, index: object) -> None:
    if not isinstance(index, int | np.integer) or index < 0:
        msg = f"Indices must be int >= 0; that of {word!r} is {index!r}."
        raise ValueError(msg)


def _unknown_rows(
    vectors: npt.NDArray[np.float32],
    n_rows: int,
    unknown: Literal["zeros", "normal", "mean"] | npt.ArrayLike,
    random_state: int | np.random.Generator | None,
) -> npt.NDArray[np.float32]:
    """Fill a table of shape (n_rows, vector_size) with what unknown words have."""
    shape = n_rows, vectors.shape[1]
    if not isinstance(unknown, str):
        given = np.asarray(unknown, dtype=np.float32)
        if given.shape != shape[1:]:
            msg = f"unknown must have the shape {shape[1:]}, got {given.shape}."
            raise ValueError(msg)
        return np.tile(given, (n_rows, 1))
    if unknown == "zeros":
        return np.zeros(shape, dtype=np.float32)
    mean = vectors.mean(axis=0, dtype=np.float64)
    if unknown == "mean":
        return np.tile(mean.astype(np.float32), (n_rows, 1))
    if unknown == "normal":
        deviation = vectors.std(axis=0, dtype=np.float64)
        draws = np.random.default_rng(random_state).normal(mean, deviation, shape)
        return draws.astype(np.float32)
    msg = f"unknown must be 'zeros', 'normal', 'mean' or a vector, got {unknown!r}."
    raise ValueError(msg)
