import inspect
import io
import pickle
from functools import partial

import joblib
import numpy as np
import pytest
import skops.io
from gensim.models.fasttext import load_facebook_vectors
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skembed import FastTextVectorizer, SubwordVectors
from skembed.estimators._progress import TrainingProgress
from skembed.features import smooth_inverse_frequency
from skembed.training.fasttext import FastTextConfig
from tests.reference.ngrams import mean_of_ngrams

Fast = partial(FastTextVectorizer, vector_size=4, min_count=1, epochs=1, random_state=0)


@pytest.fixture
def fitted(animals):
    return Fast(min_count=2).fit(animals)


def test_every_parameter_is_documented_and_has_constraints():
    names = list(inspect.signature(FastTextVectorizer).parameters)
    assert set(FastTextVectorizer._parameter_constraints) == set(names)
    doc = inspect.getdoc(FastTextVectorizer)
    parameters = doc[doc.index("Parameters\n") : doc.index("Attributes\n")]
    documented = [line.split(" : ")[0].split(", ") for line in parameters.splitlines()
                  if " : " in line and not line.startswith(" ")]  # fmt: skip
    assert [name for line in documented for name in line] == names


def test_defaults_are_those_of_the_published_program():
    parameters, config = FastTextVectorizer().get_params(), FastTextConfig()
    for name in FastTextConfig.__dataclass_fields__.keys() & parameters.keys():
        assert parameters[name] == getattr(config, name), name
    published = {
        "learning_rate": 0.05, "vector_size": 100, "window": 5, "epochs": 5,
        "min_count": 5, "negative": 5, "bucket": 2_000_000, "min_n": 3, "max_n": 6,
        "sample": 1e-4, "ns_exponent": 0.5,
    }  # fmt: skip
    assert parameters.items() >= published.items()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"min_n": -1}, "min_n"),
        ({"min_n": 4, "max_n": 3}, "0 <= min_n <= max_n, got min_n=4, max_n=3"),
        ({"bucket": 0}, "bucket must be an int from 1"),
        ({"bucket": 2**31}, "bucket"),
        ({"vector_size": 0}, "vector_size"),
        ({"window": 0}, "window"),
        ({"negative": 0}, "negative"),
        ({"sample": -1.0}, "sample"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"min_learning_rate": 0.1}, r"min_learning_rate=0\.1 must not be above"),
        ({"remove_components": 4}, "remove_components=4 would leave nothing"),
        ({"pooling": "median"}, "pooling"),
        ({"parallel": "maybe"}, "parallel"),
        ({"device": "typewriter"}, "device"),
    ],
)
def test_bad_parameters_are_named(animals, parameters, message):
    for method in ("fit", "fit_transform"):
        with pytest.raises(ValueError, match=message):
            getattr(Fast(**parameters), method)(animals)


def test_vectors_of_unseen_words_are_the_means_of_their_ngrams(fitted):
    ngrams = fitted.word_vectors_.ngrams
    rows = dict(zip(ngrams.buckets.tolist(), ngrams.vectors, strict=True))
    for word in ("cats", "sleeping", "today"):
        expected = mean_of_ngrams(word, 3, 6, 2_000_000, rows)
        assert_allclose(fitted.word_vectors_[word], expected, rtol=1e-5, atol=1e-7)
        assert_allclose(fitted.transform([word])[0], expected, rtol=1e-5, atol=1e-7)


def test_only_the_ngrams_of_the_vocabulary_have_rows(fitted):
    own = [fitted.subwords(word)[1] for word in fitted.vocabulary_.words]
    kept = fitted.word_vectors_.ngrams.buckets
    assert_array_equal(kept, np.unique(np.concatenate(own)))
    ngrams, buckets = fitted.subwords("cat")
    assert ngrams == ["<ca", "<cat", "<cat>", "cat", "cat>", "at>"]
    assert np.isin(buckets, kept).all()


def test_words_of_which_no_ngram_is_known_do_not_count(fitted):
    assert_array_equal(*fitted.transform(["cat cats", "qqq cat www cats"]))
    assert not fitted.transform(["qqq"]).any()
    tokens = fitted.transform_tokens(["cat qqq", "", "cats cat"])
    assert_array_equal(tokens.row_splits, [0, 2, 2, 4])
    assert not tokens.vectors[1].any()
    words = fitted.word_vectors_.vectors_of(["cat", "qqq", "cats", "cat"])
    assert_array_equal(tokens.vectors, words)


@pytest.mark.parametrize("pooling", ["idf", "sif"])
def test_unseen_words_weigh_as_words_that_are_as_rare_as_can_be(fitted, pooling):
    fitted.set_params(pooling=pooling)
    seen, unseen = fitted.word_vectors_.vectors_of(["the", "cats"]).astype(np.float64)
    row = fitted.vocabulary_.index["the"]
    if pooling == "idf":
        weight = fitted.idf_[row], fitted.idf_.max()
        expected = (weight[0] * seen + weight[1] * unseen) / sum(weight)
    else:
        weight = smooth_inverse_frequency(fitted.vocabulary_.counts)[row]
        expected = (weight * seen + unseen) / 2
    assert_allclose(fitted.transform(["the cats"])[0], expected, rtol=1e-5)


