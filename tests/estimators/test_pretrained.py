"""Published vectors as they are, and as what training begins with."""

import gzip

import numpy as np
import pytest
from gensim.models import FastText, KeyedVectors
from gensim.models.fasttext import load_facebook_vectors
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skembed import (
    FastTextVectorizer,
    GloVeVectorizer,
    SkipGramVectorizer,
    SubwordVectors,
    WordVectors,
)
from skembed.estimators import _counting, _fasttext, _skipgram
from skembed.features import POOLINGS
from tests.formats.fasttext_files import GENSIM_FILES
from tests.reference import pooling as reference

WORDS = ["the", "cat", "dog", "walrus", "sings"]
MODELS = [SkipGramVectorizer, GloVeVectorizer, FastTextVectorizer]
KINDS = [{"vectors": kind} for kind in ("input", "output", "input+output")]


@pytest.fixture
def published(rng):
    """Four words of the animals' texts, and one that they do not hold."""
    return WordVectors(WORDS, rng.normal(size=(5, 3)).astype(np.float32))


@pytest.fixture(params=MODELS)
def frozen(request, published):
    return request.param(pretrained=published)


@pytest.fixture(params=MODELS)
def tuned(request, published):
    model = request.param(
        pretrained=published, fine_tune=True, min_count=1, epochs=2, random_state=0
    )
    # All occurrences of so few words are needed.
    return model.set_params(**({"sample": 0} if "sample" in vars(model) else {}))


def kinds_of(model):
    """What a model can keep of its tables; fastText keeps one."""
    return KINDS if "vectors" in vars(model) else [{}]


def ids_in(words, documents):
    return [[words.index(w) for w in text.split() if w in words] for text in documents]


def test_vectors_are_those_that_were_published(frozen, published, animals):
    frozen.fit(animals)
    assert frozen.word_vectors_.index_to_key == WORDS
    assert frozen.word_vectors_.vectors is published.vectors
    assert frozen.n_iter_ == 0
    assert frozen.loss_curve_.shape == (0,)


def test_nothing_is_trained(frozen, animals, monkeypatch):
    def fail(*_, **__):
        pytest.fail("trained")

    monkeypatch.setattr(_skipgram, "train_skipgram", fail)
    monkeypatch.setattr(_counting, "train_glove", fail)
    monkeypatch.setattr(_fasttext, "train_fasttext", fail)
    frozen.fit(animals).fit_transform(animals)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_words_are_weighted_by_their_counts_in_the_documents(
    frozen, published, animals, pooling
):
    features = frozen.set_params(pooling=pooling).fit_transform(animals)
    ids = ids_in(WORDS, animals)
    expected = reference.pool(
        ids,
        published.vectors,
        pooling,
        idf=reference.idf(ids, 5),
        sif=reference.sif(ids, 5),
    )
    assert_allclose(features, expected, rtol=1e-5, atol=1e-6)
    assert_array_equal(frozen.transform(animals), features)


def test_words_that_the_documents_do_not_hold_count_0_and_have_vectors(
    frozen, published, animals
):
    frozen.fit(animals)
    assert frozen.vocabulary_.words == tuple(WORDS)
    assert frozen.vocabulary_.counts.tolist() == [11, 3, 3, 0, 1]
    assert frozen.idf_[3] == pytest.approx(np.log(10) + 1)
    assert_array_equal(frozen.transform(["Walrus!"]), published[["walrus"]])


def test_all_words_are_kept_whatever_their_count(frozen, animals):
    frozen.set_params(min_count=7, max_vocab_size=2).fit(animals)
    assert frozen.vocabulary_.words == tuple(WORDS)


def test_documents_without_published_words_are_zeros(frozen, animals):
    assert_array_equal(frozen.fit(animals).transform(["bird day", ""]), 0)


def test_stop_words_have_no_part(frozen, published, animals):
    frozen.set_params(stop_words=["the"]).fit(animals)
    assert frozen.vocabulary_.counts[0] == 0
    assert_array_equal(frozen.transform(["the cat"]), published[["cat"]])


def test_common_components_are_removed_from_published_vectors(frozen, animals):
    plain = clone(frozen).fit_transform(animals)
    features = frozen.set_params(remove_components=1).fit_transform(animals)
    expected = reference.without_common_components(plain, plain, 1)
    assert_allclose(features, expected, atol=1e-6)


@pytest.mark.parametrize(
    "name", ["v.txt", "v.vec", "v.bin", "v.safetensors", "v.txt.gz"]
)
def test_a_file_of_any_format_will_do(frozen, published, animals, tmp_path, name):
    published.save(tmp_path / name)
    expected = frozen.fit_transform(animals)
    for path in (tmp_path / name, str(tmp_path / name)):
        model = clone(frozen).set_params(pretrained=path)
        assert_array_equal(model.fit_transform(animals), expected)


