import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.utils import get_tags

from skembed.features import POOLINGS
from tests.reference import pooling as reference


def ids_of(vectorizer, documents):
    index = vectorizer.vocabulary_.index
    return [[index[w] for w in text.split() if w in index] for text in documents]


@pytest.mark.parametrize("pooling", POOLINGS)
def test_features_are_the_pooled_vectors_of_the_words(vectorizer, animals, pooling):
    features = vectorizer.set_params(pooling=pooling).fit(animals).transform(animals)
    n_words = len(vectorizer.vocabulary_)
    ids = ids_of(vectorizer, animals)
    expected = reference.pool(
        ids,
        vectorizer.word_vectors_.vectors,
        pooling,
        idf=reference.idf(ids, n_words),
        sif=reference.sif(ids, n_words),
    )
    assert features.dtype == np.float32
    assert_allclose(features, expected, rtol=1e-5, atol=1e-6)


def test_several_poolings_are_put_side_by_side(vectorizer, animals):
    vectorizer.set_params(remove_components=1).fit(animals)
    names = ("mean", "idf", "max")
    vectorizer.set_params(pooling=names).fit(animals)
    features = vectorizer.transform(animals)
    blocks = np.split(features, 3, axis=1)
    assert len(vectorizer.get_feature_names_out()) == features.shape[1] == 12
    for name, block in zip(names, blocks, strict=True):
        alone = vectorizer.set_params(pooling=name).transform(animals)
        assert_array_equal(alone, block)


def test_common_components_of_the_training_documents_are_removed(vectorizer, animals):
    plain = vectorizer.fit(animals)
    seen, unseen = plain.transform(animals), plain.transform(["dog the", "sings"])
    removing = clone(plain).set_params(remove_components=2).fit(animals)
    expected = reference.without_common_components(unseen, seen, 2)
    assert_allclose(removing.transform(["dog the", "sings"]), expected, atol=1e-6)


def test_components_are_those_of_all_documents(vectorizer, rng):
    # More than are pooled at a time.
    letters = rng.choice(list("abcdef"), size=(5000, 3))
    documents = [" ".join(words) for words in letters]
    plain = vectorizer.fit_transform(documents)
    expected = reference.without_common_components(plain, plain, 1)
    removed = vectorizer.set_params(remove_components=1).fit_transform(documents)
    assert_allclose(removed, expected, atol=1e-6)


def test_fewer_components_than_learned_can_be_removed(vectorizer, animals):
    vectorizer.set_params(remove_components=2).fit(animals)
    one = clone(vectorizer).set_params(remove_components=1).fit_transform(animals)
    vectorizer.set_params(remove_components=1)
    assert_allclose(vectorizer.transform(animals), one, atol=1e-7)


def test_components_that_fit_did_not_learn_are_an_error(vectorizer, animals):
    vectorizer.fit(animals).set_params(remove_components=1)
    with pytest.raises(ValueError, match=r"remove_components=1 .* set after fit"):
        vectorizer.transform(animals)


@pytest.mark.parametrize("norm", ["l1", "l2", "max"])
def test_rows_of_all_poolings_together_have_norm_one(vectorizer, animals, norm):
    vectorizer.set_params(pooling=("mean", "sum"), normalize=norm)
    features = vectorizer.fit_transform(animals).astype(np.float64)
    order = {"l1": 1, "l2": 2, "max": np.inf}[norm]
    norms = np.linalg.norm(features, ord=order, axis=1)
    assert_allclose(np.delete(norms, 3), 1, rtol=1e-6)
    assert norms[3] == 0


def test_fit_transform_is_fit_then_transform(vectorizer, animals):
    at_once = vectorizer.set_params(pooling=POOLINGS).fit_transform(animals)
    assert_array_equal(at_once, clone(vectorizer).fit(animals).transform(animals))


def test_fit_transform_reads_a_generator_once(vectorizer, animals):
    expected = vectorizer.fit_transform(animals)
    assert_array_equal(vectorizer.fit_transform(iter(animals)), expected)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_documents_without_known_words_are_zeros(vectorizer, animals, pooling):
    vectorizer.set_params(pooling=pooling).fit(animals)
    assert_array_equal(vectorizer.transform(["", "unknown", "😀", "\x00"]), 0)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_each_row_depends_on_its_document_alone(vectorizer, animals, pooling):
    vectorizer.set_params(pooling=pooling).fit(animals)
    together = vectorizer.transform(animals)
    for document, row in zip(animals, together, strict=True):
        assert_array_equal(vectorizer.transform([document])[0], row)
    assert_array_equal(vectorizer.transform(animals[::-1]), together[::-1])


