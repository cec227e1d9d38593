"""How near translations are to those of people."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

_LONGEST = 4


def bleu(
    translations: Sequence[Sequence[str]], references: Sequence[Sequence[str]]
) -> float:
    """Score translations of a corpus, one reference each, from 0 to 100.

    Papineni, Roukos, Ward and Zhu (2002), "BLEU: a Method for Automatic Evaluation of
    Machine Translation": the geometric mean of the shares of n-grams, n = 1 to 4, that
    are in the reference, counted at most as often as there; times exp(1 - r / c) if the
    translations together are shorter, c words, than the references, r words.

    >>> bleu(["a b c d e".split()], ["a b c d e".split()])
    100.0

    Of these, 4 of 6 words, 3 of 5 pairs, 2 of 4 and 1 of 3 longer ones are right:

    >>> bleu(  # doctest: +ELLIPSIS
    ...     ["the the the cat sat on".split()], ["the cat sat on it".split()]
    ... )
    50.813...
    >>> round(100 * (4 / 6 * 3 / 5 * 2 / 4 * 1 / 3) ** 0.25, 3)
    50.813
    """
    shares = []
    for n in range(1, _LONGEST + 1):
        found = total = 0
        for translation, reference in zip(translations, references, strict=True):
            said = n_grams(translation, n)
            found += (said & n_grams(reference, n)).total()
            total += said.total()
        shares.append(found / total if total else 0.0)
    if not min(shares):
        return 0.0
    c, r = (sum(map(len, texts)) for texts in (translations, references))
    brevity = min(1.0, float(np.exp(1 - r / c)))
    return 100 * brevity * float(np.exp(np.mean(np.log(shares))))


def n_grams(words: Sequence[str], n: int) -> Counter[tuple[str, ...]]:
    return Counter(zip(*(words[i:] for i in range(n)), strict=False))
