"""Pictures of what was learned; they need matplotlib, the extra ``skembed[plot]``."""

from skembed.plotting._word_map import WordMapDisplay

__all__ = ["WordMapDisplay"]
