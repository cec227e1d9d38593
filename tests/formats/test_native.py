import json

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from skembed.formats import FormatError, read_native, write_native

WORDS = ["", "New York", "a\nb", "\ud800", "\ud83d\ude00", "😀", "é", "\x00"]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "words.safetensors"


@pytest.fixture
def vectors(rng):
    return rng.normal(size=(len(WORDS), 3)).astype(np.float32)


@pytest.mark.parametrize("mmap", [False, True])
def test_any_words_come_back(path, vectors, mmap):
    write_native(path, WORDS, vectors, np.arange(len(WORDS)))
    table = read_native(path, mmap=mmap)
    assert table.words == WORDS
    assert_array_equal(table.vectors, vectors, strict=True)
    assert_array_equal(table.counts, np.arange(len(WORDS)), strict=True)
    assert isinstance(table.vectors, np.memmap) == mmap


# Every code point, lone surrogates too.
ANY_TEXT = st.text(st.characters(exclude_categories=()))


@given(st.lists(ANY_TEXT, unique=True))
def test_any_list_of_different_words_comes_back(tmp_path_factory, words):
    path = tmp_path_factory.mktemp("native") / "words.safetensors"
    write_native(path, words, np.ones((len(words), 2), dtype=np.float32))
    table = read_native(path)
    assert table.words == words
    assert table.counts is None


def test_the_reader_of_safetensors_reads_it(path, vectors):
    write_native(path, WORDS, vectors, np.arange(len(WORDS)))
    tensors = safetensors.numpy.load_file(path)
    assert_array_equal(tensors["vectors"], vectors, strict=True)
    assert_array_equal(tensors["counts"], np.arange(len(WORDS)))
    word_bytes = tensors["word_bytes"].tobytes()
    start, stop = tensors["word_offsets"][1:3]
    assert word_bytes[start:stop] == b"New York"


def test_what_the_writer_of_safetensors_wrote_is_read(path, vectors):
    tensors = {
        "vectors": vectors[:2],
        "word_bytes": np.frombuffer(b"abc", dtype=np.uint8),
        "word_offsets": np.array([0, 1, 3]),
    }
    metadata = {"format": "skembed.word_vectors", "version": "1"}
    safetensors.numpy.save_file(tensors, path, metadata)
    for mmap in (False, True):
        table = read_native(path, mmap=mmap)
        assert table.words == ["a", "bc"]
        assert_array_equal(table.vectors, vectors[:2], strict=True)


def test_some_words_can_be_read(path, vectors):
    write_native(path, WORDS, vectors, np.arange(len(WORDS)))
    table = read_native(path, limit=4)
    assert table.words == WORDS[:4]
    assert_array_equal(table.counts, [0, 1, 2, 3])
    table = read_native(path, vocabulary={"é", "New York"}, limit=7, mmap=True)
    assert table.words == ["New York", "é"]
    assert_array_equal(table.vectors, vectors[[1, 6]])
    assert_array_equal(table.counts, [1, 6])


def test_nan_is_neither_written_nor_read(path, vectors):
    vectors[2, 1] = np.nan
    with pytest.raises(ValueError, match=r"'a\\nb' \(row 2\) is not finite"):
        write_native(path, WORDS, vectors)
    change(path, vectors, {"vectors": vectors})
    with pytest.raises(FormatError, match="finite numbers, found nan in row 2"):
        read_native(path)


def change(path, vectors, tensors, metadata=None):
    """Write a file with other tensors, or None for absent ones."""
    encoded = [word.encode("utf-8", "surrogatepass") for word in WORDS]
    right = {
        "vectors": vectors,
        "word_bytes": np.frombuffer(b"".join(encoded), dtype=np.uint8),
        "word_offsets": np.cumsum([0, *map(len, encoded)]),
    }
    kept = {k: v for k, v in {**right, **tensors}.items() if v is not None}
    metadata = metadata or {"format": "skembed.word_vectors", "version": "1"}
    safetensors.numpy.save_file(kept, path, metadata)


