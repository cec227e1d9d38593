"""Token vectors to document features."""

from skembed.features._components import common_components, remove_components
from skembed.features._normalize import normalize_rows
from skembed.features._pooling import POOLINGS, pool
from skembed.features._tokens import TokenFeatures
from skembed.features._weights import (
    document_frequency,
    inverse_document_frequency,
    smooth_inverse_frequency,
)

__all__ = [
    "POOLINGS",
    "TokenFeatures",
    "common_components",
    "document_frequency",
    "inverse_document_frequency",
    "normalize_rows",
    "pool",
    "remove_components",
    "smooth_inverse_frequency",
]
