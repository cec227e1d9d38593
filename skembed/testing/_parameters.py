"""Checks of the values of parameters: which are allowed, and when they count."""

from collections.abc import Iterator
from contextlib import suppress
from numbers import Integral
from typing import Any

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
    has_parameter,
    learns,
)
from skembed.testing._corpus import corpus
from skembed.testing._sklearn_private import (
    Interval,
    InvalidParameterError,
    Options,
    generate_invalid_param_val,
    make_constraint,
)


def constraints_of(estimator: Estimator, name: str) -> list[Any]:
    """Return the constraints on the parameter `name`, as scikit-learn's objects."""
    constraints = type(estimator)._parameter_constraints[name]
    if constraints == "no_validation":
        return []
    return [make_constraint(constraint) for constraint in constraints]


def _invalid_values(constraints: list[Any]) -> Iterator[Any]:
    """Yield a value of no allowed type, then values just outside of what is allowed."""
    if constraints:
        yield type("OfNoAllowedType", (), {})()
    for constraint in constraints:
        # Many types, such as str or callable, have no wrong value.
        with suppress(NotImplementedError):
            value = generate_invalid_param_val(constraint)
            if not any(other.is_satisfied_by(value) for other in constraints):
                yield value


def _other_value(constraints: list[Any], value: Any) -> Any:
    """Return an allowed value other than `value`, or `value` if none is known."""
    candidates: list[Any] = []
    for constraint in constraints:
        if isinstance(constraint, Options):
            candidates += sorted(constraint.options - constraint.deprecated, key=str)
        elif isinstance(constraint, Interval) and not isinstance(value, str | None):
            step = 1 if constraint.type is Integral else 0.25
            candidates += [value + step, value - step]
    if isinstance(value, bool):
        candidates.append(not value)
    for candidate in candidates:
        if candidate != value and any(
            c.is_satisfied_by(candidate) for c in constraints
        ):
            return candidate
    return value


def other_settings(estimator: Estimator) -> Iterator[tuple[str, Any]]:
    """Yield every parameter of which another value is known, and that value."""
    for name, value in estimator.get_params(deep=False).items():
        other = _other_value(constraints_of(estimator, name), value)
        # A change of `verbose` would only print.
        if other is not value and name != "verbose":
            yield name, other


@contract()
def check_every_parameter_has_a_constraint(estimator: Estimator) -> None:
    """``_parameter_constraints`` has an entry for every parameter, and no other."""
    constraints = getattr(type(estimator), "_parameter_constraints", {}).keys()
    parameters = estimator.get_params(deep=False).keys()
    mend = "keep _parameter_constraints in step with the signature of __init__."
    missing, unknown = parameters - constraints, constraints - parameters
    expect(not missing, f"the parameters {sorted(missing)} have no constraint.", mend)
    expect(not unknown, f"{sorted(unknown)} are no parameters.", mend)


@contract()
def check_invalid_parameters_are_named(estimator: Estimator) -> None:
    """Every way of fitting refuses an invalid parameter with an error that names it."""
    texts, y = corpus()
    for name in estimator.get_params(deep=False):
        for value in _invalid_values(constraints_of(estimator, name)):
            for method in ("fit", "fit_transform", "partial_fit"):
                broken = fresh(estimator).set_params(**{name: value})
                if not has_method(broken, method):
                    # Parameters may rule a method out, as available_if does.
                    continue
                expect_error(
                    lambda m=method, b=broken: getattr(b, m)(list(texts), y),  # type: ignore[misc]
                    InvalidParameterError,
                    f"'{name}' parameter",
                    f"{method} with {name}={value!r}",
                    "decorate the method with _fit_context of sklearn.base.",
                )


@contract()
def check_set_params_takes_effect_at_the_next_fit(estimator: Estimator) -> None:
    """A changed parameter counts at the next `fit`, whatever was fitted before.

    What needs no fit follows its parameters at the next `transform`.
    """
    texts, y = list(corpus()[0][:40]), corpus()[1][:40]
    for name, value in other_settings(estimator):
        new = fresh(estimator).set_params(**{name: value})
        if error_of(lambda new=new: new.fit(texts, y).transform(texts)):  # type: ignore[misc]
            # Allowed alone, but not beside the other parameters.
            continue
        used = fitted(estimator)
        used.transform(texts)
        used.set_params(**{name: value})
        if learns(estimator):
            used.fit(texts, y)
        expect_same(
            used.transform(texts),
            new.transform(texts),
            f"after set_params({name}={value!r}) a used and a new estimator differ.",
            "read the parameter in fit or transform; keep nothing derived from it.",
        )


@contract(lambda estimator: has_parameter(estimator, "n_jobs"))
def check_n_jobs_is_validated(estimator: Estimator) -> None:
    """``n_jobs=-1`` means all processors; 0 and text are refused by name."""
    texts, y = list(corpus()[0]), corpus()[1]
    for value in (0, "two"):
        other = fresh(estimator).set_params(n_jobs=value)
        expect_error(
            lambda other=other: other.fit(texts, y).transform(texts),  # type: ignore[misc]
            (ValueError, TypeError),
            "n_jobs",
            f"n_jobs={value!r}",
            "constrain n_jobs to Integral or None, and call joblib.effective_n_jobs.",
        )
    everything = fresh(estimator).set_params(n_jobs=-1)
    error = error_of(lambda: everything.fit(texts, y).transform(texts))
    expect(
        error is None,
        f"n_jobs=-1 raised {error!r}.",
        "resolve n_jobs by joblib.effective_n_jobs.",
    )