def test_the_unchanged_file_is_read(path, vectors):
    change(path, vectors, {})
    assert read_native(path).words == WORDS


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({"vectors": None}, "an array 'vectors', found only"),
        ({"vectors": np.ones((8, 3))}, "place of the array 'vectors'"),
        ({"vectors": np.ones((8, 3), dtype=int)}, "'vectors' as F32 .* found I64"),
        ({"vectors": np.ones(8, dtype="f4")}, "2 dimensions"),
        ({"vectors": np.ones((7, 3), dtype="f4")}, "8 vectors, one per word, found 7"),
        ({"counts": np.ones(7, dtype=int)}, "8 counts, one per word, found 7"),
        ({"word_offsets": np.zeros(0, dtype=int)}, "words end to end"),
        ({"word_offsets": np.arange(9)}, "words end to end"),
        ({"word_offsets": np.array([0, 9, 3, 4, 5, 6, 7, 8, 27])}, "words end to end"),
        (
            {"word_offsets": np.array([0, 0, 8, 11, 15, 20, 24, 26, 27])},
            "within a character",
        ),
        ({"word_bytes": np.full(27, 255, dtype="u1")}, "words in UTF-8"),
        (
            {
                "word_bytes": np.full(27, 65, dtype="u1"),
                "word_offsets": np.array([0, 0, 8, 11, 14, 20, 24, 26, 27]),
            },
            "different words",
        ),
    ],
)
def test_arrays_that_do_not_fit_are_named(path, vectors, tensors, message):
    change(path, vectors, tensors)
    with pytest.raises(FormatError, match=message):
        read_native(path)


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"a": "b"}, "the format 'skembed.word_vectors', found None"),
        (
            {"format": "skembed.word_vectors", "version": "2"},
            "the version '1', found '2'",
        ),
    ],
)
def test_other_formats_and_versions_are_refused(path, vectors, metadata, message):
    change(path, vectors, {}, metadata)
    with pytest.raises(FormatError, match=message):
        read_native(path)


def with_header(header, body=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + body


ENTRY = {"dtype": "F32", "shape": [1, 2], "data_offsets": [0, 8]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the length of a safetensors header, found 0 in a file of 0 bytes"),
        (b"\x05\x00", "the length of a safetensors header"),
        (b"\xff" * 8 + b"{}", "the length of a safetensors header"),
        (with_header(b"no json"), "a JSON object, found b'no json'"),
        (with_header(b"\xff\xfe"), "a JSON object"),
        pytest.param(with_header(b"[" * 100_000), "a JSON object", id="nested"),
        (with_header([1]), "a JSON object"),
        (with_header({"v": ENTRY}), "place of the array 'v'"),
        (with_header({"v": ENTRY}, bytes(9)), "8 bytes of arrays, as in the header"),
        (with_header({"v": 3}), "place of the array 'v', found 3"),
        (with_header({"v": {**ENTRY, "dtype": "X"}}, bytes(8)), "dtype, shape and"),
        (with_header({"v": {**ENTRY, "dtype": []}}, bytes(8)), "dtype, shape and"),
        (with_header({"v": {**ENTRY, "shape": [-1, -2]}}, bytes(8)), "dtype, shape"),
        (with_header({"v": {**ENTRY, "shape": [1.0, 2]}}, bytes(8)), "dtype, shape"),
        (with_header({"v": {**ENTRY, "shape": [10**30]}}, bytes(8)), "dtype, shape"),
        (with_header({"v": {**ENTRY, "data_offsets": [8]}}, bytes(8)), "dtype, shape"),
        (with_header({"v": {**ENTRY, "data_offsets": [-8, 0]}}), "dtype, shape"),
        (with_header({"__metadata__": 3}), "the format"),
    ],
)
def test_a_damaged_header_is_refused(path, content, message):
    path.write_bytes(content)
    with pytest.raises(FormatError, match=message):
        read_native(path)
