"""The writer of fastText's model files, ``.bin`` of version 12."""

import os
import struct
from dataclasses import astuple
from typing import IO

import numpy as np
import numpy.typing as npt

from skembed._atomic import atomic_path
from skembed.formats._fasttext import MAGIC
from skembed.formats._fasttext_model import FastTextModel, Matrix, QuantizedMatrix

_VERSION = 12
_BLOCK_ROWS = 1 << 14


def write_fasttext(path: str | os.PathLike[str], model: FastTextModel) -> None:
    """Write a model as fastText does, for fastText, gensim and `read_fasttext`.

    Blocks of rows that are zero take no room on disks that know of holes in files.

    Parameters
    ----------
    path : str or path-like
        An earlier file is replaced when the new one is complete.
    model : FastTextModel
        Not pruned and not quantized. Its words hold no NUL and can be encoded in UTF-8;
        what ``errors="surrogateescape"`` made of other bytes becomes these again.

    Raises
    ------
    ValueError
        If the model cannot be written, or its sizes do not agree.
    """
    _check(model)
    sizes = (
        len(model.words) + len(model.labels), len(model.words), len(model.labels),
        model.n_tokens, -1,
    )  # fmt: skip
    words = _encode([*model.words, *model.labels])
    counts = np.concatenate([model.counts, model.label_counts]).tolist()
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        file.write(struct.pack("<2i", MAGIC, _VERSION))
        file.write(struct.pack("<12id", *astuple(model.settings)))
        file.write(struct.pack("<3iqq", *sizes))
        for entry, (word, count) in enumerate(zip(words, counts, strict=True)):
            is_label = entry >= len(model.words)
            file.write(word + struct.pack("<xqb", count, is_label))
        for matrix in (model.inputs, model.outputs):
            file.write(struct.pack("<B2q", 0, *matrix.shape))
            _write_rows(file, matrix)
        file.truncate()


def _check(model: FastTextModel) -> None:
    if model.kept_buckets is not None or any(
        isinstance(matrix, QuantizedMatrix) for matrix in (model.inputs, model.outputs)
    ):
        msg = "Only models that are neither pruned nor quantized are written."
        raise ValueError(msg)
    settings = model.settings
    n_outputs = len(model.labels if settings.supervised else model.words)
    for name, found, expected in (
        ("counts", model.counts.shape, (len(model.words),)),
        ("label_counts", model.label_counts.shape, (len(model.labels),)),
        (
            "inputs",
            model.inputs.shape,
            (len(model.words) + settings.bucket, settings.vector_size),
        ),
        ("outputs", model.outputs.shape, (n_outputs, settings.vector_size)),
    ):
        if found != expected:
            msg = f"{name} must be of shape {expected}, got {found}."
            raise ValueError(msg)


def _encode(words: list[str]) -> list[bytes]:
    encoded = []
    for row, word in enumerate(words):
        try:
            # As they were read: bytes that were no UTF-8, too, if they were escaped.
            encoded.append(word.encode("utf-8", "surrogateescape"))
        except UnicodeEncodeError as error:
            msg = f"The word {word!r} (row {row}) cannot be encoded in UTF-8."
            raise ValueError(msg) from error
        if "\0" in word:
            msg = f"The word {word!r} (row {row}) holds NUL, which ends words here."
            raise ValueError(msg)
    return encoded


def _write_rows(file: IO[bytes], matrix: Matrix) -> None:
    for start in range(0, len(matrix), _BLOCK_ROWS):
        rows: npt.NDArray[np.float32] = matrix[start : start + _BLOCK_ROWS]
        # The bits, so that a negative zero is not lost.
        if rows.tobytes().strip(b"\0"):
            file.write(rows.astype("<f4", copy=False).tobytes())
        else:
            file.seek(rows.nbytes, os.SEEK_CUR)
