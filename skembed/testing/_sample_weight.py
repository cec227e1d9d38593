"""Checks of ``sample_weight``, for estimators whose `fit` takes it."""

import numpy as np

from skembed.testing._contract import (
    Estimator,
    contract,
    error_of,
    expect,
    expect_error,
    expect_same,
    fitted,
    fresh,
    takes_sample_weight,
)
from skembed.testing._corpus import corpus

_MEND = "check it by sklearn.utils.validation._check_sample_weight or as it does."


def weighted(estimator: Estimator, weight: object) -> Estimator:
    """Fit a clone on the corpus with these weights."""
    texts, y = corpus()
    return fresh(estimator).fit(list(texts), y, sample_weight=weight)


@contract(takes_sample_weight)
def check_equal_weights_change_nothing(estimator: Estimator) -> None:
    """Weights that are all 1, in any container, give what no weights give."""
    texts = list(corpus()[0])
    expected = fitted(estimator).transform(texts)
    for weight in (None, np.ones(80), np.ones(80, dtype=np.float32), [1] * 80):
        model = weighted(estimator, weight)
        kind = getattr(weight, "dtype", type(weight).__name__)
        happened = f"weights of 1 ({kind}) gave other features than none."
        expect_same(model.transform(texts), expected, happened, _MEND)


@contract(takes_sample_weight)
def check_weights_have_an_effect(estimator: Estimator) -> None:
    """Documents with other weights teach something else, if they teach anything."""
    texts, y = list(corpus()[0]), corpus()[1]
    half = fresh(estimator).fit(texts[:40], y[:40]).transform(texts)
    if np.array_equal(half, fitted(estimator).transform(texts)):
        # Documents without any weight change nothing: nothing is learned from them.
        return
    uneven = np.where(corpus()[1] == "cooking", 0.1, 3.0)
    rows = weighted(estimator, uneven).transform(texts)
    same = np.array_equal(rows, fitted(estimator).transform(texts))
    mend = "use the weights where documents are counted or learned from."
    expect(not same, "weights of 0.1 and 3 gave what no weights give.", mend)


@contract(takes_sample_weight)
def check_wrong_weights_are_refused(estimator: Estimator) -> None:
    """Weights of another length or shape, NaN and negative ones are refused by name."""
    missing, negative = np.ones(80), np.ones(80)
    missing[3], negative[3] = np.nan, -1.0
    for what, weight in {
        "weights for fewer documents": np.ones(79),
        "weights in two columns": np.ones((80, 2)),
        "NaN as a weight": missing,
        "a negative weight": negative,
    }.items():
        expect_error(
            lambda weight=weight: weighted(estimator, weight),  # type: ignore[misc]
            ValueError,
            "weight",
            f"fit with {what}",
            _MEND,
        )


@contract(takes_sample_weight)
def check_weights_stay_as_they_are(estimator: Estimator) -> None:
    """`fit` does not write to the weights, which may be read-only."""
    weight = np.linspace(0.5, 2, 80)
    before = weight.copy()
    weight.flags.writeable = False
    error = error_of(lambda: weighted(estimator, weight))
    expect(error is None, f"read-only weights raised {error!r}.", _MEND)
    weight = before.copy()
    weighted(estimator, weight)
    expect(np.array_equal(weight, before), "fit changed the weights.", "copy them.")
