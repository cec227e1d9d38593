"""The two language models and the character encoder that they share."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from skembed.text import N_CHARACTERS
from skembed.training.bilm._config import BiLMArchitecture

State = tuple[torch.Tensor, torch.Tensor]


class CharacterEncoder(nn.Module):
    """Vectors of words, from their characters: convolutions, highways, a projection.

    Parameters
    ----------
    architecture : BiLMArchitecture
    """

    def __init__(self, architecture: BiLMArchitecture) -> None:
        super().__init__()
        size = architecture.character_size
        n_filters = sum(n for _, n in architecture.filters)
        self.embedding = nn.Embedding(N_CHARACTERS, size)
        # Typed by what the lists hold.
        self.convolutions: Iterable[nn.Linear] = nn.ModuleList(
            nn.Linear(width * size, n) for width, n in architecture.filters
        )  # type: ignore[assignment]
        self.highways: Iterable[Highway] = nn.ModuleList(
            Highway(n_filters) for _ in range(architecture.n_highway)
        )  # type: ignore[assignment]
        self.projection = (
            nn.Linear(n_filters, architecture.projection_size)
            if n_filters != architecture.projection_size
            else nn.Identity()
        )
        self.activation = torch.tanh if architecture.activation == "tanh" else F.relu

    def forward(self, groups: Sequence[torch.Tensor]) -> torch.Tensor:
        """Encode words.

        Parameters
        ----------
        groups : sequence of Tensor of shape (n_words, n_characters), int64
            From 1 to 261. Words of like length together need the fewest columns, but
            there must be as many as the widest filter has.

        Returns
        -------
        vectors : Tensor of shape (n_words of all groups, projection_size)
        """
        maxima = [self._convolve(self.embedding(group - 1)) for group in groups]
        # The activations rise, so that they may come after the maximum.
        hidden = self.activation(torch.cat(maxima))
        for highway in self.highways:
            hidden = highway(hidden)
        vectors: torch.Tensor = self.projection(hidden)
        return vectors

    def _convolve(self, embedded: torch.Tensor) -> torch.Tensor:
        """Take the maximum of each filter over characters, (n_words, n_columns, size).

        The product with windows laid side by side is faster than a convolution.
        """
        n_columns, size = embedded.shape[1:]
        maxima = []
        for filters in self.convolutions:
            width = filters.in_features // size
            n_windows = n_columns - width + 1
            shifted = [embedded[:, k : k + n_windows] for k in range(width)]
            maxima.append(filters(torch.cat(shifted, dim=2)).max(dim=1).values)
        return torch.cat(maxima, dim=1)


class Highway(nn.Module):
    """A layer that a gate mixes with its own input.

    Parameters
    ----------
    size : int
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.transform = nn.Linear(size, size)
        self.gate = nn.Linear(size, size)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """Transform states of shape (n, size)."""
        gate = torch.sigmoid(self.gate(hidden))
        return torch.lerp(hidden, F.relu(self.transform(hidden)), gate)


class Dropout(NamedTuple):
    """Sets values to 0 at random, by a generator of its own.

    Parameters
    ----------
    share : float
        0 leaves all as they are.
    generator : torch.Generator or None
    """

    share: float = 0.0
    generator: torch.Generator | None = None

    def __call__(self, values: torch.Tensor) -> torch.Tensor:
        """Return values that are 0 or larger by as much as the others lack."""
        if self.share == 0.0:
            return values
        keep = 1.0 - self.share
        mask = torch.empty_like(values, requires_grad=False)
        return values * mask.bernoulli_(keep, generator=self.generator).div_(keep)


class Lstm(nn.LSTM):
    """One layer of one direction: torch's, whose parameters mypy then knows."""

    weight_ih_l0: torch.Tensor
    weight_hh_l0: torch.Tensor
    weight_hr_l0: torch.Tensor
    bias_ih_l0: torch.Tensor
    bias_hh_l0: torch.Tensor


