"""The translator: a bidirectional encoder, and a decoder with global attention.

The decoder is that of Luong, Pham and Manning (2015), "Effective Approaches to
Attention-based Neural Machine Translation", with the score "general" of section 3.1,

    a_t(s) = softmax over s of h_t . W_a e_s,    c_t = sum over s of a_t(s) e_s,
    z_t = tanh(W_c [c_t ; h_t]),    p(y_t = w) = softmax over w of z_t . v_w + b_w,

where e_s are the states of the encoder's top layer, h_t those of the decoder and v_w
the vectors of words that the decoder also reads. Unlike there, z_t is not fed to the
next step, so that the decoder reads all words of a translation in one call. It begins
with a state that is linear in the mean of the e_s.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple, cast

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from skembed.training.translation._batches import Batch
from skembed.training.translation._config import Arrays, TranslationConfig

Dropout = Callable[[torch.Tensor], torch.Tensor]
State = tuple[torch.Tensor, torch.Tensor]


class Memory(NamedTuple):
    """What the encoder has made of some texts.

    Parameters
    ----------
    states : Tensor of shape (n_texts, n_steps, 2 * hidden_size)
    is_word : Tensor of shape (n_texts, n_steps), bool
        False behind the end of a text.
    """

    states: torch.Tensor
    is_word: torch.Tensor


def keep_all(x: torch.Tensor) -> torch.Tensor:
    """Return what is given: no dropout."""
    return x


class Encoder(nn.Module):
    """A bidirectional LSTM that reads padded texts as if they were alone.

    Parameters
    ----------
    input_size : int
    config : TranslationConfig
    """

    def __init__(self, input_size: int, config: TranslationConfig) -> None:
        super().__init__()
        size = config.hidden_size
        # Direction by direction: what is read backwards must begin at each text's end.
        self.layers = nn.ModuleList(
            nn.ModuleList(
                nn.LSTM(2 * size if layer else input_size, size) for _ in range(2)
            )
            for layer in range(config.n_layers)
        )

    def forward(
        self, vectors: torch.Tensor, lengths: torch.Tensor, dropout: Dropout
    ) -> Memory:
        """Read texts.

        Parameters
        ----------
        vectors : Tensor of shape (n_steps, n_texts, input_size)
            Any behind the end of a text.
        lengths : Tensor of shape (n_texts,), int64
        dropout : callable

        Returns
        -------
        memory : Memory
        """
        steps = torch.arange(len(vectors), device=vectors.device)[:, None]
        mirror = (lengths - 1 - steps).clamp(min=0)[..., None]
        states = vectors
        for number, (forward, backward) in enumerate(self._pairs()):
            if number:
                states = dropout(states)
            turned = _reorder(states, mirror)
            both = forward(states)[0], _reorder(backward(turned)[0], mirror)
            states = torch.cat(both, dim=2)
        return Memory(states.transpose(0, 1), (steps < lengths).T)

    def arrays(self) -> Arrays:
        """Return the weights under the names of one ``nn.LSTM``."""
        return {name: _array(tensor) for name, tensor in self._named()}

    @torch.no_grad()
    def load_arrays(self, arrays: Arrays) -> None:
        """Take weights that `arrays` returned."""
        for name, tensor in self._named():
            tensor.copy_(torch.from_numpy(np.array(arrays[name])))

    def _pairs(self) -> list[tuple[nn.LSTM, nn.LSTM]]:
        """Return the two directions of each layer."""
        pairs = cast("list[list[nn.LSTM]]", self.layers)
        return [(forward, backward) for forward, backward in pairs]

    def _named(self) -> Iterator[tuple[str, torch.Tensor]]:
        for layer, pair in enumerate(self._pairs()):
            for suffix, lstm in zip(("", "_reverse"), pair, strict=True):
                for name, tensor in lstm.named_parameters():
                    yield name.replace("_l0", f"_l{layer}{suffix}"), tensor


class Decoder(nn.Module):
    """A language model of the target that looks at the source.

    Parameters
    ----------
    n_words : int
        Target words. The boundary of texts has the id behind theirs.
    config : TranslationConfig
    """

    def __init__(self, n_words: int, config: TranslationConfig) -> None:
        super().__init__()
        size = config.hidden_size
        self.words = nn.Embedding(n_words + 1, size)
        self.lstm = nn.LSTM(size, size)
        self.begin = nn.Linear(2 * size, 2 * size)
        self.score = nn.Linear(size, 2 * size, bias=False)
        self.combine = nn.Linear(3 * size, size)
        self.bias = nn.Parameter(torch.zeros(n_words + 1))

    def first_state(self, memory: Memory) -> State:
        """Return what the decoder begins texts with."""
        weights = memory.is_word[..., None].to(memory.states.dtype)
        mean = (memory.states * weights).sum(1) / weights.sum(1)
        hidden, cells = torch.tanh(self.begin(mean)).chunk(2, dim=1)
        return hidden[None].contiguous(), cells[None].contiguous()

    def forward(
        self, inputs: torch.Tensor, state: State, memory: Memory, dropout: Dropout
    ) -> tuple[torch.Tensor, State]:
        """Read words, and look at the source at each.

        Parameters
        ----------
        inputs : Tensor of shape (n_steps, n_texts), int64
        state : two Tensors of shape (1, n_texts, hidden_size)
        memory : Memory
        dropout : callable

        Returns
        -------
        combined : Tensor of shape (n_steps, n_texts, hidden_size)
            The z of the equations.
        state : two Tensors of shape (1, n_texts, hidden_size)
        """
        hidden, state = self.lstm(dropout(self.words(inputs)), state)
        queries = self.score(hidden).transpose(0, 1)
        scores = queries @ memory.states.transpose(1, 2)
        scores = scores.float().masked_fill(~memory.is_word[:, None], -torch.inf)
        context = scores.softmax(dim=2).to(memory.states.dtype) @ memory.states
        both = torch.cat([context.transpose(0, 1), hidden], dim=2)
        return torch.tanh(self.combine(both)), state

    def scores(self, combined: torch.Tensor) -> torch.Tensor:
        """Return the scores of all words, of which the softmax is taken."""
        return F.linear(combined, self.words.weight, self.bias)


class Translator(nn.Module):
    """Encoder and decoder.

    Parameters
    ----------
    input_size : int
        Length of the source words' vectors.
    n_words : int
    config : TranslationConfig
    """

    def __init__(
        self, input_size: int, n_words: int, config: TranslationConfig
    ) -> None:
        super().__init__()
        self.encoder = Encoder(input_size, config)
        self.decoder = Decoder(n_words, config)

    @torch.no_grad()
    def draw(self, seed: int) -> None:
        """Draw all weights anew: the same ones for the same seed, on any device."""
        generator = torch.Generator().manual_seed(seed)
        for name, tensor in self.named_parameters():
            if name == "decoder.bias":
                tensor.zero_()
                continue
            bound = 0.1 if "words" in name else _fan_in(name, tensor) ** -0.5
            drawn = torch.empty(tensor.shape).uniform_(
                -bound, bound, generator=generator
            )
            tensor.copy_(drawn)

    def loss(
        self, vectors: torch.Tensor, batch: Batch, dropout: Dropout = keep_all
    ) -> torch.Tensor:
        """Return the mean loss of a batch's target words, in nats.

        Parameters
        ----------
        vectors : Tensor of shape (n_steps, n_pairs, input_size)
            Of the batch's source words.
        batch : Batch
        dropout : callable
        """

        def on_device(array: npt.NDArray[np.generic]) -> torch.Tensor:
            return torch.from_numpy(array).to(vectors.device)

        memory = self.encoder(vectors, on_device(batch.lengths), dropout)
        inputs, outputs = on_device(batch.inputs), on_device(batch.outputs)
        state = self.decoder.first_state(memory)
        combined, _ = self.decoder(inputs, state, memory, dropout)
        is_output = on_device(batch.is_output)
        scores = self.decoder.scores(dropout(combined[is_output]))
        return F.cross_entropy(scores.float(), outputs[is_output])


def blank_translator(
    input_size: int, n_words: int, config: TranslationConfig, device: torch.device
) -> Translator:
    """Make a translator with no weights yet, drawing no random numbers."""
    with torch.device("meta"):
        translator = Translator(input_size, n_words, config)
    return translator.to_empty(device=device)


def _fan_in(name: str, tensor: torch.Tensor) -> int:
    """Inputs of a linear layer, or cells of an LSTM, as torch draws them."""
    if "lstm" in name or "layers" in name:
        return tensor.shape[0] // 4
    return tensor.shape[-1]


def _reorder(states: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """Put the states of each text in another order."""
    return states.gather(0, places.expand(-1, -1, states.shape[2]))


def _array(tensor: torch.Tensor) -> npt.NDArray[np.float32]:
    return np.array(tensor.detach().float().cpu().numpy())
