import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from skembed import WordVectors


@pytest.fixture
def word_vectors(rng):
    words = [f"w{i}" for i in range(500)]
    return WordVectors(words, rng.normal(3, [1, 2, 4], size=(500, 3)))


def rows(embedding):
    return embedding.weight.detach().numpy()


def test_each_index_gives_the_vector_of_its_word(word_vectors):
    embedding = word_vectors.to_torch_embedding({"w7": 2, "w0": 0, "new": 1})
    ids = torch.tensor([[2, 0], [1, 1]])
    found = embedding(ids).numpy()
    assert_array_equal(found[0], word_vectors[["w7", "w0"]])
    assert_array_equal(found[1], 0)


def test_a_list_of_words_is_a_vocabulary(word_vectors):
    embedding = word_vectors.to_torch_embedding(["w3", "w1"])
    assert_array_equal(rows(embedding), word_vectors[["w3", "w1"]])


def test_indices_may_have_gaps(word_vectors):
    weight = rows(word_vectors.to_torch_embedding({"w3": 4}))
    assert weight.shape == (5, 3)
    assert_array_equal(weight[:4], 0)


def test_training_leaves_frozen_vectors_alone(word_vectors):
    assert not word_vectors.to_torch_embedding(["w1"]).weight.requires_grad
    assert word_vectors.to_torch_embedding(["w1"], freeze=False).weight.requires_grad


def test_training_does_not_change_the_words(word_vectors):
    before = word_vectors.vectors.copy()
    free = word_vectors.to_torch_embedding(word_vectors.index_to_key, freeze=False)
    free.weight.data += 1
    assert_array_equal(word_vectors.vectors, before)


def test_unknown_words_can_have_the_mean(word_vectors):
    weight = rows(word_vectors.to_torch_embedding(["new", "w0"], unknown="mean"))
    assert_allclose(weight[0], word_vectors.vectors.mean(axis=0), rtol=1e-5)
    assert_array_equal(weight[1], word_vectors["w0"])


def test_unknown_words_can_have_draws_like_the_vectors(word_vectors):
    words = [f"new{i}" for i in range(4000)]
    weight = rows(
        word_vectors.to_torch_embedding(words, unknown="normal", random_state=0)
    )
    table = word_vectors.vectors
    assert_allclose(weight.mean(axis=0), table.mean(axis=0), atol=0.3)
    assert_allclose(weight.std(axis=0), table.std(axis=0), rtol=0.1)


def test_the_same_seed_gives_the_same_draws(word_vectors):
    def draw(seed):
        return rows(
            word_vectors.to_torch_embedding(
                ["new"], unknown="normal", random_state=seed
            )
        )

    assert_array_equal(draw(1), draw(1))
    assert (draw(1) != draw(2)).any()
    assert_array_equal(draw(np.random.default_rng(1)), draw(1))


def test_unknown_words_can_have_a_given_vector(word_vectors):
    weight = rows(word_vectors.to_torch_embedding(["new", "w0"], unknown=[1, 2, 3]))
    assert_array_equal(weight[0], [1, 2, 3])


def test_the_padding_is_zeros_and_is_not_trained(word_vectors):
    vocabulary = {"<pad>": 0, "w5": 1}
    embedding = word_vectors.to_torch_embedding(
        vocabulary, unknown="mean", padding_idx=0, freeze=False
    )
    assert_array_equal(rows(embedding)[0], 0)
    embedding(torch.tensor([0, 1])).sum().backward()
    assert_array_equal(embedding.weight.grad[0], 0)
    assert_array_equal(embedding.weight.grad[1], 1)


@pytest.mark.parametrize(
    ("vocabulary", "options", "message"),
    [
        ({"w1": -1}, {}, "'w1' is -1"),
        ({"w1": 0.5}, {}, "'w1' is 0.5"),
        ({"w1": 3, "w2": 3}, {}, "'w1' and 'w2' have the same index 3"),
        (["w1", "w2", "w1"], {}, "'w1' twice"),
        ([], {}, "vocabulary is empty"),
        (["w1"], {"padding_idx": 1}, "padding_idx must be from 0 to 0, got 1"),
        (["w1"], {"unknown": "random"}, "unknown must be 'zeros', 'normal', 'mean'"),
        (["w1"], {"unknown": [1.0, 2.0]}, r"shape \(3,\), got \(2,\)"),
    ],
)
def test_a_wrong_argument_is_explained(word_vectors, vocabulary, options, message):
    with pytest.raises(ValueError, match=message):
        word_vectors.to_torch_embedding(vocabulary, **options)


def test_one_word_is_no_vocabulary(word_vectors):
    with pytest.raises(TypeError, match="sequence of words, got the str 'w1'"):
        word_vectors.to_torch_embedding("w1")
