import numpy as np
import pytest

from skembed._ragged import Ragged
from skembed.features._words import AGGREGATIONS, aggregate_words
from skembed.networks import Windows

REDUCTIONS = {
    "mean": lambda rows: np.mean(rows, axis=0),
    "first": lambda rows: rows[0],
    "last": lambda rows: rows[-1],
}


def random_windows(rng, texts):
    """Windows whose tokens are of random words of the texts, with overlaps."""
    rows = []
    for number, text in enumerate(texts):
        n_words = len(text.split() if isinstance(text, str) else text)
        word = np.sort(rng.integers(-1, n_words, size=rng.integers(0, 12)))
        cut = rng.integers(0, len(word) + 1)
        for part in (word[:cut], word[cut:]):
            # A special token, one that another window owns, and the window's own.
            own = np.array([True, False] + [True] * len(part))
            special = np.array([True, False] + [False] * len(part))
            rows.append((number, own, special, np.append([-1, 0], part)))
    spans = [spans_of(text) for text in texts]
    numbers, own, special, word = zip(*rows, strict=True)
    lengths = [len(part) for part in own]
    return Windows(
        ids=Ragged.from_lengths(np.zeros(sum(lengths), np.int32), lengths),
        text=np.array(numbers),
        own=np.concatenate(own),
        special=np.concatenate(special),
        word=np.concatenate(word).astype(np.int32),
        word_spans=Ragged.from_lengths(np.concatenate(spans), list(map(len, spans))),
    )


def spans_of(text):
    spans, start = [], 0
    for word in text.split(" ") if isinstance(text, str) else text:
        spans.append([start, start + len(word)])
        start += len(word) + 1
    return np.array(spans, np.int64).reshape(-1, 2)


def words_one_by_one(windows, texts, vectors, aggregation):
    """The rows of each text's words, None for a word without tokens."""
    found = [[[] for _ in range(len(windows.word_spans[i]))] for i in range(len(texts))]
    vectors = iter(vectors)
    texts_of_tokens = np.repeat(windows.text, windows.ids.lengths)
    for i, text in enumerate(texts_of_tokens):
        if windows.own[i] and not windows.special[i]:
            vector = next(vectors)
            if windows.word[i] >= 0:
                found[text][windows.word[i]].append(vector)
    return [
        [REDUCTIONS[aggregation](rows) if rows else None for rows in words]
        for words in found
    ]


@pytest.fixture
def texts():
    return ["one two three four", ["a", "", "c d"], "x", [], "y z"]


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
def test_words_are_those_of_a_loop_over_tokens(rng, texts, aggregation):
    windows = random_windows(rng, texts)
    n_vectors = (windows.own & ~windows.special).sum()
    vectors = rng.normal(size=(n_vectors, 5)).astype(np.float32)
    features = aggregate_words(windows, texts, vectors, aggregation=aggregation)
    assert features.vectors.dtype == np.float32
    expected = words_one_by_one(windows, texts, vectors, aggregation)
    for i, (text, rows) in enumerate(zip(texts, expected, strict=True)):
        words = text.split() if isinstance(text, str) else text
        kept = [k for k, row in enumerate(rows) if row is not None or words is text]
        wanted = [np.zeros(5) if rows[k] is None else rows[k] for k in kept]
        np.testing.assert_allclose(features[i], np.reshape(wanted, (-1, 5)), atol=1e-6)
        assert features.tokens[i] == [words[k] for k in kept]
        assert (features.offsets[i] == windows.word_spans[i][kept]).all()


def test_words_that_tokens_of_come_apart_are_still_one(rng):
    windows = Windows(
        ids=Ragged.from_lengths(np.zeros(4, np.int32), [4]),
        text=np.array([0]),
        own=np.ones(4, bool),
        special=np.zeros(4, bool),
        word=np.array([0, 1, 0, 1], np.int32),
        word_spans=Ragged.from_lengths(np.array([[0, 1], [2, 3]]), [2]),
    )
    vectors = rng.normal(size=(4, 3)).astype(np.float32)
    mean = aggregate_words(windows, ["a b"], vectors)
    np.testing.assert_allclose(
        mean[0], [vectors[[0, 2]].mean(0), vectors[[1, 3]].mean(0)], rtol=1e-5
    )
    last = aggregate_words(windows, ["a b"], vectors, aggregation="last")
    assert (last[0] == vectors[2:]).all()


def test_no_texts_have_no_words():
    none = np.empty(0, np.int64)
    windows = Windows(
        ids=Ragged.from_lengths(np.empty(0, np.int32), none),
        text=none,
        own=none.astype(bool),
        special=none.astype(bool),
        word=none.astype(np.int32),
        word_spans=Ragged.from_lengths(np.empty((0, 2), np.int64), none),
    )
    features = aggregate_words(windows, [], np.empty((0, 4), np.float32))
    assert (len(features), features.vectors.shape) == (0, (0, 4))


def test_what_does_not_fit_together_is_refused(rng, texts):
    windows = random_windows(rng, texts)
    n_vectors = (windows.own & ~windows.special).sum()
    vectors = np.zeros((n_vectors + 1, 2), np.float32)
    with pytest.raises(ValueError, match=f"each of the {n_vectors} tokens"):
        aggregate_words(windows, texts, vectors)
    with pytest.raises(ValueError, match="aggregation must be one of"):
        aggregate_words(windows, texts, vectors[1:], aggregation="sum")
    bare = Windows(windows.ids, windows.text, windows.own, windows.special, 0, 0)
    with pytest.raises(ValueError, match="with_words=True"):
        aggregate_words(bare, texts, vectors[1:])
