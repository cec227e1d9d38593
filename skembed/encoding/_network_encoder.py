"""A network over many texts, whatever its kind; nothing is loaded until texts need it.

`NetworkEncoder` is the template of every `TextEncoder`: what the kind of the network
decides is how it is found and loaded, and how texts become windows.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from skembed._devices import check_device, resolve_devices, torch_threads
from skembed.encoding._batches import LANE_TOKENS, chunks
from skembed.encoding._cache import FeatureCache
from skembed.encoding._cache_space import FeatureSpace
from skembed.encoding._progress import text_progress
from skembed.encoding._text_encoder import Compute, Float32Array, Mix, Rows, Text
from skembed.features import STATISTICS
from skembed.networks import Windows

if TYPE_CHECKING:
    import torch

    from skembed.networks._network import Network

Tokenize = Callable[[list[Text], list[int]], Windows]

_BATCH_TOKENS = {"cpu": 2_048}
_GPU_BATCH_TOKENS = 32_768
# What more would need of memory has not been tried.
_MOST_LANES = 8


@dataclass(frozen=True, kw_only=True)
class NetworkEncoder(ABC):
    """What a network, with its settings, makes of texts: see `TextEncoder`.

    Subclasses say what the network is (`fingerprint`, `widths`, `_settings`), how it is
    loaded (`_load`), and how texts are cut into windows without it (`_tokenizer`).

    Parameters
    ----------
    special_tokens : bool
        Whether special tokens count in statistics.
    device : str, torch.device, or sequence of them
    dtype : str
        Of `skembed._devices.DTYPES`, or `CPU_DTYPES` if the network knows them.
    batch_tokens : int or None
        Most tokens of a batch; None for a number that suits the device.
    n_threads : int or None
        Threads of torch on the CPU; None leaves them as they are.
    verbose : int
        1 shows progress.
    """

    special_tokens: bool = False
    device: Any = "auto"
    dtype: str = "float32"
    batch_tokens: int | None = None
    n_threads: int | None = None
    verbose: int = 0

    def __post_init__(self) -> None:
        # Before anything else is done. Whether it is there matters if it is needed.
        check_device(self.device, self.dtype)

    @property
    @abstractmethod
    def fingerprint(self) -> str:
        """Digest of all of the network that its layers depend on."""

    @property
    @abstractmethod
    def widths(self) -> tuple[int, ...]:
        """Features of each layer, the embedding output first."""

    @property
    def ordered(self) -> bool:
        """Whether what a text gives depends on the texts before it."""
        return False

    @abstractmethod
    def _settings(self) -> tuple[Any, ...]:
        """Return all that the features of a text depend on, but the text."""

    @abstractmethod
    def _load(
        self,
        devices: Sequence["torch.device"],
        dtype: "torch.dtype",
        *,
        with_words: bool,
    ) -> tuple[Sequence["Network"], Tokenize]:
        """Load the network onto each device, and return what makes its windows."""

    @abstractmethod
    def _tokenizer(self) -> Tokenize:
        """Return what makes windows, without words, where no network is needed."""

    def _chunks(self, texts: Sequence[Text]) -> Iterator[Rows]:
        """Cut texts into chunks, each of which is tokenised and stored at a time."""
        return chunks(texts)

    def _usual_batch_tokens(self, device: str) -> int:
        """Return most tokens of a batch on a kind of device."""
        return _BATCH_TOKENS.get(device, _GPU_BATCH_TOKENS)

    def _is_shareable(self, network: "Network") -> bool:
        """Return whether a network may run several batches side by side."""
        del network
        return False

    def _most_lanes(self, networks: Sequence["Network"]) -> int:
        """Return how many batches each network may run side by side."""
        import torch

        # Who names a device twice has them run side by side already.
        if len(networks) > 1 or not self._is_shareable(networks[0]):
            return 1
        return min(torch.get_num_threads(), _MOST_LANES)

    def space(self, cache: FeatureCache) -> FeatureSpace:
        """Return the part of a cache that is for this network and these settings."""
        settings = repr(self._settings()).encode("utf-8", "surrogatepass")
        return cache.space(blake2b(settings, digest_size=16).hexdigest())

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
        tokenize = self._tokenizer()
        parts = [
            tokenize([texts[row] for row in rows], rows.tolist())
            for rows in chunks(texts)
        ]
        return (
            sum(part.n_windowed for part in parts),
            sum(part.n_truncated for part in parts),
        )

    @contextmanager
    def _running(self, n_texts: int, *, with_words: bool) -> Iterator[Any]:
        """Load the network, and give an `Encoder` of it."""
        import torch

        from skembed.encoding._encode import Encoder
        from skembed.encoding._run import TokenBudget

        devices = resolve_devices(self.device, self.dtype)
        networks, tokenize = self._load(
            devices, getattr(torch, self.dtype), with_words=with_words
        )
        n_tokens = self.batch_tokens or self._usual_batch_tokens(devices[0].type)
        with (
            torch_threads(self.n_threads),
            text_progress(n_texts, self.verbose) as progress,
        ):
            most_lanes = self._most_lanes(networks)
            if self.batch_tokens is None:
                n_tokens = max(n_tokens, most_lanes * LANE_TOKENS)
            yield Encoder(
                networks,
                tokenize,
                TokenBudget(n_tokens),
                progress,
                self._chunks,
                most_lanes,
            )
