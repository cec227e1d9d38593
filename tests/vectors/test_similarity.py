import numpy as np
import pytest
from gensim.models import KeyedVectors
from numpy.testing import assert_allclose, assert_array_equal

from skembed import WordVectors
from tests.reference.similarity import cosine, cosine_product, rank

WORDS = [f"word{i}" for i in range(300)]


@pytest.fixture
def word_vectors(rng):
    return WordVectors(WORDS, rng.normal(size=(300, 7)) * rng.gamma(1, size=(300, 1)))


@pytest.fixture
def gensims(word_vectors):
    keyed_vectors = KeyedVectors(7)
    keyed_vectors.add_vectors(WORDS, word_vectors.vectors)
    return keyed_vectors


def assert_same_answers(ours, theirs):
    assert [word for word, _ in ours] == [word for word, _ in theirs]
    assert_allclose([x for _, x in ours], [x for _, x in theirs], rtol=0, atol=1e-6)


QUERIES = [
    {"positive": "word3"},
    {"positive": ["word3"], "negative": "word9"},
    {"positive": ["word3", "word4"], "negative": ["word5"]},
    {"positive": ["word3", "word3"], "negative": ["word5", "word6", "word7"]},
    {"negative": ["word8"]},
    {"positive": ["word3"], "topn": 1},
    {"positive": ["word3"], "topn": 1000},
    {"positive": ["word3"], "topn": 0},
    {"positive": ["word3", "word290"], "restrict_vocab": 20},
    {"positive": ["word3"], "restrict_vocab": 1000},
    {"positive": [("word3", 0.5), ("word4", 2)], "negative": [("word5", 0.25)]},
]


@pytest.mark.parametrize("query", QUERIES, ids=str)
def test_most_similar_words_are_those_of_gensim(word_vectors, gensims, query):
    # In gensim, a negative weight is the weight of the vector.
    theirs = dict(query)
    if isinstance(theirs.get("negative"), list):
        theirs["negative"] = [
            (item[0], -item[1]) if isinstance(item, tuple) else item
            for item in theirs["negative"]
        ]
    assert_same_answers(
        word_vectors.most_similar(**query), gensims.most_similar(**theirs)
    )


@pytest.mark.parametrize("with_word", [False, True])
def test_vectors_may_stand_for_words_as_in_gensim(
    word_vectors, gensims, rng, with_word
):
    vector = rng.normal(size=7).astype(np.float32)
    query = [vector, "word3"] if with_word else [vector]
    assert_same_answers(word_vectors.most_similar(query), gensims.most_similar(query))


def test_a_table_of_vectors_is_a_list_of_them(word_vectors):
    table = word_vectors[["word3", "word4"]]
    assert word_vectors.most_similar(table) == word_vectors.most_similar(list(table))


@pytest.mark.filterwarnings("ignore:Call to deprecated `init_sims`")
@pytest.mark.parametrize("query", [q for q in QUERIES[:-1] if "positive" in q], ids=str)
def test_cosmul_gives_the_words_of_gensim(word_vectors, gensims, query):
    if "restrict_vocab" in query:
        # Which gensim accepts here, but does not heed.
        n_words = min(query["restrict_vocab"], 300)
        gensims = KeyedVectors(7)
        gensims.add_vectors(WORDS, word_vectors.vectors)
        everything = gensims.most_similar_cosmul(query["positive"], topn=300)
        theirs = [pair for pair in everything if pair[0] in WORDS[:n_words]][:10]
    else:
        theirs = gensims.most_similar_cosmul(**query)
    ours = word_vectors.most_similar_cosmul(**query)
    assert [word for word, _ in ours] == [word for word, _ in theirs]
    assert_allclose([x for _, x in ours], [x for _, x in theirs], rtol=1e-4)


