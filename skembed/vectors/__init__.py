"""Words and their vectors: look them up, find neighbors, solve analogies."""

from skembed.vectors._analogies import solve_analogies
from skembed.vectors._published import load_published, without_ngrams
from skembed.vectors._similarity import SimilarityQueries, check_method
from skembed.vectors._subword_vectors import SubwordVectors
from skembed.vectors._word_vectors import WordVectors

__all__ = [
    "SimilarityQueries",
    "SubwordVectors",
    "WordVectors",
    "check_method",
    "load_published",
    "solve_analogies",
    "without_ngrams",
]
