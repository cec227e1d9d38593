"""Checks of y, for estimators whose tags say that `fit` needs it."""

import re
from functools import partial

from skembed.testing._contract import (
    Estimator,
    contract,
    error_of,
    expect,
    fresh,
    needs_y,
)
from skembed.testing._corpus import corpus


def _expect_y_refused(estimator: Estimator, y: object, what: str) -> None:
    """Fail unless every way of fitting refuses `y` by a ValueError that speaks of y."""
    texts, mend = list(corpus()[0]), "raise a ValueError that says what y must be."
    for method in ("fit", "fit_transform"):
        error = error_of(partial(getattr(fresh(estimator), method), texts, y))
        expect(error is not None, f"{method} with {what} raised no error.", mend)
        got = f"{method} with {what} raised {error!r}"
        expect(isinstance(error, ValueError), f"{got}.", mend)
        names_it = re.search(r"\by\b", str(error))
        expect(names_it, f"{got}, which does not speak of y.", mend)


@contract(needs_y)
def check_missing_y_is_refused(estimator: Estimator) -> None:
    """What needs y, by its tags, raises a ValueError without."""
    _expect_y_refused(estimator, None, "no y")


@contract(needs_y)
def check_y_of_another_length_is_refused(estimator: Estimator) -> None:
    """There must be a y for each document."""
    _expect_y_refused(estimator, corpus()[1][:-1], "y for fewer documents")
