"""An encoder of CoVe that has been named, with the word vectors that it reads."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from skembed.formats import LstmSizes
from skembed.networks._lexicon import Lexicon

if TYPE_CHECKING:
    import torch

    from skembed.networks.cove._reader import CoVeReader

Float32Array = npt.NDArray[np.float32]
LookUp = Callable[[Sequence[str]], Float32Array]

_START = b"skembed encoder of contexts 1"


@dataclass(frozen=True, eq=False)
class CoVeModel:
    """Word vectors and an encoder; see `skembed.encoding.WordModel`.

    Parameters
    ----------
    look_up : callable
        Returns the vectors of words, shape (n_words, input_size), float32: zeros for
        unknown ones.
    vectors_fingerprint : str
        Digest of all that `look_up` gives.
    sizes : LstmSizes
        Of the encoder.
    weights : callable
        Returns the arrays of the encoder, under the names of ``nn.LSTM``.
    weights_fingerprint : str
        Digest of them.
    """

    look_up: LookUp
    vectors_fingerprint: str
    sizes: LstmSizes
    weights: Callable[[], Mapping[str, Float32Array]]
    weights_fingerprint: str

    # Texts have no boundaries, and begin with the zero state.
    begin: ClassVar[tuple[str, ...]] = ()
    end: ClassVar[tuple[str, ...]] = ()
    ordered: ClassVar[bool] = False
    settings: ClassVar[tuple[Any, ...]] = ()

    @cached_property
    def fingerprint(self) -> str:
        """Digest of all that the layers depend on."""
        whole = self.vectors_fingerprint + self.weights_fingerprint
        return blake2b(whole.encode(), digest_size=16).hexdigest()

    @property
    def widths(self) -> tuple[int, ...]:
        """Features of each layer: those of the vectors, then of each LSTM layer."""
        both = 2 * self.sizes.hidden_size
        return (self.sizes.input_size, *[both] * self.sizes.n_layers)

    def reader(
        self, lexicon: Lexicon, device: "torch.device", dtype: "torch.dtype"
    ) -> "CoVeReader":
        """Return what reads the words of a lexicon; the LSTM is made once."""
        from skembed.networks.cove._reader import CoVeReader, made_lstm

        lstm = made_lstm(self.weights_fingerprint, self.weights, device, dtype)
        return CoVeReader(lstm, lexicon.words, self.look_up)


def fingerprint_arrays(arrays: Mapping[str, npt.NDArray[Any]]) -> str:
    """Digest arrays with their names and shapes.

    Examples
    --------
    >>> len(fingerprint_arrays({"a": np.zeros(3)}))
    32
    """
    whole = blake2b(_START, digest_size=16)
    for name, array in sorted(arrays.items()):
        whole.update(f"\0{name}\0{array.dtype.str}\0{array.shape}\0".encode())
        whole.update(np.ascontiguousarray(array).data)
    return whole.hexdigest()
