"""Checks of the life of an estimator: unfitted, fitted, fitted again, failed."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import joblib
import numpy as np
from sklearn.exceptions import NotFittedError

from skembed.testing._contract import (
    Estimator,
    contract,
    error_of,
    expect,
    expect_error,
    expect_same,
    fitted,
    fresh,
    has_method,
    learns,
    needs_y,
)
from skembed.testing._corpus import corpus, probe

_WHOLE_MEND = "compute everything in local variables, and assign to self at the end."


@contract()
def check_fit_returns_the_estimator(estimator: Estimator) -> None:
    """`fit` returns the estimator itself."""
    model = fresh(estimator)
    result = model.fit(list(corpus()[0]), corpus()[1])
    expect(result is model, f"fit returned {result!r}.", "end fit by `return self`.")


@contract()
def check_fit_of_no_documents(estimator: Estimator) -> None:
    """`fit` on no documents raises a ValueError, unless `transform` works after it."""
    mend = "raise a ValueError if there is nothing to learn from."
    empty: tuple[Any, ...] = ([], np.array([], dtype=object))
    for X in empty:
        for method in ("fit", "fit_transform"):
            model = fresh(estimator)
            learn = partial(getattr(model, method), X, corpus()[1][:0])
            error = error_of(learn)
            if error is None:
                shape = np.shape(model.transform(["the moon"]))
                got = f"after {method} on no documents, one gave the shape {shape}."
                expect(shape == (1, len(model.get_feature_names_out())), got, mend)
            else:
                got = f"{method} on no documents raised {error!r}."
                expect(isinstance(error, ValueError), got, mend)


@contract()
def check_fit_needs_no_y(estimator: Estimator) -> None:
    """`fit` works without y, unless the tags say that the estimator needs it."""
    if needs_y(estimator):
        return
    error = error_of(lambda: fresh(estimator).fit(list(corpus()[0])).transform(probe()))
    mend = "ignore y, or set tags.target_tags.required."
    expect(error is None, f"fit(X) raised {error!r}.", mend)


@contract(learns)
def check_not_fitted_error(estimator: Estimator) -> None:
    """Before `fit`, every method that needs it raises NotFittedError."""
    for method, arguments in {
        "transform": (probe(),),
        "transform_tokens": (probe(),),
        "get_feature_names_out": (),
    }.items():
        unfitted = fresh(estimator)
        expect_error(
            lambda m=method, u=unfitted, a=arguments: getattr(u, m)(*a),  # type: ignore[misc]
            NotFittedError,
            "fit",
            f"{method} before fit",
            "call check_is_fitted(self) first.",
        )


@contract(lambda estimator: not learns(estimator))
def check_transform_without_fit(estimator: Estimator) -> None:
    """What needs no fit, by its tags, transforms without it as after it."""
    expect_same(
        fresh(estimator).transform(probe()),
        fitted(estimator).transform(probe()),
        "transform before and after fit differ.",
        "set the tag requires_fit, or keep nothing in fit that changes features.",
    )


@contract()
def check_fitted_attributes_end_in_an_underscore(estimator: Estimator) -> None:
    """Public attributes that `fit` sets end in an underscore."""
    model = fitted(estimator)
    parameters = model.get_params(deep=False)
    wrong = [
        name
        for name in vars(model)
        if name not in parameters and not name.startswith("_") and name[-1] != "_"
    ]
    mend = "add a _ to the end of learned attributes, or to the start of private ones."
    expect(not wrong, f"fit set the attributes {wrong}.", mend)


@contract()
def check_fit_changes_no_parameter(estimator: Estimator) -> None:
    """After `fit` every parameter is the very object that it was, unchanged."""
    model = fresh(estimator)
    before = model.get_params(deep=False)
    contents = {name: joblib.hash(value) for name, value in before.items()}
    model.fit(list(corpus()[0]), corpus()[1]).transform(probe())
    after = model.get_params(deep=False)
    changed = [
        name
        for name, value in before.items()
        if after[name] is not value or joblib.hash(value) != contents[name]
    ]
    mend = "put what is derived from a parameter into another attribute."
    expect(not changed, f"fit or transform changed {changed}.", mend)


@contract()
def check_fit_twice_is_fit_once(estimator: Estimator) -> None:
    """A second `fit` forgets the first, also if that saw other documents."""
    texts, y = corpus()
    once = fitted(estimator)
    other = [f"{text} {text.upper()} elsewhere" for text in texts[:60]]
    again = fresh(estimator).fit(other, y[:60]).fit(list(texts), y)
    expect_same(
        again.transform(list(texts)),
        once.transform(list(texts)),
        "an estimator that was fitted before learned something else.",
        "start from the parameters in fit; only partial_fit goes on from a state.",
        exact=True,
    )
    names = sorted(vars(again)), sorted(vars(once))
    left = sorted(set(names[0]) ^ set(names[1]))
    expect(not left, f"{left} depend on an earlier fit.", "set them in every fit.")


@contract()
def check_fit_transform_is_fit_then_transform(estimator: Estimator) -> None:
    """`fit_transform` gives what `fit` and then `transform` give, and fits as well."""
    texts, y = list(corpus()[0]), corpus()[1]
    model = fresh(estimator)
    expected = fitted(estimator).transform(texts)
    mend = "leave fit_transform to TransformerMixin, or share the steps with fit."
    happened = "fit_transform and fit, then transform, differ."
    expect_same(model.fit_transform(texts, y), expected, happened, mend)
    happened = "after fit_transform, transform gives something else than after fit."
    expect_same(model.transform(texts), expected, happened, mend)


def _ends_badly(error: BaseException) -> Iterator[str]:
    yield from corpus()[0][:50]
    raise error


class _ReadError(RuntimeError):
    """Raised while documents are read."""


def _failures() -> dict[str, Callable[[], Any]]:
    texts = list(corpus()[0])
    return {
        "a number among the documents": lambda: [*texts[:-1], 3.5],
        "documents in several columns": lambda: np.array(texts).reshape(-1, 2),
        "an error while documents are read": lambda: _ends_badly(_ReadError()),
        "Ctrl-C while documents are read": lambda: _ends_badly(KeyboardInterrupt()),
    }


def _expect_whole(estimator: Estimator, method: str) -> None:
    """Fail unless a failing `method` leaves a fitted estimator as it was."""
    model = fitted(estimator)
    expected, state = model.transform(probe()), joblib.hash(model)
    for what, make_X in _failures().items():
        try:
            getattr(model, method)(make_X(), corpus()[1])
        except (ValueError, TypeError, AttributeError, _ReadError, KeyboardInterrupt):
            happened = f"{method} with {what} failed and changed the estimator."
            expect(joblib.hash(model) == state, happened, _WHOLE_MEND)
            expect_same(model.transform(probe()), expected, happened, _WHOLE_MEND)
        else:
            mend = "raise; drop no document."
            expect(not what, f"{method} with {what} raised no error.", mend)


@contract()
def check_failed_fit_keeps_the_earlier_state(estimator: Estimator) -> None:
    """A `fit` that fails or is interrupted leaves an earlier fitted state whole."""
    _expect_whole(estimator, "fit")


@contract(lambda estimator: has_method(estimator, "partial_fit"))
def check_failed_partial_fit_keeps_the_earlier_state(estimator: Estimator) -> None:
    """A `partial_fit` that fails or is interrupted leaves the state before it whole."""
    _expect_whole(estimator, "partial_fit")


@contract(lambda estimator: has_method(estimator, "partial_fit"))
def check_partial_fit_begins_and_goes_on(estimator: Estimator) -> None:
    """`partial_fit` works as first fit, returns the estimator, keeps the features."""
    texts, y = list(corpus()[0]), corpus()[1]
    model = fresh(estimator)
    mend = "start as fit does where nothing is fitted, and return self."
    result = model.partial_fit(texts[:40], y[:40])
    expect(result is model, f"partial_fit returned {result!r}.", mend)
    names = list(model.get_feature_names_out())
    model.partial_fit(texts[40:], y[40:])
    kept = list(model.get_feature_names_out()) == names
    expect(kept, "the second partial_fit changed the feature names.", mend)


@contract(lambda estimator: has_method(estimator, "partial_fit") and learns(estimator))
def check_partial_fit_forgets_no_word(estimator: Estimator) -> None:
    """After `partial_fit` on other documents, both their words have features."""
    y = corpus()[1][:40]
    model = fresh(estimator)
    for words in ("granite basalt marble", "violin trumpet organ"):
        model.partial_fit([words] * 40, y)
    for words in ("granite basalt", "violin trumpet"):
        known = np.asarray(model.transform([words])).any()
        mend = "keep the vectors of known words, and add those of new ones."
        expect(known, f"after two partial_fit, {words!r} has no features.", mend)
