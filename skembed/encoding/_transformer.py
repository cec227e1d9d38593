"""A Hugging Face model over many texts; nothing is loaded until texts need it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import Any

from skembed._devices import resolve_devices
from skembed.encoding._cache import FeatureCache
from skembed.encoding._cache_space import FeatureSpace
from skembed.encoding._progress import text_progress
from skembed.encoding._text_encoder import Compute, Float32Array, Mix, Rows, Text
from skembed.features import STATISTICS
from skembed.networks import Windows
from skembed.networks.huggingface import PretrainedModel

# Raised by one whenever the same model and text get other features.
_FORMAT = 1
_BATCH_TOKENS = {"cpu": 2_048}
_GPU_BATCH_TOKENS = 32_768


@dataclass(frozen=True)
class TransformerEncoder:
    """What a transformer, with its settings, makes of texts.

    Parameters
    ----------
    model : PretrainedModel
    max_length : int or None
        Most tokens of a window; None for as many as the model can read.
    overlong : {"windows", "truncate", "error"}
    prefix : str
    special_tokens : bool
        Whether special tokens count in statistics.
    device : str, torch.device, or sequence of them
    dtype : str
        Of `skembed._devices.DTYPES`.
    batch_tokens : int or None
        Most tokens of a batch; None for a number that suits the device.
    n_threads : int or None
        Threads of torch on the CPU; None leaves them as they are.
    verbose : int
        1 shows progress.
    """

    model: PretrainedModel
    max_length: int | None = None
    overlong: str = "windows"
    prefix: str = ""
    special_tokens: bool = False
    device: Any = "auto"
    dtype: str = "float32"
    batch_tokens: int | None = None
    n_threads: int | None = None
    verbose: int = 0

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

    def space(self, cache: FeatureCache) -> FeatureSpace:
        """Return the part of a cache that is for this model and these settings."""
        # Of a folder, the fingerprint tells how long a window can be; to find that out,
        # its tokenizer would have to be loaded.
        is_loaded = self.model.folder is None or self.model.tokenizer is not None
        max_length = self.longest if is_loaded else self.max_length
        settings = (
            _FORMAT, self.fingerprint, max_length, self.overlong, self.prefix,
            self.special_tokens, self.dtype,
        )  # fmt: skip
        key = blake2b(repr(settings).encode("utf-8", "surrogatepass"), digest_size=16)
        return cache.space(key.hexdigest())

    def statistics(
        self,
        layers: tuple[int, ...] | None = None,
        names: tuple[str, ...] | None = None,
    ) -> Compute:
        """Return what computes statistics of texts, to be given to `distinct_features`.

        Parameters
        ----------
        layers : tuple of int or None
            None for all.
        names : tuple of str or None
            Of `skembed.features.STATISTICS`; None for all.

        Returns
        -------
        compute : callable
            See `skembed.encoding._encode.pooled_texts`.
        """

        def compute(
            texts: Sequence[Text], numbers: Rows
        ) -> Iterator[tuple[Rows, dict[str, Float32Array]]]:
            from skembed.encoding._encode import pooled_texts
            from skembed.encoding._pooled import Wanted

            chosen = layers or tuple(range(len(self.widths)))
            wanted = Wanted(chosen, names or STATISTICS, self.special_tokens)
            with self._running(len(texts), with_words=False) as encoder:
                yield from pooled_texts(encoder, texts, numbers, wanted)

        return compute

    def token_states(
        self, texts: Sequence[Text], layers: tuple[int, ...], mix: Mix
    ) -> Iterator[tuple[Rows, Windows, Float32Array]]:
        """Compute the mixed states of the tokens of texts, with their words.

        See `skembed.encoding._encode.token_states`.
        """
        from skembed.encoding._encode import token_states

        with self._running(len(texts), with_words=True) as encoder:
            yield from token_states(encoder, texts, layers, mix)

    def count_overlong(self, texts: Sequence[Text]) -> tuple[int, int]:
        """Count the texts that are read in windows, and those that are cut off."""
        from skembed.encoding._batches import chunks

        tokenize = self._tokenizer()
        parts = [
            tokenize(self._cased([texts[row] for row in rows]), numbers=rows.tolist())
            for rows in chunks(texts)
        ]
        return (
            sum(part.n_windowed for part in parts),
            sum(part.n_truncated for part in parts),
        )

    def _tokenizer(self) -> Any:
        from skembed.networks.huggingface._tokenizer import WindowTokenizer

        return WindowTokenizer(
            self.model.load_tokenizer(),
            max_length=self.longest,
            overlong=self.overlong,
            prefix=self.prefix,
        )

    def _cased(self, texts: list[Text]) -> list[Text]:
        """Return texts in lower case if the model wants that."""
        if not self.model.lowercase:
            return texts
        return [
            _lower(text) if isinstance(text, str) else [_lower(word) for word in text]
            for text in texts
        ]

    @contextmanager
    def _running(self, n_texts: int, *, with_words: bool) -> Iterator[Any]:
        """Load the network, and give an `Encoder` of it."""
        import torch

        from skembed.encoding._encode import Encoder
        from skembed.encoding._run import TokenBudget

        devices = resolve_devices(self.device)
        kind = getattr(torch, self.dtype)
        networks = [self.model.network(device, kind) for device in devices]
        tokenizer = self._tokenizer()
        n_tokens = self.batch_tokens or _BATCH_TOKENS.get(
            devices[0].type, _GPU_BATCH_TOKENS
        )
        before = torch.get_num_threads()
        torch.set_num_threads(self.n_threads or before)
        try:
            with text_progress(n_texts, self.verbose) as progress:
                yield Encoder(
                    networks,
                    lambda texts, numbers: tokenizer(
                        self._cased(texts), with_words=with_words, numbers=numbers
                    ),
                    TokenBudget(n_tokens),
                    progress,
                )
        finally:
            torch.set_num_threads(before)


def _lower(text: str) -> str:
    """Make letters small, but those that would become two characters.

    The characters of words are counted in the text that was given.
    """
    small = text.lower()
    if len(small) == len(text):
        return small
    return "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
