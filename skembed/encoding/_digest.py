"""Short names for texts, under which their features are kept."""

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

N_BYTES = 16
# No byte of UTF-8: where it stands, a word has ended.
_END_OF_WORD = b"\xff"


def digest_texts(texts: Sequence[str | Sequence[str]]) -> npt.NDArray[np.uint8]:
    """Digest texts: equal ones equally, and different ones differently.

    Parameters
    ----------
    texts : sequence of str, or of sequences of str
        Texts, or the words of each text. Any characters, lone surrogates too.

    Returns
    -------
    digests : ndarray of shape (n_texts, 16), uint8
        BLAKE2b of the UTF-8 of each text. A text and a list of its words differ, and so
        do lists of words that are cut elsewhere.

    Raises
    ------
    TypeError
        If a text is neither a str nor a sequence of them.

    Examples
    --------
    >>> digests = digest_texts(["ice cream", ["ice", "cream"], "ice cream"])
    >>> digests.shape
    (3, 16)
    >>> bool((digests[0] == digests[2]).all()), bool((digests[0] == digests[1]).any())
    (True, False)
    """
    digests = [
        blake2b(text.encode("utf-8", "surrogatepass"), digest_size=N_BYTES).digest()
        if isinstance(text, str)
        else _digest_words(text)
        for text in texts
    ]
    return np.frombuffer(b"".join(digests), dtype=np.uint8).reshape(-1, N_BYTES)


def _digest_words(words: Sequence[str]) -> bytes:
    ended = [
        str.encode(word, "utf-8", "surrogatepass") + _END_OF_WORD for word in words
    ]
    return blake2b(b"".join(ended), digest_size=N_BYTES, person=b"words").digest()
