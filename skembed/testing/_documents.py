"""Checks of what a document may be, and of what happens to an odd one."""

import inspect
import re
from typing import Any

import numpy as np

from skembed.testing._contract import (
    Estimator,
    contract,
    error_of,
    expect,
    expect_error,
    expect_same,
    fail,
    fitted,
    fresh,
    has_parameter,
    with_warnings,
)
from skembed.testing._corpus import UNKNOWN, corpus
from skembed.testing._optional import installed
from skembed.testing._parameters import constraints_of

_ROW = 3
_START = "the cook tastes the soup " * 300
# The same 1500 words, without and with 200 others after them.
_LONG = [_START, _START + "the moon " * 100]
_CUT_MEND = "read on by windows, or warn and say how many documents were cut."


def _with(document: Any) -> list[Any]:
    """Return the corpus, with `document` as X[3]."""
    texts = list(corpus()[0])
    return [*texts[:_ROW], document, *texts[_ROW + 1 :]]


def _expect_refused(estimator: Estimator, X: Any, says: str, what: str) -> None:
    """Fail unless fit and transform refuse `X` with an error that `says` this."""
    model = fitted(estimator)
    mend = "raise a ValueError or TypeError that names the row and its content."
    for doing, action in {
        f"fit with {what}": lambda: fresh(estimator).fit(X, corpus()[1]),
        f"transform of {what}": lambda: model.transform(X),
    }.items():
        expect_error(action, (ValueError, TypeError), says, doing, mend)


@contract()
def check_token_lists(estimator: Estimator) -> None:
    """A document may be a list of tokens, and then means what its words mean."""
    texts, y = corpus()
    plain = [text.lower().rstrip(".") for text in texts]
    tokens = [text.split() for text in plain]
    mend = "skip preprocessing and splitting for documents that are lists of str."
    model = fresh(estimator).fit(plain, y)
    expected = model.transform(plain)
    for container in (list, tuple):
        happened = f"transform of {container.__name__}s of tokens and of text differ."
        documents = [container(document) for document in tokens]
        expect_same(model.transform(documents), expected, happened, mend)
    happened = "fit on lists of tokens learned something else than on text."
    learned = fresh(estimator).fit(tokens, y).transform(plain)
    expect_same(learned, expected, happened, mend)


@contract()
def check_numbers_are_refused(estimator: Estimator) -> None:
    """A document that is a number is refused by its row, an array of them as such."""
    _expect_refused(estimator, _with(42), str(_ROW), "a number as document 3")
    _expect_refused(estimator, _with(["the", 7]), str(_ROW), "a number as a token")
    # What the words are is free; the message must not be that of an inner step.
    _expect_refused(estimator, np.arange(80.0), "str", "an array of numbers")


@contract()
def check_bytes_that_do_not_decode_are_refused(estimator: Estimator) -> None:
    """Bytes in another encoding raise an error rather than become wrong words."""
    # 0xff occurs nowhere in UTF-8.
    _expect_refused(estimator, _with(b"latin \xff"), "", "undecodable bytes")


@contract(lambda estimator: has_parameter(estimator, "encoding"))
def check_bytes_are_decoded(estimator: Estimator) -> None:
    """Bytes are decoded by the parameter ``encoding``."""
    document = "Le café du chef"
    latin = fresh(estimator).set_params(encoding="latin-1")
    texts, y = corpus()
    model = latin.fit([*texts, *[document] * 8], [*y, *y[:8]])
    expect_same(
        model.transform([document.encode("latin-1")]),
        model.transform([document]),
        "bytes in latin-1 and their text differ.",
        "decode documents that are bytes by `encoding` and `decode_error`.",
    )


@contract()
def check_missing_documents_are_refused(estimator: Estimator) -> None:
    """By default None and NaN raise a ValueError that names the row."""
    careful = fresh(estimator).set_params(missing="error")
    for value in (None, float("nan"), np.float32("nan")):
        _expect_refused(careful, _with(value), str(_ROW), f"{value} as document 3")
    default = inspect.signature(type(estimator)).parameters["missing"].default
    mend = 'write missing="error" in the signature of __init__.'
    expect(default == "error", f"the default of missing is {default!r}.", mend)


@contract()
def check_missing_documents_can_be_empty(estimator: Estimator) -> None:
    """With ``missing="empty"``, None and NaN are empty documents."""
    tolerant = fresh(estimator).set_params(missing="empty")
    y = corpus()[1]
    expected = tolerant.fit(_with(""), y).transform(_with(""))
    for value in (None, float("nan")):
        X = _with(value)
        expect_same(
            fresh(tolerant).fit(X, y).transform(X),
            expected,
            f"{value} and an empty document differ.",
            "replace missing documents by empty ones before anything else.",
        )


