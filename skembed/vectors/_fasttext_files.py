"""Models of fastText to words with n-grams, and back."""

import os
import warnings
from collections.abc import Collection
from typing import Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from skembed.formats import (
    FastTextModel,
    FastTextSettings,
    FormatError,
    NgramTable,
    WordTable,
    read_fasttext,
    write_fasttext,
)
from skembed.text import ngram_buckets
from skembed.vectors._ngram_vectors import NgramSums

Kept = Literal["all", "vocabulary"]

# The end of a line, which fastText has among its words, but without n-grams.
END_OF_LINE = "</s>"


class SubwordTable(NamedTuple):
    """Words with their vectors, and n-grams with theirs."""

    words: WordTable
    ngrams: NgramTable


def load_fasttext(
    path: str | os.PathLike[str],
    *,
    mmap: bool,
    limit: int | None,
    vocabulary: Collection[str] | None,
    keep: Kept,
    encoding: str,
    errors: str,
) -> SubwordTable:
    """Read a model, and compute the vectors of its words as fastText does."""
    if keep not in get_args(Kept):
        msg = f"keep must be one of {get_args(Kept)}, got {keep!r}."
        raise ValueError(msg)
    if limit is not None and limit < 0:
        msg = f"limit must be None or an int >= 0, got {limit!r}."
        raise ValueError(msg)
    if isinstance(vocabulary, str):
        msg = f"vocabulary must be a collection of words, got the str {vocabulary!r}."
        raise TypeError(msg)
    model = read_fasttext(path, encoding=encoding, errors=errors)
    rows = _choose_rows(path, model.words, limit, vocabulary)
    words = [model.words[row] for row in rows.tolist()]
    ngrams = _all_ngrams(model)
    if keep == "vocabulary":
        ngrams = _only_of(ngrams, words)
    elif not mmap and isinstance(model.inputs, np.ndarray):
        ngrams = ngrams._replace(vectors=np.array(ngrams.vectors))
    vectors = _word_vectors(model, rows, words, ngrams)
    if not np.isfinite(vectors).all():
        word = words[int(np.argmin(np.isfinite(vectors).all(axis=1)))]
        found = f"NaN or infinity in those of {word!r}"
        raise FormatError(path, expected="finite numbers", found=found)
    if not mmap and not np.isfinite(ngrams.vectors).all():
        found = "NaN or infinity in those of an n-gram"
        raise FormatError(path, expected="finite numbers", found=found)
    return SubwordTable(WordTable(words, vectors, model.counts[rows]), ngrams)


def save_fasttext(
    path: str | os.PathLike[str], words: WordTable, ngrams: NgramTable
) -> None:
    """Write words and n-grams as a skip-gram model; its outputs are zeros."""
    n_words, vector_size = words.vectors.shape
    min_n, max_n, bucket = ngrams.min_n, ngrams.max_n, ngrams.bucket
    bucket = bucket if max_n else 0
    inputs = np.zeros((n_words + bucket, vector_size), dtype=np.float32)
    inputs[n_words + ngrams.buckets] = ngrams.vectors
    sums, counts = np.zeros_like(words.vectors), np.zeros(n_words, dtype=np.int64)
    NgramSums(ngrams).add(words.words, sums, counts)
    # Readers divide by all n-grams, also those without a vector.
    counts = ngram_buckets(words.words, min_n, max_n, max(bucket, 1)).lengths
    for row in range(n_words):
        if words.words[row] == END_OF_LINE:
            sums[row], counts[row] = 0, 0
    inputs[:n_words] = words.vectors * (1 + counts)[:, None].astype(np.float32) - sums
    given = words.counts
    frequencies = np.ones(n_words, dtype=np.int64) if given is None else given
    settings = FastTextSettings(
        vector_size=vector_size, bucket=bucket, min_n=min_n, max_n=max_n, min_count=1
    )
    model = FastTextModel(
        settings,
        words.words,
        frequencies,
        labels=[],
        label_counts=np.zeros(0, dtype=np.int64),
        n_tokens=int(frequencies.sum()),
        inputs=inputs,
        outputs=np.zeros((n_words, vector_size), dtype=np.float32),
    )
    write_fasttext(path, model)


def _choose_rows(
    path: str | os.PathLike[str],
    words: list[str],
    limit: int | None,
    vocabulary: Collection[str] | None,
) -> npt.NDArray[np.int64]:
    """Find the rows that are wanted, the first of each word."""
    wanted = None if vocabulary is None else frozenset(vocabulary)
    rows: dict[str, int] = {}
    n_duplicates = 0
    for row, word in enumerate(words[:limit]):
        if wanted is None or word in wanted:
            n_duplicates += word in rows
            rows.setdefault(word, row)
    if n_duplicates:
        msg = (
            f"{os.fspath(path)}: {n_duplicates} rows repeat a word; the first row of "
            "each word is kept."
        )
        warnings.warn(msg, UserWarning, stacklevel=4)
    return np.array(list(rows.values()), dtype=np.int64)


def _all_ngrams(model: FastTextModel) -> NgramTable:
    settings = model.settings
    min_n, max_n = settings.ngram_lengths
    n_words = len(model.words)
    if max_n == 0:
        # Rows that are there may be of n-grams of words.
        empty = np.zeros((0, settings.vector_size), dtype=np.float32)
        return NgramTable(np.zeros(0, dtype=np.int32), empty, 0, 0, 0)
    if model.kept_buckets is None:
        buckets = np.arange(settings.bucket, dtype=np.int32)
        vectors = model.inputs[n_words:]
    else:
        buckets = np.ascontiguousarray(model.kept_buckets[:, 0])
        vectors = model.inputs[n_words + model.kept_buckets[:, 1].astype(np.int64)]
    return NgramTable(buckets, vectors, min_n, max_n, settings.bucket)


def _only_of(ngrams: NgramTable, words: list[str]) -> NgramTable:
    """Leave out the buckets that none of the words has an n-gram in."""
    if ngrams.max_n == 0:
        return ngrams
    ids = ngram_buckets(words, ngrams.min_n, ngrams.max_n, ngrams.bucket).values
    kept = np.flatnonzero(np.isin(ngrams.buckets, ids))
    return ngrams._replace(buckets=ngrams.buckets[kept], vectors=ngrams.vectors[kept])


def _word_vectors(
    model: FastTextModel,
    rows: npt.NDArray[np.int64],
    words: list[str],
    ngrams: NgramTable,
) -> npt.NDArray[np.float32]:
    """Average each word's own vector and those of its n-grams."""
    sums, counts = model.inputs[rows], np.ones(len(words), dtype=np.int64)
    if ngrams.max_n:
        NgramSums(ngrams).add(words, sums, counts)
    if END_OF_LINE in words:
        row = words.index(END_OF_LINE)
        sums[row], counts[row] = model.inputs[rows[row : row + 1]][0], 1
    sums /= counts[:, None].astype(np.float32)
    return sums
