"""A bidirectional language model as a network: windows of words in, layer by layer out.

The two directions never mix: each is a stack of LSTM layers of its own, and what is
shown of a layer is the output of both, side by side.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from skembed.formats import ElmoArrays, ElmoOptions
from skembed.formats._elmo_options import cell_name
from skembed.networks._network import Visit
from skembed.networks.elmo._int8_lstm import Int8Lstm
from skembed.networks.elmo._lstm import Clips, Lstm, ProjectedLstm, StepOrder
from skembed.networks.elmo._word_layer import CharacterCnn, WordLayer, WordTable
from skembed.text import BEGIN_SENTENCE, END_SENTENCE

Float32Array = npt.NDArray[np.float32]

# Read a few times over, it leaves the state that a text usually begins with: repeated
# further, nothing changes any more.
_WARM_UP = (
    BEGIN_SENTENCE,
    *("The", "report", "was", "published", "on", "Monday", ",", "and", "the", "city"),
    *("council", "will", "vote", "on", "it", "."),
    END_SENTENCE,
)
_N_REPEATS = 5


class State(NamedTuple):
    """What texts begin or end with, in all layers of both directions.

    Parameters
    ----------
    output : Tensor of shape (2, n_layers, n_texts, width), float32
    cell : Tensor of shape (2, n_layers, n_texts, n_cells), float32
    """

    output: torch.Tensor
    cell: torch.Tensor

    def of(self, forward: torch.Tensor, backward: torch.Tensor) -> "State":
        """Copy what some texts have in each direction."""
        rows = forward, backward
        return State(
            torch.stack([self.output[k][:, rows[k]] for k in range(2)]),
            torch.stack([self.cell[k][:, rows[k]] for k in range(2)]),
        )

    def put(self, direction: int, rows: torch.Tensor, other: "State") -> None:
        """Set what some texts have in one direction."""
        self.output[direction][:, rows] = other.output[direction].to(self.output)
        self.cell[direction][:, rows] = other.cell[direction].to(self.cell)

    def to(self, device: torch.device) -> "State":
        """Move to another device."""
        return State(self.output.to(device), self.cell.to(device))


class ElmoNetwork:
    """The layers of a bidirectional language model, on one device.

    Parameters
    ----------
    model : ElmoArrays
    device : torch.device
    dtype : torch.dtype
        Of the matrix products; int8 is for the CPU. What is carried from word to word
        is float32.

    Attributes
    ----------
    widths : tuple of int
        Features of each layer: of the words, which layer 0 has twice side by side, as
        the authors' programs do; then of each LSTM layer of both directions.
    """

    def __init__(
        self, model: ElmoArrays, device: torch.device, dtype: torch.dtype
    ) -> None:
        options = model.options
        self.options, self.device, self.dtype = options, device, dtype
        self.widths = (2 * options.projection_dim,) * (options.n_layers + 1)
        self._words = WordLayer(
            _embedding(model, device, dtype), options.projection_dim, device
        )
        self._layers = [
            [
                _lstm(options, model.arrays, cell_name(direction, layer), device, dtype)
                for layer in range(options.n_layers)
            ]
            for direction in range(2)
        ]

    def words(self, words: list[str]) -> torch.Tensor:
        """Return the vectors of different words, of shape (n_words, width), float32."""
        with torch.inference_mode():
            return self._words(words)

    def zeros(self, n_texts: int) -> State:
        """Return the state of texts that nothing has been read before."""
        options = self.options
        shape = (2, options.n_layers, n_texts)
        return State(
            torch.zeros((*shape, options.projection_dim), device=self.device),
            torch.zeros((*shape, options.dim), device=self.device),
        )

    @cached_property
    def warm(self) -> State:
        """The state that a fixed short text leaves, of one text."""
        words = list(dict.fromkeys(_WARM_UP))
        vectors = self.words(words)[[words.index(word) for word in _WARM_UP]]
        lengths, state = np.array([len(_WARM_UP)]), self.zeros(1)
        for _ in range(_N_REPEATS):
            state = self.run(vectors, lengths, self.options.n_layers, None, state)
        return state

    def run(
        self,
        vectors: torch.Tensor,
        lengths: npt.NDArray[np.int64],
        last: int,
        visit: Visit | None,
        state: State,
        directions: tuple[int, ...] = (0, 1),
    ) -> State:
        """Read texts, and show the layers from 0 to `last`.

        Parameters
        ----------
        vectors : Tensor of shape (n_tokens, width), float32
            The words of all texts, one text after the other.
        lengths : ndarray of shape (n_texts,), int64
            All greater than 0.
        last : int
        visit : callable, or None
            Called with each layer's number and its states, of shape (n_tokens, 2
            width). None where only the state matters.
        state : State
            What the texts begin with. It is not changed.
        directions : tuple of int
            Those to read in: (0, 1) for all that is shown.

        Returns
        -------
        state : State
            What the texts end with: the backward direction before their first word.
            Directions and layers that are not read have what they began with.
        """
        with torch.inference_mode():
            if visit is not None:
                visit(0, torch.cat([vectors, vectors], dim=1))
            order = StepOrder(lengths, self.device)
            running = state.of(order.rows, order.rows)
            inputs = {k: vectors[order.index[k]] for k in directions}
            for layer in range(last):
                for direction in directions:
                    inputs[direction] = self._layer(
                        direction, layer, inputs[direction], order, running
                    )
                if visit is not None:
                    visit(layer + 1, self._side_by_side(inputs, order))
            back = torch.argsort(order.rows)
            return running.of(back, back)

    def _layer(
        self,
        direction: int,
        layer: int,
        inputs: torch.Tensor,
        order: StepOrder,
        state: State,
    ) -> torch.Tensor:
        outputs = self._layers[direction][layer].run(
            inputs,
            order.sizes,
            state.output[direction, layer],
            state.cell[direction, layer],
        )
        if layer and self.options.use_skip_connections:
            outputs += inputs
        return outputs

    def _side_by_side(
        self, outputs: Mapping[int, torch.Tensor], order: StepOrder
    ) -> torch.Tensor:
        """Put the states of both directions into the order of the texts."""
        n_tokens, width = outputs[0].shape
        states = outputs[0].new_empty((n_tokens, 2 * width))
        for direction, half in outputs.items():
            columns = slice(direction * width, (direction + 1) * width)
            states[order.index[direction], columns] = half
        return states


def _embedding(
    model: ElmoArrays, device: torch.device, dtype: torch.dtype
) -> CharacterCnn | WordTable:
    characters = model.options.characters
    if characters is None:
        return WordTable(model.arrays["embedding"], model.words or (), device)
    return CharacterCnn(characters, model.arrays, device, dtype)


def _lstm(
    options: ElmoOptions,
    arrays: Mapping[str, Float32Array],
    name: str,
    device: torch.device,
    dtype: torch.dtype,
) -> Lstm:
    weight, bias = (torch.tensor(arrays[f"{name}/{part}"]) for part in ("W_0", "B"))
    found = arrays.get(f"{name}/W_P_0")
    projection = None if found is None else torch.tensor(found)
    clips = Clips(options.cell_clip, options.proj_clip)
    if dtype == torch.int8:
        return Int8Lstm(weight, bias, projection, clips)
    return ProjectedLstm(weight, bias, projection, clips, device, dtype)
