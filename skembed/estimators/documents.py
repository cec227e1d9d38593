"""What X may be, for every estimator."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

Document = str | list[str] | tuple[str, ...]
"""Text, or words."""


def check_documents(
    X: Any,
    *,
    missing: str = "error",
    input: str = "content",
    decode: Callable[[Any], str] | None = None,
) -> Iterable[Document]:
    """Return the documents of `X`, one after the other.

    Parameters
    ----------
    X : iterable of documents, of length n_documents
        A list, a tuple, an array of shape (n_documents,) or (n_documents, 1), a pandas,
        polars or pyarrow column, a frame of one column, a generator, or any other
        iterable that has an order. With ``input="content"`` a document is a str, bytes,
        or a list, tuple or array of str, which are its words.
    missing : {"error", "empty"}, default="error"
        What to do with a document that is None, NaN or another missing value: raise,
        or take it as an empty document.
    input : {"content", "filename", "file"}, default="content"
        Whether the items of `X` are the documents, their paths, or open files.
    decode : callable, default=None
        Makes a str of what `input` says, and of bytes; needed where there are such.

    Returns
    -------
    documents : iterable of str, list of str or tuple of str
        To be read once. A list if `X` is a column in which there is nothing to do;
        otherwise `X` is read, and its documents are checked, no faster than
        `documents` is.

    Raises
    ------
    TypeError
        If `X` is a single document or no ordered collection, or a document is neither
        text nor a list. What is in a list is for `skembed.text` to check.
    ValueError
        If `X` has several columns, a document is missing, or its bytes do not decode;
        or if `missing` or `input` is none of their values.

    Examples
    --------
    >>> list(check_documents(["a b", None, ["a", "b"]], missing="empty"))
    ['a b', '', ['a', 'b']]
    """
    if missing not in {"error", "empty"} or input not in _READERS:
        msg = (
            "missing must be 'error' or 'empty', and input 'content', 'filename' or "
            f"'file', got missing={missing!r} and input={input!r}."
        )
        raise ValueError(msg)
    rows = _rows(X)
    ready = isinstance(rows, list) and {str, list, tuple}.issuperset(map(type, rows))
    if ready and input == "content":
        return rows
    read = decode if decode is not None else _no_decoder
    return _checked(rows, missing, input, read)


def check_document_weight(
    sample_weight: npt.ArrayLike | None, n_documents: int
) -> npt.NDArray[np.float64] | None:
    """Return the weights of documents as an array.

    Parameters
    ----------
    sample_weight : array-like of shape (n_documents,) or None
    n_documents : int

    Returns
    -------
    weight : ndarray of shape (n_documents,), float64, or None

    Raises
    ------
    ValueError
        If there is not one number for each document, finite and not negative, and at
        least one of them positive.

    Examples
    --------
    >>> check_document_weight([1, 0], n_documents=2)
    array([1., 0.])
    """
    if sample_weight is None:
        return None
    weight = np.asarray(sample_weight, dtype=np.float64)
    if weight.shape != (n_documents,):
        msg = (
            f"sample_weight must have shape ({n_documents},), one weight for each "
            f"document of X, got shape {weight.shape}."
        )
        raise ValueError(msg)
    if not (np.isfinite(weight).all() and (weight >= 0).all() and weight.any()):
        msg = (
            "sample_weight must be finite and not negative, and positive for some "
            f"document, got values from {weight.min()} to {weight.max()}."
        )
        raise ValueError(msg)
    return weight


def _rows(X: Any) -> Iterable[Any]:
    """Return the items of `X`: as a list if it is a column, else as they come."""
    if isinstance(X, (str, bytes, bytearray)):
        msg = (
            f"X must be an iterable of documents, got a single {type(X).__name__}. "
            "Pass a list of documents: [X]."
        )
        raise TypeError(msg)
    if isinstance(X, (list, tuple)):
        return X if isinstance(X, list) else list(X)
    if len(getattr(X, "shape", ())) == 2:
        X = _only_column(X)
    for to_list in ("to_pylist", "to_list", "tolist"):
        if hasattr(X, to_list):
            X = getattr(X, to_list)()
            break
    # An array without dimensions has given its only item.
    unordered = isinstance(X, (str, bytes, Mapping, Set))
    if unordered or not hasattr(X, "__iter__"):
        _refuse(X)
    rows: Iterable[Any] = X
    return rows


def _only_column(X: Any) -> Any:
    """Return the column of a frame, a table or a two-dimensional array that has one."""
    if X.shape[1] != 1:
        names = getattr(X, "column_names", getattr(X, "columns", None))
        columns = f": {[str(name) for name in names]}" if names is not None else ""
        msg = (
            f"X must be one column of documents, got {X.shape[1]} columns{columns}. "
            "Pass one of them, or one estimator per column by a ColumnTransformer."
        )
        raise ValueError(msg)
    if isinstance(X, np.ndarray):
        return X[:, 0]
    if hasattr(X, "iloc"):
        return X.iloc[:, 0]
    get_column = getattr(X, "to_series", getattr(X, "column", _refuse))
    return get_column(0)


def _refuse(X: Any) -> NoReturn:
    msg = (
        "X must be a list, an array, a column or another ordered iterable of documents,"
        f" got {type(X).__name__}."
    )
    raise TypeError(msg)


def _no_decoder(document: Any) -> str:
    msg = f"documents must be str, got {type(document).__name__}."
    raise TypeError(msg)


def _checked(
    rows: Iterable[Any], missing: str, kind: str, decode: Callable[[Any], str]
) -> Iterator[Document]:
    check = _READERS[kind]
    for i, row in enumerate(rows):
        if type(row) is str and kind == "content":
            yield row
        elif _is_missing(row):
            if missing == "error":
                msg = (
                    f"Row {i} of X is missing ({row!r}). Fill it, or set "
                    "missing='empty' to take it as an empty document."
                )
                raise ValueError(msg)
            yield ""
        else:
            yield check(row, i, decode)


def _is_missing(row: Any) -> bool:
    # By its name, so that pandas need not be there; `pd.NA != pd.NA` is no bool.
    if row is None or type(row).__name__ in {"NAType", "NaTType"}:
        return True
    return isinstance(row, (float, np.floating)) and bool(np.isnan(row))


def _read_content(row: Any, i: int, decode: Callable[[Any], str]) -> Document:
    if isinstance(row, str):
        return row
    if isinstance(row, bytes):
        return _decode(row, i, decode)
    if isinstance(row, np.ndarray) and row.ndim == 1:
        return list(row.tolist())
    if isinstance(row, (list, tuple)):
        # That words are str is seen where they are encoded, with a loop the less.
        return row
    msg = (
        f"Row {i} of X must be a document, a str or a list of words, got {row!r} of "
        f"type {type(row).__name__}."
    )
    raise TypeError(msg)


def _read_filename(row: Any, i: int, decode: Callable[[Any], str]) -> str:
    if not isinstance(row, (str, os.PathLike)):
        msg = (
            f"Row {i} of X must be a path, since input='filename', got {row!r} of type "
            f"{type(row).__name__}."
        )
        raise TypeError(msg)
    return _decode(row, i, decode)


def _read_file(row: Any, i: int, decode: Callable[[Any], str]) -> str:
    if not hasattr(row, "read"):
        msg = (
            f"Row {i} of X must be an open file, since input='file', got {row!r} of "
            f"type {type(row).__name__}."
        )
        raise TypeError(msg)
    return _decode(row, i, decode)


def _decode(row: Any, i: int, decode: Callable[[Any], str]) -> str:
    try:
        return decode(row)
    except UnicodeDecodeError as error:
        reason = (
            f"{error.reason}, in row {i} of X. Set encoding, or decode_error='ignore' "
            "or 'replace'"
        )
        where = (error.encoding, error.object, error.start, error.end)
        raise UnicodeDecodeError(*where, reason) from error


_READERS: dict[str, Callable[[Any, int, Callable[[Any], str]], Document]] = {
    "content": _read_content,
    "filename": _read_filename,
    "file": _read_file,
}
