"""Encoders and decoders in the formats of the Hugging Face Hub.

Importing this package loads neither torch nor transformers.
"""

from skembed.networks.huggingface._model import (
    PackedModel,
    PretrainedModel,
    named_model,
)

__all__ = ["PackedModel", "PretrainedModel", "named_model"]