@pytest.mark.parametrize("method", ["add", "mul"])
def test_an_analogy_is_what_the_formula_says(word_vectors, method):
    a, b, c = (word_vectors[f"word{i}"] for i in (1, 2, 3))
    units = [x / np.linalg.norm(x) for x in (a, b, c)]

    def score(row):
        vector = word_vectors.vectors[row]
        if method == "add":
            return cosine(vector, units[1] + units[2] - units[0])
        return cosine_product(vector, positive=[b, c], negative=[a])

    expected = rank(score, WORDS, 10, excluded=("word1", "word2", "word3"))
    answers = word_vectors.analogy("word1", "word2", "word3", method=method)
    assert [word for word, _ in answers] == [word for word, _ in expected]
    assert_allclose([x for _, x in answers], [x for _, x in expected], rtol=1e-5)


def test_neighbors_of_many_words_are_those_of_each(word_vectors):
    rows, cosines = word_vectors.neighbors(WORDS[:50], topn=5)
    assert rows.shape == cosines.shape == (50, 5)
    for word, row, cosine_row in zip(WORDS[:50], rows, cosines, strict=True):
        expected = word_vectors.most_similar(word, topn=5)
        answers = zip([WORDS[i] for i in row], cosine_row.tolist(), strict=True)
        assert list(answers) == expected


def test_neighbors_of_vectors_may_be_their_own_words(word_vectors):
    rows, cosines = word_vectors.neighbors(word_vectors.vectors[:20], topn=1)
    assert_array_equal(rows[:, 0], np.arange(20))
    assert_allclose(cosines[:, 0], 1)


def test_there_are_no_more_neighbors_than_words(word_vectors):
    rows, _ = word_vectors.neighbors(["word0", "word9"], topn=999, restrict_vocab=10)
    assert rows.shape == (2, 9)
    assert set(rows[0]) == set(range(1, 10))
    assert WordVectors(["one"], [[1.0]]).neighbors(["one"])[0].shape == (1, 0)


def test_a_word_beyond_the_restriction_takes_no_neighbor_away(word_vectors):
    rows, cosines = word_vectors.neighbors(["word99"], topn=999, restrict_vocab=10)
    expected = word_vectors.most_similar("word99", topn=999, restrict_vocab=10)
    assert [WORDS[i] for i in rows[0]] == [word for word, _ in expected]
    assert set(rows[0]) == set(range(10))
    mixed, scores = word_vectors.neighbors(
        ["word99", "word0"], topn=999, restrict_vocab=10
    )
    assert_array_equal(mixed[0], rows[0])
    assert_array_equal(scores[0], cosines[0])
    assert set(mixed[1, :-1]) == set(range(1, 10))
    assert (mixed[1, -1], scores[1, -1]) == (-1, -np.inf)


def test_what_is_no_list_of_words_has_no_neighbors(word_vectors):
    with pytest.raises(TypeError, match=r"got the str 'word1': pass \['word1'\]"):
        word_vectors.neighbors("word1")
    with pytest.raises(TypeError, match="looked up by str, got 3"):
        word_vectors.neighbors([3])


def test_a_number_is_not_similar_to_a_word(word_vectors):
    with pytest.raises(TypeError, match="looked up by str, got 3"):
        word_vectors.similarity("word1", 3)


@pytest.mark.parametrize(("a", "b"), [("word3", "word4"), ("word3", "word3")])
def test_similarity_and_distance_are_those_of_gensim(word_vectors, gensims, a, b):
    assert_allclose(word_vectors.similarity(a, b), gensims.similarity(a, b), atol=1e-6)
    assert_allclose(word_vectors.distance(a, b), gensims.distance(a, b), atol=1e-6)


def test_n_similarity_is_that_of_gensim(word_vectors, gensims):
    sets = WORDS[:3], WORDS[2:7]
    expected = gensims.n_similarity(*sets)
    assert_allclose(word_vectors.n_similarity(*sets), expected, atol=1e-6)


def test_the_odd_one_out_is_that_of_gensim(word_vectors, gensims, rng):
    for _ in range(20):
        words = rng.choice(WORDS, size=5, replace=False).tolist()
        assert word_vectors.doesnt_match(words) == gensims.doesnt_match(words)


