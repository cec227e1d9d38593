"""What a check is made of: its promise, its verdict and the words it fails with."""

import functools
import inspect
import pickle
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NoReturn, Protocol
from unittest import SkipTest

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, clone

from skembed.testing._corpus import corpus

Estimator = Any
Features = npt.NDArray[np.float32]

# Bytes of a pickle.
_LARGE = 10_000
# What `clone` copies of everybody.
_COPIED = (str, bytes, list, tuple, dict, set, frozenset, np.ndarray, BaseEstimator)


class Check(Protocol):
    """A function that raises an AssertionError if an estimator breaks a promise."""

    __name__: str
    applies_to: Callable[[Estimator], bool]

    def __call__(self, estimator: Estimator) -> None:
        """Check `estimator`, of which only clones are fitted or changed."""


def contract(
    when: Callable[[Estimator], bool] = lambda _: True,
) -> Callable[[Callable[[Estimator], None]], Check]:
    """Make a check out of a function whose docstring is the promise that it checks.

    Whatever the function raises becomes an AssertionError that begins with the
    promise, except for SkipTest, which says that an optional package is missing.

    Parameters
    ----------
    when : callable
        Takes an unfitted estimator; whether the promise concerns it at all.
    """

    def decorate(function: Callable[[Estimator], None]) -> Check:
        promise = " ".join((inspect.getdoc(function) or "").split())

        @functools.wraps(function)
        def check(estimator: Estimator) -> None:
            try:
                function(estimator)
            except SkipTest:
                raise
            except Exception as error:
                happened = str(error)
                if not isinstance(error, AssertionError):
                    happened = _as_failure(
                        f"{type(error).__name__}: {error}",
                        "follow the traceback above to what raised this.",
                    )
                name = type(estimator).__name__
                msg = f"{name} breaks a promise. Promised: {promise}\n{happened}"
                raise AssertionError(msg) from error

        check.applies_to = when  # type: ignore[attr-defined]
        return check  # type: ignore[return-value]

    return decorate


def fail(happened: str, mend: str) -> NoReturn:
    """Raise the AssertionError that says what happened and how to mend it."""
    raise AssertionError(_as_failure(happened, mend))


def _as_failure(happened: str, mend: str) -> str:
    return f"Happened: {happened}\nTo mend it: {mend}"


def expect(holds: object, happened: str, mend: str) -> None:
    """Fail with `happened` and `mend` unless something `holds`."""
    if not holds:
        fail(happened, mend)


def expect_same(
    actual: Any, expected: Any, happened: str, mend: str, *, exact: bool = False
) -> None:
    """Fail unless two matrices are equal, bit for bit or up to float32 rounding."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    if actual.shape != expected.shape:
        fail(f"{happened} Shape {actual.shape} instead of {expected.shape}.", mend)
    # Sums of float32 in another order differ by a few units in the last place of
    # their largest term, not of their result.
    scale = 1.0 if expected.size == 0 else float(np.abs(expected).max())
    tolerance = 0.0 if exact else 1e-5 * scale
    # A NaN is never within the tolerance.
    difference = np.abs(actual.astype(np.float64) - expected)
    if not (difference <= tolerance).all():
        worst = f"The largest difference is {difference.max():.3g}"
        fail(f"{happened} {worst}, the largest value {scale:.3g}.", mend)


def error_of(action: Callable[[], object]) -> Exception | None:
    """Run `action` and return the exception that it raises, or None."""
    try:
        action()
    except Exception as error:  # noqa: BLE001 (the caller judges which are right)
        return error
    return None


def attempt(action: Callable[[], Any], doing: str, mend: str) -> Any:
    """Run `action` and return its result; fail if it raises anything."""
    try:
        return action()
    except Exception as error:
        msg = _as_failure(f"{doing} raised {type(error).__name__}: {error}", mend)
        raise AssertionError(msg) from error


def expect_error(
    action: Callable[[], object],
    kinds: type[Exception] | tuple[type[Exception], ...],
    says: str,
    doing: str,
    mend: str,
) -> None:
    """Fail unless `action` raises one of `kinds`, with a message that `says` this."""
    error = error_of(action)
    expect(error is not None, f"{doing} raised no error.", mend)
    got = f"{doing} raised {type(error).__name__}: {error}"
    expect(isinstance(error, kinds), got, mend)
    expect(says.lower() in str(error).lower(), f"{got} It does not say {says!r}.", mend)


def fresh(estimator: Estimator) -> Estimator:
    """Return an unfitted clone that draws the same random numbers at every fit."""
    copy = clone(estimator)
    if has_parameter(estimator, "random_state"):
        seed = estimator.random_state
        copy.set_params(random_state=seed if isinstance(seed, int) else 0)
    return copy


def fitted(estimator: Estimator) -> Estimator:
    """Return a clone that is fitted on the corpus of the suite."""
    texts, y = corpus()
    return fresh(estimator).fit(list(texts), y)


def features(estimator: Estimator, X: Any) -> Features:
    """Fit a clone on the corpus and return what it makes of `X`."""
    return np.asarray(fitted(estimator).transform(X))


def with_warnings(action: Callable[[], Any]) -> tuple[Any, list[str]]:
    """Return what `action` returns, and the messages of the warnings it gives."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = action()
    return result, [str(warning.message) for warning in caught]


def has_parameter(estimator: Estimator, name: str) -> bool:
    """Whether the constructor takes `name`."""
    return name in estimator.get_params(deep=False)


def has_method(estimator: Estimator, name: str) -> bool:
    """Whether the estimator has a method `name`."""
    return callable(getattr(estimator, name, None))


def learns(estimator: Estimator) -> bool:
    """Whether the estimator must be fitted before it can transform."""
    return bool(estimator.__sklearn_tags__().requires_fit)


def needs_y(estimator: Estimator) -> bool:
    """Whether the tags say that `fit` needs y."""
    return bool(estimator.__sklearn_tags__().target_tags.required)


def large_objects(estimator: Estimator) -> Iterator[tuple[str, object]]:
    """Yield the parameters, and the items of such, that are objects such as a model.

    Containers, arrays and estimators are none of them.
    """
    for name, value in estimator.get_params(deep=False).items():
        for part in value if isinstance(value, list | tuple) else (value,):
            if not isinstance(part, _COPIED) and _pickled_size(part) > _LARGE:
                yield name, part


def _pickled_size(value: object) -> int:
    try:
        return len(pickle.dumps(value))
    # A generator or a lambda; objects may raise anything.
    except Exception:  # noqa: BLE001
        return 0


def takes_sample_weight(estimator: Estimator) -> bool:
    """Whether `fit` has a parameter ``sample_weight``."""
    return "sample_weight" in inspect.signature(estimator.fit).parameters
