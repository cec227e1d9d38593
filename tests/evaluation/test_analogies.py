import math

import numpy as np
import pytest
from gensim.models import KeyedVectors

from skembed import WordVectors
from skembed.evaluation import AnalogyScore, analogies
from skembed.formats import FormatError

FILE = """: capitals
Athens Greece Oslo Norway
Athens Greece Rome Italy
Oslo Norway Rome Italy

: sizes
big bigger small smaller
"""


@pytest.fixture
def word_vectors(rng):
    """Analogies with noise, so that some are solved, and words in two cases."""
    words = [f"{kind}{i}" for i in range(30) for kind in ("city", "land")]
    places = np.repeat(rng.normal(size=(30, 6)), 2, axis=0)
    places[1::2] += rng.normal(size=6)
    vectors = places + 0.3 * rng.normal(size=(60, 6))
    twins = [word.upper() for word in words[:20]]
    noise = 0.1 * rng.normal(size=(20, 6))
    return WordVectors([*words, *twins], np.vstack([vectors, vectors[:20] + noise]))


@pytest.fixture
def questions(rng):
    """Some with unknown words, and some in capitals."""
    pairs = [(i, j) for i, j in rng.integers(0, 33, size=(120, 2)) if i != j]
    asked = [(f"city{i}", f"land{i}", f"city{j}", f"land{j}") for i, j in pairs]
    return [
        tuple(word.upper() for word in question) if number % 3 == 0 else question
        for number, question in enumerate(asked)
    ]


@pytest.fixture
def gensims(word_vectors):
    keyed_vectors = KeyedVectors(6)
    keyed_vectors.add_vectors(word_vectors.index_to_key, word_vectors.vectors)
    return keyed_vectors


@pytest.mark.parametrize("case_insensitive", [True, False])
@pytest.mark.parametrize("restrict_vocab", [None, 40])
def test_scores_are_those_of_gensim(
    word_vectors, gensims, questions, tmp_path, case_insensitive, restrict_vocab
):
    sections = {"first": questions[:50], "second": questions[50:]}
    path = tmp_path / "questions.txt"
    path.write_text(
        "".join(
            f": {name}\n" + "".join(" ".join(question) + "\n" for question in asked)
            for name, asked in sections.items()
        )
    )
    accuracy, theirs = gensims.evaluate_word_analogies(
        path,
        restrict_vocab=restrict_vocab or 300_000,
        case_insensitive=case_insensitive,
    )
    result = analogies(
        word_vectors,
        path,
        restrict_vocab=restrict_vocab,
        case_insensitive=case_insensitive,
    )
    assert 0 < result.total.n_correct < result.total.n_found < len(questions)
    assert result.accuracy == accuracy
    for section in theirs[:-1]:
        score = result.sections[section["section"]]
        assert score.n_correct == len(section["correct"])
        assert score.n_found == len(section["correct"]) + len(section["incorrect"])
    assert result.total.n_questions == len(questions)


# Its evaluation always takes 3CosAdd, whatever function it is told.
@pytest.mark.filterwarnings("ignore:Call to deprecated `init_sims`")
def test_scores_of_cosmul_are_those_of_the_answers_of_gensim(
    word_vectors, gensims, questions
):
    found = [q for q in questions if all(word in word_vectors for word in q)]
    answers = [
        gensims.most_similar_cosmul([b, c], [a], topn=1)[0][0] for a, b, c, _ in found
    ]
    n_correct = sum(
        answer == question[3] for answer, question in zip(answers, found, strict=True)
    )
    result = analogies(word_vectors, questions, method="mul", case_insensitive=False)
    assert 0 < n_correct < len(found)
    assert result.total == AnalogyScore(n_correct, len(found), len(questions))


def test_a_file_a_mapping_and_a_list_are_the_same_questions(word_vectors, questions):
    mapped = analogies(word_vectors, {"a": questions[:30], "b": questions[30:]})
    listed = analogies(word_vectors, questions)
    assert mapped.total == listed.total == listed.sections[""]
    assert mapped.sections["a"] == analogies(word_vectors, questions[:30]).total


def test_sections_of_a_file_keep_their_order_and_sizes(tmp_path):
    (tmp_path / "questions.txt").write_text(FILE)
    words = WordVectors(["athens", "greece", "oslo", "norway"], np.eye(4))
    result = analogies(words, tmp_path / "questions.txt")
    assert list(result.sections) == ["capitals", "sizes"]
    capitals = result.sections["capitals"]
    assert (capitals.n_found, capitals.n_questions) == (1, 3)
    assert result.coverage == 1 / 4


def test_nothing_found_has_no_accuracy():
    score = AnalogyScore(n_correct=0, n_found=0, n_questions=3)
    assert math.isnan(score.accuracy)
    assert score.coverage == 0
    result = analogies(WordVectors(["a"], [[1.0]]), [("b", "c", "d", "e")])
    assert result.total == AnalogyScore(0, 0, 1)
    empty = analogies(WordVectors(["a"], [[1.0]]), [])
    assert math.isnan(empty.coverage)


def test_a_word_of_the_question_in_another_case_is_no_answer():
    # Without this rule, "WOMAN" would answer, as it is closest to king - man + woman.
    words = ["man", "king", "woman", "queen", "WOMAN"]
    vectors = [[1, 0, 1], [1, 0.1, 1], [1, 0, -1], [1, 1, -1], [1, 0.1, -1]]
    question = [("man", "king", "woman", "queen")]
    word_vectors = WordVectors(words, vectors)
    assert analogies(word_vectors, question).accuracy == 1
    assert analogies(word_vectors, question, case_insensitive=False).accuracy == 0


@pytest.mark.parametrize("line", ["a b c", "a b c d e"])
def test_a_line_that_is_no_question_is_named(tmp_path, line):
    (tmp_path / "questions.txt").write_text(f": section\na b c d\n{line}\n")
    with pytest.raises(FormatError, match="four words") as caught:
        analogies(WordVectors(["a"], [[1.0]]), tmp_path / "questions.txt")
    assert caught.value.line == 3


@pytest.mark.parametrize(
    ("questions", "options", "error", "message"),
    [
        ([("a", "b", "c")], {}, ValueError, "four words, got 3"),
        (["abcd"], {}, TypeError, "four words, got 'abcd'"),
        ([], {"method": "sum"}, ValueError, "method must be 'add' or 'mul'"),
        ([], {"restrict_vocab": 0}, ValueError, "restrict_vocab must be"),
    ],
)
def test_a_wrong_argument_is_explained(questions, options, error, message):
    with pytest.raises(error, match=message):
        analogies(WordVectors(["a"], [[1.0]]), questions, **options)
