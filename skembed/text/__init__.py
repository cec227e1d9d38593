"""Documents to tokens to ids.

`TextAnalysis` says how one document becomes words. `encode_corpus` reads a corpus once
and returns its `Vocabulary` and its token ids; `encode` gives the ids of documents in a
vocabulary that is there already; `tokenize` gives the words themselves. Words are taken
apart by `ngram_buckets`, `subwords` and `character_ids`.
"""

from skembed.text._analysis import TextAnalysis
from skembed.text._characters import (
    BEGIN_SENTENCE,
    END_SENTENCE,
    N_CHARACTERS,
    character_ids,
)
from skembed.text._encode import encode, encode_corpus
from skembed.text._newswire import newswire_words
from skembed.text._ngrams import check_ngrams, ngram_buckets, subwords
from skembed.text._tokenize import tokenize
from skembed.text._vocabulary import Vocabulary

__all__ = [
    "BEGIN_SENTENCE",
    "END_SENTENCE",
    "N_CHARACTERS",
    "TextAnalysis",
    "Vocabulary",
    "character_ids",
    "check_ngrams",
    "encode",
    "encode_corpus",
    "newswire_words",
    "ngram_buckets",
    "subwords",
    "tokenize",
]
