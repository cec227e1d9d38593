import mmap
import pickle
from dataclasses import replace

import joblib
import numpy as np
import pytest
import skops.io
from gensim.models.fasttext import load_facebook_vectors
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from skembed import SubwordVectors, WordVectors
from skembed.formats import FormatError, read_fasttext, write_fasttext
from skembed.vectors import _fasttext_ngrams
from tests.formats.fasttext_files import GENSIM_FILES, pruned_model
from tests.reference.ngrams import mean_of_ngrams

FILES = ["crime-and-punishment", "toy-model", "lee_fasttext_new", "lee_fasttext"]
UNSEEN = ["cats", "Ørsted", "", "x", "北京北京北京", "останавливались", "re-start"]


def path_of(name):
    return GENSIM_FILES / f"{name}.bin"


@pytest.fixture
def rows(rng):
    kept = np.sort(rng.choice(1000, 300, replace=False))
    return {int(b): rng.normal(size=4).astype(np.float32) for b in kept}


@pytest.fixture
def word_vectors(rng, rows):
    return SubwordVectors(
        ["the", "Ørsted", "cat"],
        rng.normal(size=(3, 4)),
        list(rows),
        list(rows.values()),
        min_n=2,
        max_n=4,
        bucket=1000,
        counts=[9, 5, 2],
    )


def assert_same(left, right):
    assert left.index_to_key == right.index_to_key
    assert_array_equal(left.vectors, right.vectors)
    assert_array_equal(left.counts, right.counts)
    assert left.ngrams[2:] == right.ngrams[2:]
    assert_array_equal(left.vectors_of(UNSEEN), right.vectors_of(UNSEEN))


@pytest.mark.parametrize("mmap", [True, False])
@pytest.mark.parametrize("name", FILES)
def test_vectors_of_known_and_unseen_words_are_those_of_gensim(name, mmap):
    ours = SubwordVectors.from_fasttext(path_of(name), mmap=mmap)
    theirs = load_facebook_vectors(str(path_of(name)))
    assert ours.index_to_key == theirs.index_to_key
    # To gensim, the end of the line is a word with n-grams; to fastText, it is not.
    words = [word for word in ours.index_to_key if word != "</s>"]
    assert_allclose(ours[words], theirs[words], atol=1e-6)
    expected = np.array([theirs.get_vector(word) for word in UNSEEN])
    assert_allclose(ours.vectors_of(UNSEEN), expected, atol=1e-6)


def test_the_end_of_a_line_has_no_ngrams():
    path = path_of("lee_fasttext_new")
    model = read_fasttext(path)
    row = model.words.index("</s>")
    assert_array_equal(SubwordVectors.from_fasttext(path)["</s>"], model.inputs[row])


def test_unseen_words_are_the_mean_of_the_ngrams_that_exist(word_vectors, rows):
    vectors = word_vectors.vectors_of(["cat", *UNSEEN])
    assert_array_equal(vectors[0], word_vectors.vectors[2])
    for word, vector in zip(UNSEEN, vectors[1:], strict=True):
        expected = mean_of_ngrams(word, 2, 4, 1000, rows)
        if word == "Ørsted":
            expected = word_vectors.vectors[1]
        assert_allclose(
            vector, np.zeros(4) if expected is None else expected, atol=1e-6
        )


def test_many_words_get_the_vectors_that_each_gets_alone(word_vectors, rng):
    words = ["".join(rng.choice(list("abcØ北"), size=5)) for _ in range(9000)]
    together = word_vectors.vectors_of(words)
    for i in rng.integers(0, len(words), 50):
        assert_array_equal(word_vectors.vectors_of([words[i]])[0], together[i])


def test_known_words_are_looked_up_without_copying(word_vectors):
    assert np.shares_memory(word_vectors["cat"], word_vectors.vectors)
    assert "cat" in word_vectors
    assert "cats" not in word_vectors