class Direction(nn.Module):
    """The LSTM layers that read in one direction.

    Parameters
    ----------
    architecture : BiLMArchitecture
    """

    def __init__(self, architecture: BiLMArchitecture) -> None:
        super().__init__()
        size, hidden = architecture.projection_size, architecture.hidden_size
        projection = size if architecture.has_projection else 0
        self.layers: Iterable[Lstm] = nn.ModuleList(
            Lstm(size, hidden, proj_size=projection)
            for _ in range(architecture.n_layers)
        )  # type: ignore[assignment]
        self.skip_connections = architecture.skip_connections
        self.clips = (
            architecture.cell_clip,
            architecture.projection_clip if architecture.has_projection else None,
        )

    def forward(
        self, words: torch.Tensor, states: list[State] | None, dropout: Dropout
    ) -> tuple[torch.Tensor, list[State]]:
        """Read words.

        Parameters
        ----------
        words : Tensor of shape (n_steps, n_lanes, projection_size)
        states : list of (Tensor, Tensor), or None
            Each layer's states of shape (n_lanes, projection_size) and
            (n_lanes, hidden_size) before the first step. None: zeros.
        dropout : Dropout
            Of each layer's input.

        Returns
        -------
        outputs : Tensor of shape (n_steps, n_lanes, projection_size)
            Of the top layer.
        states : list of (Tensor, Tensor)
            After the last step.
        """
        after = []
        for number, layer in enumerate(self.layers):
            words = dropout(words)
            state = _zeros(layer, words) if states is None else states[number]
            outputs, state = self._read(layer, words, state)
            after.append(state)
            words = outputs + words if number and self.skip_connections else outputs
        return words, after

    def _read(
        self, layer: Lstm, words: torch.Tensor, state: State
    ) -> tuple[torch.Tensor, State]:
        # Without a GPU, torch has no fast core for projections, and warns of that.
        is_slow = bool(layer.proj_size) and words.device.type != "cuda"
        if is_slow or self.clips != (None, None):
            return clipped_lstm(layer, words, state, *self.clips)
        outputs, (h, c) = layer(words, (state[0][None], state[1][None]))
        return outputs, (h[0], c[0])


def clipped_lstm(
    lstm: Lstm,
    words: torch.Tensor,
    state: State,
    cell_clip: float | None,
    projection_clip: float | None,
) -> tuple[torch.Tensor, State]:
    """Run an LSTM layer whose states are clipped in each step, which torch's are not.

    Parameters
    ----------
    lstm : Lstm
        Its parameters are used.
    words : Tensor of shape (n_steps, n_lanes, n_in)
    state : (Tensor, Tensor)
    cell_clip, projection_clip : float or None

    Returns
    -------
    outputs : Tensor of shape (n_steps, n_lanes, n_out)
    state : (Tensor, Tensor)
    """
    h, c = state
    from_words = F.linear(words, lstm.weight_ih_l0, lstm.bias_ih_l0 + lstm.bias_hh_l0)
    outputs = []
    for step in from_words:
        i, f, g, o = (step + F.linear(h, lstm.weight_hh_l0)).chunk(4, dim=1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        c = _clip(c, cell_clip)
        h = torch.sigmoid(o) * torch.tanh(c)
        if lstm.proj_size:
            h = _clip(F.linear(h, lstm.weight_hr_l0), projection_clip)
        outputs.append(h)
    return torch.stack(outputs), (h, c)


def _clip(values: torch.Tensor, limit: float | None) -> torch.Tensor:
    return values if limit is None else values.clamp(-limit, limit)


def _zeros(layer: Lstm, words: torch.Tensor) -> State:
    n_lanes = words.shape[1]
    return (
        words.new_zeros(n_lanes, layer.proj_size or layer.hidden_size),
        words.new_zeros(n_lanes, layer.hidden_size),
    )


class BiLM(nn.Module):
    """Characters to the top states of both directions.

    Parameters
    ----------
    architecture : BiLMArchitecture
    """

    def __init__(self, architecture: BiLMArchitecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.encoder = CharacterEncoder(architecture)
        self.directions: Sequence[Direction] = nn.ModuleList(
            Direction(architecture) for _ in range(2)
        )  # type: ignore[assignment]
