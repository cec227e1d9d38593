"""Token vectors to document features."""

from skembed.features._components import common_components, remove_components
from skembed.features._layers import (
    MIXINGS,
    LayerMix,
    LayerScores,
    choose_layers,
    mix_layers,
)
from skembed.features._learned_mix import fit_layer_mix
from skembed.features._normalize import normalize_rows
from skembed.features._pooling import POOLINGS, pool, pooling_names
from skembed.features._states import (
    COUNTS,
    STATE_POOLINGS,
    STATISTICS,
    needed_statistics,
    pool_states,
    state_poolings,
)
from skembed.features._tokens import TokenFeatures
from skembed.features._weights import (
    document_frequency,
    inverse_document_frequency,
    smooth_inverse_frequency,
)
from skembed.features._words import AGGREGATIONS, aggregate_words

__all__ = [
    "AGGREGATIONS",
    "COUNTS",
    "MIXINGS",
    "POOLINGS",
    "STATE_POOLINGS",
    "STATISTICS",
    "LayerMix",
    "LayerScores",
    "TokenFeatures",
    "aggregate_words",
    "choose_layers",
    "common_components",
    "document_frequency",
    "fit_layer_mix",
    "inverse_document_frequency",
    "mix_layers",
    "needed_statistics",
    "normalize_rows",
    "pool",
    "pool_states",
    "pooling_names",
    "remove_components",
    "smooth_inverse_frequency",
    "state_poolings",
]
