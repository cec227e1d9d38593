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
    release,
    write_fasttext,
)
from skembed.text import ngram_buckets
from skembed.vectors._fasttext_ngrams import FileNgrams
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
    vectors = model.inputs[rows]
    release(model.inputs)
    ngrams = _average(FileNgrams(path, model), words, vectors, keep, mmap=mmap)
    if not np.isfinite(vectors).all():
        word = words[int(np.argmin(np.isfinite(vectors).all(axis=1)))]
        found = f"NaN or infinity in those of {word!r}"
        raise FormatError(path, expected="finite numbers", found=found)
    return SubwordTable(WordTable(words, vectors, model.counts[rows]), ngrams)


def _average(
    file: FileNgrams,
    words: list[str],
    vectors: npt.NDArray[np.float32],
    keep: Kept,
    *,
    mmap: bool,
) -> NgramTable:
    """Average words' own vectors, in place, with those of their n-grams; return these.

    Where `ngrams` are kept in memory, they are read first. Otherwise they are read for
    the sums alone.
    """
    end = words.index(END_OF_LINE) if END_OF_LINE in words else None
    own = None if end is None else vectors[end].copy()
    counts = np.ones(len(words), dtype=np.int64)
    mapped = file.on_disk() if mmap and keep == "all" else None
    if mapped is not None:
        file.add(file.buckets_of(words), vectors, counts)
        ngrams = mapped
    else:
        some = keep == "vocabulary"
        places = file.places_of(file.buckets_of(words)) if some else None
        ngrams = file.in_memory(places)
        NgramSums(ngrams).add(words, vectors, counts)
    vectors /= counts[:, None].astype(np.float32)
    if end is not None:
        vectors[end] = own
    return ngrams


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
