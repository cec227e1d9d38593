"""Files that are cut off or changed anywhere: refused, never misread or a crash."""

import warnings
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from skembed.formats import (
    FormatError,
    read_glove_text,
    read_native,
    read_word2vec_binary,
    read_word2vec_text,
    write_glove_text,
    write_native,
    write_word2vec_binary,
    write_word2vec_text,
)

WORDS = ["the", "Ørsted", "北京", "w4", "w5"]
FORMATS = {
    "text": (write_word2vec_text, read_word2vec_text),
    "glove": (write_glove_text, read_glove_text),
    "binary": (write_word2vec_binary, read_word2vec_binary),
    "native": (write_native, read_native),
}


@pytest.fixture(scope="module", params=FORMATS)
def case(request, tmp_path_factory):
    write, read = FORMATS[request.param]
    vectors = np.random.default_rng(0).random((5, 3), dtype=np.float32)
    path = tmp_path_factory.mktemp(request.param) / "words"
    write(path, WORDS, vectors)
    return request.param, path.read_bytes(), read, vectors


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("damaged") / "words"


def test_a_file_cut_off_anywhere_is_refused(case, path):
    name, content, read, vectors = case
    # Text that ends before its last newline is whole; within its last number, it is
    # another text. Without a header, it may end after any row.
    last_number = content.rfind(b" ") + 2
    for n_bytes in range(len(content)):
        path.write_bytes(content[:n_bytes])
        if name in ("text", "glove") and n_bytes >= last_number:
            assert read(path).words == WORDS
        elif name == "glove":
            check_prefix(read, path, vectors)
        else:
            with pytest.raises(FormatError):
                read(path)


def check_prefix(read, path, vectors):
    """Without a header, a text may be whole rows, of which the last is shorter."""
    try:
        table = read(path)
    except FormatError:
        return
    assert table.words == WORDS[: len(table.words)]
    rows = len(table.words) - 1
    if rows:
        assert_array_equal(table.vectors[:rows], vectors[:rows])


@given(data=st.data())
def test_changed_bytes_are_refused_or_read(case, path, data):
    _, content, read, _ = case
    changed = bytearray(content)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(changed) - 1))
        if data.draw(st.booleans()):
            changed[place] = data.draw(st.integers(0, 255))
        else:
            del changed[place:][: data.draw(st.integers(1, 9))]
    check(read, path, bytes(changed))


@given(content=st.binary(max_size=200))
def test_any_bytes_are_refused_or_read(case, path, content):
    check(case[2], path, content)


@given(
    content=st.lists(
        st.sampled_from(
            [b" ", b"\n", b"\t", b"\r", b"1", b".", b"-", b"e", b"a", b"\xc3", b"2 3\n"]
        )
    ).map(b"".join)
)
def test_any_text_of_numbers_and_gaps_is_refused_or_read(case, path, content):
    check(case[2], path, content)


def check(read, path, content):
    path.write_bytes(content)
    with suppress(FormatError), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r".*repeat a word")
        table = read(path)
        assert len(set(table.words)) == len(table.words) == len(table.vectors)
        assert np.isfinite(table.vectors).all()
