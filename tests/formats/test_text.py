import numpy as np
import pytest
from gensim.models import KeyedVectors
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_array_equal

import skembed.formats._source as source_module
from skembed.formats import (
    FormatError,
    read_glove_text,
    read_word2vec_text,
    write_glove_text,
    write_word2vec_text,
)

ROWS = b"the 0.5 -1e-05 3\ncat 1 2 3\n"


@pytest.fixture
def file(tmp_path):
    def write(content):
        path = tmp_path / "words.txt"
        path.write_bytes(content)
        return path

    return write


def same_bits(a, b):
    return a.dtype == b.dtype == np.float32 and a.tobytes() == b.tobytes()


@pytest.mark.parametrize(
    ("read", "header"),
    [
        (read_word2vec_text, b"2 3\n"),
        (read_glove_text, b"2 3\n"),
        (read_glove_text, b""),
    ],
)
def test_words_and_vectors_are_read(file, read, header):
    words, vectors, counts = read(file(header + ROWS))
    assert words == ["the", "cat"]
    expected = np.array([[0.5, -1e-05, 3], [1, 2, 3]], dtype=np.float32)
    assert_array_equal(vectors, expected, strict=True)
    assert counts is None


@pytest.mark.parametrize(
    "content",
    [
        b"2 3\r\nthe 0.5 -1e-05 3\r\ncat 1 2 3\r\n",
        b"2 3\nthe 0.5 -1e-05 3 \ncat 1 2 3 \n",
        b"2 3\nthe\t0.5\t-1e-05\t3\ncat\t1\t2\t3\n",
        b"2 3\nthe   0.5  -1e-05 3\n cat 1 2 3",
        b"\xef\xbb\xbf2 3\n" + ROWS,
        b"2 3\n" + ROWS + b"\n \n",
    ],
    ids=["returns", "spaces at the end", "tabs", "runs of spaces", "mark", "blank end"],
)
def test_other_spacing_is_read_too(file, content):
    table = read_word2vec_text(file(content))
    assert table.words == ["the", "cat"]
    assert_array_equal(table.vectors[:, 2], [3, 3])
    assert_array_equal(read_glove_text(file(content)).vectors, table.vectors)


@pytest.mark.parametrize(
    "word",
    [". . .", "at name@domain.com", "1", "<unk>", "", "a\tb", "é\x85\xa0", "1 2/3"],
)
def test_odd_words_are_read(file, word):
    content = f"{word} 1 2\nother 3 4\n".encode()
    assert read_glove_text(file(content)).words == [word, "other"]
    assert read_word2vec_text(file(b"2 2\n" + content)).words == [word, "other"]


def test_one_column_is_not_taken_for_a_header(file):
    table = read_glove_text(file(b"3 5\n4 6\n"))
    assert table.words == ["3", "4"]
    assert_array_equal(table.vectors, [[5], [6]])
    assert read_glove_text(file(b"1 1\n4 6\n")).words == ["4"]


@pytest.mark.parametrize("digits", ["{!r}", "{:.6f}", "{:.9g}", "{:.25f}", "{:.18e}"])
def test_numbers_are_read_as_python_reads_them(file, rng, digits):
    numbers = rng.normal(size=(50, 20)) * 10.0 ** rng.integers(-9, 9, size=(50, 20))
    texts = [[digits.format(float(x)) for x in row] for row in numbers]
    expected = np.array(texts).astype(np.float64).astype(np.float32)
    lines = [f"w{i} {' '.join(row)}\n" for i, row in enumerate(texts)]
    vectors = read_glove_text(file("".join(lines).encode())).vectors
    assert same_bits(vectors, expected)


@given(
    st.lists(
        st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1
    ).flatmap(
        lambda numbers: st.tuples(
            *(
                st.sampled_from([repr(x), f"{x:.30e}", f"+{abs(x)!r}", f"{x:.50f}"])
                for x in numbers
            )
        )
    )
)
def test_any_spelling_of_a_number_is_read_as_python_reads_it(tmp_path_factory, numbers):
    path = tmp_path_factory.mktemp("numbers") / "words.txt"
    path.write_text(f"1 {len(numbers)}\nword {' '.join(numbers)}\n")
    expected = np.array([[float(number) for number in numbers]]).astype(np.float32)
    assert same_bits(read_word2vec_text(path).vectors, expected)


