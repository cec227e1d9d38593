"""Words from the bytes of a file."""

import codecs
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from skembed.formats._kernels import gather_words

_ASCII = bytes(range(128)).decode("ascii")


@dataclass(frozen=True)
class Decoding:
    """How the words of a file are decoded.

    Parameters
    ----------
    encoding : str
        One in which the characters of ASCII are those of ASCII, as they separate words.
    errors : str
        What to do with words of another encoding, as in `bytes.decode`.

    Raises
    ------
    ValueError
        If there is no such encoding, or no such choice of errors.

    Examples
    --------
    >>> Decoding("utf-16")
    Traceback (most recent call last):
    ...
    ValueError: encoding must be one that has ASCII in it, got 'utf-16'. Convert ...
    """

    encoding: str = "utf-8"
    errors: str = "strict"

    def __post_init__(self) -> None:
        try:
            has_ascii = _ASCII.encode(self.encoding) == _ASCII.encode()
            codecs.lookup_error(self.errors)
        except LookupError as error:
            msg = f"encoding and errors must be known to Python: {error}."
            raise ValueError(msg) from error
        if not has_ascii:
            msg = (
                f"encoding must be one that has ASCII in it, got {self.encoding!r}. "
                "Convert the file to UTF-8."
            )
            raise ValueError(msg)


def decode_words(
    data: npt.NDArray[np.uint8],
    starts: npt.NDArray[np.int64],
    stops: npt.NDArray[np.int64],
    *,
    separator: str,
    decoding: Decoding,
) -> list[str]:
    """Decode the words that stand at ``data[starts[i]:stops[i]]``.

    Parameters
    ----------
    data : ndarray of shape (n_bytes,), uint8
    starts, stops : ndarray of shape (n_words,), int64
    separator : str
        An ASCII character that no word holds.
    decoding : Decoding

    Returns
    -------
    words : list of str

    Raises
    ------
    UndecodableWordError
        If errors are "strict" and a word is of another encoding.
    """
    # All at once, as to decode them one by one takes most of the time of a reading.
    lengths = stops - starts + 1
    gathered = np.empty(lengths.sum(), dtype=np.uint8)
    gather_words(data, starts, stops, np.uint8(ord(separator)), gathered)
    try:
        text = str(gathered.data, decoding.encoding, decoding.errors)
    except UnicodeDecodeError as error:
        ends = np.cumsum(lengths)
        row = int(np.searchsorted(ends, error.start, side="right"))
        word = data[starts[row] : stops[row]].tobytes()
        raise UndecodableWordError(row, word, decoding.encoding) from error
    return text.split(separator)[:-1]


class UndecodableWordError(ValueError):
    """The word of a row cannot be decoded; to be told with its place in the file."""

    def __init__(self, row: int, word: bytes, encoding: str) -> None:
        super().__init__(row, word, encoding)
        self.row = row
        self.expected = f"words in {encoding.upper()} (or another encoding= or errors=)"
        self.found = repr(word[:40])
