"""Word and contextual embeddings as scikit-learn transformers.

Raw documents go in, a dense feature matrix comes out::

    text -> counts -> training -> vectors -> features -> estimators

Each subpackage is one of these stages and imports only from the ones on its left.
"""

from skembed.encoding import FeatureCache
from skembed.estimators import (
    BertLayerFeaturizer,
    CoVeFeaturizer,
    ELMoFeaturizer,
    FastTextVectorizer,
    GloVeVectorizer,
    PPMIVectorizer,
    SkipGramVectorizer,
)
from skembed.vectors import SubwordVectors, WordVectors

__version__ = "0.1.0.dev0"
__all__ = [
    "BertLayerFeaturizer",
    "CoVeFeaturizer",
    "ELMoFeaturizer",
    "FastTextVectorizer",
    "FeatureCache",
    "GloVeVectorizer",
    "PPMIVectorizer",
    "SkipGramVectorizer",
    "SubwordVectors",
    "WordVectors",
]
