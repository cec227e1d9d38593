"""Numbers for words, given as they are met."""

from collections.abc import Iterable


class Lexicon:
    """The different words of some texts, each under a number.

    One thread adds words; others may meanwhile look up what has been added.

    Attributes
    ----------
    words : list of str
        In the order of their numbers.

    Examples
    --------
    >>> lexicon = Lexicon()
    >>> lexicon.numbers(["to", "be", "to"]), lexicon.words
    ([0, 1, 0], ['to', 'be'])
    """

    def __init__(self) -> None:
        self.words: list[str] = []
        self._number: dict[str, int] = {}

    def numbers(self, words: Iterable[str]) -> list[int]:
        """Return the numbers of words, after those that are new have got one."""
        found = []
        for word in words:
            number = self._number.get(word)
            if number is None:
                number = self._number[word] = len(self.words)
                self.words.append(word)
            found.append(number)
        return found