def test_numbers_between_two_floats_are_rounded_as_python_rounds(file, rng):
    low = rng.normal(size=200).astype(np.float32)
    middle = (low.astype(np.float64) + np.nextafter(low, np.float32(np.inf))) / 2
    near = np.concatenate([middle, np.nextafter(middle, 9), np.nextafter(middle, -9)])
    content = "word " + " ".join(map(repr, near.tolist())) + "\n"
    vectors = read_glove_text(file(content.encode())).vectors
    assert same_bits(vectors[0], near.astype(np.float32))


@given(
    arrays(
        np.float32,
        st.tuples(st.integers(1, 5), st.integers(1, 4)),
        elements=st.floats(width=32, allow_nan=False, allow_infinity=False),
    ),
    st.booleans(),
)
def test_what_is_written_is_read_with_the_same_bits(tmp_path_factory, vectors, header):
    path = tmp_path_factory.mktemp("roundtrip") / "words.txt"
    words = [f"w{i}" for i in range(len(vectors))]
    if header:
        write_word2vec_text(path, words, vectors)
        table = read_word2vec_text(path)
    else:
        write_glove_text(path, words, vectors)
        table = read_glove_text(path)
    assert table.words == words
    assert same_bits(table.vectors, vectors)


@pytest.fixture
def gensims(rng):
    keyed_vectors = KeyedVectors(8)
    keyed_vectors.add_vectors(
        [*(f"w{i}" for i in range(40)), "北京", "."],
        (rng.normal(size=(42, 8)) * 10.0 ** rng.integers(-12, 12, (42, 8))).astype(
            "f4"
        ),
    )
    return keyed_vectors


@pytest.mark.parametrize("header", [True, False])
def test_files_are_those_of_gensim_byte_for_byte(gensims, tmp_path, header):
    gensims.save_word2vec_format(tmp_path / "theirs", write_header=header)
    write = write_word2vec_text if header else write_glove_text
    write(tmp_path / "ours", gensims.index_to_key, gensims.vectors)
    assert (tmp_path / "ours").read_bytes() == (tmp_path / "theirs").read_bytes()


def test_gensim_reads_what_is_written_and_the_other_way_round(gensims, tmp_path):
    path = tmp_path / "words.txt"
    gensims.save_word2vec_format(path)
    table = read_word2vec_text(path)
    assert table.words == gensims.index_to_key
    assert same_bits(table.vectors, gensims.vectors)
    write_word2vec_text(path, table.words, table.vectors)
    assert same_bits(KeyedVectors.load_word2vec_format(path).vectors, gensims.vectors)


