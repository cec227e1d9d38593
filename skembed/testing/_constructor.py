"""Checks of the class and of its ``__init__``, before anything is fitted."""

import inspect
from typing import Self

from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.exceptions import NotFittedError
from sklearn.utils import estimator_html_repr

from skembed.testing._contract import (
    Estimator,
    attempt,
    contract,
    error_of,
    expect,
    fitted,
    has_method,
    large_objects,
)
from skembed.testing._fresh_process import imported_by_looking

_IMMUTABLE = (str, int, float, bool, bytes, tuple, frozenset, type(None), type)
_LAZY = "Load or compute at fit or transform; until then, raise AttributeError."


class _Unique:
    """A value that no estimator can know; `clone` does not copy it."""

    def __sklearn_clone__(self) -> Self:
        return self


def _arguments(estimator: Estimator) -> list[inspect.Parameter]:
    signature = inspect.signature(type(estimator).__init__)
    return list(signature.parameters.values())[1:]


def _unique_parameters(estimator: Estimator) -> dict[str, _Unique]:
    return {name: _Unique() for name in estimator.get_params(deep=False)}


@contract()
def check_mixins_come_before_base_estimator(estimator: Estimator) -> None:
    """The class lists its mixins, then TransformerMixin, then BaseEstimator."""
    bases = type(estimator).mro()
    mend = "inherit from (..., TransformerMixin, BaseEstimator), in this order."
    for base in (TransformerMixin, BaseEstimator):
        expect(base in bases, f"the class does not inherit from {base.__name__}.", mend)
    last_mixin = bases.index(TransformerMixin)
    expect(
        last_mixin < bases.index(BaseEstimator),
        "BaseEstimator comes before TransformerMixin, and hides what it overrides.",
        mend,
    )
    late = [
        base.__name__
        for base in bases[last_mixin + 1 :]
        if base.__name__.endswith("Mixin")
        # Those of scikit-learn's own making come with the two classes.
        and base not in {*TransformerMixin.mro(), *BaseEstimator.mro()}
    ]
    expect(not late, f"{late} come after TransformerMixin.", mend)


@contract()
def check_init_only_stores_its_arguments(estimator: Estimator) -> None:
    """``__init__`` assigns each argument to the attribute of its name, and that is all.

    It does not look at them either, so it accepts any value.
    """
    given = _unique_parameters(estimator)
    mend = "only assign `self.name = name` in __init__; validate and convert in fit."
    error = error_of(lambda: type(estimator)(**given))
    expect(error is None, f"__init__ looked at a value and raised {error!r}.", mend)
    attributes = vars(type(estimator)(**given))
    extra = sorted(attributes.keys() - given.keys())
    expect(not extra, f"__init__ set the further attributes {extra}.", mend)
    changed = [name for name in given if attributes.get(name) is not given[name]]
    expect(not changed, f"__init__ did not store {changed} as they were given.", mend)


@contract()
def check_init_names_every_argument(estimator: Estimator) -> None:
    """``__init__`` has neither ``*args`` nor ``**kwargs``."""
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    found = [str(p) for p in _arguments(estimator) if p.kind in variable]
    expect(
        not found,
        f"__init__ takes {found}, which get_params and clone cannot see.",
        "spell out every parameter in the signature.",
    )


@contract()
def check_defaults_are_immutable(estimator: Estimator) -> None:
    """No default of ``__init__`` can be changed by one estimator for all others."""
    mutable = [
        f"{p.name}={p.default!r}"
        for p in _arguments(estimator)
        if not isinstance(p.default, _IMMUTABLE) and not callable(p.default)
    ]
    expect(
        not mutable,
        f"the defaults {mutable} are mutable.",
        "make them None, a str, a number or a tuple.",
    )


@contract()
def check_clone_keeps_the_parameters(estimator: Estimator) -> None:
    """`clone` gives an unfitted estimator with the same parameters.

    Objects that ask not to be copied, such as loaded models, are shared with it.
    """
    shared = _unique_parameters(estimator)
    copy = clone(type(estimator)(**shared)).get_params(deep=False)
    lost = [name for name in shared if copy[name] is not shared[name]]
    mend = "return the very attributes in get_params; do not override clone."
    expect(not lost, f"clone did not pass on the very object given as {lost}.", mend)
    model = fitted(estimator)
    state = sorted(vars(clone(model)).keys() - model.get_params(deep=False).keys())
    state = [name for name in state if not name.startswith("_skl")]
    expect(not state, f"the clone of a fitted estimator has {state}.", mend)


