"""Published vectors with n-grams, as they are and as what fastText goes on from."""

import pickle

import joblib
import numpy as np
import pytest
import skops.io
from gensim.models import FastText
from gensim.models.fasttext import load_facebook_vectors
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from skembed import FastTextVectorizer, SubwordVectors, WordVectors
from skembed.estimators import _fasttext
from tests.formats.fasttext_files import GENSIM_FILES

WORDS = ["the", "cat", "dog", "walrus", "sings"]
MORE = ["a walrus and a walrus", "the walrus sleeps"]
BUCKET = 500
MODEL = GENSIM_FILES / "lee_fasttext_new.bin"


@pytest.fixture
def published(rng):
    """Four words of the animals' texts, one that they lack, and a bucket in two."""
    return SubwordVectors(
        WORDS,
        rng.normal(size=(5, 3)),
        np.arange(0, BUCKET, 2),
        rng.normal(size=(BUCKET // 2, 3)),
        bucket=BUCKET,
    )


@pytest.fixture
def frozen(published):
    return FastTextVectorizer(pretrained=published)


@pytest.fixture
def tuned(published):
    return FastTextVectorizer(
        pretrained=published, fine_tune=True, min_count=1, epochs=2, sample=0,
        random_state=0,
    )  # fmt: skip


def rows_of(word_vectors):
    """The vector of each bucket."""
    buckets, vectors = word_vectors.ngrams[:2]
    return dict(zip(buckets.tolist(), vectors.copy(), strict=True))


def buckets_of(model, words):
    return set(np.concatenate([model.subwords(word)[1] for word in words]).tolist())


def test_unseen_words_have_the_published_ngrams(frozen, published, animals):
    frozen.fit(animals)
    unseen = ["walruses", "doggy", "cats"]
    assert_array_equal(frozen.transform(unseen), published.vectors_of(unseen))
    assert_array_equal(frozen.transform(["the cats"])[0],
                       published.vectors_of(["the", "cats"]).mean(axis=0))  # fmt: skip
    assert frozen.word_vectors_.ngrams.vectors is published.ngrams.vectors
    assert frozen.subwords("cat")[1].tolist() == published.subwords("cat")[1].tolist()


def test_a_model_of_the_program_describes_any_word():
    for path in (MODEL, str(MODEL)):
        model = FastTextVectorizer(pretrained=path).fit(["the war and the army"])
        theirs = load_facebook_vectors(str(path))
        for word in ("army", "armies", "warfarer"):
            vector = model.transform([word])[0]
            assert_allclose(vector, theirs.get_vector(word), atol=1e-6)


def test_files_and_objects_of_every_kind_give_the_same(
    frozen, published, animals, tmp_path
):
    published.save(tmp_path / "v.safetensors")
    texts = [*animals, "cats and walruses"]
    expected = frozen.fit(animals).transform(texts)
    model = clone(frozen).set_params(pretrained=tmp_path / "v.safetensors")
    assert_array_equal(model.fit(animals).transform(texts), expected)


def test_gensims_vectors_with_ngrams_are_taken_with_them():
    theirs = FastText([["cat", "dog"] * 5], vector_size=3, bucket=50, min_count=1).wv
    model = FastTextVectorizer(pretrained=theirs).fit(["cat"])
    for word in ("cat", "catty"):
        assert_allclose(model.transform([word])[0], theirs[word], rtol=1e-6)


@pytest.mark.parametrize("name", ["v.vec", "v.txt", "v.bin", "v.safetensors"])
def test_files_of_words_alone_know_no_other_words(published, animals, tmp_path, name):
    WordVectors(WORDS, published.vectors).save(tmp_path / name)
    model = FastTextVectorizer(pretrained=tmp_path / name).fit(animals)
    assert_allclose(model.transform(["cat"])[0], published["cat"], rtol=1e-6)
    assert not model.transform(["cats"]).any()


def test_words_alone_can_be_given_ngrams(published, animals):
    model = FastTextVectorizer(
        pretrained=WordVectors(WORDS, published.vectors), fine_tune=True, min_count=1,
        min_n=2, max_n=3, learning_rate=1e-9, random_state=0,
    ).fit(animals)  # fmt: skip
    assert_allclose(model.word_vectors_[WORDS], published.vectors, atol=1e-6)
    assert model.word_vectors_.ngrams[2:] == (2, 3, 2_000_000)
    kept = set(model.word_vectors_.ngrams.buckets.tolist())
    assert kept == buckets_of(model, " ".join(animals).split())
    # Those of n-grams are drawn: small, as nothing is known of them.
    assert 0 < np.abs(model.transform(["cats"])).max() <= 1 / 3


def test_tuning_begins_with_published_words_and_ngrams(tuned, published, animals):
    tuned.set_params(learning_rate=1e-9).fit(animals)
    vectors = tuned.word_vectors_
    assert_allclose(vectors[WORDS], published.vectors, atol=1e-5)
    before, after = rows_of(published), rows_of(vectors)
    for bucket, row in before.items():
        assert_allclose(after[bucket], row, atol=1e-6)
    # That of a word which does not occur has none.
    new = buckets_of(tuned, " ".join(animals).split()) - before.keys()
    assert set(after) == before.keys() | new
    assert len(new) > 10
    assert (np.abs([after[bucket] for bucket in new]) <= 1 / 3 + 1e-6).all()


def test_tuning_moves_the_ngrams_of_words_that_occur_alone(tuned, published, animals):
    tuned.fit(animals)
    before, after = rows_of(published), rows_of(tuned.word_vectors_)
    met = buckets_of(tuned, set(" ".join(animals).split()))
    for bucket, row in before.items():
        assert np.array_equal(after[bucket], row) == (bucket not in met), bucket
    assert_array_equal(tuned.word_vectors_["walrus"], published["walrus"])
    assert tuned.transform(["walruses"]).any()


def test_new_words_begin_as_the_mean_of_their_rows(tuned, animals):
    """Of a row of their own, which is small, and published n-grams."""
    tuned.set_params(learning_rate=1e-9).fit(animals)
    after = rows_of(tuned.word_vectors_)
    rows = [after[bucket] for bucket in tuned.subwords("bird")[1].tolist()]
    own = tuned.word_vectors_["bird"] * (1 + len(rows)) - np.sum(rows, axis=0)
    assert 0 < np.abs(own).max() <= 1 / 3 + 1e-4


def test_what_is_tuned_is_the_model_that_was_published(animals, monkeypatch):
    """A run of the program that begins where another has ended."""
    first = FastTextVectorizer(
        vector_size=4, min_count=1, sample=0, random_state=0, learning_rate=0.3,
        bucket=BUCKET,
    ).fit(animals)  # fmt: skip
    tuned = clone(first).set_params(pretrained=first.word_vectors_, fine_tune=True)
    original, seen = _fasttext.train_fasttext, {}

    def train(**arguments):
        seen.update(arguments)
        return original(**arguments)

    monkeypatch.setattr(_fasttext, "train_fasttext", train)
    tuned.fit(animals)
    # Own rows are not in what is published, but follow from it.
    tables = seen["initial"]
    theirs = first._training.tables
    assert_array_equal(tables.ngrams, theirs[2])
    for word, of_word in enumerate(seen["ngrams"]):
        rows = np.vstack([tables.words[word], tables.ngrams[of_word]])
        assert_allclose(rows.mean(axis=0), first.word_vectors_.vectors[word], atol=1e-6)
    assert tuned.loss_curve_[0] < first.loss_curve_[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"min_n": 2}, "min_n=2, but the n-grams of pretrained are of min_n=3"),
        ({"max_n": 5}, "max_n=5, but .* of max_n=6"),
        ({"bucket": 7}, "bucket=7, but .* of bucket=500"),
        ({"vector_size": 7}, "vector_size=7, but .* of size 3"),
    ],
)
@pytest.mark.parametrize("fine_tune", [False, True])
def test_other_ngrams_than_the_published_are_refused(
    tuned, animals, fine_tune, change, message
):
    with pytest.raises(ValueError, match=message):
        tuned.set_params(fine_tune=fine_tune, **change).fit(animals)
    tuned.set_params(min_n=3, max_n=6, bucket=BUCKET, vector_size=3).fit(animals)