def test_a_model_of_fasttext_gives_the_vectors_of_its_words():
    path = GENSIM_FILES / "lee_fasttext_new.bin"
    model = SkipGramVectorizer(pretrained=path).fit(["the war and the army"])
    theirs = load_facebook_vectors(str(path))
    assert type(model.word_vectors_) is WordVectors
    assert_allclose(model.transform(["army"])[0], theirs["army"], atol=1e-6)


def test_ngrams_in_a_file_of_our_own_are_passed_over(published, tmp_path, animals):
    subwords = SubwordVectors(WORDS, published.vectors, [0], [[1, 2, 3]], bucket=1)
    subwords.save(tmp_path / "v.safetensors")
    for given in (tmp_path / "v.safetensors", subwords):
        model = SkipGramVectorizer(pretrained=given).fit(animals)
        assert type(model.word_vectors_) is WordVectors
        assert_array_equal(model.word_vectors_.vectors, published.vectors)


def test_vectors_of_gensim_are_shared_not_copied(frozen, published, animals):
    theirs = published.to_gensim()
    frozen.set_params(pretrained=theirs)
    expected = clone(frozen).set_params(pretrained=published).fit_transform(animals)
    assert clone(frozen).pretrained is theirs
    assert_array_equal(frozen.fit_transform(animals), expected)
    assert np.shares_memory(frozen.word_vectors_.vectors, theirs.vectors)


def test_gensims_vectors_with_ngrams_are_taken_too():
    theirs = FastText([["cat", "dog"] * 5], vector_size=3, bucket=50, min_count=1).wv
    model = SkipGramVectorizer(pretrained=theirs).fit(["cat"])
    assert_allclose(model.transform(["cat"])[0], theirs["cat"])


def test_clones_share_the_vectors(frozen, published):
    assert clone(frozen).pretrained is published
    assert clone(make_pipeline(frozen))[0].pretrained is published


def test_tuning_begins_with_the_published_vectors(tuned, published, animals):
    tuned.set_params(learning_rate=1e-9)
    if "min_learning_rate" in vars(tuned):
        tuned.set_params(min_learning_rate=0)
    for kind in kinds_of(tuned):
        tuned.set_params(**kind).fit(animals)
        assert_allclose(tuned.word_vectors_[WORDS], published.vectors, atol=1e-6)


def test_tuning_moves_words_that_occur_and_leaves_others_alone(
    tuned, published, animals
):
    for kind in kinds_of(tuned):
        tuned.set_params(**kind).fit(animals)
        assert_array_equal(tuned.word_vectors_["walrus"], published["walrus"])
        for word in ("the", "cat", "dog", "sings"):
            assert not np.array_equal(tuned.word_vectors_[word], published[word])


def test_new_words_join_after_the_published_ones(tuned, animals):
    tuned.fit(animals)
    words = tuned.vocabulary_.words
    assert words[:5] == tuple(WORDS)
    assert words[5:7] == ("sleeps", "night")
    assert set(words) == {*WORDS, *" ".join(animals).split()}
    assert tuned.vocabulary_.counts[:5].tolist() == [11, 3, 3, 0, 1]
    assert tuned.word_vectors_.index_to_key == list(words)
    assert tuned.transform(["bird"]).any()


def test_new_words_must_occur_often_enough_known_ones_need_not(tuned, animals):
    tuned.set_params(min_count=2).fit(animals)
    assert tuned.vocabulary_.words == (*WORDS, "sleeps", "night", "and", "day")
    tuned.set_params(max_vocab_size=6).fit(animals)
    assert tuned.vocabulary_.words == (*WORDS, "sleeps")


def test_tuning_is_training_from_the_published_rows(published, animals):
    # All words are published, and the first of them are as `fit` orders them.
    plain = SkipGramVectorizer(
        vector_size=3, min_count=1, epochs=2, random_state=0, learning_rate=0.3
    ).fit(animals)
    words = list(plain.vocabulary_.words)
    start = np.random.default_rng(5).normal(size=(len(words), 3)).astype(np.float32)
    given = WordVectors([*words, "walrus"], np.vstack([start, published["walrus"]]))
    tuned = clone(plain).set_params(pretrained=given, fine_tune=True).fit(animals)

    def train(**arguments):
        zeros = np.zeros_like(start)
        return original(**{**arguments, "initial": (start, zeros)})

    original = _skipgram.train_skipgram
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_skipgram, "train_skipgram", train)
        expected = clone(plain).fit(animals)
    assert_array_equal(tuned.word_vectors_[words], expected.word_vectors_.vectors)
    assert_array_equal(tuned.loss_curve_, expected.loss_curve_)


def test_a_tree_can_be_trained_from_published_vectors(published, animals):
    model = SkipGramVectorizer(
        pretrained=published, fine_tune=True, loss="hierarchical_softmax",
        min_count=1, sample=0, random_state=0,
    ).fit(animals)  # fmt: skip
    assert_array_equal(model.word_vectors_["walrus"], published["walrus"])
    assert not np.array_equal(model.word_vectors_["cat"], published["cat"])


