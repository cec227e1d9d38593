"""CoVe's vectors and weights in files: damaged, changed, gone, or in the pickle."""

import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from sklearn.base import clone

from skembed import CoVeFeaturizer, WordVectors
from skembed.formats import FormatError, write_lstm_encoder
from tests.tiny_cove import tiny_encoder

WORDS = ("a", "rose", "is")
TEXTS = ["a rose is a rose", "", "is", "unknown"]


@pytest.fixture
def vectors(tmp_path):
    table = np.random.default_rng(0).normal(size=(3, 5))
    path = tmp_path / "vectors.txt"
    WordVectors(WORDS, table).save(path)
    return path


@pytest.fixture
def encoder(tmp_path):
    path = tmp_path / "encoder.pth"
    write_lstm_encoder(path, tiny_encoder(5))
    return path


def test_a_file_that_is_cut_off_is_named(vectors, encoder):
    encoder.write_bytes(encoder.read_bytes()[:-300])
    with pytest.raises(FormatError, match=r"encoder\.pth"):
        CoVeFeaturizer(vectors, encoder=encoder).fit(TEXTS)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("weight_hh_l1", lambda x: x[:-4], r"'weight_hh_l1' of shape \(12, 3\)"),
        ("bias_ih_l0_reverse", lambda x: x.expand(2, -1), "'bias_ih_l0_reverse'"),
        ("weight_ih_l0", lambda x: x[:-1], r"\(4 \* hidden_size, input_size\)"),
        ("weight_ih_l1", lambda x: x * torch.nan, "NaN or infinite"),
        ("weight_ih_l1", None, "'weight_ih_l1_reverse' alone|array"),
    ],
)
def test_arrays_that_do_not_fit_are_named(vectors, encoder, name, change, message):
    state = torch.load(encoder, weights_only=True)
    state[name] = None if change is None else change(state[name]).clone()
    torch.save({k: v for k, v in state.items() if v is not None}, encoder)
    with pytest.raises(FormatError, match=message) as caught:
        CoVeFeaturizer(vectors, encoder=encoder).fit(TEXTS)
    assert "encoder.pth" in str(caught.value)


def test_vectors_of_another_length_are_refused(encoder):
    wide = WordVectors(WORDS, np.ones((3, 7)))
    message = r"reads vectors of length 5, but those of vectors are of length 7"
    with pytest.raises(ValueError, match=message):
        CoVeFeaturizer(wide, encoder=encoder).fit(TEXTS)


def test_vectors_that_are_not_numbers_are_refused(encoder):
    table = np.ones((3, 5))
    table[1, 2] = np.nan
    with pytest.raises(ValueError, match=r"finite .* 'rose'"):
        CoVeFeaturizer(WordVectors(WORDS, table), encoder=encoder).fit(TEXTS)


@pytest.mark.parametrize("which", ["vectors", "encoder"])
def test_a_missing_file_is_named(vectors, encoder, which):
    files = {"vectors": vectors, "encoder": encoder}
    pickled = pickle.dumps(CoVeFeaturizer(**files).fit(TEXTS))
    files[which].unlink()
    with pytest.raises(FileNotFoundError, match=files[which].name):
        CoVeFeaturizer(**files).fit(TEXTS)
    with pytest.raises(FileNotFoundError, match=files[which].name):
        pickle.loads(pickled).transform(TEXTS)


@pytest.mark.parametrize("which", ["vectors", "encoder"])
def test_a_file_that_has_changed_is_told(vectors, encoder, which):
    featurizer = CoVeFeaturizer(vectors, encoder=encoder).fit(TEXTS)
    pickled = pickle.dumps(featurizer)
    if which == "vectors":
        WordVectors(WORDS, np.ones((3, 5))).save(vectors)
    else:
        write_lstm_encoder(encoder, tiny_encoder(5, seed=1))
    for model in (featurizer, pickle.loads(pickled)):
        with pytest.raises(ValueError, match="is not the one that fit saw"):
            model.transform(TEXTS)
    featurizer.fit(TEXTS).transform(TEXTS)


def test_vectors_that_are_changed_in_memory_are_told(encoder):
    def words(scale):
        return WordVectors(WORDS, scale * np.ones((3, 5)))

    featurizer = CoVeFeaturizer(words(1), encoder=encoder).fit(TEXTS)
    featurizer.set_params(vectors=words(1)).transform(TEXTS)
    with pytest.raises(ValueError, match="is not the one that fit saw"):
        featurizer.set_params(vectors=words(2)).transform(TEXTS)
    featurizer.set_params(vectors=words(1)).transform(TEXTS)
    featurizer.vectors.vectors = words(2).vectors
    with pytest.raises(ValueError, match="is not the one that fit saw"):
        featurizer.transform(TEXTS)


@pytest.mark.parametrize("given", ["files", "vectors", "neither"])
def test_stored_weights_need_no_files(vectors, encoder, given):
    objects = WordVectors.load(vectors)
    named = {"vectors": vectors if given in ("files", "vectors") else objects}
    if given != "vectors":
        named["encoder"] = encoder
        targets = {}
    else:
        named |= {"hidden_size": 3, "epochs": 1, "random_state": 0}
        targets = {"targets": TEXTS}
    featurizer = CoVeFeaturizer(**named, store_weights=True, layers="all")
    features = featurizer.fit(TEXTS, **targets).transform(TEXTS)
    pickled = pickle.dumps(featurizer)
    vectors.unlink()
    encoder.unlink()
    loaded = pickle.loads(pickled)
    assert_array_equal(loaded.transform(TEXTS), features)
    again = pickle.loads(pickle.dumps(loaded))
    assert_array_equal(again.transform(TEXTS), features)
    assert loaded.get_params().keys() == featurizer.get_params().keys()


def test_a_stored_model_gives_way_to_another_file(vectors, encoder, tmp_path):
    featurizer = CoVeFeaturizer(vectors, encoder=encoder, store_weights=True)
    loaded = pickle.loads(pickle.dumps(featurizer.fit(TEXTS)))
    other = tmp_path / "other.pth"
    write_lstm_encoder(other, tiny_encoder(5, seed=1))
    with pytest.raises(ValueError, match="is not the one that fit saw"):
        loaded.set_params(encoder=other).transform(TEXTS)
    found = loaded.fit(TEXTS).transform(TEXTS)
    expected = CoVeFeaturizer(vectors, encoder=other).fit(TEXTS).transform(TEXTS)
    assert_array_equal(found, expected)


def test_a_pickle_without_weights_is_small(encoder):
    words = [f"word{i}" for i in range(2_000)]
    table = np.random.default_rng(0).normal(size=(2_000, 5))
    vectors = encoder.with_name("large.safetensors")
    WordVectors(words, table).save(vectors)
    sizes = [
        len(pickle.dumps(CoVeFeaturizer(vectors, encoder=encoder, **given).fit(TEXTS)))
        for given in ({}, {"store_weights": True})
    ]
    assert sizes[0] < 3_000
    assert sizes[1] > table.size * 4


def test_vectors_in_memory_are_in_the_pickle_and_shared_by_clones(encoder):
    vectors = WordVectors(WORDS, np.random.default_rng(0).normal(size=(3, 5)))
    featurizer = CoVeFeaturizer(vectors, encoder=encoder).fit(TEXTS)
    assert clone(featurizer).vectors is vectors
    loaded = pickle.loads(pickle.dumps(featurizer))
    assert isinstance(loaded.vectors, WordVectors)
    assert_array_equal(loaded.transform(TEXTS), featurizer.transform(TEXTS))
