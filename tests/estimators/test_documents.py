from collections.abc import Iterator
from io import BytesIO
from itertools import count, islice

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer

from skembed.estimators.documents import check_document_weight, check_documents
from skembed.text import TextAnalysis, tokenize

TEXTS = ["a b", "", "c"]
COLUMNS = {
    "list": TEXTS,
    "tuple": tuple(TEXTS),
    "object array": np.array(TEXTS, dtype=object),
    "str array": np.array(TEXTS),
    "StringDType array": np.array(TEXTS, dtype=np.dtypes.StringDType()),
    "object array (n, 1)": np.array(TEXTS, dtype=object)[:, None],
    "str array (n, 1)": np.array(TEXTS)[:, None],
    "pandas object": pd.Series(TEXTS, dtype=object, index=[7, 8, 9]),
    "pandas string": pd.Series(TEXTS, dtype="string"),
    "pandas default": pd.Series(TEXTS),
    "pandas pyarrow": pd.Series(TEXTS, dtype=pd.ArrowDtype(pa.string())),
    "pandas category": pd.Series(TEXTS, dtype="category"),
    "pandas index": pd.Index(TEXTS),
    "pandas frame": pd.DataFrame({"text": TEXTS}),
    "polars series": pl.Series(TEXTS),
    "polars frame": pl.DataFrame({"text": TEXTS}),
    "pyarrow array": pa.array(TEXTS),
    "pyarrow large": pa.array(TEXTS, pa.large_string()),
    "pyarrow chunked": pa.chunked_array([TEXTS[:1], TEXTS[1:]]),
    "pyarrow table": pa.table({"text": TEXTS}),
    "dict values": dict(enumerate(TEXTS)).values(),
    "map": map(str, TEXTS),
}


@pytest.mark.parametrize("X", COLUMNS.values(), ids=COLUMNS.keys())
def test_every_column_of_text_is_read(X):
    assert list(check_documents(X)) == TEXTS


TOKENS = [["a", "b"], [], ["c"]]
TOKEN_COLUMNS = {
    "list": TOKENS,
    "list of tuples": [tuple(words) for words in TOKENS],
    "list of arrays": [np.array(words, dtype=object) for words in TOKENS],
    "object array": pd.Series(TOKENS).to_numpy(),
    "pandas object": pd.Series(TOKENS),
    "pandas pyarrow": pd.Series(TOKENS, dtype=pd.ArrowDtype(pa.list_(pa.string()))),
    "polars series": pl.Series(TOKENS),
    "pyarrow array": pa.array(TOKENS),
}


@pytest.mark.parametrize("X", TOKEN_COLUMNS.values(), ids=TOKEN_COLUMNS.keys())
def test_every_column_of_word_lists_is_read(X):
    assert [list(words) for words in check_documents(X)] == TOKENS


MISSING = {
    "None": ["a", None],
    "nan": ["a", float("nan")],
    "float32 nan": ["a", np.float32("nan")],
    "NA": ["a", pd.NA],
    "NaT": ["a", pd.NaT],
    "numpy": np.array(["a", None], dtype=object),
    "pandas object": pd.Series(["a", None], dtype=object),
    "pandas string": pd.Series(["a", None], dtype="string"),
    "pandas pyarrow": pd.Series(["a", None], dtype=pd.ArrowDtype(pa.string())),
    "pandas frame": pd.DataFrame({"text": ["a", np.nan]}, dtype=object),
    "polars": pl.Series(["a", None]),
    "pyarrow": pa.array(["a", None]),
    "StringDType": np.array(["a", None], dtype=np.dtypes.StringDType(na_object=None)),
    "generator": (document for document in ["a", None]),
}


@pytest.mark.parametrize("X", MISSING.values(), ids=MISSING.keys())
def test_a_missing_document_is_an_error_that_names_the_row(X):
    X = list(X) if isinstance(X, Iterator) else X
    with pytest.raises(ValueError, match=r"Row 1 of X is missing .* missing='empty'"):
        list(check_documents(X))


@pytest.mark.parametrize("X", MISSING.values(), ids=MISSING.keys())
def test_a_missing_document_may_be_taken_as_empty(X):
    X = ["a", None] if isinstance(X, Iterator) else X
    assert list(check_documents(X, missing="empty")) == ["a", ""]


def test_a_column_of_nothing_but_missing_values_is_read():
    assert list(check_documents(pd.Series([None, None]), missing="empty")) == ["", ""]
    assert list(check_documents(np.full(2, np.nan), missing="empty")) == ["", ""]


NO_COLLECTIONS = {
    "str": "a text",
    "numpy str": np.str_("a text"),
    "bytes": b"a text",
    "None": None,
    "number": 3,
    "dict": {"a": 1},
    "set": {"a"},
    "0-d array": np.array("a"),
    "one-column sparse": sparse.csr_array((3, 1)),
}


@pytest.mark.parametrize("X", NO_COLLECTIONS.values(), ids=NO_COLLECTIONS.keys())
def test_what_is_no_ordered_collection_is_a_type_error(X):
    with pytest.raises(TypeError, match="X must be"):
        check_documents(X)


