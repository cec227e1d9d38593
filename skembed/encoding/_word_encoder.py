"""A network that reads words over many texts; nothing is loaded until texts need it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from skembed._devices import CPU_DTYPES
from skembed.encoding._lowercase import lowered
from skembed.encoding._network_encoder import NetworkEncoder, Tokenize
from skembed.encoding._text_encoder import Rows, Text
from skembed.networks import Lexicon, WordReader
from skembed.networks._word_windows import Split

if TYPE_CHECKING:
    import torch

    from skembed.networks._network import Network

# Raised by one whenever the same model and text get other features.
_FORMAT = 1


class WordModel(Protocol):
    """A network of words that has been named, such as `ElmoModel`."""

    @property
    def begin(self) -> Sequence[str]:
        """Special words that are put before each text."""

    @property
    def end(self) -> Sequence[str]:
        """Special words that are put after each text."""

    @property
    def fingerprint(self) -> str:
        """Digest of all of it that its layers depend on."""

    @property
    def widths(self) -> tuple[int, ...]:
        """Features of each layer, that of the words first."""

    @property
    def ordered(self) -> bool:
        """Whether what a text gives depends on the texts before it."""

    @property
    def settings(self) -> tuple[Any, ...]:
        """All that the layers depend on beside the fingerprint."""

    def reader(
        self, lexicon: Lexicon, device: "torch.device", dtype: "torch.dtype"
    ) -> "Network":
        """Return what reads the words of a lexicon, by their numbers."""


@dataclass(frozen=True, kw_only=True)
class WordEncoder(NetworkEncoder):
    """What a network of words, with its settings, makes of texts.

    Parameters
    ----------
    model : WordModel
    split : callable
        Gives the words of a text, and where they begin and end in it.
    splitter : str
        A name for `split`, under which features are kept.
    lowercase : bool
        Whether the network reads words in lower case.
    max_length : int or None
        Most words of a window. It changes no feature: the network carries its state
        from one window to the next. None for a network that does not: each text is one
        window.
    batch_size : int
        Where the order of texts matters, how many are read side by side.
    special_tokens, device, dtype, batch_tokens, n_threads, verbose
        As of `NetworkEncoder`.
    """

    model: WordModel
    split: Split
    splitter: str
    lowercase: bool = False
    max_length: int | None = 512
    batch_size: int = 32

    @property
    def fingerprint(self) -> str:
        """Digest of all of the model that its layers depend on."""
        return self.model.fingerprint

    @property
    def widths(self) -> tuple[int, ...]:
        """Features of each layer, that of the words first."""
        return self.model.widths

    @property
    def ordered(self) -> bool:
        """Whether what a text gives depends on the texts before it."""
        return self.model.ordered

    def _settings(self) -> tuple[Any, ...]:
        return (
            _FORMAT, self.fingerprint, *self.model.settings, self.splitter,
            self.lowercase, self.special_tokens, self.dtype,
        )  # fmt: skip

    def _usual_batch_tokens(self, device: str) -> int:
        # A step reads one word of each text: it takes many texts to fill it.
        return 2 * super()._usual_batch_tokens(device)

    def _is_shareable(self, network: "Network") -> bool:
        del network
        # What is done between products of 8 bits takes one thread.
        return self.dtype in CPU_DTYPES and not self.ordered

    def _chunks(self, texts: Sequence[Text]) -> Iterator[Rows]:
        if not self.ordered:
            return super()._chunks(texts)
        starts = range(0, len(texts), self.batch_size)
        return (
            np.arange(start, min(start + self.batch_size, len(texts)))
            for start in starts
        )

    def _load(
        self,
        devices: Sequence["torch.device"],
        dtype: "torch.dtype",
        *,
        with_words: bool,
    ) -> tuple[Sequence["Network"], Tokenize]:
        # The words of windows come at no cost.
        del with_words
        lexicon = Lexicon()
        networks = [self.model.reader(lexicon, device, dtype) for device in devices]
        return networks, self._reading(lexicon)

    def _tokenizer(self) -> Tokenize:
        return self._reading(Lexicon())

    def _reading(self, lexicon: Lexicon) -> Tokenize:
        read = WordReader(
            self.split,
            lexicon,
            begin=self.model.begin,
            end=self.model.end,
            max_length=self.max_length,
        )
        if self.lowercase:
            return lambda texts, numbers: read(lowered(texts), numbers)
        return read
