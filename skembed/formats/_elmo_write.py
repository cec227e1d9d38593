"""Write bidirectional language models as ELMo's are published."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from skembed._atomic import atomic_path
from skembed._optional import require
from skembed.formats._elmo_options import array_shapes, may_lack, parse_elmo_options

Float32Array = npt.NDArray[np.float32]


def write_elmo(
    folder: str | os.PathLike[str],
    options: Mapping[str, Any],
    arrays: Mapping[str, Float32Array],
    *,
    softmax: tuple[Float32Array, Float32Array] | None = None,
    words: Sequence[str] | None = None,
) -> None:
    """Write ``options.json`` and ``weights.hdf5`` into a folder.

    Each file is complete or, after a failure, what it was before.

    Parameters
    ----------
    folder : str or path-like
        Made if it is not there.
    options : mapping
        What ``options.json`` is to hold.
    arrays : mapping of str to ndarray
        By their published names.
    softmax : tuple of ndarray, or None
        Weights of shape (3 + n_words, projection_size) and biases, which predict words;
        kept as the datasets ``softmax/W`` and ``softmax/b``. Other readers pass over
        them.
    words : sequence of str, or None
        What the softmax predicts after its first three rows, for ``vocab.txt``. They
        must have no line breaks in them.

    Raises
    ------
    ValueError
        If an array is missing or does not fit the options, or a word breaks its line.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from skembed.formats import find_elmo, read_elmo
    >>> from skembed.formats._elmo_options import array_shapes, parse_elmo_options
    >>> options = {
    ...     "lstm": {"dim": 4, "projection_dim": 2},
    ...     "char_cnn": {"embedding": {"dim": 3}, "filters": [[1, 2]]},
    ... }
    >>> shapes = array_shapes(parse_elmo_options(json.dumps(options)))
    >>> arrays = {name: np.ones(shape, "f4") for name, shape in shapes.items()}
    >>> with TemporaryDirectory() as folder:
    ...     write_elmo(folder, options, arrays)
    ...     read_elmo(find_elmo(folder)).arrays["char_embed"].shape
    (261, 3)
    """
    _check(options, arrays)
    lines = None if words is None else _lines(words)
    h5py = require("h5py", needed_by="Writing the weights of ELMo")
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    datasets = dict(arrays)
    if softmax is not None:
        datasets["softmax/W"], datasets["softmax/b"] = softmax
    with (
        atomic_path(place / "weights.hdf5") as temporary,
        h5py.File(temporary, "w") as file,
    ):
        for name, array in datasets.items():
            file.create_dataset(name, data=np.asarray(array, dtype=np.float32))
    _write_text(place / "options.json", json.dumps(options, indent=1) + "\n")
    if lines is not None:
        _write_text(place / "vocab.txt", lines)


def _check(options: Mapping[str, Any], arrays: Mapping[str, Float32Array]) -> None:
    parsed = parse_elmo_options(json.dumps(options))
    for name, shape in array_shapes(parsed).items():
        if name not in arrays and may_lack(parsed, name):
            continue
        found = arrays[name].shape if name in arrays else None
        if found != shape:
            msg = (
                f"The options ask for an array {name!r} of shape {shape}, got "
                f"{'none' if found is None else found}."
            )
            raise ValueError(msg)


def _lines(words: Sequence[str]) -> str:
    for word in words:
        if "\n" in word or "\r" in word:
            msg = f"A word of vocab.txt must have no line break in it, got {word!r}."
            raise ValueError(msg)
    # The names that bilm-tf has for the first three rows.
    return "\n".join(["<S>", "</S>", "<UNK>", *words]) + "\n"


def _write_text(path: Path, text: str) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