def test_a_bare_str_is_told_to_become_a_list():
    with pytest.raises(TypeError, match=r"single str\. Pass a list .*\[X\]"):
        check_documents("one document")


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"title": ["a"], "body": ["b"]}),
        pl.DataFrame({"title": ["a"], "body": ["b"]}),
        pa.table({"title": ["a"], "body": ["b"]}),
    ],
    ids=["pandas", "polars", "pyarrow"],
)
def test_a_frame_of_several_columns_is_told_to_choose_one(frame):
    with pytest.raises(ValueError, match=r"\['title', 'body'\]\. Pass one"):
        check_documents(frame)


@pytest.mark.parametrize("X", [np.array([["a", "b"]]), sparse.csr_array((2, 5))])
def test_a_matrix_of_several_columns_is_told_to_choose_one(X):
    with pytest.raises(ValueError, match=rf"got {X.shape[1]} columns\. Pass one"):
        check_documents(X)


@pytest.mark.parametrize("row", [3, 2.5, True, {"a": 1}, object(), {"a"}])
def test_a_row_that_is_no_document_is_named(row):
    with pytest.raises(TypeError, match="Row 1 of X must be a document"):
        list(check_documents(["a", row]))


@pytest.mark.parametrize("X", [np.zeros(2), np.ones((2, 1)), pd.Series([1, 2]), [0]])
def test_numbers_are_no_documents(X):
    with pytest.raises(TypeError, match="Row 0 of X must be a document"):
        list(check_documents(X))


@pytest.mark.parametrize("word", [None, 3, b"a", ["a"]])
@pytest.mark.parametrize("as_list", [list, tuple, pd.Series])
def test_a_word_that_is_no_str_is_an_error_that_names_the_row(word, as_list):
    documents = check_documents(as_list(["a", ["b", "c", word]]))
    with pytest.raises(TypeError, match="words of document 1 must be str, got"):
        tokenize(documents, TextAnalysis())


def test_bytes_are_decoded():
    decode = CountVectorizer(encoding="latin-1").decode
    assert list(check_documents([b"\xe9", "a"], decode=decode)) == ["é", "a"]


def test_arrays_of_bytes_are_decoded():
    X = np.array([b"a b", b"c"])
    assert list(check_documents(X, decode=CountVectorizer().decode)) == ["a b", "c"]


def test_bytes_that_do_not_decode_name_their_row_and_the_way_out():
    documents = check_documents(["a", b"\xff"], decode=CountVectorizer().decode)
    with pytest.raises(ValueError, match=r"row 1 of X\. Set encoding, or decode_error"):
        list(documents)


def test_bytes_that_do_not_decode_may_be_replaced():
    decode = CountVectorizer(decode_error="replace").decode
    assert list(check_documents([b"\xff"], decode=decode)) == ["\ufffd"]


def test_documents_are_read_from_files(tmp_path):
    (tmp_path / "one.txt").write_text("é one", encoding="utf-8")
    paths = [tmp_path / "one.txt", str(tmp_path / "one.txt"), None]
    decode = CountVectorizer(input="filename").decode
    documents = check_documents(paths, input="filename", decode=decode, missing="empty")
    assert list(documents) == ["é one", "é one", ""]


def test_documents_are_read_from_open_files():
    decode = CountVectorizer(input="file").decode
    documents = check_documents([BytesIO(b"one")], input="file", decode=decode)
    assert list(documents) == ["one"]


@pytest.mark.parametrize(
    ("kind", "what"), [("filename", "a path"), ("file", "an open")]
)
def test_what_is_no_file_is_named(kind, what):
    decode = CountVectorizer(input=kind).decode
    documents = check_documents([3], input=kind, decode=decode)
    with pytest.raises(TypeError, match=f"Row 0 of X must be {what}"):
        list(documents)


def test_an_endless_stream_is_not_read_ahead():
    numbers = count()
    documents = check_documents(f"document {n}" for n in numbers)
    assert list(islice(iter(documents), 2)) == ["document 0", "document 1"]
    assert next(numbers) == 2


def test_a_list_of_str_is_passed_on_as_it_is():
    assert check_documents(TEXTS) is TEXTS


@pytest.mark.parametrize("wrong", [{"missing": "drop"}, {"input": "url"}])
def test_an_unknown_option_is_named(wrong):
    with pytest.raises(ValueError, match=repr(*wrong.values())):
        check_documents(TEXTS, **wrong)


def test_weights_become_float64():
    weight = check_document_weight(pd.Series([1, 2], index=[5, 6]), 2)
    assert weight.dtype == np.float64
    assert weight.tolist() == [1.0, 2.0]


@pytest.mark.parametrize("weight", [[1.0], [[1.0, 2.0]], 1.0])
def test_weights_of_another_shape_are_refused(weight):
    with pytest.raises(ValueError, match=r"sample_weight must have shape \(2,\)"):
        check_document_weight(weight, 2)


@pytest.mark.parametrize("weight", [[1, -1], [1, np.nan], [np.inf, 1], [0, 0]])
def test_weights_that_make_no_sense_are_refused(weight):
    with pytest.raises(ValueError, match="sample_weight must be finite"):
        check_document_weight(weight, 2)