def test_small_blocks_read_the_same(gensims, tmp_path, monkeypatch):
    gensims.save_word2vec_format(tmp_path / "words.txt")
    for n_bytes in (1, 7, 100, 1000):
        monkeypatch.setattr(source_module, "BLOCK_BYTES", n_bytes)
        table = read_word2vec_text(tmp_path / "words.txt")
        assert table.words == gensims.index_to_key
        assert same_bits(table.vectors, gensims.vectors)


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        (b"", 1, "found an empty line"),
        (b"\n" + ROWS, 1, "found an empty line"),
        (ROWS, 1, "the header 'n_words vector_size', found b'the 0.5"),
        (b"2 0\n", 1, "the header"),
        (b"-2 3\n", 1, "the header"),
        (b"9" * 5000 + b" 3\n", 1, "the header"),
        (b"2 3\nthe 1 2 3\n", 3, "2 rows, as in the header, found the end after 1"),
        (b"2 3\nthe 1 2 3\n\n\n", 5, "2 rows, as in the header, found the end after 1"),
        (b"1 1\n", 2, "1 rows, as in the header, found the end after 0"),
        (b"1 3\n" + ROWS, 3, "the end after 1 rows, as in the header, found another"),
        (b"2 3\nthe 1 2\ncat 1 2 3\n", 2, "a word and 3 numbers, found 3 fields"),
        (
            b"2 3\nthe 1 2 3 4\ncat 1 2 3\n",
            2,
            "3 numbers, found one more after 'the 1'",
        ),
        (b"2 3\nthe 1 2\t3 4\ncat 1 2 3\n", 2, "3 numbers, found one more after"),
        (b"2 3\nthe 1 2 x\ncat 1 2 3\n", 2, "a number, found b'x'"),
        (b"2 3\nthe 1 2 0x1\ncat 1 2 3\n", 2, "a number, found b'0x1'"),
        (b"2 3\nthe 1 2 1_0\ncat 1 2 3\n", 2, "a number, found b'1_0'"),
        (b"2 3\nthe 1 2 1,5\ncat 1 2 3\n", 2, "a number, found b'1,5'"),
        (b"2 3\nthe 1 2 1.2.3\ncat 1 2 3\n", 2, "a number, found b'1.2.3'"),
        (b"2 3\nthe 1  2\t\ncat 1 2 3\n", 2, "a word and 3 numbers"),
        (b"2 3\n" + ROWS[:17] + b"cat 1 nan 3\n", 3, "a number, found b'nan'"),
        (b"2 3\n" + ROWS[:17] + b"cat 1 -inf 3\n", 3, "a number, found b'-inf'"),
        (b"2 3\n" + ROWS[:17] + b"cat 1 1e39 3\n", 3, "float32, found b'1e39'"),
        (b"2 3\n" + ROWS[:17] + b"\ncat 1 2 3\n", 3, "a row, found an empty line"),
        (b"2 3\nthe 1 2 3\nc\xe4t 1 2 3\n", 3, r"UTF-8 .* found b'c\\xe4t'"),
        (b"2 3\nthe 1 2 3\ncat 1 2", 3, "found 3 fields"),
    ],
    ids=lambda value: str(value)[:25],
)
def test_the_line_at_fault_is_named(file, content, line, message):
    path = file(content)
    with pytest.raises(FormatError, match=message) as caught:
        read_word2vec_text(path)
    assert caught.value.line == line
    assert caught.value.path == str(path)
    assert f"words.txt, line {line}: expected" in str(caught.value)


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"word\n", b"word x y\n", b"\x00\x01\x02"], ids=repr
)
def test_what_is_no_table_is_refused_without_a_header_too(file, content):
    with pytest.raises(FormatError, match="a word and its numbers") as caught:
        read_glove_text(file(content))
    assert caught.value.line == 1


def test_the_first_row_tells_how_long_all_are(file):
    with pytest.raises(FormatError, match="3 numbers, found 3 fields") as caught:
        read_glove_text(file(b"a 1 2 3\nb 1 2\n"))
    assert caught.value.line == 2


@pytest.mark.parametrize("header", [b"999999999 300\n", b"3 999999999999\n"])
def test_a_header_that_the_file_belies_takes_no_memory(file, header):
    with pytest.raises(FormatError, match=r"at least \d+ bytes for"):
        read_word2vec_text(file(header + ROWS))


def test_lines_are_counted_across_blocks(file, monkeypatch):
    monkeypatch.setattr(source_module, "BLOCK_BYTES", 50)
    content = b"".join(b"w%d 1 2\n" % i for i in range(100))
    with pytest.raises(FormatError) as caught:
        read_glove_text(file(content + b"bad 1\n"))
    assert caught.value.line == 101
    blank_then_row = b"a 1 2\n" * 20 + b"\n" * 200 + b"b 1 2\n"
    with pytest.raises(FormatError, match="empty line") as caught:
        read_glove_text(file(blank_then_row))
    assert caught.value.line == 21


def test_a_file_without_newlines_is_given_up(file, monkeypatch):
    monkeypatch.setattr(source_module, "BLOCK_BYTES", 50)
    monkeypatch.setattr(source_module, "_MAX_LINE_BYTES", 500)
    with pytest.raises(FormatError, match="a newline, found none in 550 bytes"):
        read_glove_text(file(b"0" * 10_000))


