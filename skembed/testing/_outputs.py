"""Checks of the names of features, and of frames as output."""

from collections.abc import Iterator
from itertools import pairwise, product
from typing import Any

import numpy as np
import sklearn

from skembed.testing._contract import (
    Estimator,
    contract,
    error_of,
    expect,
    expect_same,
    fitted,
    fresh,
    has_parameter,
)
from skembed.testing._corpus import corpus
from skembed.testing._optional import installed
from skembed.testing._parameters import constraints_of
from skembed.testing._sklearn_private import Options

_SHAPING = ("pooling", "mixing", "vectors", "layers")
_NAMES_MEND = "derive the names from the width of the features in one place."


@contract()
def check_feature_names(estimator: Estimator) -> None:
    """`get_feature_names_out` gives an object array of a distinct str per feature."""
    model = fitted(estimator)
    n_features = model.transform(["the moon"]).shape[1]
    # As pipelines call it.
    names = model.get_feature_names_out(None)
    expect(
        isinstance(names, np.ndarray) and names.dtype == object,
        f"the names are a {type(names).__name__}, not an array of objects.",
        "return np.asarray(names, dtype=object).",
    )
    got = f"{len(names)} names for {n_features} features"
    expect(len(names) == n_features, f"{got}.", _NAMES_MEND)
    expect(len(set(names)) == n_features, f"{got}, with duplicates.", _NAMES_MEND)
    expect(all(isinstance(n, str) for n in names), "not all are str.", _NAMES_MEND)


def _settings(estimator: Estimator, name: str) -> list[Any]:
    """Return the value of a parameter, its options, and pairs where tuples may be."""
    constraints = constraints_of(estimator, name)
    options: list[Any] = []
    for constraint in constraints:
        if isinstance(constraint, Options):
            options += sorted(constraint.options - constraint.deprecated, key=str)
    pairs = list(pairwise(options))
    allowed = [c for c in constraints if not isinstance(c, Options)]
    options += [p for p in pairs if any(c.is_satisfied_by(p) for c in allowed)]
    value = getattr(estimator, name)
    return options if value in options else [value, *options]


def _shapes(estimator: Estimator) -> Iterator[dict[str, Any]]:
    """Yield all combinations of the parameters that decide what features there are."""
    names = [name for name in _SHAPING if has_parameter(estimator, name)]
    for values in product(*(_settings(estimator, name) for name in names)):
        yield dict(zip(names, values, strict=True))


@contract(lambda estimator: any(has_parameter(estimator, name) for name in _SHAPING))
def check_feature_names_of_every_option(estimator: Estimator) -> None:
    """Whatever ``pooling``, ``mixing``, ``vectors`` and ``layers``: a name per feature.

    What does not go together is refused by its name.
    """
    texts, y = list(corpus()[0][:40]), corpus()[1][:40]
    for shape in _shapes(estimator):
        model = fresh(estimator).set_params(**shape)
        error = error_of(lambda model=model: model.fit(texts, y))  # type: ignore[misc]
        said = isinstance(error, ValueError) and str(error)
        if said and any(f"{name}=" in said for name in shape):
            continue
        what = ", ".join(f"{name}={value!r}" for name, value in shape.items())
        expect(error is None, f"{what} raised {error!r}.", _NAMES_MEND)
        found = model.transform(texts[:3]).shape
        names = model.get_feature_names_out()
        expect(
            found == (3, len(set(names))),
            f"with {what}, features of 3 documents, of shape {found}, have "
            f"{len(names)} names, {len(set(names))} of them distinct.",
            _NAMES_MEND,
        )


def _keeps_index_of(X: Any) -> bool:
    """Whether the installed scikit-learn keeps the index of such a container."""
    major, minor = map(int, sklearn.__version__.split(".")[:2])
    # It takes no notice of the index of a Series before version 1.7.
    return hasattr(X, "columns" if (major, minor) < (1, 7) else "iloc")


@contract()
def check_pandas_output(estimator: Estimator) -> None:
    """``set_output(transform="pandas")`` names the columns and keeps the index of X."""
    pandas = installed("pandas")
    texts, y = list(corpus()[0]), corpus()[1]
    mend = "give get_feature_names_out and leave set_output to TransformerMixin."
    expected = fitted(estimator).transform(texts)
    index = [f"review {i}" for i in range(len(texts))]
    series = pandas.Series(texts, index=index)
    model = fresh(estimator).set_output(transform="pandas")
    for X in (texts, series, series.to_frame("text")):
        for frame in (model.fit_transform(X, y), model.transform(X)):
            name = f"the output for a {type(X).__name__}"
            expect(isinstance(frame, pandas.DataFrame), f"{name} is no frame.", mend)
            columns = list(frame.columns)
            names = list(model.get_feature_names_out())
            expect(columns == names, f"{name} has the columns {columns[:3]} ...", mend)
            kept = list(frame.index) == index or not _keeps_index_of(X)
            expect(kept, f"{name} has the index {list(frame.index[:3])} ...", mend)
            floats = (frame.dtypes == np.float32).all()
            expect(floats, f"{name} has {frame.dtypes.iloc[0]} columns.", mend)
            expect_same(frame, expected, f"{name} has other values.", mend)


@contract()
def check_polars_output(estimator: Estimator) -> None:
    """``set_output(transform="polars")`` gives a polars frame with named columns."""
    polars = installed("polars")
    texts, y = list(corpus()[0]), corpus()[1]
    mend = "give get_feature_names_out and leave set_output to TransformerMixin."
    expected = fitted(estimator).transform(texts)
    model = fresh(estimator).set_output(transform="polars")
    for X in (texts, polars.Series(texts)):
        for frame in (model.fit_transform(X, y), model.transform(X)):
            name = f"the output for a {type(X).__name__}"
            expect(isinstance(frame, polars.DataFrame), f"{name} is no frame.", mend)
            names = list(model.get_feature_names_out())
            got = f"{name} has the columns {frame.columns[:3]} ..."
            expect(frame.columns == names, got, mend)
            expect_same(frame.to_numpy(), expected, f"{name} has other values.", mend)
