"""Texts in lower case, as long as they were."""

from collections.abc import Sequence

from skembed.encoding._text_encoder import Text


def lowered(texts: Sequence[Text]) -> list[Text]:
    """Make letters small, but those that would become two characters.

    The characters of words are counted in the text that was given.

    Examples
    --------
    >>> lowered(["A Text", ["Its", "Words"]])
    ['a text', ['its', 'words']]
    """
    return [
        _lower(text) if isinstance(text, str) else [_lower(word) for word in text]
        for text in texts
    ]


def _lower(text: str) -> str:
    small = text.lower()
    if len(small) == len(text):
        return small
    return "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
