"""The reader of fastText's model files, ``.bin`` and ``.ftz``.

The layout is that of ``FastText::saveModel`` and what it calls: the settings, the
dictionary, and two matrices. Files from before version 11 have no magic number and no
version, and neither pruned buckets nor quantized matrices.
"""

import os
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from skembed.formats._byte_reader import ByteReader
from skembed.formats._decoding import (
    Decoding,
    UndecodableWordError,
    decode_words,
)
from skembed.formats._errors import FormatError
from skembed.formats._fasttext_model import (
    N_CENTROIDS,
    FastTextModel,
    FastTextSettings,
    Matrix,
    QuantizedMatrix,
)
from skembed.formats._kernels import locate_entries
from skembed.formats._source import open_source

MAGIC = 793_712_314
_VERSIONS = (11, 12)
_SETTINGS = "12id"
# A word of no letters: its end, its count and its type.
_MIN_ENTRY_BYTES = 10
# Beyond, a file lies; without a bound, a long word would take forever.
_MAX_NGRAM = 1000


def read_fasttext(
    path: str | os.PathLike[str], *, encoding: str = "utf-8", errors: str = "strict"
) -> FastTextModel:
    """Read a model of fastText, supervised or not, quantized or not.

    Parameters
    ----------
    path : str or path-like
        May be compressed by gzip, bzip2, xz or zip; then it is read into memory as a
        whole. Otherwise, the matrices stay on the disk.
    encoding, errors : str
        How to decode the words, as in `bytes.decode`.

    Returns
    -------
    model : FastTextModel

    Raises
    ------
    FormatError
        With the byte, if the file is not what it should be: of another format, shorter
        or longer than its sizes say.
    """
    decoding = Decoding(encoding, errors)
    reader = ByteReader(path)
    version = _read_version(reader)
    settings = _read_settings(reader, version)
    n_words, n_labels, n_tokens, n_kept = _read_sizes(reader, version)
    words, counts = _read_entries(reader, n_words, n_labels, decoding)
    kept = _read_kept(reader, n_kept, settings.bucket) if n_kept >= 0 else None
    n_ngrams = settings.bucket if kept is None else len(kept)

    quantized = version > 0 and reader.flag("whether the inputs are quantized")
    inputs = _read_matrix(reader, quantized, n_words + n_ngrams, settings, "inputs")
    # Quantized outputs come with quantized inputs only, whatever the flag says.
    flagged = version > 0 and reader.flag("whether the outputs are quantized")
    n_outputs = n_labels if settings.supervised else n_words
    outputs = _read_matrix(
        reader, quantized and flagged, n_outputs, settings, "outputs"
    )
    if reader.n_left:
        reader.fail("the end after the outputs", f"{reader.n_left} more bytes")
    return FastTextModel(
        settings,
        words[:n_words], counts[:n_words],
        words[n_words:], counts[n_words:],
        n_tokens, inputs, outputs, kept,
    )  # fmt: skip


def is_fasttext(path: str | os.PathLike[str]) -> bool:
    """Whether a file begins with the magic number of fastText's models.

    Parameters
    ----------
    path : str or path-like
        May be compressed.

    Returns
    -------
    is_fasttext : bool
        False for models from before version 11, too, which have none.
    """
    with open_source(path) as source:
        return source.read(4) == MAGIC.to_bytes(4, "little")


def _read_version(reader: ByteReader) -> int:
    """Read the magic number and the version, 0 if there are none."""
    magic, version = reader.unpack("2i", "a magic number and a version")
    if magic != MAGIC:
        reader.position = 0
        return 0
    if version not in _VERSIONS:
        reader.position = 4
        reader.fail("version 11 or 12 of fastText's format", str(version))
    return int(version)


def _read_settings(reader: ByteReader, version: int) -> FastTextSettings:
    start = reader.position
    settings = FastTextSettings(*reader.unpack(_SETTINGS, "settings"))
    if not _is_plausible(settings):
        reader.position = start
        if version == 0:
            reader.fail("a fastText model", repr(reader.data[:8].tobytes()))
        reader.fail("settings of fastText", str(settings))
    if version <= 11 and settings.supervised:
        # As fastText does: these models were trained without n-grams of characters.
        return replace(settings, max_n=0)
    return settings


def _is_plausible(settings: FastTextSettings) -> bool:
    return (
        settings.vector_size > 0
        and settings.loss in (1, 2, 3, 4)
        and settings.model in (1, 2, 3)
        and settings.bucket >= 0
        and 0 <= settings.min_n <= _MAX_NGRAM
        and 0 <= settings.max_n <= _MAX_NGRAM
    )


def _read_sizes(reader: ByteReader, version: int) -> tuple[int, int, int, int]:
    """Return numbers of words, labels, tokens and kept buckets; -1 if all are kept."""
    start = reader.position
    size, n_words, n_labels, n_tokens = reader.unpack("3iq", "sizes of the dictionary")
    n_kept = reader.unpack("q", "the number of kept buckets")[0] if version else -1
    if min(n_words, n_labels, n_tokens) < 0 or n_words + n_labels != size:
        reader.position = start
        found = f"{size} entries, {n_words} words, {n_labels} labels, {n_tokens} tokens"
        reader.fail("the sum of words and labels as number of entries", found)
    if n_kept < -1:
        reader.position -= 8
        reader.fail("a number of kept buckets, or -1", str(n_kept))
    reader.expect(_MIN_ENTRY_BYTES * size, f"a dictionary of {size} entries")
    return n_words, n_labels, n_tokens, n_kept


