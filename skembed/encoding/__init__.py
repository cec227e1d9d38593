"""A frozen network over many texts, and what it gives, kept on disk.

Importing this package loads no torch.
"""

from skembed.encoding._cache import CacheInfo, FeatureCache
from skembed.encoding._cache_space import FeatureSpace
from skembed.encoding._digest import digest_texts
from skembed.encoding._distinct import distinct_features, ordered_features
from skembed.encoding._lowercase import lowered
from skembed.encoding._network_encoder import NetworkEncoder
from skembed.encoding._text_encoder import Text, TextEncoder
from skembed.encoding._transformer import TransformerEncoder
from skembed.encoding._word_encoder import WordEncoder, WordModel

__all__ = [
    "CacheInfo",
    "FeatureCache",
    "FeatureSpace",
    "NetworkEncoder",
    "Text",
    "TextEncoder",
    "TransformerEncoder",
    "WordEncoder",
    "WordModel",
    "digest_texts",
    "distinct_features",
    "lowered",
    "ordered_features",
]
