"""A few sentences, as training wants them."""

import numpy as np

from skembed._ragged import Ragged
from skembed.training.bilm import BiLMArchitecture, BiLMConfig
from tests.reference.bilm import characters_of

# About as long as the toy corpus of the original's own tests; written for these.
TEXT = """
the cat sat on the mat . the dog sat on the cat ! a small bird sang in the old tree .
the bird saw the cat under the tree . it flew away . the cat looked up at the sky .
the dog slept . a red ball lay on the grass . the dog woke up and saw the ball . it ran
to the ball . the cat ran to the tree . the bird sang . the sun went down . the small
dog went home with the red ball . the cat went home too . the bird slept in the tree .
the moon came up . it was night . nobody sang . all slept and nothing moved until
the morning .
"""

TINY = BiLMArchitecture(
    hidden_size=16,
    projection_size=8,
    character_size=4,
    filters=((1, 4), (2, 8), (3, 8)),
    n_highway=1,
    max_characters=12,
)


def tiny_config(**settings):
    """Settings for a corpus of a few sentences."""
    settings = {"architecture": TINY, "precision": "float32", **settings}
    return BiLMConfig(**{"batch_tokens": 64, "validation_fraction": 0.0, **settings})


def sentences(text=TEXT):
    """The words of each sentence, its final mark included."""
    ended, found = [], []
    for word in text.split():
        found.append(word)
        if word in ".!":
            ended.append(found)
            found = []
    return ended


def encoded(documents, max_characters=TINY.max_characters):
    """The words, most frequent first, the ids, and the characters."""
    words, counts = np.unique(np.concatenate(documents), return_counts=True)
    words = words[np.argsort(-counts, kind="stable")].tolist()
    number = {word: i for i, word in enumerate(words)}
    ids = np.array([number[w] for document in documents for w in document], np.int32)
    corpus = Ragged.from_lengths(ids, [len(document) for document in documents])
    characters = np.stack([characters_of(word, max_characters) for word in words])
    return words, corpus, characters
