"""The texts that the suite fits and transforms: English, small, of two topics."""

import functools
import itertools

import numpy as np
import numpy.typing as npt

_TOPICS = {
    "cooking": (
        ("The cook", "My grandmother", "Our chef", "The baker"),
        ("stirs", "tastes", "serves", "prepares"),
        ("the soup", "a lemon cake", "the roast chicken", "fresh bread"),
        ("with butter and salt", "for dinner", "in the kitchen", "on a hot plate"),
    ),
    "astronomy": (
        ("The astronomer", "A telescope", "Our probe", "The satellite"),
        ("observes", "photographs", "measures", "approaches"),
        ("the moon", "a distant galaxy", "the rings of Saturn", "a bright comet"),
        ("during the night", "through thin clouds", "for ten hours", "from orbit"),
    ),
}
_PER_TOPIC = 40

UNKNOWN = "zyxgrblf qwvkpt"


@functools.cache
def corpus() -> tuple[tuple[str, ...], npt.NDArray[np.str_]]:
    """Return 80 different documents and their topics, in alternation.

    Every word but a few occurs at least five times, so that an estimator keeps most
    of them whatever its ``min_count`` is, within reason.

    Returns
    -------
    texts : tuple of 80 str
    topics : ndarray of shape (80,), str

    Examples
    --------
    >>> texts, topics = corpus()
    >>> len(set(texts)), sorted(set(topics.tolist()))
    (80, ['astronomy', 'cooking'])
    """
    rng = np.random.default_rng(0)
    by_topic = []
    for phrases in _TOPICS.values():
        sentences = [" ".join(parts) + "." for parts in itertools.product(*phrases)]
        chosen = rng.choice(len(sentences), size=_PER_TOPIC, replace=False)
        by_topic.append([sentences[i] for i in chosen])
    texts = tuple(itertools.chain.from_iterable(zip(*by_topic, strict=True)))
    return texts, np.array(list(_TOPICS) * _PER_TOPIC)


def probe() -> list[str]:
    """Return a dozen documents to transform: plain, odd, empty and repeated ones."""
    texts, _ = corpus()
    odd = ["", "The chef's soup!! (hot)", f"{UNKNOWN} soup", UNKNOWN, "moon " * 30]
    return [*texts[:5], *odd, texts[0], "  ", "Café: the moon, naïve 中文"]
