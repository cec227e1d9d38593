"""How one document becomes words."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class TextAnalysis:
    r"""How one document becomes words.

    A document that is a list or a tuple is taken as a list of words: only `stop_words`
    applies to it.

    Parameters
    ----------
    prepare : callable from a document to str, or None
        Reads, decodes, strips accents, lowercases ... what a document may need before
        it is split. None: a document is a `str`, and used as it is.
    split : callable from str to list of str, or None
        None: the built-in scanner, whose words are the maximal runs of what ``\w``
        matches, as those of the regular expression ``(?u)\b\w+\b``, but many times as
        fast.
    min_chars : int, at least 1
        The scanner passes over shorter words: 2 gives the words of ``(?u)\b\w\w+\b``.
    stop_words : frozenset of str
        Words to leave out.

    Raises
    ------
    ValueError
        If `min_chars` is below 1.

    Examples
    --------
    >>> from skembed.text import TextAnalysis, tokenize
    >>> tokenize(["Wait, what?"], TextAnalysis(prepare=str.lower))
    [['wait', 'what']]
    """

    prepare: Callable[[Any], str] | None = None
    split: Callable[[str], list[str]] | None = None
    min_chars: int = 1
    stop_words: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if self.min_chars < 1:
            msg = f"min_chars must be at least 1, got {self.min_chars}."
            raise ValueError(msg)