def test_no_documents_give_no_rows(vectorizer, animals):
    assert vectorizer.fit(animals).transform([]).shape == (0, 4)


def test_word_lists_give_what_text_gives(vectorizer, animals):
    words = [text.split() for text in animals]
    expected = vectorizer.fit_transform(animals)
    assert_array_equal(vectorizer.transform(words), expected)
    assert_array_equal(vectorizer.fit_transform(words), expected)


def test_missing_documents_are_an_error_or_empty(vectorizer, animals):
    holed = [*animals, None]
    with pytest.raises(ValueError, match="Row 9 of X is missing"):
        vectorizer.fit(holed)
    features = vectorizer.set_params(missing="empty").fit_transform(holed)
    assert_array_equal(features[-1], 0)


@pytest.mark.parametrize("method", ["transform", "transform_tokens"])
def test_nothing_is_transformed_before_fit(vectorizer, animals, method):
    with pytest.raises(NotFittedError):
        getattr(vectorizer, method)(animals)
    with pytest.raises(NotFittedError):
        vectorizer.get_feature_names_out()


def test_transform_changes_nothing(vectorizer, animals):
    vectorizer.set_params(pooling=POOLINGS).fit(animals)
    before = {name: id(value) for name, value in vars(vectorizer).items()}
    vectors = vectorizer.word_vectors_.vectors.copy()
    vectorizer.transform(animals)
    vectorizer.transform_tokens(animals)
    assert {name: id(value) for name, value in vars(vectorizer).items()} == before
    assert_array_equal(vectorizer.word_vectors_.vectors, vectors)


def test_fit_changes_no_parameter(vectorizer, animals):
    before = vectorizer.get_params()
    assert vectorizer.fit(animals) is vectorizer
    assert vectorizer.get_params() == before


def test_fit_twice_is_one_fit(vectorizer, animals):
    once = clone(vectorizer).fit(animals).transform(animals)
    twice = vectorizer.fit(animals[::-1]).fit(animals).transform(animals)
    assert_array_equal(twice, once)


def test_parameters_set_after_fit_take_effect(vectorizer, animals):
    vectorizer.fit(animals)
    upper = [text.upper() for text in animals]
    assert vectorizer.transform(upper).any()
    assert not vectorizer.set_params(lowercase=False).transform(upper).any()


@pytest.mark.parametrize(
    "change", [{"pooling": "median"}, {"pooling": ()}, {"missing": "drop"}]
)
def test_nonsense_set_after_fit_is_named(vectorizer, animals, change):
    vectorizer.fit(animals).set_params(**change)
    with pytest.raises(ValueError, match=next(iter(change))):
        vectorizer.transform(animals)


def test_every_token_gets_a_row(vectorizer, animals):
    vectorizer.fit(animals)
    features = vectorizer.transform_tokens(["The new cat, the", "", ["cat", "New"]])
    assert features.tokens == [["the", "new", "cat", "the"], [], ["cat", "New"]]
    assert features.row_splits.dtype == np.int64
    assert features.vectors.dtype == np.float32
    assert [matrix.shape for matrix in features] == [(4, 4), (0, 4), (2, 4)]
    the, cat = vectorizer.word_vectors_["the"], vectorizer.word_vectors_["cat"]
    assert_array_equal(features[0], [the, np.zeros(4), cat, the])
    assert_array_equal(features[2], [cat, np.zeros(4)])


def test_token_vectors_are_copies(vectorizer, animals):
    features = vectorizer.fit(animals).transform_tokens(["the"])
    features.vectors[:] = 9
    assert not (vectorizer.word_vectors_["the"] == 9).any()


def test_stop_words_are_left_out_everywhere(vectorizer, animals):
    vectorizer.set_params(stop_words=["the"]).fit(animals)
    assert "the" not in vectorizer.word_vectors_
    assert vectorizer.transform_tokens(["the cat"]).tokens == [["cat"]]


def test_stop_words_that_no_document_can_hold_are_warned_of(vectorizer, animals):
    vectorizer.set_params(stop_words=["isn't"])
    with pytest.warns(UserWarning, match="stop_words may be inconsistent"):
        vectorizer.fit(animals)


