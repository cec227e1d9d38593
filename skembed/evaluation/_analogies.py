"""Scores for questions such as "man is to king as woman is to what?"."""

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from skembed.evaluation._rows import WordRows
from skembed.formats import FormatError
from skembed.vectors import SimilarityQueries, check_method, solve_analogies

Question: TypeAlias = tuple[str, str, str, str]


@dataclass(frozen=True)
class AnalogyScore:
    """How many questions were answered right.

    Parameters
    ----------
    n_correct : int
    n_found : int
        Number of questions of which all four words are known. Others are not asked.
    n_questions : int
    """

    n_correct: int
    n_found: int
    n_questions: int

    @property
    def accuracy(self) -> float:
        """Fraction of right answers to the questions that were asked; NaN if none."""
        return self.n_correct / self.n_found if self.n_found else math.nan

    @property
    def coverage(self) -> float:
        """Fraction of the questions that were asked; NaN if there are none."""
        return self.n_found / self.n_questions if self.n_questions else math.nan


@dataclass(frozen=True)
class AnalogyResult:
    """Scores of a set of analogies.

    Parameters
    ----------
    sections : dict of str to AnalogyScore
        In the order of the set.
    total : AnalogyScore
        Of all questions together.
    """

    sections: dict[str, AnalogyScore]
    total: AnalogyScore

    @property
    def accuracy(self) -> float:
        """Fraction of right answers to the questions that were asked; NaN if none."""
        return self.total.accuracy

    @property
    def coverage(self) -> float:
        """Fraction of the questions that were asked; NaN if there are none."""
        return self.total.coverage


def analogies(
    word_vectors: SimilarityQueries,
    questions: str
    | os.PathLike[str]
    | Sequence[Question]
    | Mapping[str, Sequence[Question]],
    *,
    method: Literal["add", "mul"] = "add",
    restrict_vocab: int | None = 300_000,
    case_insensitive: bool = True,
) -> AnalogyResult:
    """Count how many analogies the vectors complete.

    Parameters
    ----------
    word_vectors : WordVectors
    questions : path, sequence of 4-tuples of str, or mapping of section to these
        "a is to b as c is to d". A file holds one question a line, and lines
        ``: section`` before the questions of each section, as in word2vec's
        ``questions-words.txt``.
    method : {"add", "mul"}
        3CosAdd or 3CosMul, as in `WordVectors.analogy`.
    restrict_vocab : int or None
        Know only the first so many words, in questions and for answers.
    case_insensitive : bool
        Whether words that differ only in case are the same. The first of them, which is
        usually the most frequent, stands for the others; none of them is an answer to a
        question that holds one.

    Returns
    -------
    result : AnalogyResult

    Raises
    ------
    ValueError
        If a line, or a question, is not four words.

    Examples
    --------
    >>> from skembed import WordVectors
    >>> words = ["king", "queen", "man", "woman"]
    >>> word_vectors = WordVectors(words, [[3, 1], [3, -1], [1, 1], [1, -1]])
    >>> result = analogies(word_vectors, [("man", "king", "woman", "queen")])
    >>> result.accuracy, result.coverage
    (1.0, 1.0)
    """
    check_method(method)
    sections = _sections(questions)
    lookup = WordRows(word_vectors, restrict_vocab, case_insensitive=case_insensitive)
    words = (
        word for asked in sections.values() for question in asked for word in question
    )
    rows = lookup.find(words).reshape(-1, 4)
    found: npt.NDArray[np.bool_] = np.all(rows >= 0, axis=1)
    correct = np.zeros_like(found)
    # Two sections may ask the same.
    distinct, place = np.unique(rows[found], axis=0, return_inverse=True)
    variants = lookup.variants()
    answers = solve_analogies(
        word_vectors.vectors[: lookup.n_words],
        word_vectors.norms[: lookup.n_words],
        distinct[:, :3],
        variants[distinct[:, :3]].reshape(len(distinct), 3 * variants.shape[1]),
        method=method,
    )
    right = (answers >= 0) & (lookup.first_rows[answers] == distinct[:, 3])
    correct[found] = right[place]

    scores, start = {}, 0
    for name, asked in sections.items():
        part = slice(start, start + len(asked))
        scores[name] = _score(correct[part], found[part])
        start = part.stop
    return AnalogyResult(scores, _score(correct, found))


def _score(
    correct: npt.NDArray[np.bool_], found: npt.NDArray[np.bool_]
) -> AnalogyScore:
    return AnalogyScore(int(correct.sum()), int(found.sum()), len(found))


def _sections(
    questions: str
    | os.PathLike[str]
    | Sequence[Question]
    | Mapping[str, Sequence[Question]],
) -> Mapping[str, Sequence[Question]]:
    if isinstance(questions, str | os.PathLike):
        return _read_questions(Path(questions))
    sections = questions if isinstance(questions, Mapping) else {"": questions}
    for asked in sections.values():
        for question in asked:
            _check_question(question)
    return sections


def _check_question(question: object) -> None:
    if not isinstance(question, Sequence) or isinstance(question, str):
        msg = f"A question must be four words, got {question!r}."
        raise TypeError(msg)
    if len(question) != 4:
        msg = f"A question must be four words, got {len(question)}: {question!r}."
        raise ValueError(msg)


def _read_questions(path: Path) -> dict[str, list[Question]]:
    sections: dict[str, list[Question]] = {}
    name = ""
    with path.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, start=1):
            fields = line.split()
            if line.startswith(":"):
                name = line.lstrip(":").strip()
                sections.setdefault(name, [])
            elif len(fields) == 4:
                a, b, c, d = fields
                sections.setdefault(name, []).append((a, b, c, d))
            elif fields:
                expected, found = "four words", repr(line.strip()[:60])
                raise FormatError(path, expected=expected, found=found, line=number)
    return sections
