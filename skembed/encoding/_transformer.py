"""A Hugging Face model over many texts; nothing is loaded until texts need it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from skembed.encoding._lowercase import lowered
from skembed.encoding._network_encoder import NetworkEncoder, Tokenize
from skembed.encoding._text_encoder import Text
from skembed.networks.huggingface import PretrainedModel

if TYPE_CHECKING:
    import torch

    from skembed.networks._network import Network
    from skembed.networks.huggingface._network import HuggingFaceNetwork

# Raised by one whenever the same model and text get other features.
_FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class TransformerEncoder(NetworkEncoder):
    """What a transformer, with its settings, makes of texts.

    Parameters
    ----------
    model : PretrainedModel
    max_length : int or None
        Most tokens of a window; None for as many as the model can read.
    overlong : {"windows", "truncate", "error"}
    prefix : str
    special_tokens, device, dtype, batch_tokens, n_threads, verbose
        As of `NetworkEncoder`.
    """

    model: PretrainedModel
    max_length: int | None = None
    overlong: str = "windows"
    prefix: str = ""

    @property
    def fingerprint(self) -> str:
        """Digest of all of the model that its layers depend on."""
        return self.model.fingerprint

    @cached_property
    def widths(self) -> tuple[int, ...]:
        """Features of each layer, the embedding output first."""
        config = self.model.config()
        return (int(config.hidden_size),) * (int(config.num_hidden_layers) + 1)

    @cached_property
    def longest(self) -> int | None:
        """Most tokens of a window, as asked for and as the model can read."""
        usual, limit = self.model.longest()
        if self.max_length is None:
            return usual
        if limit is not None and self.max_length > limit:
            msg = (
                f"max_length must be at most {limit}, which is what "
                f"{self.model.name!r} can read at once, got {self.max_length}. Longer "
                "documents are read in windows."
            )
            raise ValueError(msg)
        return self.max_length

    def _settings(self) -> tuple[Any, ...]:
        # Of a folder, the fingerprint tells how long a window can be; to find that out,
        # its tokenizer would have to be loaded.
        is_loaded = self.model.folder is None or self.model.tokenizer is not None
        max_length = self.longest if is_loaded else self.max_length
        return (
            _FORMAT, self.fingerprint, max_length, self.overlong, self.prefix,
            self.special_tokens, self.dtype,
        )  # fmt: skip

    def _load(
        self,
        devices: Sequence["torch.device"],
        dtype: "torch.dtype",
        *,
        with_words: bool,
    ) -> tuple[Sequence["Network"], Tokenize]:
        networks = [self.model.network(device, dtype) for device in devices]
        return networks, self._tokenizer(with_words=with_words)

    def _is_shareable(self, network: "Network") -> bool:
        is_shareable = cast("HuggingFaceNetwork", network).is_shareable
        return network.device.type == "cpu" and is_shareable

    def _tokenizer(self, *, with_words: bool = False) -> Tokenize:
        from skembed.networks.huggingface._tokenizer import WindowTokenizer

        tokenize = WindowTokenizer(
            self.model.load_tokenizer(),
            max_length=self.longest,
            overlong=self.overlong,
            prefix=self.prefix,
        )
        return lambda texts, numbers: tokenize(
            self._cased(texts), with_words=with_words, numbers=numbers
        )

    def _cased(self, texts: list[Text]) -> list[Text]:
        """Return texts in lower case if the model wants that."""
        return lowered(texts) if self.model.lowercase else texts
