"""What training is given must fit together."""

from typing import Any

import numpy.typing as npt

from skembed._ragged import Ragged
from skembed.training.bilm._config import BiLMConfig
from skembed.training.bilm._model import N_SPECIAL, BiLMModel


def check_corpora(
    corpus: Ragged, held_out: Ragged, characters: npt.NDArray[Any], config: BiLMConfig
) -> None:
    """Raise a ValueError unless all ids are those of words, and there are some."""
    sizes = config.architecture
    widest = max(width for width, _ in sizes.filters)
    if characters.shape[1:] != (sizes.max_characters,):
        msg = (
            f"characters must have max_characters={sizes.max_characters} columns, got "
            f"an array of shape {characters.shape}."
        )
        raise ValueError(msg)
    if widest > sizes.max_characters:
        msg = (
            f"The widest of filters={sizes.filters} must not be wider than "
            f"max_characters={sizes.max_characters}."
        )
        raise ValueError(msg)
    if not len(corpus.values):
        msg = "There are no words to learn from. Pass documents that hold words."
        raise ValueError(msg)
    for ids in (corpus.values, held_out.values):
        if len(ids) and (ids.min() < 0 or ids.max() >= len(characters)):
            msg = (
                f"Word ids must be from 0 to {len(characters) - 1}, the last row of "
                f"characters, got {ids.min()} to {ids.max()}."
            )
            raise ValueError(msg)


def check_initial(
    initial: BiLMModel | None, n_outputs: int, config: BiLMConfig
) -> None:
    """Raise a ValueError unless a model to start from has the sizes asked for."""
    if initial is None:
        return
    theirs, ours = initial.architecture.options(), config.architecture.options()
    if theirs != ours:
        msg = (
            f"The model to start from has the options {theirs}, which are not those of "
            f"config.architecture: {ours}. Use config.with_architecture."
        )
        raise ValueError(msg)
    n_rows = N_SPECIAL + n_outputs
    if initial.softmax is not None and len(initial.softmax) != n_rows:
        msg = (
            f"The softmax of the model to start from has {len(initial.softmax)} rows, "
            f"but 3 + n_outputs is {n_rows}. Leave it out, and a new one is learned."
        )
        raise ValueError(msg)
