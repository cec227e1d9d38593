import gzip

import numpy as np
import pytest
from gensim.models import KeyedVectors
from numpy.testing import assert_array_equal

import skembed.formats._binary as binary_module
from skembed.formats import FormatError, read_word2vec_binary, write_word2vec_binary


@pytest.fixture
def file(tmp_path):
    def write(content):
        path = tmp_path / "words.bin"
        path.write_bytes(content)
        return path

    return write


def record(word, *numbers):
    return word + b" " + np.array(numbers, dtype="<f4").tobytes()


def same_bits(a, b):
    return a.dtype == b.dtype == np.float32 and a.tobytes() == b.tobytes()


@pytest.fixture
def gensims(rng):
    keyed_vectors = KeyedVectors(8)
    keyed_vectors.add_vectors(
        [*(f"w{i}" for i in range(40)), "北京", "a\tb"],
        rng.normal(size=(42, 8)).astype(np.float32),
    )
    return keyed_vectors


@pytest.mark.parametrize("between", [b"", b"\n"], ids=["gensim", "word2vec"])
def test_rows_are_read_with_and_without_newlines(file, between):
    rows = [record("né".encode(), 1, 2.5), record(b"w", -0.0, 1e-40)]
    content = b"2 2\n" + between.join(rows) + between
    words, vectors, counts = read_word2vec_binary(file(content))
    assert words == ["né", "w"]
    assert same_bits(vectors, np.array([[1, 2.5], [-0.0, 1e-40]], dtype=np.float32))
    assert counts is None


def test_bytes_of_numbers_may_be_spaces_and_newlines(file):
    odd = np.frombuffer(b"    \n\n\n\n \n \n", dtype="<f4")
    content = b"2 3\n" + record(b"a", *odd) + record(b"b", *odd)
    table = read_word2vec_binary(file(content))
    assert table.words == ["a", "b"]
    assert same_bits(table.vectors, np.stack([odd, odd]))


def test_files_are_those_of_gensim_byte_for_byte(gensims, tmp_path):
    gensims.save_word2vec_format(tmp_path / "theirs", binary=True)
    write_word2vec_binary(tmp_path / "ours", gensims.index_to_key, gensims.vectors)
    assert (tmp_path / "ours").read_bytes() == (tmp_path / "theirs").read_bytes()


def test_gensim_reads_what_is_written_and_the_other_way_round(gensims, tmp_path):
    path = tmp_path / "words.bin"
    gensims.save_word2vec_format(path, binary=True)
    table = read_word2vec_binary(path)
    assert table.words == gensims.index_to_key
    assert same_bits(table.vectors, gensims.vectors)
    write_word2vec_binary(path, table.words, table.vectors)
    back = KeyedVectors.load_word2vec_format(path, binary=True)
    assert same_bits(back.vectors, gensims.vectors)


def test_small_blocks_read_the_same(gensims, tmp_path, monkeypatch):
    gensims.save_word2vec_format(tmp_path / "words.bin", binary=True)
    # The header is read in one piece.
    for n_bytes in (64, 100, 1000):
        monkeypatch.setattr(binary_module, "BLOCK_BYTES", n_bytes)
        table = read_word2vec_binary(tmp_path / "words.bin")
        assert table.words == gensims.index_to_key
        assert same_bits(table.vectors, gensims.vectors)


A_AND_B = record(b"a", 1, 2) + record(b"b", 3, 4)


@pytest.mark.parametrize(
    ("content", "byte", "message"),
    [
        (b"", None, "the header 'n_words vector_size', found an empty line"),
        (b"2 2", None, "the header"),
        (A_AND_B, None, "the header"),
        (b"\xba\x16\x4f\x2f" + bytes(60), 0, "a word2vec file, found a fastText model"),
        (b"3 2\n" + A_AND_B + b"c 123", 29, "3 rows, as in the header, found the end"),
        (b"1 2\n" + A_AND_B, 14, "the end .*, found 10 more bytes"),
        (b"2 2\n" + record(b"a", 1, 2) + record(b"\xff", 3, 4), 14, r"UTF-8 .*'\\xff'"),
        (
            b"2 2\n" + record(b"a", 1, 2) + record(b"b", 3, np.nan),
            None,
            r"nan in row 1",
        ),
        (b"2 2\n" + record(b"a", np.inf, 2) + record(b"b", 3, 4), None, r"\('a'\)"),
    ],
    ids=lambda value: str(value)[:25],
)
def test_the_byte_at_fault_is_named(file, content, byte, message):
    with pytest.raises(FormatError, match=message) as caught:
        read_word2vec_binary(file(content))
    assert caught.value.byte == byte


@pytest.mark.parametrize(
    "header", [b"999999999 300\n", b"1 999999999999\n", b"99999999999999999 1\n"]
)
def test_a_header_that_the_file_belies_takes_no_memory(tmp_path, header):
    path = tmp_path / "words.bin"
    path.write_bytes(header + A_AND_B)
    with pytest.raises(FormatError, match=r"at least \d+ bytes for"):
        read_word2vec_binary(path)
    # Of a compressed file the size is not known.
    path.write_bytes(gzip.compress(header + A_AND_B))
    with pytest.raises(FormatError, match=r"rows, as in the header, found the end"):
        read_word2vec_binary(path)


def test_of_a_repeated_word_the_first_is_kept_with_a_warning(file):
    path = file(b"3 2\n" + A_AND_B + record(b"a", 5, 6))
    with pytest.warns(UserWarning, match="1 rows repeat a word"):
        table = read_word2vec_binary(path)
    assert table.words == ["a", "b"]
    assert_array_equal(table.vectors, [[1, 2], [3, 4]])


def test_words_that_are_not_utf8_follow_the_policy(file):
    path = file(b"2 2\n" + record(b"caf\xc3", 1, 2) + record(b"b", 3, 4))
    assert read_word2vec_binary(path, errors="ignore").words == ["caf", "b"]
    assert read_word2vec_binary(path, errors="replace").words == ["caf\ufffd", "b"]


def test_words_of_another_encoding_are_read_by_its_name(file):
    path = file(b"1 2\n" + record("naïve".encode("cp1252"), 1, 2))
    assert read_word2vec_binary(path, encoding="cp1252").words == ["naïve"]


def test_a_limit_stops_before_what_follows(file):
    path = file(b"2 2\n" + A_AND_B + b"more")
    assert read_word2vec_binary(path, limit=1).words == ["a"]
    assert read_word2vec_binary(path, limit=0).vectors.shape == (0, 2)
    with pytest.raises(FormatError, match="found 4 more bytes"):
        read_word2vec_binary(path, limit=2)
    with pytest.raises(ValueError, match="limit must be None or an int >= 0"):
        read_word2vec_binary(path, limit=-1)


def test_only_the_wanted_words_are_kept(file):
    path = file(b"3 2\n" + A_AND_B + record(b"c", 5, 6))
    table = read_word2vec_binary(path, vocabulary={"c", "a", "x"})
    assert table.words == ["a", "c"]
    assert_array_equal(table.vectors, [[1, 2], [5, 6]])


@pytest.mark.parametrize("word", ["New York", "a\nb", ""])
def test_words_with_gaps_are_not_written(tmp_path, word):
    with pytest.raises(ValueError, match="cannot be written") as caught:
        write_word2vec_binary(tmp_path / "words.bin", ["fine", word], np.ones((2, 2)))
    assert f"{word!r} (row 1)" in str(caught.value)
    assert list(tmp_path.iterdir()) == []