def test_sets_of_words_leave_unknown_ones_out_with_a_warning(word_vectors):
    with pytest.warns(UserWarning, match=r"left out: \['dog'\]") as caught:
        n_similarity = word_vectors.n_similarity(["word1", "dog"], ["word2"])
    assert caught[0].filename == __file__
    assert_allclose(n_similarity, word_vectors.similarity("word1", "word2"))
    with pytest.warns(UserWarning, match=r"left out: \['dog'\]"):
        word_vectors.doesnt_match(["word1", "dog"])
    with pytest.raises(ValueError, match="None of the words"):
        word_vectors.doesnt_match(["dog"])
    with pytest.raises(TypeError, match="sequence of words"):
        word_vectors.doesnt_match("word1")


def test_equally_similar_words_come_in_the_order_of_the_table(rng):
    vectors = rng.normal(size=(3, 5))[rng.integers(0, 3, size=200)]
    words = WordVectors([f"w{i}" for i in range(200)], vectors)
    answers = [int(word[1:]) for word, _ in words.most_similar("w0", topn=150)]
    kinds = [vectors[row, 0] for row in answers]
    for kind in set(kinds):
        rows = [row for row, other in zip(answers, kinds, strict=True) if other == kind]
        assert rows == sorted(rows)


def test_zero_vectors_have_similarity_zero():
    words = WordVectors(["a", "zero", "b"], [[1, 0], [0, 0], [-1, 0.5]])
    assert words.similarity("a", "zero") == 0
    assert words.similarity("zero", "zero") == 0
    assert words.most_similar("zero") == [("a", 0.0), ("b", 0.0)]
    assert words.most_similar("a")[0] == ("zero", 0.0)
    assert all(np.isfinite(x) for _, x in words.most_similar_cosmul("a", "zero"))
    assert words.n_similarity(["zero"], ["a"]) == 0
    assert words.most_similar(["a"], ["a"])[0] == ("zero", 0.0)


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_vectors_of_any_length_have_cosines(rng, scale):
    table = rng.normal(size=(20, 3))
    words = [f"w{i}" for i in range(20)]
    expected = WordVectors(words, table).most_similar("w0")
    answers = WordVectors(words, table * scale).most_similar("w0")
    assert [word for word, _ in answers] == [word for word, _ in expected]
    assert_allclose([x for _, x in answers], [x for _, x in expected], atol=1e-6)


def test_a_vector_with_nan_is_named():
    words = WordVectors(["a", "bad"], [[1, 0], [np.nan, 0]])
    with pytest.raises(ValueError, match=r"'bad' \(row 1\)"):
        words.most_similar("a")


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"positive": "dog"}, KeyError, "'dog' is not among"),
        ({}, ValueError, "positive and negative are both empty"),
        ({"positive": "word1", "topn": -1}, ValueError, "topn must be an int >= 0"),
        ({"positive": "word1", "topn": None}, ValueError, "300 ranks all words"),
        ({"positive": "word1", "restrict_vocab": 0}, ValueError, "restrict_vocab must"),
        ({"positive": 7}, TypeError, "positive must be a word"),
        ({"positive": [7]}, TypeError, "it holds 7"),
        ({"positive": np.zeros(6)}, ValueError, r"shape \(7,\), got \(6,\)"),
        ({"positive": np.full(7, np.inf)}, ValueError, "must be finite"),
    ],
)
def test_a_wrong_query_is_explained(word_vectors, arguments, error, message):
    with pytest.raises(error, match=message):
        word_vectors.most_similar(**arguments)


def test_cosmul_needs_a_positive_word(word_vectors):
    with pytest.raises(ValueError, match="positive is empty"):
        word_vectors.most_similar_cosmul(negative="word1")


def test_an_unknown_method_is_refused(word_vectors):
    with pytest.raises(ValueError, match="method must be 'add' or 'mul'"):
        word_vectors.analogy("word1", "word2", "word3", method="sum")
