"""Agreement of the similarity of vectors with what people say."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import stats

from skembed.evaluation._rows import WordRows
from skembed.formats import FormatError
from skembed.vectors import SimilarityQueries


@dataclass(frozen=True)
class WordSimilarityResult:
    """How similarities of vectors go with those that people gave.

    Parameters
    ----------
    spearman : float
        Correlation of ranks.
    spearman_p_value : float
        How likely so large a correlation is by chance, of either sign.
    pearson : float
        Correlation of values.
    pearson_p_value : float
        As for `spearman`.
    n_found : int
        Number of pairs of which both words are known.
    n_pairs : int
        Number of pairs in the set.
    """

    spearman: float
    spearman_p_value: float
    pearson: float
    pearson_p_value: float
    n_found: int
    n_pairs: int

    @property
    def coverage(self) -> float:
        """Fraction of the pairs of which both words are known."""
        return self.n_found / self.n_pairs


def word_similarity(
    word_vectors: SimilarityQueries,
    pairs: str | os.PathLike[str] | Sequence[tuple[str, str, float]],
    *,
    missing: Literal["skip", "mean", "zero"] = "skip",
    case_insensitive: bool = True,
    restrict_vocab: int | None = None,
) -> WordSimilarityResult:
    """Correlate the cosines of pairs of words with people's judgments.

    Parameters
    ----------
    word_vectors : WordVectors
    pairs : path, or sequence of (str, str, float)
        Two words and how similar they are. A file holds one pair a line, divided by
        tabs, commas or spaces; further columns, lines that begin with ``#``, and a line
        of titles are passed over.
    missing : {"skip", "mean", "zero"}
        What to do with pairs of unknown words: leave them out; let the mean of all
        vectors stand for the word; or take 0 as similarity.
    case_insensitive : bool
        Whether to take the first word that differs only in case.
    restrict_vocab : int or None
        Know only the first so many words.

    Returns
    -------
    result : WordSimilarityResult

    Raises
    ------
    ValueError
        If fewer than two pairs remain, or a line is no pair.

    Examples
    --------
    >>> from skembed import WordVectors
    >>> words = WordVectors(["tea", "coffee", "car"], [[2, 1], [1, 1], [-1, 2]])
    >>> pairs = [("tea", "coffee", 9.0), ("coffee", "car", 3.5), ("Tea", "car", 2.0)]
    >>> result = word_similarity(words, pairs)
    >>> result.coverage
    1.0
    >>> round(result.spearman, 3)
    1.0
    """
    if missing not in ("skip", "mean", "zero"):
        msg = f"missing must be 'skip', 'mean' or 'zero', got {missing!r}."
        raise ValueError(msg)
    if isinstance(pairs, str | os.PathLike):
        pairs = _read_pairs(Path(pairs))
    lookup = WordRows(word_vectors, restrict_vocab, case_insensitive=case_insensitive)
    first = lookup.find(pair[0] for pair in pairs)
    second = lookup.find(pair[1] for pair in pairs)
    scores = np.array([pair[2] for pair in pairs], dtype=np.float64)
    found = (first >= 0) & (second >= 0)
    used = found if missing == "skip" else np.ones_like(found)
    if used.sum() < 2:
        msg = (
            f"At least two pairs are needed, but the words of only {used.sum()} of "
            f"{len(pairs)} pairs are known."
        )
        raise ValueError(msg)
    vectors = word_vectors.vectors[: lookup.n_words]
    cosines = _cosines(vectors, first[used], second[used])
    if missing == "zero":
        cosines[~found] = 0
    spearman = stats.spearmanr(scores[used], cosines)
    pearson = stats.pearsonr(scores[used], cosines)
    return WordSimilarityResult(
        spearman=float(spearman.statistic),
        spearman_p_value=float(spearman.pvalue),
        pearson=float(pearson.statistic),
        pearson_p_value=float(pearson.pvalue),
        n_found=int(found.sum()),
        n_pairs=len(pairs),
    )


def _cosines(
    vectors: npt.NDArray[np.float32],
    first: npt.NDArray[np.int64],
    second: npt.NDArray[np.int64],
) -> npt.NDArray[np.float64]:
    """Cosines of pairs of rows, where -1 is the mean of all; 0 for zero vectors."""
    mean = vectors.mean(axis=0, dtype=np.float64)
    sides = []
    for rows in (first, second):
        side = vectors[rows].astype(np.float64)
        side[rows < 0] = mean
        sides.append(side)
    products = np.einsum("nd,nd->n", *sides)
    lengths = np.prod([np.linalg.norm(side, axis=1) for side in sides], axis=0)
    cosines: npt.NDArray[np.float64] = np.zeros(len(first))
    np.divide(products, lengths, out=cosines, where=lengths > 0)
    return cosines


def _read_pairs(path: Path) -> list[tuple[str, str, float]]:
    pairs = []
    with path.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip() or line.startswith("#"):
                continue
            # Phrases may hold spaces where tabs or commas divide.
            divider = next((mark for mark in "\t," if mark in line), None)
            fields = [field.strip() for field in line.split(divider)]
            if len(fields) >= 3 and _is_number(fields[2]):
                pairs.append((fields[0], fields[1], float(fields[2])))
            elif number > 1:
                expected, found = "two words and a number", repr(line.strip()[:60])
                raise FormatError(path, expected=expected, found=found, line=number)
    return pairs


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text) is not None
