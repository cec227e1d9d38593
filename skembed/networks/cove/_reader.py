"""Texts as words, their vectors, and these through an encoder."""

from collections.abc import Callable, Mapping

import numpy as np
import torch

from skembed._ragged import Ragged
from skembed.networks._network import Visit
from skembed.networks._registry import Registry
from skembed.networks.cove._lstm import BidirectionalLstm
from skembed.networks.cove._model import Float32Array, LookUp

_made: Registry[BidirectionalLstm] = Registry(n_kept=2)


def made_lstm(
    fingerprint: str,
    load: Callable[[], Mapping[str, Float32Array]],
    device: torch.device,
    dtype: torch.dtype,
) -> BidirectionalLstm:
    """Return an encoder, made now or before.

    Parameters
    ----------
    fingerprint : str
        Of its weights.
    load : callable
        Returns the weights.
    device : torch.device
    dtype : torch.dtype

    Returns
    -------
    lstm : BidirectionalLstm
    """
    key = fingerprint, str(device), dtype
    return _made.get(key, lambda: BidirectionalLstm(load(), device, dtype))


class CoVeReader:
    """An encoder with the words of some texts, and their vectors.

    See `skembed.networks.Network` for what it does.

    Parameters
    ----------
    lstm : BidirectionalLstm
    words : list of str
        The word of each id; more may be added while this is used.
    look_up : callable
        Returns the vectors of words.
    """

    # So little that batches are cut by tokens.
    pads = False

    def __init__(
        self, lstm: BidirectionalLstm, words: list[str], look_up: LookUp
    ) -> None:
        self._lstm, self._words, self._look_up = lstm, words, look_up
        self.device, self.widths = lstm.device, lstm.widths

    def run(self, ids: Ragged, last: int, visit: Visit) -> None:
        """Show the states of layers 0 to `last`, one layer at a time.

        Parameters
        ----------
        ids : Ragged of int32
        last : int
        visit : callable
        """
        distinct, places = np.unique(ids.values, return_inverse=True)
        vectors = self._look_up([self._words[i] for i in distinct.tolist()])
        self._lstm.run(vectors[places], ids.offsets, last, visit)
