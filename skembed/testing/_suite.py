"""The two ways to run all checks: by a call, and as a test for each by pytest."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType
from typing import Any, Literal, overload
from unittest import SkipTest

from sklearn.exceptions import SkipTestWarning

from skembed.testing import (
    _callbacks,
    _composition,
    _constructor,
    _containers,
    _documents,
    _fitting,
    _memory,
    _outputs,
    _parameters,
    _persistence,
    _reproducibility,
    _sample_weight,
    _targets,
    _tokens,
    _transform,
)
from skembed.testing._contract import Check, Estimator

THEMES: tuple[ModuleType, ...] = (
    _constructor,
    _parameters,
    _containers,
    _documents,
    _transform,
    _outputs,
    _tokens,
    _fitting,
    _targets,
    _reproducibility,
    _sample_weight,
    _memory,
    _persistence,
    _composition,
    _callbacks,
)


def all_checks() -> list[Check]:
    """Return every check of the suite, theme by theme, cheap ones first."""
    return [
        function
        for theme in THEMES
        for name, function in vars(theme).items()
        if name.startswith("check_")
    ]


def _checks_for(estimator: Estimator) -> Iterator[tuple[Estimator, Check]]:
    if isinstance(estimator, type):
        msg = f"Pass an instance, {estimator.__name__}(...), instead of the class."
        raise TypeError(msg)
    for check in all_checks():
        if check.applies_to(estimator):
            yield estimator, check


@overload
def check_text_estimator(
    estimator: Estimator,
    *,
    generate_only: Literal[True],
    expected_failed_checks: dict[str, str] | None = ...,
    on_skip: Literal["warn"] | None = ...,
    on_fail: Literal["raise"] | None = ...,
) -> Iterator[tuple[Estimator, Check]]: ...
@overload
def check_text_estimator(
    estimator: Estimator,
    *,
    generate_only: Literal[False] = ...,
    expected_failed_checks: dict[str, str] | None = ...,
    on_skip: Literal["warn"] | None = ...,
    on_fail: Literal["raise"] | None = ...,
) -> list[dict[str, Any]]: ...
def check_text_estimator(
    estimator: Estimator,
    *,
    generate_only: bool = False,
    expected_failed_checks: dict[str, str] | None = None,
    on_skip: Literal["warn"] | None = "warn",
    on_fail: Literal["raise"] | None = "raise",
) -> list[dict[str, Any]] | Iterator[tuple[Estimator, Check]]:
    """Check that a transformer of raw text keeps the contract of skembed's estimators.

    The suite fits clones of the estimator to 80 short English documents of its own
    and checks what scikit-learn's `check_estimator` checks of estimators of numbers,
    and what only matters for text: every container of documents, tokens, missing and
    empty documents, reproducibility over processes and threads, and stored models.
    Which checks apply is read from the tags, methods and parameters.

    Parameters
    ----------
    estimator : estimator instance
        A transformer of documents, with any parameters by which its tokens are words
        or parts of words. Those of the suite's documents occur about ten times, so
        that a limit on rare words must be lower.
    generate_only : bool, default=False
        Whether to return the checks instead of running them.
    expected_failed_checks : dict of str to str, default=None
        Names of checks that the estimator is known to fail, with the reasons.
    on_skip : {"warn", None}, default="warn"
        What to do when a check needs a package that is not installed.
    on_fail : {"raise", None}, default="raise"
        Whether to raise the first failure, or to note all of them in the results.

    Returns
    -------
    results : list of dict
        For each check its ``check_name``, ``status`` ("passed", "failed", "xfail" or
        "skipped") and ``exception``. If `generate_only`, an iterator over pairs
        ``(estimator, check)`` instead, of which ``check(estimator)`` runs one.

    Raises
    ------
    AssertionError
        If a check fails: what was promised, what happened and how to mend it.

    See Also
    --------
    parametrize_with_text_checks : The same for pytest, one test per check.

    Examples
    --------
    >>> from sklearn.feature_extraction.text import CountVectorizer
    >>> checks = check_text_estimator(CountVectorizer(), generate_only=True)
    >>> by_name = {check.__name__: check for _, check in checks}
    >>> by_name["check_defaults_are_immutable"](CountVectorizer())

    It keeps some of the promises only, and there are fewer that concern it:

    >>> by_name["check_repr_shows_the_class"](CountVectorizer())
    >>> "check_n_jobs_is_validated" in by_name
    False
    """
    pairs = _checks_for(estimator)
    if generate_only:
        return pairs
    reasons = expected_failed_checks or {}
    results = []
    for _, check in pairs:
        result = _run(check, estimator, reasons)
        if result["status"] == "failed" and on_fail == "raise":
            raise result["exception"]
        if result["status"] == "skipped" and on_skip == "warn":
            message = f"Skipped {check.__name__}: {result['exception']}"
            warnings.warn(message, SkipTestWarning, stacklevel=2)
        results.append(result)
    return results


def _run(check: Check, estimator: Estimator, reasons: dict[str, str]) -> dict[str, Any]:
    exception: Exception | None = None
    status = "passed"
    try:
        check(estimator)
    except SkipTest as skip:
        exception, status = skip, "skipped"
    except AssertionError as failure:
        exception = failure
        status = "xfail" if check.__name__ in reasons else "failed"
    return {
        "estimator": estimator,
        "check_name": check.__name__,
        "exception": exception,
        "status": status,
    }


def parametrize_with_text_checks(
    estimators: Sequence[Estimator],
    *,
    expected_failed_checks: Callable[[Estimator], dict[str, str]] | None = None,
) -> Any:
    """Make a pytest test of every check, for every estimator.

    Parameters
    ----------
    estimators : sequence of estimator instances
        The transformers to check.
    expected_failed_checks : callable, default=None
        Takes an estimator and returns a dict of the names of the checks that it is
        known to fail, with the reasons. Those tests are marked as xfail.

    Returns
    -------
    decorator : pytest.mark.parametrize
        For a test that takes the arguments ``estimator`` and ``check``.

    See Also
    --------
    check_text_estimator : Run all checks of one estimator without pytest.

    Examples
    --------
    >>> from sklearn.feature_extraction.text import CountVectorizer
    >>> from skembed.testing import parametrize_with_text_checks
    >>> @parametrize_with_text_checks([CountVectorizer()])
    ... def test_contract(estimator, check):
    ...     check(estimator)
    """
    import pytest

    cases = []
    for estimator in estimators:
        reasons = expected_failed_checks(estimator) if expected_failed_checks else {}
        for _, check in _checks_for(estimator):
            reason = reasons.get(check.__name__)
            marks = [] if reason is None else [pytest.mark.xfail(reason=reason)]
            # The constructor's arguments tell estimators of one class apart.
            name = f"{' '.join(repr(estimator).split())}-{check.__name__}"
            cases.append(pytest.param(estimator, check, id=name, marks=marks))
    return pytest.mark.parametrize(("estimator", "check"), cases)
