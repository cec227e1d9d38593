"""How good word vectors are, by what people say about words."""

from skembed.evaluation._analogies import AnalogyResult, AnalogyScore, analogies
from skembed.evaluation._neighbors import NeighborOverlap, neighbor_overlap
from skembed.evaluation._word_similarity import (
    WordSimilarityResult,
    word_similarity,
)

__all__ = [
    "AnalogyResult",
    "AnalogyScore",
    "NeighborOverlap",
    "WordSimilarityResult",
    "analogies",
    "neighbor_overlap",
    "word_similarity",
]