def test_of_a_repeated_word_the_first_is_kept_with_a_warning(file):
    path = file(b"a 1 2\nb 3 4\na 5 6\na 7 8\n")
    with pytest.warns(UserWarning, match="2 rows repeat a word") as caught:
        table = read_glove_text(path)
    assert caught[0].filename == __file__
    assert table.words == ["a", "b"]
    assert_array_equal(table.vectors, [[1, 2], [3, 4]])


@pytest.mark.parametrize(
    ("errors", "words"),
    [
        ("replace", ["c\N{REPLACEMENT CHARACTER}t", "dog"]),
        ("ignore", ["ct", "dog"]),
        ("surrogateescape", ["c\udce4t", "dog"]),
    ],
)
def test_words_that_are_not_utf8_follow_the_policy(file, errors, words):
    path = file(b"c\xe4t 1 2\ndog 3 4\n")
    assert read_glove_text(path, errors=errors).words == words


@pytest.mark.parametrize("encoding", ["cp1252", "koi8-r", "gb18030", "UTF8"])
@pytest.mark.parametrize("read", [read_glove_text, read_word2vec_text])
def test_words_of_another_encoding_are_read_by_its_name(file, read, encoding):
    words = {"koi8-r": ["москва", "к"], "gb18030": ["北京", "市"]}.get(
        encoding, ["naïve", "Ørsted"]
    )
    lines = "2 2\n" + "".join(f"{word} 1 2\n" for word in words)
    assert read(file(lines.encode(encoding)), encoding=encoding).words == words


def test_an_encoding_that_cannot_be_is_refused(file):
    path = file("a 1 2\n".encode("utf-16"))
    with pytest.raises(ValueError, match=r"has ASCII in it, got 'utf-16'. Convert"):
        read_glove_text(path, encoding="utf-16")
    with pytest.raises(ValueError, match="known to Python: unknown encoding: klingon"):
        read_glove_text(path, encoding="klingon")
    with pytest.raises(ValueError, match="unknown error handler name 'hide'"):
        read_glove_text(path, errors="hide")


def test_a_limit_stops_before_what_follows(file):
    path = file(b"9 2\na 1 2\nb 3 4\nc broken\n")
    table = read_word2vec_text(path, limit=2)
    assert table.words == ["a", "b"]
    assert_array_equal(table.vectors, [[1, 2], [3, 4]])
    assert read_word2vec_text(path, limit=0).vectors.shape == (0, 2)
    with pytest.raises(ValueError, match="limit must be None or an int >= 0"):
        read_word2vec_text(path, limit=-1)


def test_only_the_wanted_words_are_kept(file):
    path = file(b"a 1 2\nb 3 4\nc 5 6\nd 7 8\n")
    table = read_glove_text(path, vocabulary=["d", "b", "x"])
    assert table.words == ["b", "d"]
    assert_array_equal(table.vectors, [[3, 4], [7, 8]])
    assert read_glove_text(path, vocabulary=[]).vectors.shape == (0, 2)


def test_a_table_without_words_is_read(file):
    assert read_word2vec_text(file(b"0 5\n")).vectors.shape == (0, 5)


@pytest.mark.parametrize("write", [write_word2vec_text, write_glove_text])
@pytest.mark.parametrize("word", ["New York", "a\nb", "a\tb", "a\r", ""])
def test_words_with_gaps_are_not_written(tmp_path, write, word):
    with pytest.raises(ValueError, match="cannot be written") as caught:
        write(tmp_path / "words.txt", ["fine", word], np.ones((2, 2)))
    assert f"{word!r} (row 1)" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_lone_surrogates_are_not_written(tmp_path):
    with pytest.raises(ValueError, match=r"'\\ud800' \(row 0\) cannot be encoded"):
        write_glove_text(tmp_path / "words.txt", ["\ud800"], np.ones((1, 2)))


def test_vectors_that_are_not_finite_are_not_written(tmp_path):
    with pytest.raises(ValueError, match=r"'b' \(row 1\) is not finite"):
        write_glove_text(tmp_path / "x.txt", ["a", "b"], np.array([[1], [np.inf]]))
    with pytest.raises(
        ValueError, match=r"shape \(1, vector_size\), got shape \(2, 3\)"
    ):
        write_glove_text(tmp_path / "x.txt", ["a"], np.ones((2, 3)))
