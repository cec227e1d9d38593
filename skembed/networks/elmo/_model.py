"""A bidirectional language model that has been named: nothing is loaded until asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from skembed.formats import (
    ElmoArrays,
    ElmoFiles,
    ElmoOptions,
    find_elmo,
    read_elmo,
    read_elmo_options,
)
from skembed.networks._fingerprint import fingerprint_files
from skembed.networks._lexicon import Lexicon
from skembed.text import BEGIN_SENTENCE, END_SENTENCE

if TYPE_CHECKING:
    import torch

    from skembed.networks.elmo._reader import ElmoReader

_DIGEST_BYTES = 16
_START = b"skembed bidirectional language model 1"

INITIAL_STATES = ("warm", "zeros", "carry")
"""What a text may begin with; see `ElmoModel`."""


@dataclass(frozen=True, eq=False)
class ElmoModel:
    """A bidirectional language model, in files or in memory.

    Parameters
    ----------
    fingerprint : str
        Digest of all of it that its layers depend on.
    options : ElmoOptions
    files : ElmoFiles or None
        Where it is, unless it is in memory.
    arrays : ElmoArrays or None
        The model that is in memory.
    initial_state : {"warm", "zeros", "carry"}
        The state that a text begins with: "warm" is what a fixed short text leaves,
        "carry" what the text in the same place of the batch before left, as in the
        authors' programs.
    """

    fingerprint: str
    options: ElmoOptions
    files: ElmoFiles | None = None
    arrays: ElmoArrays | None = None
    initial_state: str = "warm"

    begin: ClassVar[Sequence[str]] = (BEGIN_SENTENCE,)
    end: ClassVar[Sequence[str]] = (END_SENTENCE,)

    @cached_property
    def widths(self) -> tuple[int, ...]:
        """Features of each layer: that of the words, then each LSTM layer."""
        return (2 * self.options.projection_dim,) * (self.options.n_layers + 1)

    @property
    def ordered(self) -> bool:
        """Whether what a text gives depends on the texts before it."""
        return self.initial_state == "carry"

    @property
    def settings(self) -> tuple[Any, ...]:
        """All that the layers depend on beside the fingerprint."""
        return (self.initial_state,)

    def begun(self, initial_state: str) -> "ElmoModel":
        """Return the same model, with another state that texts begin with."""
        return replace(self, initial_state=initial_state)

    def load(self) -> ElmoArrays:
        """Return its arrays, read now unless they are in memory."""
        if self.arrays is not None:
            return self.arrays
        if self.files is None:
            msg = "a model is in files or in memory"
            raise TypeError(msg)
        return read_elmo(self.files)

    def reader(
        self, lexicon: Lexicon, device: "torch.device", dtype: "torch.dtype"
    ) -> "ElmoReader":
        """Return what reads the words of a lexicon; the network is made once."""
        from skembed.networks.elmo._reader import ElmoReader
        from skembed.networks.elmo._registry import made_network

        key = self.fingerprint, str(device), dtype
        network = made_network(key, self.load, device, dtype)
        return ElmoReader(network, lexicon.words, self.initial_state)


def named_elmo(weights: Any) -> ElmoModel:
    """Find the model that the parameter `weights` names, and digest its files.

    Parameters
    ----------
    weights : str, path, or pair of them
        See `skembed.formats.find_elmo`.

    Returns
    -------
    model : ElmoModel

    Raises
    ------
    FileNotFoundError, FormatError, TypeError
        As `find_elmo` and `read_elmo_options` do.
    """
    files = find_elmo(weights)
    options = read_elmo_options(files)
    digest, initial_state = fingerprint_files(files.paths), options.initial_state
    return ElmoModel(digest, options, files, initial_state=initial_state or "warm")


def packed_elmo(model: ElmoArrays, fingerprint: str | None = None) -> ElmoModel:
    """Name a model that is in memory.

    Parameters
    ----------
    model : ElmoArrays
    fingerprint : str or None
        If it is known already. None: a digest of the arrays, which is not that of files
        that hold them.

    Returns
    -------
    model : ElmoModel
    """
    digest = fingerprint or _fingerprint_arrays(
        model.options, model.arrays, model.words
    )
    initial_state = model.options.initial_state or "warm"
    return ElmoModel(digest, model.options, None, model, initial_state)


def _fingerprint_arrays(
    options: ElmoOptions, arrays: Mapping[str, Any], words: tuple[str, ...] | None
) -> str:
    whole = blake2b(_START, digest_size=_DIGEST_BYTES)
    whole.update(repr((options, words)).encode("utf-8", "surrogatepass"))
    for name, array in sorted(arrays.items()):
        whole.update(f"\0{name}\0{array.shape}\0".encode())
        whole.update(np.ascontiguousarray(array).data)
    return whole.hexdigest()
