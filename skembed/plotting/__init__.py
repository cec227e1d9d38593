"""Pictures of what was learned; they need matplotlib, the extra ``skembed[plot]``."""

from skembed.plotting._layer_scores import LayerScoresDisplay
from skembed.plotting._layer_weights import LayerWeightsDisplay
from skembed.plotting._sense_map import SenseMapDisplay
from skembed.plotting._word_map import WordMapDisplay

__all__ = [
    "LayerScoresDisplay",
    "LayerWeightsDisplay",
    "SenseMapDisplay",
    "WordMapDisplay",
]
