"""What a biLM is made of, and how it is trained."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

# The seven filters of all published models: (width, number).
_PUBLISHED_FILTERS = (
    (1, 32), (2, 32), (3, 64), (4, 128), (5, 256), (6, 512), (7, 1024),
)  # fmt: skip
# Name: (hidden_size, projection_size, n_highway), as in the names of the files.
_PUBLISHED_SIZES = {
    "small": (1024, 128, 1),
    "medium": (2048, 256, 1),
    "original": (4096, 512, 2),
}


@dataclass(frozen=True, slots=True)
class BiLMArchitecture:
    """The sizes of a biLM: what ``options.json`` says of it.

    The defaults are for training on a CPU: no projection within the LSTMs and no
    clipping, so that fast library kernels apply.

    Parameters
    ----------
    n_layers : int
        Of each of the two LSTMs.
    hidden_size : int
        Length of an LSTM's cell state (``lstm.dim``).
    projection_size : int
        Length of token vectors and of each direction's states. Equal to `hidden_size`,
        there is no projection.
    cell_clip, projection_clip : float or None
        Largest absolute values of cell states and of projected states.
    skip_connections : bool
        Whether each LSTM layer but the first adds its input to its output.
    character_size : int
        Length of a character's vector.
    filters : tuple of (int, int)
        Width, in characters, and number of the convolutions' filters.
    n_highway : int
        Highway layers after the convolutions.
    activation : {"relu", "tanh"}
        After the maximum of each filter.
    max_characters : int
        Length of a word's row of character ids, its two boundaries included.

    Examples
    --------
    >>> BiLMArchitecture.published("small").hidden_size
    1024
    """

    n_layers: int = 2
    hidden_size: int = 128
    projection_size: int = 128
    cell_clip: float | None = None
    projection_clip: float | None = None
    skip_connections: bool = True
    character_size: int = 16
    filters: tuple[tuple[int, int], ...] = ((1, 32), (2, 32), (3, 64), (4, 128))
    n_highway: int = 1
    activation: Literal["relu", "tanh"] = "relu"
    max_characters: int = 50

    @classmethod
    def published(cls, size: str) -> Self:
        """Return one of the published sizes.

        Parameters
        ----------
        size : {"small", "medium", "original"}
            Of 13.6, 28.0 and 93.6 million parameters.
        """
        hidden_size, projection_size, n_highway = _PUBLISHED_SIZES[size]
        return cls(
            hidden_size=hidden_size,
            projection_size=projection_size,
            cell_clip=3.0,
            projection_clip=3.0,
            filters=_PUBLISHED_FILTERS,
            n_highway=n_highway,
        )

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> Self:
        """Take the sizes from the content of an ``options.json``.

        Parameters
        ----------
        options : mapping
            With the keys ``lstm`` and ``char_cnn``. A clip of 0 means none.
        """
        lstm, characters = options["lstm"], options["char_cnn"]
        return cls(
            n_layers=lstm["n_layers"],
            hidden_size=lstm["dim"],
            projection_size=lstm["projection_dim"],
            cell_clip=lstm.get("cell_clip") or None,
            projection_clip=lstm.get("proj_clip") or None,
            skip_connections=bool(lstm.get("use_skip_connections", False)),
            character_size=characters["embedding"]["dim"],
            filters=tuple((width, n) for width, n in characters["filters"]),
            n_highway=characters.get("n_highway") or 0,
            activation=characters.get("activation", "relu"),
            max_characters=characters["max_characters_per_token"],
        )

    @property
    def has_projection(self) -> bool:
        """Whether the LSTMs project their states."""
        return self.hidden_size != self.projection_size

    def options(self) -> dict[str, Any]:
        """Return what ``options.json`` holds for these sizes.

        Where there is no projection, there is no clip of it either: readers that
        multiply by the identity, and those that leave it out, then agree.
        """
        return {
            "lstm": {
                "dim": self.hidden_size,
                "projection_dim": self.projection_size,
                "n_layers": self.n_layers,
                "cell_clip": self.cell_clip,
                "proj_clip": self.projection_clip if self.has_projection else None,
                "use_skip_connections": self.skip_connections,
            },
            "char_cnn": {
                "n_characters": 262,
                "max_characters_per_token": self.max_characters,
                "embedding": {"dim": self.character_size},
                "filters": [list(pair) for pair in self.filters],
                "n_highway": self.n_highway,
                "activation": self.activation,
            },
            "bidirectional": True,
        }


@dataclass(frozen=True, slots=True)
class BiLMConfig:
    """How a biLM is trained.

    The defaults train a small one on a CPU. Those of the original programme, which
    want a GPU, are `BiLMConfig.published`.

    Parameters
    ----------
    architecture : BiLMArchitecture
    epochs : int
        Passes over the corpus, at most.
    packing : {"sentences", "stream"}
        "sentences" batches sentences of like length, each read from the zero state.
        "stream" lays the shuffled sentences head to tail, reads as many places of this
        stream at once as `batch_tokens` allows, and carries the state from step to
        step, across the ends of sentences.
    unroll : int
        Most tokens that the gradient flows back through. With "sentences", a longer one
        is read in pieces, each from the zero state.
    batch_tokens : int
        Tokens of a step, padding included.
    n_negatives : int or None
        Words that the softmax of a step is taken over beside the true ones, drawn
        log-uniformly. None, or as many as there are words: all words.
    dropout : float
        Share of the inputs of each LSTM layer, and of the softmax, that is set to 0.
    optimizer : {"adam", "adagrad"}
        Adam's rate falls linearly to 0; Adagrad's accumulators start at 1.
    learning_rate : float
    clip_norm : float
        Largest norm of the gradient of all parameters together.
    loss_scale : float
        Factor of the mean loss of a token, before the gradient is clipped.
    n_iter_no_change : int or None
        Training stops after so many epochs without a better perplexity on held-out
        text. None never stops it.
    validation_fraction : float
        Share of the sentences that is held out, if no held-out text is given.
    precision : {"auto", "float32", "bfloat16"}
        Of matrix products. "auto" is bfloat16 where the processor has instructions for
        it.
    checkpoint_seconds : float
        Time between two checkpoints: what a crash can cost.
    """

    architecture: BiLMArchitecture = BiLMArchitecture()
    epochs: int = 10
    packing: Literal["sentences", "stream"] = "sentences"
    unroll: int = 256
    batch_tokens: int = 1024
    n_negatives: int | None = 2048
    dropout: float = 0.1
    optimizer: Literal["adam", "adagrad"] = "adam"
    learning_rate: float = 8e-3
    clip_norm: float = 1.0
    loss_scale: float = 1.0
    n_iter_no_change: int | None = 2
    validation_fraction: float = 0.02
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    checkpoint_seconds: float = 60.0

    @classmethod
    def published(cls, size: str) -> Self:
        """Return the settings of the original programme, bilm-tf.

        Parameters
        ----------
        size : {"small", "medium", "original"}
        """
        # 128 lanes of 20 tokens. The loss that bilm-tf differentiates is the sum over a
        # lane's tokens, which matters to the clip and to Adagrad's first steps.
        return cls(
            architecture=BiLMArchitecture.published(size),
            packing="stream",
            unroll=20,
            batch_tokens=128 * 20,
            n_negatives=8192,
            optimizer="adagrad",
            learning_rate=0.2,
            clip_norm=10.0,
            loss_scale=20.0,
            n_iter_no_change=None,
        )

    def with_architecture(self, architecture: BiLMArchitecture) -> Self:
        """Return the same settings for other sizes."""
        return replace(self, architecture=architecture)
