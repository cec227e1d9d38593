"""Layers are those that the authors' programs give, to 1e-5."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
from numpy.testing import assert_allclose

from skembed.networks.elmo import named_elmo
from tests.tiny_elmo import layers_of

DATA = Path(__file__).parent.parent / "data" / "elmo"
# More models, and what the authors' graph gives for them.
GOLDEN = DATA / "golden"
VARIANTS = sorted(path.parent for path in GOLDEN.glob("*/model.hdf5"))


@pytest.fixture(scope="module")
def model():
    return named_elmo((DATA / "options.json", DATA / "lm_weights.hdf5"))


@pytest.fixture(scope="module")
def batches():
    """Batches of three sentences."""
    columns = json.loads((DATA / "sentences.json").read_text())
    return [[s.split() for s in batch] for batch in zip(*columns, strict=True)]


def expect_near(found, expected):
    assert_allclose(found, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("max_length", [512, 7])
def test_carried_states_give_the_published_top_layer(model, batches, max_length):
    found = layers_of(model, batches, "carry", max_length)
    with h5py.File(DATA / "lm_embeddings_0.hdf5") as file:
        for i, layers in enumerate(found):
            expect_near(layers[0][2], np.hstack(list(file[str(i)][...])))


def test_word_layer_is_the_published_table(model):
    words = (DATA / "vocab_test.txt").read_text().splitlines()
    # Words of whatever sentence have the same vector, twice.
    (found,) = layers_of(model, [[words]], "zeros")
    with h5py.File(DATA / "elmo_token_embeddings.hdf5") as file:
        table = file["embedding"][...][-len(words) :]
    expect_near(found[0][0], np.hstack([table, table]))


def test_a_warm_begin_is_near_what_other_sentences_leave(model, batches):
    texts = [text for batch in batches for text in batch]
    warm, zeros = (
        layers_of(model, [[text] for text in texts], state)
        for state in ("warm", "zeros")
    )
    carried = layers_of(model, [[text] for text in texts], "carry")
    distance = {
        name: np.mean(
            [np.abs(a[0] - b[0]).mean() for a, b in zip(x, carried, strict=True)]
        )
        for name, x in (("warm", warm), ("zeros", zeros))
    }
    assert distance["warm"] < distance["zeros"] / 2


@pytest.mark.parametrize("folder", VARIANTS, ids=lambda path: path.name)
@pytest.mark.parametrize("max_length", [512, 3])
@pytest.mark.parametrize(
    ("begin", "name"), [("zeros", "tf_stateless"), ("carry", "tf_stateful")]
)
def test_layers_of_every_variant(folder, max_length, begin, name):
    batches = json.loads((folder.parent / "batches.json").read_text())
    found = layers_of(named_elmo(folder), batches, begin, max_length)
    with np.load(folder / f"{name}.npz") as expected:
        for i, batch in enumerate(found):
            for k, layers in enumerate(batch):
                expect_near(layers, expected[f"b{i}_s{k}"])


def test_all_layers_of_all_sentences_from_zeros(model, batches):
    with np.load(GOLDEN / "fixture_skip_tf_stateless.npz") as expected:
        for i, batch in enumerate(layers_of(model, batches, "zeros")):
            for k, layers in enumerate(batch):
                expect_near(layers, expected[f"b{i}_s{k}"])