@contract()
def check_missing_values_of_pandas(estimator: Estimator) -> None:
    """``pandas.NA`` is missing as None is, and named by its row, not by its index."""
    pandas = installed("pandas")
    index = [f"review {i}" for i in range(80)]
    X = pandas.Series(_with(pandas.NA), dtype="string", index=index)
    careful = fresh(estimator).set_params(missing="error")
    _expect_refused(careful, X, str(_ROW), "pandas.NA as document 3")
    tolerant = fresh(estimator).set_params(missing="empty")
    expect_same(
        fresh(tolerant).fit(X, corpus()[1]).transform(X),
        fresh(tolerant).fit(_with(""), corpus()[1]).transform(_with("")),
        "pandas.NA and an empty document differ.",
        "replace missing documents by empty ones before anything else.",
    )


@contract()
def check_empty_documents_give_zero_rows(estimator: Estimator) -> None:
    """A document without a token gets a row of zeros, at fit and at transform."""
    y = corpus()[1]
    documents: tuple[Any, ...] = ("", [])
    for document in documents:
        X = _with(document)
        result = np.asarray(fresh(estimator).fit(X, y).transform(X))
        mend = "give documents without tokens a row of zeros; drop none."
        if len(result) != len(X):
            fail(f"{len(X)} documents gave {len(result)} rows.", mend)
        expect(
            np.array_equal(result[_ROW], np.zeros_like(result[_ROW])),
            f"the row of {document!r} is {result[_ROW][:4]} ....",
            mend,
        )


@contract()
def check_unknown_words_give_finite_rows(estimator: Estimator) -> None:
    """Words never seen drop no row and make no NaN; without any token left, it is 0."""
    documents = ["the moon", UNKNOWN, " \t\n", "\x00\x07", "\ud800", "שלום 中文"]
    model = fitted(estimator)
    result = np.asarray(model.transform(documents))
    mend = "guard the division by the number of known words."
    if len(result) != len(documents):
        fail(f"{len(documents)} documents gave {len(result)} rows.", mend)
    expect(np.isfinite(result).all(), f"the rows are {result}.", mend)
    for i, vectors in enumerate(model.transform_tokens(documents)):
        if not np.any(vectors):
            happened = f"{documents[i]!r} has no known word, but a row of other than 0."
            expect(not result[i].any(), happened, mend)


@contract()
def check_long_documents_are_not_cut_silently(estimator: Estimator) -> None:
    """The end of a long document counts, or a warning says how many were cut."""
    model = fitted(estimator)
    rows, messages = with_warnings(lambda: model.transform(_LONG))
    counted = any(re.search(r"\b[12]\b", message) for message in messages)
    expect(
        counted or _ends_count(rows),
        "1500 words gave the same features with and without 200 others after them, "
        f"and the warnings said {messages}.",
        _CUT_MEND,
    )


@contract(lambda estimator: has_parameter(estimator, "overlong"))
def check_overlong_documents_are_never_cut_silently(estimator: Estimator) -> None:
    """Of ``overlong``, the default reads everything; the others refuse, or warn.

    The warning says how many documents were cut, the error speaks of ``overlong``.
    """
    default = inspect.signature(type(estimator)).parameters["overlong"].default
    for constraint in constraints_of(estimator, "overlong"):
        for option in sorted(getattr(constraint, "options", ()), key=str):
            model = fresh(estimator).set_params(overlong=option)
            rows, messages, error = _read_long(model)
            what = f"overlong={option!r}"
            if option == default:
                happened = f"{what}, the default, raised {error!r} or cut a document."
                expect(error is None and _ends_count(rows), happened, _CUT_MEND)
            elif error is not None:
                happened = f"{what} raised {error!r}, which speaks of something else."
                expect("overlong" in str(error), happened, _CUT_MEND)
            elif not _ends_count(rows):
                told = any(re.search(r"\b[12]\b", message) for message in messages)
                expect(told, f"{what} cut documents and said {messages}.", _CUT_MEND)


def _read_long(model: Estimator) -> tuple[Any, list[str], Exception | None]:
    """Fit `model` and return the features of long documents, warnings and an error."""
    results: list[Any] = []
    model.fit(list(corpus()[0]), corpus()[1])
    error, messages = with_warnings(
        lambda: error_of(lambda: results.append(model.transform(_LONG)))
    )
    return results[0] if results else None, messages, error


def _ends_count(rows: Any) -> bool:
    """Whether the end of the second of the long documents has changed its features."""
    rows = np.asarray(rows)
    return bool(np.abs(rows[1] - rows[0]).max() > 1e-4 * np.abs(rows).max())
