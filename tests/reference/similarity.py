"""Cosine queries, one word at a time."""

import math


def cosine(x, y):
    """0 if a vector is zero."""
    dot = sum(float(a) * float(b) for a, b in zip(x, y, strict=True))
    lengths = [math.sqrt(sum(float(a) ** 2 for a in v)) for v in (x, y)]
    return dot / math.prod(lengths) if all(lengths) else 0.0


def rank(score_of, words, topn, excluded=()):
    """The best words, equal ones in the order given."""
    scored = [(word, score_of(i)) for i, word in enumerate(words)]
    kept = [pair for pair in scored if pair[0] not in excluded]
    return sorted(kept, key=lambda pair: -pair[1])[:topn]


def cosine_product(vector, positive, negative):
    """Levy and Goldberg (2014), equation 4, with cosines shifted to [0, 1]."""
    above = math.prod((1 + cosine(vector, x)) / 2 for x in positive)
    below = math.prod((1 + cosine(vector, x)) / 2 for x in negative)
    return above / (below + 1e-6)
