"""Models of fastText by hand: the bytes of a quantized one, and gensim's examples."""

import struct
from pathlib import Path

import gensim
import numpy as np

GENSIM_FILES = Path(gensim.__file__).parent / "test/test_data"


def quantizer(n_columns, part_size, centroids):
    n_parts = -(-n_columns // part_size)
    last = n_columns % part_size or part_size
    return struct.pack("<4i", n_columns, n_parts, part_size, last) + centroids.tobytes()


def quantized(rng, n_rows, n_columns, part_size, *, has_lengths):
    """Return the bytes of a matrix, and its rows."""
    n_parts = -(-n_columns // part_size)
    codes = rng.integers(0, 256, (n_rows, n_parts)).astype("u1")
    parts = [
        rng.normal(size=(256, min(part_size, n_columns - start))).astype("<f4")
        for start in range(0, n_columns, part_size)
    ]
    rows = np.hstack([part[codes[:, i]] for i, part in enumerate(parts)])
    content = struct.pack("<B2qi", has_lengths, n_rows, n_columns, codes.size)
    content += codes.tobytes()
    content += quantizer(
        n_columns, part_size, np.concatenate([p.ravel() for p in parts])
    )
    if has_lengths:
        lengths = rng.random(256).astype("<f4")
        length_codes = rng.integers(0, 256, n_rows).astype("u1")
        content += length_codes.tobytes() + quantizer(1, 1, lengths)
        rows = rows * lengths[length_codes][:, None]
    return content, rows


def pruned_model(rng, *, has_lengths=True, part_size=2):
    """Return the bytes of a supervised .ftz with 2 words and 3 buckets; its rows."""
    content = struct.pack("<2i", 793712314, 12)
    content += struct.pack("<12id", 5, 5, 5, 1, 5, 1, 3, 3, 100, 2, 3, 100, 1e-4)
    content += struct.pack("<3iqq", 3, 2, 1, 9, 3)
    for word, count, kind in (
        (b"cat", 5, 0),
        (b"\xc3\x98", 3, 0),
        (b"__label__a", 1, 1),
    ):
        content += word + struct.pack("<xqb", count, kind)
    content += struct.pack("<6i", 70, 1, 3, 0, 41, 2)
    matrix, rows = quantized(rng, 5, 5, part_size, has_lengths=has_lengths)
    content += b"\1" + matrix
    content += b"\0" + struct.pack("<2q", 1, 5) + np.zeros(5, "<f4").tobytes()
    return content, rows
