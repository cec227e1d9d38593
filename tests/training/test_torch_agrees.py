"""The torch cores do what the compiled ones do, where nothing is left to chance."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skembed._ragged import Ragged
from skembed.training.cooccurrence import Cooccurrences
from skembed.training.fasttext import FastTextConfig, FastTextTables, train_fasttext
from skembed.training.glove import GloVeConfig, GloVeTables, train_glove
from skembed.training.skipgram import SkipGramConfig, train_skipgram
from tests.training.devices import DEVICES

N_WORDS, SIZE = 40, 8
# So small that it hardly matters which of two steps on a row comes first, and that rows
# are hardly held back.
RATE = 3e-5


@pytest.fixture
def corpus(rng):
    lengths = [9, 0, 1, 12]
    ids = rng.integers(1, N_WORDS, sum(lengths)).astype(np.int32)
    return Ragged.from_lengths(ids, lengths)


# Word 0 is all the noise there is, and all windows are whole.
COUNTS = np.array([10**6] + [1] * (N_WORDS - 1))
NO_CHANCE = {
    "vector_size": SIZE, "window": 3, "negative": 2, "ns_exponent": 10.0, "sample": 0,
    "shrink_windows": False, "epochs": 1,
}  # fmt: skip


def draw(rng, *shapes):
    return [rng.normal(scale=0.5, size=shape).astype(np.float32) for shape in shapes]


def skipgram_run(rng, corpus):
    first = tuple(draw(rng, *[(N_WORDS, SIZE)] * 2))
    weight = rng.uniform(0.5, 2, len(corpus)).astype(np.float32)

    def run(device, rate):
        config = SkipGramConfig(**NO_CHANCE, learning_rate=rate, min_learning_rate=rate)
        result = train_skipgram(
            corpus, COUNTS, config, seed=0, initial=first, document_weight=weight,
            device=device,
        )  # fmt: skip
        return (result.input, result.output), result.losses

    return first, run


def fasttext_run(rng, corpus):
    ngrams = Ragged.from_lengths(
        rng.permutation(np.arange(3 * N_WORDS) % 30).astype(np.int32),
        np.full(N_WORDS, 3),
    )
    first = FastTextTables(*draw(rng, (N_WORDS, SIZE), (30, SIZE), (N_WORDS, SIZE)))

    def run(device, rate):
        config = FastTextConfig(**NO_CHANCE, learning_rate=rate, min_learning_rate=rate)
        result = train_fasttext(
            corpus, COUNTS, ngrams, config, seed=0, initial=first, device=device
        )  # fmt: skip
        return result.tables, result.losses

    return first, run


def glove_run(rng, corpus):
    rows, columns = np.divmod(rng.permutation(N_WORDS**2)[:200], N_WORDS)
    counts = Cooccurrences(
        *(ids.astype(np.int32) for ids in (rows, columns)),
        rng.uniform(0.3, 40, 200).astype(np.float32),
    )
    first = GloVeTables(*draw(rng, *[(N_WORDS, SIZE)] * 2, *[(N_WORDS,)] * 2))

    def run(device, rate):
        config = GloVeConfig(SIZE, epochs=1, learning_rate=rate)
        result = train_glove(
            counts, N_WORDS, config, seed=0, initial=first, device=device
        )
        return result.tables, result.losses

    return first, run


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("make_run", [skipgram_run, fasttext_run, glove_run])
def test_torch_has_the_loss_of_the_compiled_core(rng, corpus, device, make_run):
    _, run = make_run(rng, corpus)
    assert_allclose(run(device, 1e-12)[1], run(None, 1e-12)[1], rtol=1e-6)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("make_run", [skipgram_run, fasttext_run, glove_run])
def test_torch_takes_the_steps_of_the_compiled_core(rng, corpus, device, make_run):
    first, run = make_run(rng, corpus)
    for before, want, have in zip(
        first, run(None, RATE)[0], run(device, RATE)[0], strict=True
    ):
        step = want - before
        assert np.abs(step).max() > RATE
        assert_allclose(have - before, step, rtol=0.02, atol=0.01 * np.abs(step).max())
