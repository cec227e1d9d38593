"""Character n-grams of words and their hashes, as fastText has them."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from skembed._ragged import Ragged
from skembed.text._kernels import count_bytes, hash_ngrams

_MAX_BUCKET = 2**31 - 1


def ngram_buckets(words: Sequence[str], min_n: int, max_n: int, bucket: int) -> Ragged:
    """Hash the character n-grams of words into buckets, as fastText does.

    Parameters
    ----------
    words : sequence of str
        Any strings, also empty ones.
    min_n, max_n : int
        Shortest and longest n-grams, in characters (code points) of the word between
        ``<`` and ``>``. No n-grams are taken if `max_n` is 0.
    bucket : int
        Number of buckets, at most ``2**31 - 1``.

    Returns
    -------
    buckets : Ragged of int32
        For each word its n-grams' buckets in the order of `subwords`, from 0 to
        ``bucket - 1``. Empty for a word too short to have n-grams.

    Raises
    ------
    ValueError
        If `min_n` is greater than `max_n`, or a number is out of range.

    Notes
    -----
    As in fastText's ``Dictionary::computeSubwords``, a single ``<`` or ``>`` is no
    n-gram. The hash is the 32-bit FNV-1a of the n-gram in UTF-8, but with its bytes
    taken as signed: one from 0x80 on changes the upper 24 bits of the hash, too.

    References
    ----------
    .. [1] P. Bojanowski, E. Grave, A. Joulin, T. Mikolov (2017). "Enriching Word
       Vectors with Subword Information". TACL 5.

    Examples
    --------
    >>> from skembed.text import ngram_buckets
    >>> buckets = ngram_buckets(["cat", "cats"], 3, 6, 2_000_000)
    >>> buckets.lengths
    array([ 6, 10])
    """
    check_ngrams(min_n, max_n, bucket)
    text = "".join(words)
    # A str may hold lone surrogates, which UTF-8 forbids.
    data = np.frombuffer(text.encode("utf-8", "surrogatepass"), dtype=np.uint8)
    n_chars = np.fromiter(map(len, words), dtype=np.int64, count=len(words))
    bounds = np.zeros(len(words) + 1, dtype=np.int64)
    longest = count_bytes(data, n_chars, bounds)
    n_ngrams = count_ngrams(n_chars, min_n, max_n)
    ids = np.empty(n_ngrams.sum(), dtype=np.int32)
    padded = np.empty(longest + 2, dtype=np.uint8)
    if len(ids):
        hash_ngrams(data, bounds, min_n, max_n, np.uint32(bucket), padded, ids)
    return Ragged.from_lengths(ids, n_ngrams)


def subwords(
    word: str, min_n: int, max_n: int, bucket: int
) -> tuple[list[str], npt.NDArray[np.int32]]:
    """Spell the character n-grams of one word, with their buckets.

    Parameters
    ----------
    word : str
    min_n, max_n, bucket : int
        As in `ngram_buckets`.

    Returns
    -------
    ngrams : list of str
        By where they begin, then by length.
    buckets : ndarray of shape (n_ngrams,), int32

    Examples
    --------
    >>> from skembed.text import subwords
    >>> subwords("cat", 3, 4, 100)
    (['<ca', '<cat', 'cat', 'cat>', 'at>'], array([...], dtype=int32))
    """
    buckets = ngram_buckets([word], min_n, max_n, bucket).values
    padded = f"<{word}>"
    length = len(padded)
    # A single "<" or ">" is no n-gram.
    ngrams = [
        padded[start:stop]
        for start in range(length)
        for stop in range(start + max(min_n, 1), min(start + max_n, length) + 1)
        if stop - start > 1 or 0 < start < length - 1
    ]
    return ngrams, buckets


def count_ngrams(
    n_chars: npt.NDArray[np.int64], min_n: int, max_n: int
) -> npt.NDArray[np.int64]:
    """Count the n-grams of words of `n_chars` characters, shape (n_words,), int64."""
    lengths = n_chars + 2
    n_ngrams = np.zeros(len(n_chars), dtype=np.int64)
    for n in range(max(min_n, 1), min(max_n, int(lengths.max(initial=0))) + 1):
        # Those of one character are the word's own, without "<" and ">".
        n_ngrams += n_chars if n == 1 else np.maximum(lengths - n + 1, 0)
    return n_ngrams


def check_ngrams(min_n: int, max_n: int, bucket: int) -> None:
    """Raise a ValueError for lengths of n-grams or a number of buckets that are none.

    Parameters
    ----------
    min_n, max_n, bucket : int
        As in `ngram_buckets`.
    """
    if min_n < 0 or max_n < 0 or min_n > max_n > 0:
        msg = (
            f"min_n and max_n must be 0 <= min_n <= max_n, got min_n={min_n}, "
            f"max_n={max_n}. max_n=0 takes no n-grams."
        )
        raise ValueError(msg)
    if not (0 if max_n == 0 else 1) <= bucket <= _MAX_BUCKET:
        msg = f"bucket must be an int from 1 to {_MAX_BUCKET}, got {bucket!r}."
        raise ValueError(msg)
