r"""From scikit-learn's text parameters to how one document becomes words.

What a parameter means is `CountVectorizer`'s to say: its own functions are used, not
written again. Only the usual token patterns are recognized, and left to the compiled
scanner, which gives the same words.
"""

from collections.abc import Callable, Iterable
from typing import Any

from sklearn.feature_extraction.text import CountVectorizer

from skembed.text import TextAnalysis

TEXT_PARAMETERS = (
    "input",
    "encoding",
    "decode_error",
    "strip_accents",
    "lowercase",
    "preprocessor",
    "tokenizer",
    "token_pattern",
    "analyzer",
    "stop_words",
)

TEXT_CONSTRAINTS: dict[str, list[Any]] = {
    name: list(CountVectorizer._parameter_constraints[name]) for name in TEXT_PARAMETERS
}
TEXT_CONSTRAINTS["stop_words"] += [set, frozenset, tuple]

# The shortest word of the patterns that stand for maximal runs of word characters.
_SCANNED: dict[str | None, int] = {
    r"(?u)\b\w+\b": 1,
    r"\b\w+\b": 1,
    r"(?u)\w+": 1,
    r"\w+": 1,
    r"(?u)\b\w\w+\b": 2,
    r"\b\w\w+\b": 2,
    r"(?u)\w\w+": 2,
    r"\w\w+": 2,
}


def count_vectorizer(estimator: Any) -> CountVectorizer:
    """Make a `CountVectorizer` with the text parameters of an estimator.

    Parameters
    ----------
    estimator : object with an attribute for each of `TEXT_PARAMETERS`

    Returns
    -------
    vectorizer : CountVectorizer
        Its methods `decode`, `build_preprocessor`, ... say what the parameters mean.

    Raises
    ------
    ValueError
        If there is neither a tokenizer nor a token pattern to split documents by.
    """
    parameters = {name: getattr(estimator, name) for name in TEXT_PARAMETERS}
    vectorizer = CountVectorizer(**parameters)
    splits = vectorizer.tokenizer is not None or vectorizer.token_pattern is not None
    if vectorizer.analyzer == "word" and not splits:
        msg = "token_pattern=None needs a tokenizer: set one of the two."
        raise ValueError(msg)
    return vectorizer


def text_analysis(vectorizer: CountVectorizer) -> TextAnalysis:
    r"""Say in the terms of `skembed.text` what a `CountVectorizer` does to a document.

    Parameters
    ----------
    vectorizer : CountVectorizer

    Returns
    -------
    analysis : TextAnalysis
        Gives, for each str, the words that ``vectorizer.build_analyzer()`` gives.

    Examples
    --------
    >>> from skembed.text import tokenize
    >>> vectorizer = CountVectorizer(lowercase=False, stop_words=["a"])
    >>> tokenize(["A day, a night"], text_analysis(vectorizer))
    [['day', 'night']]
    """
    if vectorizer.analyzer != "word":
        # An own function, or "char" and "char_wb": whole analyzers, of decoded text.
        whole = CountVectorizer(**{**vectorizer.get_params(), "input": "content"})
        return TextAnalysis(split=listed(whole.build_analyzer()))
    stop_words = frozenset(vectorizer.get_stop_words() or ())
    prepare = _preprocessor(vectorizer)
    if vectorizer.tokenizer is None and vectorizer.token_pattern in _SCANNED:
        min_chars = _SCANNED[vectorizer.token_pattern]
        return TextAnalysis(prepare, None, min_chars, stop_words)
    split = listed(vectorizer.build_tokenizer())
    return TextAnalysis(prepare, split, stop_words=stop_words)


def _preprocessor(vectorizer: CountVectorizer) -> Callable[[Any], str] | None:
    if vectorizer.preprocessor is None and not vectorizer.strip_accents:
        return str.lower if vectorizer.lowercase else None
    preprocessor: Callable[[Any], str] = vectorizer.build_preprocessor()
    return preprocessor


def listed(split: Callable[[str], Iterable[str]]) -> Callable[[str], list[str]]:
    def words_of(text: str) -> list[str]:
        words = split(text)
        # The letters of a str would pass for words.
        if isinstance(words, (str, bytes)) or not isinstance(words, Iterable):
            msg = (
                "tokenizer and analyzer must return a list of words for each document, "
                f"got {words!r:.40} of type {type(words).__name__}."
            )
            raise TypeError(msg)
        return list(words)

    return words_of