@contract()
def check_clone_shares_large_objects(estimator: Estimator) -> None:
    """`clone` hands on a model, or another large object that is a parameter, as it is.

    A search over parameters would fill the memory with copies otherwise.
    """
    ours = list(large_objects(estimator))
    theirs = {id(part) for _, part in large_objects(clone(estimator))}
    copied = sorted({name for name, part in ours if id(part) not in theirs})
    mend = "give its class a __sklearn_clone__ that returns self, or the estimator one."
    expect(not copied, f"clone copied what is in {copied}.", mend)


@contract()
def check_parameters_survive_a_round_trip(estimator: Estimator) -> None:
    """``set_params(**get_params())`` returns the estimator and changes nothing."""
    given = _unique_parameters(estimator)
    other = clone(estimator)
    mend = "leave get_params and set_params to BaseEstimator."
    expect(
        other.set_params(**given) is other,
        "set_params did not return the estimator.",
        mend,
    )
    now = other.get_params(deep=False)
    wrong = [name for name in given if now.get(name) is not given[name]]
    expect(not wrong, f"get_params differs from what was set in {wrong}.", mend)


@contract()
def check_methods_take_documents_then_y(estimator: Estimator) -> None:
    """`fit`, `fit_transform` and `partial_fit` take X and ``y=None``; `transform` X."""
    mend = "name the first argument X and the second y, with the default None."
    for method in ("fit", "fit_transform", "partial_fit", "transform"):
        if method == "partial_fit" and not has_method(estimator, method):
            continue
        parameters = inspect.signature(getattr(estimator, method)).parameters
        names = list(parameters)
        got = f"the signature is {method}({', '.join(names)})"
        expect(names[:1] == ["X"], f"{got}, without X as the first argument.", mend)
        if method != "transform":
            expect(names[1:2] == ["y"], f"{got}, without y after X.", mend)
            expect(parameters["y"].default is None, f"{got}; y has no default.", mend)


@contract()
def check_tags(estimator: Estimator) -> None:
    """The tags say: a transformer of one-dimensional string input to dense float32."""
    tags = estimator.__sklearn_tags__()
    expect(
        tags.transformer_tags is not None,
        "there are no transformer tags.",
        "inherit from TransformerMixin.",
    )
    found = {
        "input_tags.string": (tags.input_tags.string, True),
        "input_tags.one_d_array": (tags.input_tags.one_d_array, True),
        "input_tags.two_d_array": (tags.input_tags.two_d_array, False),
        "input_tags.sparse": (tags.input_tags.sparse, False),
        "transformer_tags.preserves_dtype": (
            list(tags.transformer_tags.preserves_dtype),
            [],
        ),
    }
    for name, (actual, expected) in found.items():
        expect(
            actual == expected,
            f"the tag {name} is {actual}, not {expected}.",
            f"set tags.{name} = {expected} in __sklearn_tags__.",
        )


@contract()
def check_repr_shows_the_class(estimator: Estimator) -> None:
    """The text and HTML reprs work, fitted or not, and name the class."""
    name = type(estimator).__name__
    for state in (clone(estimator), fitted(estimator)):
        for show in (repr, estimator_html_repr):
            shown = show(state)
            expect(
                name in shown,
                f"{show.__name__} gave {shown[:80]!r}, without {name}.",
                "leave __repr__ and the HTML repr to BaseEstimator.",
            )


@contract()
def check_properties_do_nothing_heavy(estimator: Estimator) -> None:
    """Looking at an unfitted estimator, as `dir` and reprs do, keeps nothing in it.

    An attribute that does not exist yet raises AttributeError, or NotFittedError.
    """
    unfitted = clone(estimator)
    before = dict(vars(unfitted))
    for name in attempt(lambda: dir(unfitted), "dir()", _LAZY):
        error = error_of(lambda name=name: getattr(unfitted, name))  # type: ignore[misc]
        expect(
            error is None or isinstance(error, AttributeError | NotFittedError),
            f"the attribute {name} raised {error!r}.",
            _LAZY,
        )
    added = sorted(vars(unfitted).keys() ^ before.keys())
    expect(not added, f"looking at the attributes added {added}.", _LAZY)


@contract()
def check_looking_imports_nothing_heavy(estimator: Estimator) -> None:
    """To construct, clone or show an estimator imports no torch, nor anything like it.

    Neither does a fitted one that has been loaded. All this in a new process, after
    its own module is imported.
    """
    imported = imported_by_looking(estimator)
    mend = f"Import inside of the methods that need it. {_LAZY}"
    expect(not imported, f"a look at the estimator imported {imported}.", mend)