@pytest.mark.parametrize("read", [list, iter, lambda X: [io.StringIO(x) for x in X]])
def test_words_too_rare_to_be_learned_are_in_the_features_of_fit_transform(
    animals, read
):
    kind = {"input": "file"} if read not in (list, iter) else {}
    vectorizer = Fast(min_count=2, remove_components=1, **kind)
    documents = [*animals, "the cats", "the"]
    features = vectorizer.fit_transform(read(documents))
    again = clone(vectorizer).fit(read(documents)).transform(read(documents))
    assert_array_equal(features, again)
    assert "cats" not in vectorizer.vocabulary_.index
    assert not np.allclose(features[-2], features[-1])


def test_features_of_a_document_do_not_depend_on_the_others(fitted):
    documents = ["the cats sleeping", "the dog", "doggy qqq", "", "cats and dogs"]
    alone = [fitted.transform([document])[0] for document in documents]
    assert_array_equal(fitted.transform(documents), alone)


def test_misspelled_words_are_near_the_right_ones(rng):
    topics = [["castle", "knights", "armour"], ["protein", "enzymes", "tissue"]]
    documents = [" ".join(rng.choice(topics[i % 2], size=12)) for i in range(600)]
    vectorizer = Fast(vector_size=16, epochs=5, sample=0).fit(documents)
    nearest = vectorizer.word_vectors_.most_similar("enzims", topn=3)
    assert {word for word, _ in nearest} == set(topics[1])
    y = np.arange(600) % 2
    model = make_pipeline(vectorizer, LogisticRegression()).fit(documents, y)
    assert_array_equal(model.predict(["knigts casstle", "enzims protien"]), [0, 1])


def test_a_pipeline_is_tuned_with_one_training_for_all_poolings(two_topics, tmp_path):
    y = np.arange(len(two_topics)) % 2
    vectorizer = Fast(sample=0, min_n=1, memory=tmp_path)
    pipeline = make_pipeline(vectorizer, LogisticRegression())
    grid = {"fasttextvectorizer__pooling": ["mean", "sif"]}
    search = GridSearchCV(pipeline, grid, cv=2).fit(two_topics, y)
    assert search.best_score_ > 0.95
    assert len(list(tmp_path.rglob("output.pkl"))) == 3


@pytest.mark.parametrize("mmap_mode", [None, "r"])
def test_pickles_hold_the_rows_that_are_there_and_no_more(tmp_path, rng, mmap_mode):
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    words = {"".join(rng.choice(letters, n)) for n in rng.integers(3, 9, 3000)}
    documents = [" ".join(words)] * 2
    vectorizer = Fast(vector_size=100).fit(documents)
    n_rows = len(words) + len(vectorizer.word_vectors_.ngrams.buckets)
    file = tmp_path / "model.joblib"
    joblib.dump(vectorizer, file)
    assert file.stat().st_size < 1.2 * n_rows * 400
    assert len(pickle.dumps(vectorizer)) < 1.2 * n_rows * 400
    loaded = joblib.load(file, mmap_mode=mmap_mode)
    if mmap_mode:
        assert isinstance(loaded.word_vectors_.ngrams.vectors.base, np.memmap)
    texts = [*documents, "unseen words", "abcdefgh"]
    assert_array_equal(loaded.transform(texts), vectorizer.transform(texts))


def test_skops_dumps_and_loads_it(fitted, animals):
    loaded = skops.io.loads(
        skops.io.dumps(fitted),
        trusted=["skembed.estimators._fasttext.FastTextVectorizer"],
    )
    texts = [*animals, "cats sleeping"]
    assert_array_equal(loaded.transform(texts), fitted.transform(texts))


def test_gensim_reads_what_was_learned(fitted, tmp_path):
    """Words, n-grams and, but for n-grams that are missing here, unseen words."""
    file = tmp_path / "model.bin"
    vectorizer = Fast(min_count=2, bucket=50).fit(["the cat purrs", "the cats sleep"])
    vectorizer.word_vectors_.to_fasttext(file)
    theirs = load_facebook_vectors(str(file))
    ours = vectorizer.word_vectors_
    assert ours.index_to_key == theirs.index_to_key
    assert_allclose(ours.vectors, theirs.vectors, rtol=1e-5, atol=1e-6)
    back = SubwordVectors.from_fasttext(file)
    for word in ("there", "catty", "Ørsted", "останавливались"):
        buckets = vectorizer.subwords(word)[1]
        share = np.isin(buckets, ours.ngrams.buckets).mean()
        expected = ours.vectors_of([word])[0] * share
        assert_allclose(theirs.get_vector(word), expected, rtol=1e-5, atol=1e-6)
        assert_allclose(back.vectors_of([word])[0], expected, rtol=1e-5, atol=1e-6)


