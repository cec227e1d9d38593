"""Checks of what `X` may be: every usual container of documents, and no other."""

import copy
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from skembed.testing._contract import (
    Estimator,
    attempt,
    contract,
    expect,
    expect_error,
    expect_same,
    features,
    fitted,
    fresh,
    learns,
)
from skembed.testing._corpus import corpus
from skembed.testing._optional import installed

_MEND = "turn X into a list of documents by one function, at the start of each method."


def _expect_accepted(
    estimator: Estimator, containers: dict[str, Callable[[list[str]], Any]]
) -> None:
    """Fail unless fit and transform of each container equal those of a list."""
    texts, y = list(corpus()[0]), corpus()[1]
    expected = fitted(estimator).transform(texts)
    for name, container in containers.items():
        X = container(texts)
        model = fresh(estimator)
        attempt(partial(model.fit, X, y), f"fit on {name}", _MEND)
        happened = f"fit on {name} learned something else than on a list."
        expect_same(model.transform(texts), expected, happened, _MEND)
        for doing, action in {
            f"transform of {name}": partial(model.transform, X),
            f"fit_transform of {name}": partial(fresh(estimator).fit_transform, X, y),
        }.items():
            happened = f"{doing} differs from that of a list."
            expect_same(attempt(action, doing, _MEND), expected, happened, _MEND)


@contract()
def check_tuples_and_numpy_arrays(estimator: Estimator) -> None:
    """Tuples and arrays of str or objects, (n,) and (n, 1), give what a list gives."""
    containers: dict[str, Callable[[list[str]], Any]] = {
        "a tuple": tuple,
        "an array of str": np.array,
        "an array of objects": lambda texts: np.array(texts, dtype=object),
        "an (n, 1) array of str": lambda texts: np.array(texts)[:, None],
        "an (n, 1) array of objects": lambda texts: np.array(texts, object)[:, None],
    }
    if hasattr(np.dtypes, "StringDType"):
        containers["an array of numpy's StringDType"] = lambda texts: np.array(
            texts, dtype=np.dtypes.StringDType()
        )
    _expect_accepted(estimator, containers)


@contract()
def check_read_only_arrays(estimator: Estimator) -> None:
    """An array that cannot be written to is as good as any."""

    def read_only(texts: list[str]) -> Any:
        array = np.array(texts, dtype=object)
        array.flags.writeable = False
        return array

    _expect_accepted(estimator, {"a read-only array": read_only})


@contract()
def check_pandas(estimator: Estimator) -> None:
    """A pandas Series of text, whatever its type and index, and a one-column frame."""
    pandas = installed("pandas")

    def shuffled(texts: list[str]) -> Any:
        # Looking up X[0] by label would find the last document.
        return pandas.Series(texts, index=range(len(texts))[::-1], dtype=object)

    _expect_accepted(
        estimator,
        {
            "a pandas Series of objects": shuffled,
            "a pandas Series of string": lambda t: pandas.Series(t, dtype="string"),
            "a one-column DataFrame": lambda texts: shuffled(texts).to_frame("review"),
        },
    )


@contract()
def check_pyarrow(estimator: Estimator) -> None:
    """A pyarrow Array, ChunkedArray, and a pandas Series that is backed by one."""
    pyarrow, pandas = installed("pyarrow"), installed("pandas")
    _expect_accepted(
        estimator,
        {
            "a pyarrow Array": pyarrow.array,
            "a pyarrow ChunkedArray": lambda t: pyarrow.chunked_array([t[:9], t[9:]]),
            "a pyarrow-backed Series": lambda texts: pandas.Series(
                texts, dtype=pandas.ArrowDtype(pyarrow.string())
            ),
        },
    )


@contract()
def check_polars(estimator: Estimator) -> None:
    """A polars Series, and a polars frame of one column."""
    polars = installed("polars")
    _expect_accepted(
        estimator,
        {
            "a polars Series": polars.Series,
            "a one-column polars frame": lambda t: polars.DataFrame({"review": t}),
        },
    )


@contract(learns)
def check_generators_in_fit(estimator: Estimator) -> None:
    """`fit` reads documents from any iterable, once."""
    texts, y = corpus()
    model = fresh(estimator).fit((text for text in texts), y)
    expect_same(
        model.transform(list(texts)),
        features(estimator, list(texts)),
        "fit on a generator learned something else than on a list.",
        "read X only once in fit, or make a list of it first.",
    )


@contract()
def check_documents_stay_as_they_are(estimator: Estimator) -> None:
    """Neither `fit` nor `transform` changes X."""
    texts, y = list(corpus()[0]), corpus()[1]
    tokens = [text.split() for text in texts]
    containers = {
        "a list": texts,
        "an array of objects": np.array(texts, dtype=object),
        "a list of token lists": tokens,
    }
    for name, X in containers.items():
        before = copy.deepcopy(X)
        fresh(estimator).fit(X, y).transform(X)
        expect(
            np.array_equal(np.array(X, object), np.array(before, object)),
            f"{name} was changed.",
            "copy the documents before changing them.",
        )


@contract()
def check_one_string_is_refused(estimator: Estimator) -> None:
    """A single str is not a corpus: the error says to pass a list."""
    mend = "raise a TypeError or ValueError: its letters would become documents."
    model = fitted(estimator)
    for doing, action in {
        "fit of a str": lambda: fresh(estimator).fit("The moon"),
        "transform of a str": lambda: model.transform("The moon"),
    }.items():
        expect_error(action, (TypeError, ValueError), "str", doing, mend)


@contract()
def check_several_columns_are_refused(estimator: Estimator) -> None:
    """An array of several columns is refused, and the error speaks of columns."""
    columns = np.array(list(corpus()[0])).reshape(-1, 2)
    y = corpus()[1][::2]
    model = fitted(estimator)
    for doing, action in {
        "fit of an array of two columns": lambda: fresh(estimator).fit(columns, y),
        "transform of an array of two columns": lambda: model.transform(columns),
    }.items():
        mend = "raise a ValueError: documents are rows of one column."
        expect_error(action, (TypeError, ValueError), "column", doing, mend)


@contract()
def check_frames_of_several_columns_are_refused(estimator: Estimator) -> None:
    """A frame of several columns is refused, not read as its column names."""
    pandas = installed("pandas")
    texts = list(corpus()[0])
    frame = pandas.DataFrame({"title": texts, "body": texts})
    model = fitted(estimator)
    mend = "raise a ValueError that tells to pass one column."
    for doing, action in {
        "fit of a frame of two columns": lambda: fresh(estimator).fit(
            frame, corpus()[1]
        ),
        "transform of a frame of two columns": lambda: model.transform(frame),
    }.items():
        expect_error(action, (TypeError, ValueError), "column", doing, mend)
