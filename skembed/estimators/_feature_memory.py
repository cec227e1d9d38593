"""The feature cache that the parameter `memory` of a featurizer asks for."""

from os import PathLike
from typing import Any

from skembed.encoding import FeatureCache


def feature_cache(memory: Any) -> FeatureCache | None:
    """Return the cache that the parameter `memory` asks for, if any.

    Examples
    --------
    >>> feature_cache("cache"), feature_cache(None)
    (FeatureCache(location='cache', max_size='10 GB'), None)
    """
    if memory is None or isinstance(memory, FeatureCache):
        return memory
    if isinstance(memory, (str, PathLike)):
        return FeatureCache(memory)
    # A joblib.Memory, of which the place matters.
    location = getattr(memory, "location", None)
    return None if location is None else FeatureCache(location)
