import numpy as np
import pytest
from gensim.models import Word2Vec
from numpy.testing import assert_allclose
from scipy import stats

from skembed import WordVectors
from skembed.evaluation import word_similarity
from skembed.formats import FormatError
from tests.reference.similarity import cosine


@pytest.fixture
def word_vectors(rng):
    words = [f"w{i}" for i in range(40)]
    return WordVectors(words, rng.normal(size=(40, 5)))


@pytest.fixture
def pairs(rng):
    return [
        (f"w{a}", f"w{b}", float(score))
        for a, b, score in zip(
            *rng.integers(0, 40, (2, 30)), rng.normal(size=30), strict=True
        )
    ]


def test_correlations_are_those_of_scipy_with_each_cosine(word_vectors, pairs):
    cosines = [cosine(word_vectors[a], word_vectors[b]) for a, b, _ in pairs]
    scores = [score for *_, score in pairs]
    result = word_similarity(word_vectors, pairs)
    spearman, pearson = (
        stats.spearmanr(scores, cosines),
        stats.pearsonr(scores, cosines),
    )
    assert_allclose(result.spearman, spearman.statistic)
    assert_allclose(result.spearman_p_value, spearman.pvalue)
    assert_allclose(result.pearson, pearson.statistic, rtol=1e-5)
    assert_allclose(result.pearson_p_value, pearson.pvalue, rtol=1e-4)
    assert (result.n_found, result.n_pairs, result.coverage) == (30, 30, 1.0)


@pytest.mark.parametrize("case_insensitive", [True, False])
@pytest.mark.parametrize("restrict_vocab", [None, 30])
def test_figures_are_those_of_gensim(rng, tmp_path, case_insensitive, restrict_vocab):
    words = [f"{letter}{i}" for i in range(15) for letter in "aAb"]
    model = Word2Vec(
        [rng.choice(words, 20).tolist() for _ in range(100)],
        vector_size=10,
        min_count=1,
        seed=1,
        workers=1,
    )
    path = tmp_path / "pairs.tsv"
    path.write_text(
        "# a comment\n"
        + "".join(
            f"{a}{i}\t{b}{j}\t{score}\n"
            for a, b, i, j, score in zip(
                *rng.choice(list("aAB"), (2, 60)),
                *rng.integers(0, 18, (2, 60)),
                rng.random(60),
                strict=True,
            )
        )
    )
    n_words = restrict_vocab or 300_000
    pearson, spearman, missing = model.wv.evaluate_word_pairs(
        path, case_insensitive=case_insensitive, restrict_vocab=n_words
    )
    result = word_similarity(
        WordVectors.from_gensim(model.wv),
        path,
        case_insensitive=case_insensitive,
        restrict_vocab=restrict_vocab,
    )
    assert_allclose(result.pearson, pearson.statistic, atol=1e-6)
    assert_allclose(result.spearman, spearman.statistic, atol=1e-6)
    assert_allclose(result.spearman_p_value, spearman.pvalue, atol=1e-6)
    assert_allclose(100 * (1 - result.coverage), missing)


@pytest.mark.parametrize(
    "content",
    [
        "w1\tw2\t1.5\nw3\tw4\t2\nw5\tw6\t-1e1\n",
        "w1 w2  1.5\nw3 w4 2\n\nw5 w6 -1e1",
        "Word 1,Word 2,Human (mean)\nw1, w2 ,1.5\nw3,w4,2\nw5,w6,-10\n",
        "w1\tw2\t1.5\textra\t7\n#w9\tw9\t1\nw3\tw4\t2\nw5\tw6\t-10\n",
        "\ufeffw1\tw2\t1.5\nw3\tw4\t2\nw5\tw6\t-10\n",
    ],
    ids=["tabs", "spaces", "csv", "columns", "mark"],
)
def test_classic_files_are_read(word_vectors, tmp_path, content):
    (tmp_path / "pairs").write_text(content, encoding="utf-8")
    expected = [("w1", "w2", 1.5), ("w3", "w4", 2.0), ("w5", "w6", -10.0)]
    result = word_similarity(word_vectors, str(tmp_path / "pairs"))
    assert result == word_similarity(word_vectors, expected)


@pytest.mark.parametrize("line", ["w1\tw2", "w1\tw2\thigh", "w1 w2 nan"])
def test_a_line_that_is_no_pair_is_named(word_vectors, tmp_path, line):
    (tmp_path / "pairs").write_text(f"w1\tw2\t1\n{line}\n")
    with pytest.raises(FormatError, match="two words and a number") as caught:
        word_similarity(word_vectors, tmp_path / "pairs")
    assert caught.value.line == 2


def test_unknown_words_are_skipped_or_replaced(word_vectors, pairs):
    with_unknown = [*pairs, ("w1", "new", 3.0), ("new", "newer", -1.0)]
    scores = [score for *_, score in with_unknown]
    cosines = [cosine(word_vectors[a], word_vectors[b]) for a, b, _ in pairs]
    mean = word_vectors.vectors.mean(axis=0)

    skipped = word_similarity(word_vectors, with_unknown)
    known = word_similarity(word_vectors, pairs)
    assert skipped.spearman == known.spearman
    assert (skipped.n_found, skipped.n_pairs) == (30, 32)

    zero = word_similarity(word_vectors, with_unknown, missing="zero")
    expected = stats.pearsonr(scores, [*cosines, 0, 0]).statistic
    assert_allclose(zero.pearson, expected, rtol=1e-5)
    assert zero.coverage == 30 / 32

    replaced = word_similarity(word_vectors, with_unknown, missing="mean")
    with_mean = [*cosines, cosine(word_vectors["w1"], mean), 1]
    expected = stats.pearsonr(scores, with_mean).statistic
    assert_allclose(replaced.pearson, expected, rtol=1e-5)


def test_a_word_in_another_case_is_found_only_if_wished(word_vectors):
    pairs = [("W1", "w2", 1), ("w3", "W4", 2), ("w5", "w6", 3), ("w7", "w8", 4)]
    assert word_similarity(word_vectors, pairs).n_found == 4
    assert word_similarity(word_vectors, pairs, case_insensitive=False).n_found == 2


def test_zero_vectors_are_similar_to_nothing():
    words = WordVectors(["a", "b", "zero"], [[1, 0], [1, 1], [0, 0]])
    pairs = [("a", "b", 3), ("a", "zero", 1), ("zero", "zero", 1)]
    assert_allclose(word_similarity(words, pairs).pearson, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"pairs": []}, "only 0 of 0 pairs"),
        ({"pairs": [("w1", "w2", 1), ("x", "y", 2)]}, "only 1 of 2 pairs"),
        ({"pairs": [], "missing": "drop"}, "missing must be 'skip', 'mean' or 'zero'"),
        ({"pairs": [], "restrict_vocab": 0}, "restrict_vocab must be"),
    ],
)
def test_a_wrong_argument_is_explained(word_vectors, arguments, message):
    with pytest.raises(ValueError, match=message):
        word_similarity(word_vectors, **arguments)


def test_a_result_does_not_change(word_vectors, pairs):
    with pytest.raises(AttributeError):
        word_similarity(word_vectors, pairs).spearman = 1.0
    assert np.isfinite(word_similarity(word_vectors, pairs).spearman)
