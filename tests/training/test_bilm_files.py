"""A biLM that was trained, written and read again gives the same features."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skembed import ELMoFeaturizer
from skembed.encoding import WordEncoder
from skembed.formats import ElmoArrays, elmo_options, write_elmo
from skembed.networks.elmo import named_elmo, packed_elmo
from skembed.training.bilm import train_bilm
from tests.reference.bilm import characters_of, layer_states, word_vector
from tests.training.bilm_corpus import TINY, encoded, sentences, tiny_config

ARCHITECTURES = {
    "projected": replace(TINY, cell_clip=3.0, projection_clip=3.0),
    "unprojected": replace(TINY, hidden_size=8),
    "short words": replace(TINY, hidden_size=8, max_characters=6),
}


@pytest.fixture(params=ARCHITECTURES)
def model(request):
    """A trained one."""
    architecture = ARCHITECTURES[request.param]
    _, corpus, characters = encoded(sentences(), architecture.max_characters)
    config = tiny_config(architecture=architecture, epochs=2, learning_rate=0.02)
    return train_bilm(corpus, characters, config, seed=0).model


def write(folder, model):
    write_elmo(
        folder,
        {**model.options, "initial_state": "zeros"},
        model.arrays,
        softmax=(model.softmax, model.bias),
    )
    return folder


def in_memory(model):
    options = replace(elmo_options(model.options), initial_state="zeros")
    return packed_elmo(ElmoArrays(options, model.arrays))


def features(model):
    """All layers, token by token, of some sentences."""
    encoder = WordEncoder(
        model=model, split=str.split, splitter="test", device="cpu", dtype="float32",
        special_tokens=False, batch_tokens=None, n_threads=1, verbose=0,
    )  # fmt: skip
    found = encoder.token_states(sentences(), (0, 1, 2), np.hstack)
    return [states for _, _, states in found]


def test_features_are_the_same_bit_for_bit(model, tmp_path):
    before = in_memory(model)
    after = named_elmo(write(tmp_path / "model", model))
    assert after.options == before.options
    for ours, again in zip(features(before), features(after), strict=True):
        assert_array_equal(ours, again)


def test_the_estimator_reads_the_files(model, tmp_path):
    """And its top layer is what the specification says, from zeros."""
    folder = write(tmp_path / "model", model)
    documents = sentences()
    featurizer = ELMoFeaturizer(str(folder), layers=-1, device="cpu").fit(documents)
    found = featurizer.transform_tokens(documents)
    arrays = {name: a.astype(np.float64) for name, a in model.arrays.items()}
    n = model.architecture.max_characters
    for sentence, vectors in zip(documents, found, strict=True):
        words = ["<S>", *sentence, "</S>"]
        spelled = [
            word_vector(arrays, model.options, characters_of(w, n)) for w in words
        ]
        (*_, forward), _ = layer_states(arrays, model.options, 0, spelled)
        (*_, backward), _ = layer_states(arrays, model.options, 1, spelled[::-1])
        expected = np.concatenate([forward, backward[::-1]], axis=1)[1:-1]
        assert_allclose(vectors, expected, atol=1e-5)