def test_a_list_may_hold_unseen_words(word_vectors):
    words = ["cat", "catalogue"]
    assert_array_equal(word_vectors[words], word_vectors.vectors_of(words))
    assert word_vectors[[]].shape == (0, 4)


def test_a_word_without_ngrams_has_no_vector():
    word_vectors = SubwordVectors(["cat"], [[1, 2]], [], np.zeros((0, 2)))
    assert_array_equal(word_vectors.vectors_of(["dog"]), [[0, 0]])
    with pytest.raises(KeyError, match="'dog' is not among the 1 words, and none"):
        word_vectors["dog"]
    with pytest.raises(KeyError, match="'dog'"):
        word_vectors[["cat", "dog"]]
    with pytest.raises(TypeError, match="looked up by str, got 3"):
        word_vectors[["cat", 3]]


def test_neighbors_of_an_unseen_word_are_known_words(word_vectors):
    found = word_vectors.most_similar("cathedral", topn=3)
    assert {word for word, _ in found} == set(word_vectors.index_to_key)


def test_ngrams_are_spelled_with_their_buckets(word_vectors):
    ngrams, buckets = word_vectors.subwords("at")
    assert ngrams == ["<a", "<at", "<at>", "at", "at>", "t>"]
    assert buckets.shape == (6,)


@pytest.mark.parametrize("mmap", [True, False])
def test_what_is_saved_is_loaded(word_vectors, tmp_path, mmap):
    path = tmp_path / "words.safetensors"
    word_vectors.save(path)
    assert_same(SubwordVectors.load(path, mmap=mmap), word_vectors)
    assert SubwordVectors.load(path, limit=1).index_to_key == ["the"]
    assert SubwordVectors.load(path, vocabulary={"cat"}).index_to_key == ["cat"]


def test_the_words_alone_can_be_loaded(word_vectors, tmp_path):
    word_vectors.save(tmp_path / "words.safetensors")
    words = WordVectors.load(tmp_path / "words.safetensors")
    assert type(words) is WordVectors
    assert_array_equal(words.vectors, word_vectors.vectors)
    words.save(tmp_path / "alone.safetensors")
    with pytest.raises(FormatError, match="an array 'ngram_buckets'"):
        SubwordVectors.load(tmp_path / "alone.safetensors")


def test_other_formats_hold_the_words_only(word_vectors, tmp_path):
    word_vectors.save(tmp_path / "words.vec")
    assert len(WordVectors.load(tmp_path / "words.vec")) == 3
    with pytest.raises(ValueError, match=r"SubwordVectors\.from_fasttext"):
        SubwordVectors.load(tmp_path / "words.vec")
    with pytest.raises(FormatError, match="fastText model"):
        WordVectors.load(path_of("toy-model"))


def test_gensim_reads_the_same_vectors_from_fasttexts_format(
    word_vectors, tmp_path, rng
):
    ngrams = word_vectors.ngrams
    full = SubwordVectors(
        word_vectors.index_to_key, word_vectors.vectors,
        np.arange(1000), rng.normal(size=(1000, 4)),
        min_n=ngrams.min_n, max_n=ngrams.max_n, bucket=1000, counts=[9, 5, 2],
    )  # fmt: skip
    full.to_fasttext(tmp_path / "model.bin")
    theirs = load_facebook_vectors(str(tmp_path / "model.bin"))
    assert theirs.index_to_key == full.index_to_key
    assert_allclose(theirs.vectors, full.vectors, atol=1e-5)
    expected = np.array([theirs.get_vector(word) for word in UNSEEN])
    assert_allclose(full.vectors_of(UNSEEN), expected, atol=1e-6)
    again = SubwordVectors.from_fasttext(tmp_path / "model.bin")
    assert_allclose(again.vectors, full.vectors, atol=1e-5)
    assert_array_equal(again.counts, full.counts)