def test_the_loss_begins_where_training_left_it(animals):
    trained = GloVeVectorizer(
        vector_size=8, min_count=1, epochs=60, random_state=0, vectors="input"
    ).fit(animals)
    tuned = clone(trained).set_params(
        pretrained=trained.word_vectors_, fine_tune=True, epochs=5
    )
    assert tuned.fit(animals).loss_curve_[-1] < trained.loss_curve_[4]


def test_the_cache_knows_which_vectors_training_began_with(
    tuned, published, animals, tmp_path
):
    tuned.set_params(memory=tmp_path)
    first = tuned.fit_transform(animals)
    same = WordVectors(WORDS, published.vectors.copy())
    n_kept = len(list(tmp_path.rglob("output.pkl")))
    again = clone(tuned).set_params(pretrained=same, pooling="max").fit(animals)
    assert len(list(tmp_path.rglob("output.pkl"))) == n_kept > 0
    assert_array_equal(again.set_params(pooling="mean").transform(animals), first)
    other = WordVectors(WORDS, published.vectors * np.float32(0.5))
    kept = clone(tuned).set_params(pretrained=other)
    plain = clone(kept).set_params(memory=None)
    features = plain.fit_transform(animals)
    assert_array_equal(kept.fit_transform(animals), features)
    assert not np.array_equal(features, first)


def test_a_search_compares_published_vectors_with_learned_ones(published, animals):
    model = SkipGramVectorizer(vector_size=3, min_count=1, random_state=0)
    search = GridSearchCV(
        make_pipeline(model, LogisticRegression()),
        {"skipgramvectorizer__pretrained": [None, published]},
        cv=2,
    )
    y = np.arange(18) % 2
    search.fit(animals * 2, y)
    assert set(search.cv_results_["rank_test_score"]) <= {1, 2}


def test_the_size_is_that_of_the_published_vectors(frozen, animals):
    assert frozen.fit_transform(animals).shape == (9, 3)
    assert frozen.set_params(vector_size=3).fit_transform(animals).shape == (9, 3)
    with pytest.raises(ValueError, match=r"vector_size=7, but .* of size 3"):
        frozen.set_params(vector_size=7).fit(animals)


def test_components_are_bounded_by_the_published_size(frozen, animals):
    with pytest.raises(ValueError, match="would leave nothing of vector_size=3"):
        frozen.set_params(remove_components=3).fit(animals)


def test_tuning_nothing_is_an_error(tuned, animals):
    with pytest.raises(ValueError, match="pretrained is None"):
        tuned.set_params(pretrained=None).fit(animals)


@pytest.mark.parametrize("fine_tune", [False, True])
def test_documents_of_other_words_are_explained(frozen, fine_tune):
    frozen.set_params(fine_tune=fine_tune)
    with pytest.raises(ValueError, match=r"among the 5 words .*'the', 'cat'"):
        frozen.fit(["bird", "day"])


def test_vectors_that_are_not_finite_are_refused_by_the_word(frozen, animals):
    broken = WordVectors(["the", "cat"], [[1, 2, 3], [1, np.nan, 3]])
    with pytest.raises(ValueError, match="'cat' \\(row 1\\) is not"):
        frozen.set_params(pretrained=broken).fit(animals)


def test_what_is_no_vectors_is_refused(frozen, animals):
    with pytest.raises(ValueError, match=r"'pretrained' parameter .* must be"):
        frozen.set_params(pretrained={"cat": [1, 2]}).fit(animals)
    with pytest.raises(TypeError, match="KeyedVectors are expected, got Model"):
        frozen.set_params(pretrained=Model()).fit(animals)


class Model:
    def most_similar(self):
        pass


def test_errors_of_a_file_come_through(frozen, animals, tmp_path):
    with pytest.raises(FileNotFoundError):
        frozen.set_params(pretrained=tmp_path / "no.txt").fit(animals)
    (tmp_path / "cut.txt.gz").write_bytes(gzip.compress(b"a 1 2\nb 1 2\n")[:-9])
    with pytest.raises(ValueError, match="whole compressed data"):
        frozen.set_params(pretrained=tmp_path / "cut.txt.gz").fit(animals)


def test_a_failed_fit_leaves_the_earlier_one(tuned, animals):
    before = tuned.fit(animals).transform(animals)
    with pytest.raises(ValueError, match="Row 1 of X is missing"):
        tuned.fit(["the cat", None])
    assert_array_equal(tuned.transform(animals), before)


def test_gensims_empty_vectors_know_no_word(frozen, animals):
    with pytest.raises(ValueError, match="among the 0 words"):
        frozen.set_params(pretrained=KeyedVectors(3)).fit(animals)
