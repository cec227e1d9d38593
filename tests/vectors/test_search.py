import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import skembed.vectors._search as search_module
from skembed import WordVectors
from skembed.vectors import solve_analogies
from skembed.vectors._kernels import keep_best
from skembed.vectors._search import search
from tests.reference.similarity import cosine, cosine_product, rank


@pytest.fixture
def small_blocks(monkeypatch):
    """So that a small table is searched in many blocks of queries and of words."""
    monkeypatch.setattr(search_module, "_BLOCK_QUERIES", 3)
    monkeypatch.setattr(search_module, "_BLOCK_SCORES", 3 * 10)
    monkeypatch.setattr(search_module, "_KEPT_NUMBERS", 64)


@pytest.fixture
def word_vectors(rng):
    return WordVectors([f"w{i}" for i in range(57)], rng.normal(size=(57, 4)))


@pytest.mark.parametrize("topn", [1, 5, 30, 57])
def test_blocks_give_what_a_loop_over_words_gives(
    small_blocks, word_vectors, rng, topn
):
    queries = rng.normal(size=(8, 4))
    rows, scores = word_vectors.neighbors(queries, topn)
    for i, query in enumerate(queries):
        expected = rank(
            lambda row, q=query: cosine(word_vectors.vectors[row], q), range(57), topn
        )
        assert rows[i].tolist() == [row for row, _ in expected]
        assert_allclose(scores[i], [score for _, score in expected], atol=1e-6)


def test_equal_scores_come_by_row_across_blocks(small_blocks, rng):
    vectors = rng.normal(size=(2, 4))[rng.integers(0, 2, size=100)]
    word_vectors = WordVectors([f"w{i}" for i in range(100)], vectors)
    rows, _ = word_vectors.neighbors(vectors[:1], topn=20)
    same = np.flatnonzero((vectors == vectors[0]).all(axis=1))
    assert_array_equal(rows[0], same[:20])


@pytest.mark.parametrize("k", [1, 2, 7, 40])
def test_the_best_of_many_equal_scores_are_those_of_the_lowest_rows(rng, k):
    scores = rng.integers(0, 5, size=(6, 40)).astype(np.float32)
    excluded = rng.integers(-1, 40, size=(6, 3))
    best_scores = np.full((6, k), -np.inf, dtype=np.float32)
    best_rows = np.full((6, k), -1)
    for start in (0, 15, 30):
        block = scores[:, start : start + 15]
        keep_best(block, start, excluded, best_scores, best_rows)
    for query in range(6):
        expected = rank(
            scores[query].__getitem__, range(40), k, excluded=excluded[query]
        )
        found = best_rows[query][best_rows[query] >= 0]
        assert sorted(found) == sorted(row for row, _ in expected)


class Rounded:
    """Scores that rise with the row, but are all the same in float32."""

    n_queries, vector_size = 1, 1

    def block(self, queries, words):
        return np.ones((1, words.stop - words.start), dtype=np.float32)

    def pairs(self, queries, rows):
        return 1 + 1e-9 * rows


def test_rounding_in_the_product_does_not_choose_among_the_best():
    rows, _ = search(Rounded(), 5, n_words=8, exclude=np.full((1, 0), -1))
    assert_array_equal(rows, [[7, 6, 5, 4, 3]])


def test_an_answer_does_not_depend_on_the_other_queries(rng):
    word_vectors = WordVectors(
        [f"w{i}" for i in range(5000)], rng.normal(size=(5000, 33))
    )
    queries = rng.normal(size=(300, 33))
    rows, scores = word_vectors.neighbors(queries)
    for i in (0, 150, 299):
        alone = word_vectors.neighbors(queries[i : i + 1])
        assert_array_equal(rows[i], alone[0][0])
        assert_array_equal(scores[i], alone[1][0])


@pytest.mark.parametrize("method", ["add", "mul"])
def test_many_analogies_are_solved_as_a_loop_would(
    small_blocks, word_vectors, rng, method
):
    questions = rng.integers(0, 57, size=(20, 3))
    vectors = word_vectors.vectors
    answers = solve_analogies(
        vectors, word_vectors.norms, questions, exclude=questions, method=method
    )
    for answer, question in zip(answers, questions, strict=True):
        a, b, c = vectors[question]
        sum_ = sum(
            sign * x / np.linalg.norm(x) for sign, x in ((-1, a), (1, b), (1, c))
        )

        def score(row, a=a, b=b, c=c, sum_=sum_):
            if method == "add":
                return cosine(vectors[row], sum_)
            return cosine_product(vectors[row], positive=[b, c], negative=[a])

        (best,) = rank(score, range(57), 1, excluded=question)
        assert answer == best[0]


def test_no_answer_is_left_where_all_words_are_excluded():
    vectors = np.eye(3, dtype=np.float32)
    norms = np.ones(3, dtype=np.float32)
    questions = np.array([[0, 1, 2]])
    answers = solve_analogies(vectors, norms, questions, exclude=questions)
    assert_array_equal(answers, [-1])


def test_memory_does_not_grow_with_the_number_of_scores(rng, monkeypatch):
    largest = []
    monkeypatch.setattr(search_module, "_BLOCK_SCORES", 10_000)
    keep_best = search_module.keep_best

    def spy(scores, *arguments):
        largest.append(scores.size)
        keep_best(scores, *arguments)

    monkeypatch.setattr(search_module, "keep_best", spy)
    word_vectors = WordVectors(
        [f"w{i}" for i in range(5000)], rng.normal(size=(5000, 2))
    )
    word_vectors.neighbors(rng.normal(size=(1000, 2)))
    assert max(largest) <= 10_000
    assert sum(largest) == 5000 * 1000
