"""The layer below all context: a vector for each word, computed once."""

import threading
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from skembed.formats import CharacterOptions
from skembed.networks._onednn import PackedLinear
from skembed.networks.elmo._highway import Highway, Int8Highway
from skembed.networks.elmo._int8 import Int8Linear
from skembed.text import character_ids

Float32Array = npt.NDArray[np.float32]
Embed = Callable[[Sequence[str]], torch.Tensor]

# Words that are convolved at once; they are of similar length.
_GROUP = 128
# Vectors that are kept, in bytes.
_MOST_BYTES = 1 << 27
_PADDING = 261


class WordLayer:
    """Vectors of words, kept as long as there is room.

    Parameters
    ----------
    embed : callable
        Computes the vectors of different words, of shape (n_words, width), float32.
    width : int
    device : torch.device
    most : int or None
        Words whose vectors are kept; None for as many as fit into 128 MiB. When there
        are more, all are forgotten but those at hand.
    """

    def __init__(
        self, embed: Embed, width: int, device: torch.device, most: int | None = None
    ) -> None:
        self._embed = embed
        self._most = most or _MOST_BYTES // (4 * width)
        self._place: dict[str, int] = {}
        self._table = torch.empty((0, width), dtype=torch.float32, device=device)
        self._lock = threading.Lock()

    def __call__(self, words: Sequence[str]) -> torch.Tensor:
        """Return the vectors of different words, of shape (n_words, width), float32."""
        with self._lock:
            new = [word for word in words if word not in self._place]
            if len(self._place) + len(new) > self._most:
                self._place.clear()
                new = list(words)
            if new:
                self._add(new)
            places = torch.tensor([self._place[word] for word in words])
            return self._table[places.to(self._table.device)]

    def _add(self, words: list[str]) -> None:
        vectors = self._embed(words)
        start, stop = len(self._place), len(self._place) + len(words)
        if stop > len(self._table):
            # Doubled, so that words that come one by one are not copied each time.
            n_rows = max(stop, min(2 * len(self._table), self._most))
            table = self._table.new_empty((n_rows, self._table.shape[1]))
            table[:start] = self._table[:start]
            self._table = table
        self._table[start:stop] = vectors
        self._place.update(zip(words, range(start, stop), strict=True))


class CharacterCnn:
    """Vectors of words from their characters.

    The characters' vectors are convolved; of each filter the maximum over the word is
    taken, then its activation. Highway layers follow (see `Highway`), and a projection.

    Parameters
    ----------
    options : CharacterOptions
    arrays : mapping of str to ndarray, float32
        See `skembed.formats.array_shapes`.
    device : torch.device
    dtype : torch.dtype
        Of the products of the highway layers and the projection; int8, which is for the
        CPU, is that of all, so that no word depends on those beside it in a batch.

    References
    ----------
    .. [1] Y. Kim, Y. Jernite, D. Sontag and A. Rush, "Character-Aware Neural Language
       Models", AAAI 2016.
    """

    def __init__(
        self,
        options: CharacterOptions,
        arrays: Mapping[str, Float32Array],
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        is_int8 = dtype == torch.int8
        self._options, self._device = options, device
        self._dtype = torch.float32 if is_int8 else dtype

        def tensor(name: str) -> torch.Tensor:
            return torch.tensor(arrays[name], device=device)

        linear = Int8Linear if is_int8 else PackedLinear
        self._characters = tensor("char_embed")
        # One column for each filter, one row for each number of a window's vectors.
        self._filters = [
            linear(tensor(f"CNN/W_cnn_{i}").flatten(0, 2).t(), tensor(f"CNN/b_cnn_{i}"))
            for i in range(len(options.filters))
        ]
        layer = Int8Highway if is_int8 else Highway
        self._highways = []
        for k in range(options.n_highway):
            parts = [
                [tensor(f"CNN_high_{k}/{letter}_{part}") for letter in ("W", "b")]
                for part in ("transform", "carry")
            ]
            weights, biases = zip(*parts, strict=True)
            weight, bias = torch.cat(weights, dim=1).t(), torch.cat(biases)
            self._highways.append(layer(weight.to(self._dtype), bias.to(self._dtype)))
        self._projection: PackedLinear | Int8Linear | None = None
        if "CNN_proj/W_proj" in arrays:
            weight, bias = tensor("CNN_proj/W_proj").t(), tensor("CNN_proj/b_proj")
            self._projection = linear(weight.to(self._dtype), bias.to(self._dtype))

    def __call__(self, words: Sequence[str]) -> torch.Tensor:
        """Compute vectors of words, of shape (n_words, width), float32."""
        ids = character_ids(words, self._options.n_characters)
        lengths = (ids != _PADDING).sum(axis=1)
        order = np.argsort(lengths, kind="stable")
        groups = np.split(order, range(_GROUP, len(order), _GROUP))
        features = torch.cat([self._convolve(ids[rows]) for rows in groups])
        vectors = self._mixed(features.to(self._dtype)).float()
        result = torch.empty_like(vectors)
        result[torch.from_numpy(order).to(self._device)] = vectors
        return result

    def _convolve(self, ids: npt.NDArray[np.int32]) -> torch.Tensor:
        """Return the filters' maxima over words, sorted by length."""
        options = self._options
        # The windows that begin at the first character of padding are those of nothing
        # but padding, and all that follow are equal to them.
        n_starts = int((ids[-1] != _PADDING).sum()) + 1
        widest = max(width for width, _ in options.filters)
        ids = ids[:, : n_starts + widest - 1]
        vectors = self._characters[torch.from_numpy(ids - 1).long().to(self._device)]
        maxima = []
        for (width, _), linear in zip(options.filters, self._filters, strict=True):
            # Of shape (n_words, n_windows, characters' width, window's width).
            windows = vectors.unfold(1, width, 1)[:, :n_starts]
            flat = windows.transpose(2, 3).reshape(-1, width * options.dim)
            maxima.append(linear(flat).view(len(ids), windows.shape[1], -1).amax(dim=1))
        features = torch.cat(maxima, dim=1)
        return features.tanh() if options.activation == "tanh" else features.relu()

    def _mixed(self, features: torch.Tensor) -> torch.Tensor:
        for highway in self._highways:
            features = highway(features)
        return features if self._projection is None else self._projection(features)


class WordTable:
    """Vectors of words that are rows of a table; unknown ones share a row.

    Parameters
    ----------
    table : ndarray of shape (n_words, width), float32
    words : sequence of str
        The word of each row. Those that it lacks are read as ``"<UNK>"``, and as zeros
        where there is no such word.
    device : torch.device
    """

    def __init__(
        self, table: Float32Array, words: Sequence[str], device: torch.device
    ) -> None:
        self._row = {word: row for row, word in enumerate(words)}
        self._unknown = self._row.get("<UNK>", len(words))
        zeros = np.zeros((1, table.shape[1]), np.float32)
        self._table = torch.from_numpy(np.concatenate([table, zeros])).to(device)

    def __call__(self, words: Sequence[str]) -> torch.Tensor:
        """Look words up, giving shape (n_words, width), float32."""
        rows = [self._row.get(word, self._unknown) for word in words]
        return nn.functional.embedding(
            torch.tensor(rows, device=self._table.device), self._table
        )