def test_ngrams_that_are_not_finite_are_refused(tuned, published, animals):
    row = published.subwords("cat")[1][published.subwords("cat")[1] % 2 == 0][0]
    published.ngrams.vectors[row // 2, 1] = np.nan
    with pytest.raises(ValueError, match=f"bucket {row} of pretrained is not finite"):
        tuned.fit(animals)
    assert not hasattr(tuned, "vocabulary_")


@pytest.mark.parametrize("fine_tune", [False, True])
def test_what_was_published_is_not_changed(tuned, published, animals, fine_tune):
    words, ngrams = published.vectors.copy(), published.ngrams.vectors.copy()
    tuned.set_params(fine_tune=fine_tune).fit(animals)
    assert_array_equal(published.vectors, words)
    assert_array_equal(published.ngrams.vectors, ngrams)


def test_training_goes_on_by_batches(tuned, published, animals):
    whole = clone(tuned).set_params(epochs=1, min_learning_rate=0.05).fit(animals)
    tuned.partial_fit(animals)
    assert_array_equal(tuned.word_vectors_.vectors, whole.word_vectors_.vectors)
    assert_array_equal(
        tuned.word_vectors_.ngrams.vectors, whole.word_vectors_.ngrams.vectors
    )
    tuned.partial_fit(MORE)
    assert "a" in tuned.vocabulary_.index
    assert tuned.vocabulary_.counts[3] == 3
    assert not np.array_equal(tuned.word_vectors_["walrus"], published["walrus"])
    loaded = pickle.loads(pickle.dumps(tuned)).partial_fit(animals)
    tuned.partial_fit(animals)
    assert_array_equal(loaded.transform(MORE), tuned.transform(MORE))


def test_words_that_occur_for_the_first_time_do_not_jump(tuned, published, animals):
    """Their n-grams have been trained with other words in the meantime."""
    tuned.set_params(learning_rate=0.1).partial_fit(animals * 9)
    met = buckets_of(tuned, set(" ".join(animals).split()))
    assert met & buckets_of(tuned, ["walrus"])
    tuned.set_params(learning_rate=1e-9, min_learning_rate=0).partial_fit(MORE)
    assert_allclose(tuned.word_vectors_["walrus"], published["walrus"], atol=1e-5)


def test_published_ngrams_are_stored_once(published, tmp_path, animals, rng):
    published = SubwordVectors(
        WORDS, rng.normal(size=(5, 50)), np.arange(BUCKET), np.ones((BUCKET, 50)),
        bucket=BUCKET,
    )  # fmt: skip
    model = FastTextVectorizer(pretrained=published).fit(animals)
    size = published.ngrams.vectors.nbytes
    joblib.dump(model, tmp_path / "model")
    assert size < (tmp_path / "model").stat().st_size < 1.2 * size
    loaded = joblib.load(tmp_path / "model")
    texts = ["walruses", *animals]
    assert_array_equal(loaded.transform(texts), model.transform(texts))
    assert loaded.pretrained.ngrams.vectors is loaded.word_vectors_.ngrams.vectors
    assert_array_equal(clone(loaded).fit(animals).transform(texts),
                       model.transform(texts))  # fmt: skip
    # Other n-grams that are set after fit are not taken for the learned ones.
    other = SubwordVectors(
        WORDS, published.vectors, np.arange(BUCKET), np.zeros((BUCKET, 50)),
        bucket=BUCKET,
    )  # fmt: skip
    again = pickle.loads(pickle.dumps(model.set_params(pretrained=other)))
    assert not again.pretrained.ngrams.vectors.any()
    assert again.word_vectors_.ngrams.vectors.all()


def test_skops_dumps_and_loads_tuned_ngrams(tuned, animals):
    dumped = skops.io.dumps(tuned.partial_fit(animals))
    trusted = ["skembed.estimators._fasttext.FastTextVectorizer"]
    loaded = skops.io.loads(dumped, trusted=trusted)
    texts = ["walruses", "birds", *animals]
    assert_array_equal(loaded.transform(texts), tuned.transform(texts))
    assert_array_equal(
        loaded.partial_fit(MORE).transform(texts),
        tuned.partial_fit(MORE).transform(texts),
    )


def test_the_cache_knows_which_ngrams_training_began_with(
    tuned, published, animals, tmp_path
):
    tuned.set_params(memory=tmp_path)
    first = tuned.fit_transform(animals)
    assert_array_equal(clone(tuned).fit_transform(animals), first)
    assert len(list(tmp_path.rglob("output.pkl"))) == 1
    published.ngrams.vectors[:] *= 2
    assert not np.array_equal(clone(tuned).fit_transform(animals), first)


def test_an_interrupt_leaves_the_earlier_state(tuned, animals, monkeypatch):
    features = tuned.fit_transform(animals)

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(_fasttext, "train_fasttext", interrupt)
    with pytest.raises(KeyboardInterrupt):
        tuned.fit(MORE)
    assert_array_equal(tuned.transform(animals), features)