def test_tags_say_that_documents_are_text(vectorizer):
    tags = get_tags(vectorizer)
    assert tags.input_tags.string
    assert tags.input_tags.one_d_array
    assert not tags.input_tags.two_d_array
    assert not tags.input_tags.sparse
    assert tags.requires_fit
    assert tags.transformer_tags.preserves_dtype == []


def test_there_is_no_number_of_input_features(vectorizer, animals):
    assert not hasattr(vectorizer.fit(animals), "n_features_in_")


@pytest.mark.parametrize("as_frame", [True, False])
def test_pandas_output_keeps_the_index(vectorizer, animals, as_frame):
    if not as_frame and sklearn.__version__.startswith("1.6."):
        pytest.skip("scikit-learn 1.6 keeps the index of frames alone")
    X = pd.Series(animals, index=range(10, 19))
    X = X.to_frame() if as_frame else X
    frame = vectorizer.set_output(transform="pandas").fit_transform(X)
    assert list(frame.index) == list(X.index)
    assert list(frame.columns) == [f"skipgramvectorizer{i}" for i in range(4)]
    assert list(vectorizer.transform(X).index) == list(X.index)


def test_polars_output_has_the_names(vectorizer, animals):
    vectorizer.set_output(transform="polars").set_params(pooling=("mean", "max"))
    frame = vectorizer.fit_transform(pl.Series(animals))
    assert frame.columns == [f"skipgramvectorizer{i}" for i in range(8)]


@pytest.mark.parametrize("column", ["text", ["text"]])
def test_a_column_transformer_may_pass_a_series_or_a_frame(vectorizer, animals, column):
    frame = pd.DataFrame({"text": animals, "n": 1.0})
    columns = ColumnTransformer([("words", vectorizer, column)])
    expected = clone(vectorizer).fit_transform(animals)
    assert_array_equal(columns.fit_transform(frame), expected)


def test_a_feature_union_joins_two(vectorizer, animals):
    union = FeatureUnion([("a", vectorizer), ("b", clone(vectorizer))])
    assert union.fit_transform(animals).shape == (9, 8)
    assert "b__skipgramvectorizer3" in union.get_feature_names_out()


def test_a_pipeline_passes_weights_by_name(vectorizer, animals):
    y = np.arange(9) % 2
    weight = np.linspace(0, 2, 9)
    pipeline = make_pipeline(vectorizer, LogisticRegression())
    pipeline.fit(animals, y, skipgramvectorizer__sample_weight=weight)
    vectors = clone(vectorizer).fit(animals, sample_weight=weight).word_vectors_.vectors
    assert_array_equal(vectorizer.word_vectors_.vectors, vectors)


def test_metadata_routing_passes_weights_on_request(vectorizer, animals):
    y = np.arange(9) % 2
    weight = np.linspace(0, 2, 9)
    vectors = clone(vectorizer).fit(animals, sample_weight=weight).word_vectors_.vectors
    with sklearn.config_context(enable_metadata_routing=True):
        vectorizer.set_fit_request(sample_weight=True)
        classifier = LogisticRegression().set_fit_request(sample_weight=False)
        pipeline = make_pipeline(vectorizer, classifier)
        pipeline.fit(animals, y, sample_weight=weight)
    assert_array_equal(vectorizer.word_vectors_.vectors, vectors)


def test_the_html_representation_is_there(vectorizer, animals):
    assert "SkipGramVectorizer" in vectorizer._repr_html_()
    assert "SkipGramVectorizer" in vectorizer.fit(animals)._repr_html_()


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({"pooling": None}, "pooling must be"),
        ({"pooling": ()}, "pooling must be"),
        ({"pooling": (["mean"],)}, "pooling must be"),
        ({"normalize": True}, "normalize must be"),
        ({"normalize": "l3"}, "normalize must be"),
        ({"remove_components": -1}, "remove_components must be"),
        ({"remove_components": 1.5}, "remove_components must be"),
    ],
)
def test_parameters_of_features_are_checked_after_fit_too(
    vectorizer, animals, wrong, match
):
    vectorizer.set_params(remove_components=2).fit(animals).set_params(**wrong)
    with pytest.raises(ValueError, match=match):
        vectorizer.transform(animals)


def test_a_list_in_the_list_of_poolings_is_an_error_of_fit(vectorizer, animals):
    with pytest.raises(ValueError, match=r"pooling must be .*, got \(\['mean'\],\)"):
        vectorizer.set_params(pooling=(["mean"],)).fit(animals)