def _read_entries(
    reader: ByteReader, n_words: int, n_labels: int, decoding: Decoding
) -> tuple[list[str], npt.NDArray[np.int64]]:
    """Read the words, then the labels, each with its count."""
    n_entries = n_words + n_labels
    starts = np.empty(n_entries, dtype=np.int64)
    stops, counts = np.empty_like(starts), np.empty_like(starts)
    types = np.empty(n_entries, dtype=np.uint8)
    n_complete, end = locate_entries(
        reader.data, reader.position, starts, stops, counts, types
    )
    if n_complete < n_entries:
        reader.position = len(reader.data)
        reader.fail(f"{n_entries} words and labels", f"the end after {n_complete}")
    expected = np.arange(n_entries) >= n_words
    for wrong, what in (
        (types != expected, f"{n_words} words, then {n_labels} labels"),
        (counts < 0, "a count of 0 or more"),
    ):
        if wrong.any():
            entry = int(np.argmax(wrong))
            reader.position = int(starts[entry])
            found = f"count {counts[entry]} and type {types[entry]} in entry {entry}"
            reader.fail(what, found)
    try:
        words = decode_words(
            reader.data, starts, stops, separator="\0", decoding=decoding
        )
    except UndecodableWordError as error:
        raise FormatError(
            reader.path,
            expected=error.expected,
            found=error.found,
            byte=int(starts[error.row]),
        ) from error
    reader.position = int(end)
    return words, counts


def _read_kept(reader: ByteReader, n_kept: int, bucket: int) -> npt.NDArray[np.int32]:
    """Read the pairs of bucket and row, and sort them by bucket."""
    start = reader.position
    pairs = reader.array("<i4", (n_kept, 2), "kept buckets")
    kept: npt.NDArray[np.int32] = pairs[np.argsort(pairs[:, 0], kind="stable")]
    buckets, rows = kept[:, 0], kept[:, 1]
    ranges = (buckets >= 0).all() and (buckets < bucket).all()
    ranges = ranges and (rows >= 0).all() and (rows < n_kept).all()
    if not ranges or (buckets[1:] == buckets[:-1]).any():
        reader.position = start
        expected = f"different buckets below {bucket}, with rows below {n_kept}"
        reader.fail(expected, "others")
    return kept


def _read_matrix(
    reader: ByteReader, quantized: bool, n_rows: int, settings: FastTextSettings,
    name: str,
) -> Matrix:  # fmt: skip
    """Read a matrix of the shape that the dictionary and the settings demand."""
    has_lengths = quantized and reader.flag(f"whether the {name} have lengths")
    start = reader.position
    shape = reader.unpack("2q", f"the shape of the {name}")
    if shape != (n_rows, settings.vector_size):
        reader.position = start
        expected = f"{name} of shape {(n_rows, settings.vector_size)}"
        reader.fail(f"{expected}, as the dictionary says", str(shape))
    if not quantized:
        return reader.array("<f4", shape, name)
    return _read_quantized(reader, n_rows, settings.vector_size, has_lengths, name)


def _read_quantized(
    reader: ByteReader, n_rows: int, n_columns: int, has_lengths: bool, name: str
) -> QuantizedMatrix:
    (n_codes,) = reader.unpack("i", f"the number of codes of the {name}")
    if n_codes < n_rows or n_codes % max(n_rows, 1):
        reader.position -= 4
        reader.fail(f"codes for {n_rows} rows of {name}", str(n_codes))
    codes = reader.array("u1", (n_codes,), f"codes of the {name}")
    part_size, centroids = _read_centroids(reader, n_columns, name)
    n_parts = -(-n_columns // part_size)
    if n_codes != n_rows * n_parts:
        reader.fail(f"{n_rows * n_parts} codes of the {name}", str(n_codes))
    lengths = None
    if has_lengths:
        length_codes = reader.array("u1", (n_rows,), f"lengths of the {name}")
        _, values = _read_centroids(reader, 1, f"lengths of the {name}")
        lengths = values[length_codes]
    return QuantizedMatrix(
        codes.reshape(n_rows, n_parts), centroids, n_columns, part_size, lengths
    )


def _read_centroids(
    reader: ByteReader, n_columns: int, name: str
) -> tuple[int, npt.NDArray[np.float32]]:
    """Return the size of a part, and the centroids of all parts."""
    start = reader.position
    sizes = reader.unpack("4i", f"the sizes of the quantizer of the {name}")
    part_size = sizes[2]
    if part_size > 0:
        n_parts = -(-n_columns // part_size)
        last_size = n_columns % part_size or part_size
        expected = (n_columns, n_parts, part_size, last_size)
    if part_size <= 0 or sizes != expected:
        reader.position = start
        reader.fail(f"a quantizer of {n_columns} columns of the {name}", str(sizes))
    shape = (N_CENTROIDS * n_columns,)
    return part_size, reader.array("<f4", shape, f"centroids of the {name}")
