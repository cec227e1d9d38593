"""What a fitted estimator is on disk: plain arrays, and the version that wrote them."""

from collections.abc import Mapping
from typing import Any

from skembed.estimators._packed_vectors import (
    pack_vectors,
    pack_words,
    unpack_vectors,
    unpack_words,
    word_vectors_of,
)
from skembed.estimators._training_state import TrainingState
from skembed.text import Vocabulary
from skembed.vectors import SubwordVectors

STATE_FORMAT = 1
"""Raised by one whenever what `pack_state` writes changes its meaning."""


def pack_state(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Replace the objects among an estimator's attributes by arrays.

    Parameters
    ----------
    attributes : mapping of str to object
        As in the ``__dict__`` of a word vectorizer.

    Returns
    -------
    state : dict of str to object
        Holds arrays, numbers, str and the user's parameters, but no object of ours, so
        that what reads it need not know or trust our classes.

    Examples
    --------
    >>> sorted(pack_state({"vector_size": 100}))
    ['_skembed_version', '_state_format', 'vector_size']
    """
    from skembed import __version__

    state = dict(attributes)
    state.update(_state_format=STATE_FORMAT, _skembed_version=__version__)
    training = state.pop("_training", None)
    if training is not None and training.n_batches > 0:
        # After `fit` alone, what only `partial_fit` needs is not worth its size.
        state["_training_state"] = dict(vars(training))
    pretrained = state.get("pretrained")
    if hasattr(pretrained, "index_to_key"):
        state["_pretrained"] = pack_vectors(pretrained, state.get("word_vectors_"))
        state["pretrained"] = None
    if "vocabulary_" in state:
        vocabulary, word_vectors = state.pop("vocabulary_"), state.pop("word_vectors_")
        state["_vectors"] = word_vectors.vectors
        if isinstance(word_vectors, SubwordVectors):
            state["_ngrams"] = dict(word_vectors.ngrams._asdict())
        state["_counts"] = vocabulary.counts
        state["_letters"], state["_word_ends"] = pack_words(vocabulary.words)
    return state


def unpack_state(state: Mapping[str, Any]) -> dict[str, Any]:
    """Undo `pack_state`.

    Parameters
    ----------
    state : mapping of str to object

    Returns
    -------
    attributes : dict of str to object
        The vectors are those of the state, not copied.

    Raises
    ------
    ValueError
        If a newer version of skembed wrote the state, in a way not known here.
    """
    attributes = dict(state)
    state_format = attributes.pop("_state_format", 0)
    version = attributes.pop("_skembed_version", "unknown")
    if state_format > STATE_FORMAT:
        from skembed import __version__

        msg = (
            f"This estimator was saved by skembed {version} (state format "
            f"{state_format}), which skembed {__version__} (state format "
            f"{STATE_FORMAT}) cannot read. Install skembed {version} or later."
        )
        raise ValueError(msg)
    if "_training_state" in attributes:
        attributes["_training"] = TrainingState(**attributes.pop("_training_state"))
    if "_vectors" in attributes:
        letters, ends = attributes.pop("_letters"), attributes.pop("_word_ends")
        vocabulary = Vocabulary(unpack_words(letters, ends), attributes.pop("_counts"))
        attributes["vocabulary_"] = vocabulary
        words = vocabulary.words, attributes.pop("_vectors")
        ngrams = attributes.pop("_ngrams", None)
        attributes["word_vectors_"] = word_vectors_of(*words, vocabulary.counts, ngrams)
    if "_pretrained" in attributes:
        attributes["pretrained"] = unpack_vectors(
            attributes.pop("_pretrained"), attributes.get("word_vectors_")
        )
    return attributes