def test_known_words_keep_their_vectors_where_ngrams_are_missing(
    word_vectors, tmp_path
):
    word_vectors.to_fasttext(tmp_path / "model.bin")
    again = SubwordVectors.from_fasttext(tmp_path / "model.bin")
    assert_allclose(again.vectors, word_vectors.vectors, atol=1e-5)


def test_only_the_ngrams_of_the_vocabulary_can_be_kept():
    path = path_of("lee_fasttext_new")
    full = SubwordVectors.from_fasttext(path)
    some = SubwordVectors.from_fasttext(path, limit=20, keep="vocabulary")
    assert some.index_to_key == full.index_to_key[:20]
    assert_array_equal(some.vectors, full.vectors[:20])
    assert 0 < len(some.ngrams.buckets) < len(full.ngrams.buckets)
    used = {int(b) for w in some.index_to_key for b in full.subwords(w)[1]}
    assert set(some.ngrams.buckets.tolist()) == used
    one = SubwordVectors.from_fasttext(path, vocabulary={full.index_to_key[5]})
    assert_array_equal(one.vectors, full.vectors[5:6])


def test_a_pruned_and_quantized_model_is_read(rng, tmp_path):
    content, rows = pruned_model(rng)
    (tmp_path / "model.ftz").write_bytes(content)
    word_vectors = SubwordVectors.from_fasttext(tmp_path / "model.ftz")
    kept = {3: rows[2], 41: rows[4], 70: rows[3]}
    words = [f"{a}{b}" for a in "abcdefgh" for b in "stuvwxyz"]
    for word, vector in zip(words, word_vectors.vectors_of(words), strict=True):
        expected = mean_of_ngrams(word, 2, 3, 100, kept)
        assert_allclose(
            vector, np.zeros(5) if expected is None else expected, atol=1e-5
        )


def test_a_model_without_ngrams_is_read():
    path = path_of("pang_lee_polarity_fasttext")
    word_vectors = SubwordVectors.from_fasttext(path, encoding="cp1252")
    expected = read_fasttext(path, encoding="cp1252").inputs
    assert_array_equal(word_vectors.vectors, expected)
    assert_array_equal(word_vectors.vectors_of(["never seen"]), np.zeros((1, 100)))


def test_nan_in_a_file_is_refused(tmp_path):
    model = read_fasttext(path_of("toy-model"))
    for row in (3, -1):
        inputs = np.array(model.inputs)
        inputs[row, 1] = np.nan
        write_fasttext(tmp_path / "model.bin", replace(model, inputs=inputs))
        with pytest.raises(FormatError, match="NaN or infinity in those of"):
            SubwordVectors.from_fasttext(tmp_path / "model.bin", mmap=False)


def test_nan_that_no_word_meets_is_left_on_the_disk(tmp_path):
    model = read_fasttext(path_of("toy-model"))
    inputs = np.array(model.inputs)
    used = SubwordVectors.from_fasttext(path_of("toy-model"), keep="vocabulary").ngrams
    n_words = len(model.words)
    unused = np.setdiff1d(np.arange(len(inputs) - n_words), used.buckets)
    for row in (unused[0], used.buckets[0]):
        inputs[n_words + row] = np.nan
        write_fasttext(tmp_path / "model.bin", replace(model, inputs=inputs))
        if row in unused:
            loaded = SubwordVectors.from_fasttext(tmp_path / "model.bin")
            assert np.isfinite(loaded.vectors).all()
            assert isinstance(base_of(loaded.ngrams.vectors), mmap.mmap)
    with pytest.raises(FormatError, match="of an n-gram"):
        SubwordVectors.from_fasttext(tmp_path / "model.bin")


def base_of(array):
    while isinstance(array, np.ndarray):
        array = array.base
    return array


