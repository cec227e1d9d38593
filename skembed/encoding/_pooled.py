"""The statistics of texts at each layer, gathered from the windows of their tokens."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from skembed.features import COUNTS
from skembed.features._torch import OF_NOTHING
from skembed.networks import Windows

Float32Array = npt.NDArray[np.float32]


class Wanted(NamedTuple):
    """What is to be computed for each text.

    Parameters
    ----------
    layers : tuple of int
        Numbers of layers, 0 for the embedding output.
    statistics : tuple of str
        Of `skembed.features.STATISTICS`.
    special_tokens : bool
        Whether special tokens count.
    """

    layers: tuple[int, ...]
    statistics: tuple[str, ...]
    special_tokens: bool


class PooledTexts:
    """Statistics of some texts, to be filled window by window, in any order.

    Parameters
    ----------
    windows : Windows
        All windows of the texts.
    wanted : Wanted
    widths : tuple of int
        Features of each layer of the network.

    Attributes
    ----------
    counts : ndarray of shape (n_tokens,), bool
        Which tokens of all windows count: each token of a text once.
    """

    def __init__(
        self, windows: Windows, wanted: Wanted, widths: tuple[int, ...]
    ) -> None:
        n_texts = windows.n_texts
        self._text = windows.text
        neighbors = np.diff(self._text) == 0
        self._is_first = np.append(True, ~neighbors)
        self._is_last = np.append(~neighbors, True)
        self._is_alone = self._is_first & self._is_last
        content = windows.own & ~windows.special
        self.counts = windows.own if wanted.special_tokens else content
        self._has_content = self._per_text(content, windows, n_texts) > 0
        self._n_counted = self._per_text(self.counts, windows, n_texts)
        self._n_windows = np.bincount(self._text).astype(np.float32)[:, None]
        is_cut = np.zeros(n_texts) if windows.is_cut is None else windows.is_cut
        self._n_cut = is_cut.astype(np.float32)[:, None]
        self._arrays = {
            f"{name}.{layer}": np.full(
                (n_texts, widths[layer]), OF_NOTHING.get(name, 0.0), dtype=np.float32
            )
            for layer in wanted.layers
            for name in wanted.statistics
        }

    def add(
        self,
        rows: npt.NDArray[np.int64],
        layer: int,
        statistics: Mapping[str, torch.Tensor],
    ) -> None:
        """Take in what some windows have of their texts, at one layer.

        Parameters
        ----------
        rows : ndarray of shape (n_rows,), int64
            The windows.
        layer : int
        statistics : mapping of str to Tensor of shape (n_rows, width), float32
            From `skembed.features._torch.TokenStatistics`.
        """
        for name, tensor in statistics.items():
            values = tensor.cpu().numpy()
            array = self._arrays[f"{name}.{layer}"]
            alone = self._is_alone[rows]
            array[self._text[rows[alone]]] = values[alone]
            for k in np.flatnonzero(~alone):
                self._add_one(name, array, int(rows[k]), values[k])

    def _add_one(
        self, name: str, array: Float32Array, row: int, value: Float32Array
    ) -> None:
        """Take in one window of a text that has several."""
        total = array[self._text[row]]
        if name == "mean":
            total += value
        elif name in OF_NOTHING:
            (np.maximum if name == "max" else np.minimum)(total, value, out=total)
        elif (self._is_last if name == "last" else self._is_first)[row]:
            total[:] = value

    def arrays(self) -> dict[str, Float32Array]:
        """Return what has been gathered, once all windows have been added.

        Returns
        -------
        arrays : dict of str to ndarray of shape (n_texts, width), float32
            Statistics by name and layer, such as ``"mean.3"``; and, of width 1, what
            `skembed.features.COUNTS` names. Texts without a token of their own have
            zeros.
        """
        n_counted = self._n_counted.astype(np.float32)[:, None]
        for name, array in self._arrays.items():
            if name.startswith("mean."):
                np.divide(array, np.maximum(n_counted, 1.0), out=array)
            array[~self._has_content] = 0.0
        counts = (n_counted, self._n_windows, self._n_cut)
        return {**self._arrays, **dict(zip(COUNTS, counts, strict=True))}

    @staticmethod
    def _per_text(
        of_token: npt.NDArray[np.bool_], windows: Windows, n_texts: int
    ) -> npt.NDArray[np.int64]:
        """Count tokens of each text."""
        text_of = np.repeat(windows.text, windows.ids.lengths)
        return np.bincount(text_of[of_token], minlength=n_texts)
