import sys
import zipfile

import numpy as np
import pytest
from gensim.models import KeyedVectors
from numpy.testing import assert_array_equal

from skembed import WordVectors
from skembed.formats import FormatError

EXTENSIONS = [
    *(".safetensors", ".bin", ".txt", ".vec"),
    *(".bin.gz", ".txt.bz2", ".vec.xz", ".TXT.GZ"),
]


@pytest.fixture
def word_vectors(rng):
    words = ["the", "Ørsted", "北京", "..."]
    return WordVectors(words, rng.normal(size=(4, 5)), counts=[4, 3, 2, 1])


def assert_same(loaded, saved):
    assert loaded.index_to_key == saved.index_to_key
    assert_array_equal(loaded.vectors, saved.vectors, strict=True)


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_what_is_saved_can_be_loaded_by_the_extension(
    word_vectors, tmp_path, extension
):
    word_vectors.save(tmp_path / f"words{extension}")
    assert_same(WordVectors.load(tmp_path / f"words{extension}"), word_vectors)


@pytest.mark.parametrize("format", ["native", "word2vec", "word2vec-binary", "glove"])
def test_what_is_saved_can_be_loaded_by_its_format(word_vectors, tmp_path, format):
    path = str(tmp_path / "words")
    word_vectors.save(path, format)
    assert_same(WordVectors.load(path, format), word_vectors)


def test_the_native_format_keeps_the_counts(word_vectors, tmp_path):
    word_vectors.save(tmp_path / "words.safetensors")
    loaded = WordVectors.load(tmp_path / "words.safetensors")
    assert_array_equal(loaded.counts, word_vectors.counts, strict=True)


def test_text_is_loaded_with_and_without_a_header(word_vectors, tmp_path):
    word_vectors.save(tmp_path / "headless.txt", "glove")
    assert_same(WordVectors.load(tmp_path / "headless.txt"), word_vectors)


def test_the_vectors_can_stay_on_the_disk(word_vectors, tmp_path):
    word_vectors.save(tmp_path / "words.safetensors")
    loaded = WordVectors.load(tmp_path / "words.safetensors", mmap=True)
    assert isinstance(loaded.vectors.base, np.memmap)
    assert not loaded.vectors.flags.writeable
    assert_same(loaded, word_vectors)
    assert loaded.most_similar("the") == word_vectors.most_similar("the")


def test_only_the_native_format_is_mapped(word_vectors, tmp_path):
    word_vectors.save(tmp_path / "words.bin")
    with pytest.raises(ValueError, match="Only the native format can be mapped"):
        WordVectors.load(tmp_path / "words.bin", mmap=True)


@pytest.mark.parametrize("extension", [".safetensors", ".bin", ".txt"])
def test_some_words_can_be_loaded(word_vectors, tmp_path, extension):
    path = tmp_path / f"words{extension}"
    word_vectors.save(path)
    assert WordVectors.load(path, limit=2).index_to_key == ["the", "Ørsted"]
    some = WordVectors.load(path, vocabulary={"...", "Ørsted", "unknown"})
    assert some.index_to_key == ["Ørsted", "..."]
    assert_array_equal(some["..."], word_vectors["..."])


def test_a_file_in_an_archive_is_named_by_the_path(word_vectors, tmp_path):
    word_vectors.save(tmp_path / "words.txt", "glove")
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for name in ("a/words.txt", "b/words.txt"):
            archive.write(tmp_path / "words.txt", name)
    loaded = WordVectors.load(tmp_path / "all.zip/b/words.txt")
    assert_same(loaded, word_vectors)
    with pytest.raises(FormatError, match=r"found 2 files: a/words.txt, b/words.txt"):
        WordVectors.load(tmp_path / "all.zip", "glove")
    with pytest.raises(FormatError, match=r"expected c.txt"):
        WordVectors.load(tmp_path / "all.zip/c.txt")


def test_a_format_that_is_not_clear_is_asked_for(word_vectors, tmp_path):
    with pytest.raises(ValueError, match="say its format"):
        word_vectors.save(tmp_path / "words.dat")
    with pytest.raises(ValueError, match="format must be one of"):
        word_vectors.save(tmp_path / "words.txt", "text")
    with pytest.raises(ValueError, match="not written compressed"):
        word_vectors.save(tmp_path / "words.txt.zip")
    with pytest.raises(ValueError, match="not written compressed"):
        word_vectors.save(tmp_path / "words.safetensors.gz")


def test_a_missing_file_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        WordVectors.load(tmp_path / "words.txt")


def test_a_warning_about_a_file_points_to_who_loads_it(tmp_path):
    (tmp_path / "words.txt").write_text("a 1 2\na 3 4\n")
    with pytest.warns(UserWarning, match="1 rows repeat a word") as caught:
        WordVectors.load(tmp_path / "words.txt")
    assert caught[0].filename == __file__


def test_gensim_gets_words_vectors_and_counts(word_vectors):
    keyed_vectors = word_vectors.to_gensim()
    assert keyed_vectors.index_to_key == word_vectors.index_to_key
    assert_array_equal(keyed_vectors.vectors, word_vectors.vectors)
    assert keyed_vectors.get_vecattr("北京", "count") == 2
    assert not np.shares_memory(keyed_vectors.vectors, word_vectors.vectors)


def test_gensim_gives_back_what_it_got(word_vectors):
    back = WordVectors.from_gensim(word_vectors.to_gensim())
    assert_same(back, word_vectors)
    assert_array_equal(back.counts, word_vectors.counts)


def test_vectors_of_gensim_are_not_copied_and_counts_not_needed(word_vectors):
    keyed_vectors = KeyedVectors(5)
    keyed_vectors.add_vectors(word_vectors.index_to_key, word_vectors.vectors)
    taken = WordVectors.from_gensim(keyed_vectors)
    assert taken.counts is None
    assert np.shares_memory(taken.vectors, keyed_vectors.vectors)


def test_a_whole_model_of_gensim_is_not_taken():
    class Model:
        wv = None

    with pytest.raises(TypeError, match="Pass its attribute `wv`"):
        WordVectors.from_gensim(Model())


def test_one_word_is_no_vocabulary(word_vectors, tmp_path):
    word_vectors.save(tmp_path / "words.txt")
    with pytest.raises(TypeError, match="collection of words, got the str 'the'"):
        WordVectors.load(tmp_path / "words.txt", vocabulary="the")


def test_gensim_is_asked_for_where_it_is_missing(word_vectors, monkeypatch):
    monkeypatch.setitem(sys.modules, "gensim.models", None)
    with pytest.raises(ImportError, match=r"to_gensim needs .* pip install"):
        word_vectors.to_gensim()