def test_without_ngrams_unseen_words_have_no_vectors(animals):
    vectorizer = Fast(max_n=0, min_n=0).fit(animals)
    assert vectorizer.word_vectors_.ngrams.vectors.shape == (0, 4)
    assert not vectorizer.transform(["cats"]).any()
    assert vectorizer.transform(["cat"]).any()
    assert vectorizer.subwords("cat")[0] == []


@pytest.mark.parametrize("bucket", [1, 2, 7])
def test_words_that_share_every_bucket_are_learned(two_topics, bucket):
    vectorizer = Fast(min_n=1, bucket=bucket, epochs=5, sample=0).fit(two_topics)
    assert np.isfinite(vectorizer.word_vectors_.vectors).all()
    assert len(vectorizer.word_vectors_.ngrams.buckets) <= bucket
    assert vectorizer.loss_curve_[-1] < vectorizer.loss_curve_[0]


@pytest.mark.parametrize(
    "word",
    ["останавливались", "北京北京", "İstanbul", "👩‍👩‍👧", "\ud800x", "x" * 20_000],
)
def test_words_of_all_kinds_are_learned(word):
    documents = [[word, "word", word], ["another", word]] * 10
    vectorizer = Fast(lowercase=False).fit(documents)
    assert word in vectorizer.vocabulary_.index
    assert np.isfinite(vectorizer.word_vectors_.vectors).all()
    assert vectorizer.transform([[word + "s"]]).any()


@pytest.mark.parametrize("X", [[], [""], [" ", "!"], [[]]])
def test_a_corpus_without_words_says_so(X):
    for method in ("fit", "fit_transform"):
        with pytest.raises(ValueError, match="hold no words"):
            getattr(Fast(), method)(X)


def test_partial_fit_adds_words_and_their_ngrams(animals):
    vectorizer = Fast().partial_fit(animals)
    words, buckets = vectorizer.vocabulary_.words, vectorizer.word_vectors_.ngrams[0]
    rows = vectorizer.word_vectors_.ngrams.vectors
    before = dict(zip(buckets.tolist(), rows.copy(), strict=True))
    vectorizer.set_params(learning_rate=1e-9).partial_fit(["a catfish swims"])
    assert vectorizer.vocabulary_.words[: len(words)] == words
    assert set(vectorizer.vocabulary_.words[len(words) :]) == {"a", "catfish", "swims"}
    after, rows = vectorizer.word_vectors_.ngrams[:2]
    assert set(after) > set(buckets)
    for bucket, row in zip(after.tolist(), rows, strict=True):
        if bucket in before:
            assert_allclose(row, before[bucket], atol=1e-6)
    assert vectorizer.n_iter_ == 2
    loaded = pickle.loads(pickle.dumps(vectorizer)).partial_fit(animals)
    assert_array_equal(
        loaded.transform(animals), vectorizer.partial_fit(animals).transform(animals)
    )


def test_partial_fit_does_not_go_on_with_other_ngrams(animals):
    vectorizer = Fast().partial_fit(animals).set_params(bucket=1000)
    with pytest.raises(ValueError, match=r"\(3, 6, 2000000\), got \(3, 6, 1000\)"):
        vectorizer.partial_fit(animals)


def test_a_failed_fit_leaves_the_earlier_state(fitted, animals, two_topics):
    features = fitted.transform(animals)
    for bad, change in [
        (["a", None], {}),
        (two_topics, {"learning_rate": 1e9, "sample": 0}),
    ]:
        with pytest.raises(ValueError, match=r"missing|learning_rate"):
            fitted.set_params(**change).fit(bad)
    assert_array_equal(fitted.transform(animals), features)


def test_an_interrupted_fit_leaves_the_earlier_state(
    fitted, animals, two_topics, monkeypatch
):
    features = fitted.transform(animals)

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(TrainingProgress, "__call__", interrupt)
    for method in (fitted.fit, fitted.fit_transform, fitted.partial_fit):
        with pytest.raises(KeyboardInterrupt):
            method(two_topics)
    assert_array_equal(fitted.transform(animals), features)
    monkeypatch.undo()
    again = clone(fitted).fit(animals).transform(animals)
    assert_array_equal(fitted.fit(animals).transform(animals), again)


def test_the_seed_decides_for_any_number_of_threads(two_topics):
    first, again, other = (
        Fast(random_state=seed, n_jobs=n).fit(two_topics).word_vectors_
        for seed, n in ((0, 1), (0, 2), (1, 1))
    )
    assert_array_equal(first.vectors, again.vectors)
    assert_array_equal(first.ngrams.vectors, again.ngrams.vectors)
    assert not np.array_equal(first.vectors, other.vectors)
