"""What `options.json` says of a bidirectional language model, and what follows from it.

The arrays of a model are a table: `array_shapes` names each of them with its shape.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from typing import Any, NoReturn

from skembed.formats._errors import FormatError
from skembed.text import N_CHARACTERS

ACTIVATIONS = ("relu", "tanh")
_MOST_LAYERS = 64
Shape = tuple[int, ...]


@dataclass(frozen=True)
class CharacterOptions:
    """How a word is read from its characters.

    Parameters
    ----------
    n_characters : int
        Length of a spelled word, signs of begin and end included.
    dim : int
        Width of a character's vector.
    filters : tuple of (int, int)
        Width and number of the filters of each size.
    n_highway : int
    activation : {"relu", "tanh"}
    """

    n_characters: int
    dim: int
    filters: tuple[tuple[int, int], ...]
    n_highway: int
    activation: str

    @property
    def n_filters(self) -> int:
        """Number of all filters."""
        return sum(number for _, number in self.filters)


@dataclass(frozen=True)
class ElmoOptions:
    """The sizes of a bidirectional language model.

    Parameters
    ----------
    dim : int
        Cells of an LSTM layer.
    projection_dim : int
        Width of a layer's output, and of a word.
    n_layers : int
        LSTM layers of each direction.
    cell_clip, proj_clip : float or None
        Bounds of the cells and of the projected outputs. None: no bound.
    use_skip_connections : bool
        Whether a layer's input is added to its output, from the second layer on.
    characters : CharacterOptions or None
        None: words are rows of a table.
    initial_state : {"warm", "zeros"} or None
        What the model was trained to begin a text with, which files do not say unless
        they were written here.
    """

    dim: int
    projection_dim: int
    n_layers: int
    cell_clip: float | None
    proj_clip: float | None
    use_skip_connections: bool
    characters: CharacterOptions | None
    initial_state: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return what `parse_elmo_options` reads."""
        lstm = {
            "dim": self.dim,
            "projection_dim": self.projection_dim,
            "n_layers": self.n_layers,
            "cell_clip": self.cell_clip,
            "proj_clip": self.proj_clip,
            "use_skip_connections": self.use_skip_connections,
        }
        content: dict[str, Any] = {"lstm": lstm}
        if self.initial_state is not None:
            content["initial_state"] = self.initial_state
        if self.characters is None:
            return content
        char_cnn = {
            "n_characters": N_CHARACTERS + 1,
            "max_characters_per_token": self.characters.n_characters,
            "embedding": {"dim": self.characters.dim},
            "filters": [list(pair) for pair in self.characters.filters],
            "n_highway": self.characters.n_highway,
            "activation": self.characters.activation,
        }
        return {**content, "char_cnn": char_cnn}


