"""What the arguments of a similarity query may be, as one plain list."""

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias, TypeGuard

import numpy as np
import numpy.typing as npt

# A word, or a vector in its place.
Term: TypeAlias = str | npt.NDArray[np.floating]
# One term or several, each with or without a weight.
Terms: TypeAlias = Term | Sequence[Term | tuple[Term, float]]


def weighted_terms(argument: Terms, name: str) -> list[tuple[Term, float]]:
    """List the terms of an argument with their weights, 1 where none is given.

    Parameters
    ----------
    argument : str, ndarray, or sequence of these or of (str or ndarray, weight)
        A word, a vector, or several.
    name : {"positive", "negative"}
        For the message.

    Examples
    --------
    >>> weighted_terms("king", "positive")
    [('king', 1.0)]
    >>> weighted_terms(["king", ("man", 0.5)], "negative")
    [('king', 1.0), ('man', 0.5)]
    """
    if _is_term(argument):
        argument = [argument]
    if not isinstance(argument, Iterable):
        raise _not_a_term(argument, name)
    return [_weighted_term(item, name) for item in argument]


def check_word(key: object) -> None:
    """Raise a TypeError for what is no word, such as the number of a row."""
    if not isinstance(key, str):
        msg = f"Words are looked up by str, got {key!r}."
        raise TypeError(msg)


def _weighted_term(item: Any, name: str) -> tuple[Term, float]:
    if _is_term(item):
        return item, 1.0
    if isinstance(item, tuple) and len(item) == 2 and _is_term(item[0]):
        return item[0], float(item[1])
    raise _not_a_term(item, name)


def _is_term(item: object) -> TypeGuard[Term]:
    return isinstance(item, str) or (isinstance(item, np.ndarray) and item.ndim == 1)


def _not_a_term(item: object, name: str) -> TypeError:
    msg = (
        f"{name} must be a word, a 1-d array, a list of these, or a list of "
        f"(word or array, weight); it holds {item!r}."
    )
    return TypeError(msg)
