"""The layers of ELMo as its format is specified, one text at a time, in float64."""

import numpy as np

from tests.reference.bilm import (
    BEGIN,
    END,
    characters_of,
    layer_states,
    word_vector,
)


def vector_of(model, options, word):
    """What a word is without its context."""
    if model.words is not None:
        known = word if word in model.words else "<UNK>"
        return model.arrays["embedding"][model.words.index(known)].astype(np.float64)
    arrays = {name: array.astype(np.float64) for name, array in model.arrays.items()}
    n = options["char_cnn"]["max_characters_per_token"]
    return word_vector(arrays, options, characters_of(word, n))


def layers(model, options, words, begin=(None, None)):
    """All layers of a text, of shape (n_layers, n_words, width), and what it leaves.

    `begin` holds the states of all layers of each direction; None is zeros.
    """
    arrays = {name: array.astype(np.float64) for name, array in model.arrays.items()}
    vectors = [vector_of(model, options, word) for word in [BEGIN, *words, END]]
    forward, end = layer_states(arrays, options, 0, vectors, begin[0])
    backward, start = layer_states(arrays, options, 1, vectors[::-1], begin[1])
    found = [np.hstack([vectors, vectors])]
    for ahead, back in zip(forward, backward, strict=True):
        found.append(np.hstack([ahead, back[::-1]]))
    return np.array(found)[:, 1:-1], (end, start)