def parse_elmo_options(
    text: bytes | str, path: str | PathLike[str] = "options.json"
) -> ElmoOptions:
    """Read the options of a model; those of its training are passed over.

    Parameters
    ----------
    text : bytes or str
        JSON.
    path : str or path-like
        For messages.

    Returns
    -------
    options : ElmoOptions

    Raises
    ------
    FormatError
        If something is missing, or is not what it may be.

    Examples
    --------
    >>> options = parse_elmo_options('{"lstm": {"dim": 8, "projection_dim": 4}}')
    >>> options.n_layers, options.characters
    (2, None)
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        found = f"an error: {error}"
        raise FormatError(path, expected="JSON", found=found) from None
    return elmo_options(content, path)


def elmo_options(
    content: Any, path: str | PathLike[str] = "options.json"
) -> ElmoOptions:
    """Read options that have been parsed; see `parse_elmo_options`."""
    read = _Reader(path, content, "")
    lstm = read.part("lstm")
    initial_state = read.values.get("initial_state")
    if initial_state not in (None, "warm", "zeros"):
        read.fail("initial_state", "'warm' or 'zeros'", initial_state)
    if read.values.get("bidirectional", True) is not True:
        read.fail("bidirectional", "true", read.values["bidirectional"])
    return ElmoOptions(
        dim=lstm.size("dim"),
        projection_dim=lstm.size("projection_dim"),
        n_layers=lstm.size("n_layers", 2, most=_MOST_LAYERS),
        cell_clip=lstm.clip("cell_clip"),
        proj_clip=lstm.clip("proj_clip"),
        use_skip_connections=lstm.flag("use_skip_connections"),
        characters=_characters(read.part("char_cnn"))
        if "char_cnn" in content
        else None,
        initial_state=initial_state,
    )


def _characters(part: "_Reader") -> CharacterOptions:
    # What "n_characters" says, 261 or 262, depends on who wrote the file.
    n_characters = part.size("max_characters_per_token", 50, least=3)
    activation = part.values.get("activation", "relu")
    if activation not in ACTIVATIONS:
        part.fail("activation", f"one of {ACTIVATIONS}", activation)
    filters: Any = part.values.get("filters")
    is_list = isinstance(filters, list) and len(filters) > 0
    if not is_list or not all(map(_is_filter, filters)):
        part.fail("filters", "a list of pairs [width, number]", filters)
    widest = max(width for width, _ in filters)
    if widest > n_characters:
        part.fail("filters", f"widths up to {n_characters} characters", widest)
    return CharacterOptions(
        n_characters=n_characters,
        dim=part.part("embedding").size("dim"),
        filters=tuple((width, number) for width, number in filters),
        n_highway=part.size("n_highway", 0, least=0, most=_MOST_LAYERS),
        activation=activation,
    )


def _is_filter(pair: Any) -> bool:
    is_pair = isinstance(pair, list) and len(pair) == 2
    return is_pair and all(type(size) is int and size > 0 for size in pair)


class _Reader:
    """One object of the JSON, whose values are checked as they are read."""

    def __init__(self, path: str | PathLike[str], values: Any, place: str) -> None:
        self.path, self.place = path, place
        self.values: Mapping[str, Any] = values
        if not isinstance(values, dict):
            what = f"{place or 'the file'} as an object"
            raise FormatError(path, expected=what, found=f"{values!r:.60}")

    def fail(self, name: str, expected: str, found: Any) -> NoReturn:
        """Raise a FormatError about one value."""
        what = f"{self.place}{name} to be {expected}"
        raise FormatError(self.path, expected=what, found=f"{found!r:.100}")

    def part(self, name: str) -> "_Reader":
        """Return an object within."""
        return _Reader(self.path, self.values.get(name), f"{self.place}{name}.")

    def size(
        self,
        name: str,
        default: int | None = None,
        *,
        least: int = 1,
        most: int = 1 << 24,
    ) -> int:
        """Return a whole number."""
        value = self.values.get(name, default)
        if type(value) is not int or not least <= value <= most:
            self.fail(name, f"a whole number from {least} to {most}", value)
        return int(value)

    def clip(self, name: str) -> float | None:
        """Return a bound; 0 and null are none."""
        value = self.values.get(name)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if value is not None and not (is_number and 0 <= value < float("inf")):
            self.fail(name, "a number that is not negative, or null", value)
        return float(value) if value else None

    def flag(self, name: str) -> bool:
        """Return a truth value, false where there is none."""
        value = self.values.get(name, False)
        if not isinstance(value, bool):
            self.fail(name, "true or false", value)
        return bool(value)


def array_shapes(options: ElmoOptions, n_words: int = 0) -> dict[str, Shape]:
    """Name the arrays that a model may have, with their shapes; see `may_lack`.

    Parameters
    ----------
    options : ElmoOptions
    n_words : int
        Rows of the table, for a model that has one in place of characters.

    Returns
    -------
    shapes : dict of str to tuple of int

    Examples
    --------
    >>> options = parse_elmo_options('{"lstm": {"dim": 8, "projection_dim": 4}}')
    >>> shapes = array_shapes(options, n_words=9)
    >>> shapes["embedding"], shapes["RNN_0/RNN/MultiRNNCell/Cell1/LSTMCell/W_P_0"]
    ((9, 4), (8, 4))
    """
    width = options.projection_dim
    shapes: dict[str, Shape] = {}
    if options.characters is None:
        shapes["embedding"] = (n_words, width)
    else:
        shapes |= _character_shapes(options.characters, width)
    for direction in range(2):
        for layer in range(options.n_layers):
            cell = cell_name(direction, layer)
            shapes[f"{cell}/W_0"] = (2 * width, 4 * options.dim)
            shapes[f"{cell}/B"] = (4 * options.dim,)
            shapes[f"{cell}/W_P_0"] = (options.dim, width)
    return shapes


def may_lack(options: ElmoOptions, name: str) -> bool:
    """Whether a model may be without an array: a projection that changes no width."""
    if name.startswith("CNN_proj/"):
        characters = options.characters
        return characters is not None and characters.n_filters == options.projection_dim
    return name.endswith("/W_P_0") and options.dim == options.projection_dim


def cell_name(direction: int, layer: int) -> str:
    """Name the group of an LSTM layer; direction 0 is forward, 1 backward."""
    return f"RNN_{direction}/RNN/MultiRNNCell/Cell{layer}/LSTMCell"


def _character_shapes(characters: CharacterOptions, width: int) -> dict[str, Shape]:
    shapes: dict[str, Shape] = {"char_embed": (N_CHARACTERS, characters.dim)}
    for i, (size, number) in enumerate(characters.filters):
        shapes[f"CNN/W_cnn_{i}"] = (1, size, characters.dim, number)
        shapes[f"CNN/b_cnn_{i}"] = (number,)
    n_filters = characters.n_filters
    for k in range(characters.n_highway):
        for part in ("transform", "carry"):
            shapes[f"CNN_high_{k}/W_{part}"] = (n_filters, n_filters)
            shapes[f"CNN_high_{k}/b_{part}"] = (n_filters,)
    shapes["CNN_proj/W_proj"] = (n_filters, width)
    shapes["CNN_proj/b_proj"] = (width,)
    return shapes