@pytest.mark.parametrize("pruned", [False, True])
def test_blocks_of_ngrams_give_what_all_at_once_give(
    tmp_path, rng, monkeypatch, pruned
):
    path = path_of("crime-and-punishment")
    if pruned:
        path = tmp_path / "pruned.ftz"
        path.write_bytes(pruned_model(rng)[0])
    expected = SubwordVectors.from_fasttext(path, mmap=False)
    monkeypatch.setattr(_fasttext_ngrams, "_BLOCK_BYTES", 100)
    for options in ({"mmap": True}, {"mmap": False}, {"keep": "vocabulary"}):
        loaded = SubwordVectors.from_fasttext(path, **options)
        assert_allclose(loaded.vectors, expected.vectors, rtol=1e-5, atol=1e-7)
        places = np.searchsorted(expected.ngrams.buckets, loaded.ngrams.buckets)
        assert_array_equal(loaded.ngrams.vectors, expected.ngrams.vectors[places])


def test_repeated_words_are_kept_once_with_a_warning(tmp_path):
    model = read_fasttext(path_of("toy-model"))
    words = [model.words[0], *model.words[:-1]]
    write_fasttext(tmp_path / "model.bin", replace(model, words=words))
    with pytest.warns(UserWarning, match="1 rows repeat a word") as caught:
        word_vectors = SubwordVectors.from_fasttext(tmp_path / "model.bin")
    assert caught[0].filename == __file__
    assert word_vectors.index_to_key == model.words[:-1]


def test_a_pickle_gives_the_same_back(word_vectors, tmp_path):
    before = len(pickle.dumps(word_vectors))
    word_vectors.vectors_of(UNSEEN)
    assert len(pickle.dumps(word_vectors)) == before
    assert before < 4 * 4 * 303 + 4 * 300 + 1500
    assert_same(pickle.loads(pickle.dumps(word_vectors)), word_vectors)
    joblib.dump(word_vectors, tmp_path / "words.joblib")
    mapped = joblib.load(tmp_path / "words.joblib", mmap_mode="r")
    assert isinstance(mapped.ngrams.vectors, np.memmap)
    assert_same(mapped, word_vectors)
    assert clone(word_vectors) is word_vectors


def test_skops_needs_to_trust_nothing_but_the_class(word_vectors):
    dumped = skops.io.dumps(word_vectors)
    trusted = skops.io.get_untrusted_types(data=dumped)
    assert trusted == ["skembed.vectors._subword_vectors.SubwordVectors"]
    assert_same(skops.io.loads(dumped, trusted=trusted), word_vectors)


def test_gensims_vectors_are_taken_over():
    theirs = load_facebook_vectors(str(path_of("toy-model")))
    ours = SubwordVectors.from_gensim(theirs)
    assert np.shares_memory(ours.ngrams.vectors, theirs.vectors_ngrams)
    expected = np.array([theirs.get_vector(word) for word in UNSEEN])
    assert_allclose(ours.vectors_of(UNSEEN), expected, atol=1e-6)
    with pytest.raises(TypeError, match="FastTextKeyedVectors are expected"):
        SubwordVectors.from_gensim(WordVectors(["a"], [[1]]).to_gensim())


@pytest.mark.parametrize(
    ("buckets", "vectors", "message"),
    [
        ([1, 1], np.zeros((2, 2)), "must rise"),
        ([2, 1], np.zeros((2, 2)), "must rise"),
        ([1, 10], np.zeros((2, 2)), "less than bucket=10"),
        ([-1, 1], np.zeros((2, 2)), "must rise"),
        ([1, 2], np.zeros((2, 3)), r"shape \(2, 2\), got shape \(2, 3\)"),
        ([1.5, 2], np.zeros((2, 2)), "1-d array of int"),
    ],
)
def test_ngrams_must_fit(buckets, vectors, message):
    with pytest.raises(ValueError, match=message):
        SubwordVectors(["a"], [[1, 2]], buckets, vectors, bucket=10)


def test_the_repr_tells_the_sizes(word_vectors):
    expected = "SubwordVectors(n_words=3, vector_size=4, n_ngrams=300)"
    assert repr(word_vectors) == expected
