"""The loss, its gradient and the arrays are those of the published specification."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from skembed._ragged import Ragged
from skembed.training.bilm import (
    BiLMArchitecture,
    BiLMConfig,
    BiLMModel,
    hold_out,
    measure_perplexity,
    output_rows,
    place_probabilities,
    train_bilm,
)
from skembed.training.bilm._batches import frame, sentence_batches
from skembed.training.bilm._torch_network import Dropout
from skembed.training.bilm._torch_score import network_perplexity
from skembed.training.bilm._torch_step import Words, take_gradient
from skembed.training.bilm._torch_weights import (
    draw_weights,
    empty_network,
    load_arrays,
    to_arrays,
)
from tests.reference import bilm as reference
from tests.training.bilm_corpus import TINY, encoded, sentences, tiny_config

ARCHITECTURES = {
    "projected": TINY,
    "unprojected": replace(TINY, hidden_size=8),
    "clipped": replace(TINY, cell_clip=0.1, projection_clip=0.03),
    "unprojected, clipped": replace(TINY, hidden_size=8, cell_clip=0.1),
    "plain": replace(TINY, skip_connections=False, n_highway=0, n_layers=1),
    "tanh": replace(TINY, activation="tanh", n_highway=2, n_layers=3),
    "no token projection": replace(TINY, filters=((1, 3), (4, 5))),
}
DOCUMENTS = [["a", "cat", "sat"], ["mat"], ["the", "unbelievably", "old", "cat"]]


@pytest.fixture(params=ARCHITECTURES)
def architecture(request):
    return ARCHITECTURES[request.param]


def random_model(architecture, rng, n_rows):
    """A model whose weights are large enough for clips to bind."""
    network = empty_network(architecture)
    draw_weights(network, torch.Generator().manual_seed(int(rng.integers(2**31))))
    arrays = {
        name: np.float32(array + 0.2 * rng.normal(size=array.shape))
        for name, array in to_arrays(network).items()
    }
    if not architecture.has_projection:
        for name in arrays:
            if name.endswith("W_P_0"):
                arrays[name] = np.eye(architecture.hidden_size, dtype=np.float32)
    softmax = np.float32(rng.normal(size=(n_rows, architecture.projection_size)))
    bias = np.float32(rng.normal(size=n_rows))
    return BiLMModel(arrays, architecture.options(), softmax, bias)


def in_float64(model):
    arrays = {name: array.astype(np.float64) for name, array in model.arrays.items()}
    return BiLMModel(arrays, model.options, *map(np.float64, model[2:]))


def reference_losses(model, documents, vocabulary):
    parts = [reference.sentence_losses(model, s, vocabulary) for s in documents]
    return np.concatenate(parts, axis=1)


def loss_and_gradients(model, corpus, characters, n_outputs):
    network = empty_network(model.architecture)
    load_arrays(network, model.arrays)
    table = torch.from_numpy(np.column_stack(model[2:]))
    rows = output_rows(len(characters), n_outputs)
    words = Words(characters, rows, model.architecture)
    n_words = len(characters)
    (batch,) = sentence_batches(frame(corpus, n_words, n_words + 1), 99, 99, None)
    config = tiny_config(architecture=model.architecture, dropout=0.0)
    rng = np.random.default_rng(0)
    found = take_gradient(network, table, batch, words, config, rng)
    assert_array_equal(found.rows, np.arange(len(table)))
    return found.loss, network, found.values.numpy()


def test_the_loss_is_that_of_the_specification(rng, architecture):
    vocabulary, corpus, characters = encoded(DOCUMENTS)
    model = random_model(architecture, rng, 3 + 4)
    losses = reference_losses(in_float64(model), DOCUMENTS, vocabulary[:4])
    loss, *_ = loss_and_gradients(model, corpus, characters, n_outputs=4)
    assert_allclose(loss, losses.mean(), rtol=2e-6)
    rows = output_rows(len(characters), 4)
    found = measure_perplexity(model, corpus, characters, rows)
    expected = np.exp([*losses.mean(axis=1), losses.mean()])
    assert_allclose(found, expected, rtol=5e-6)


def test_the_gradient_is_that_of_the_specification(rng, architecture):
    vocabulary, corpus, characters = encoded(DOCUMENTS)
    n_outputs = len(vocabulary)
    model = random_model(architecture, rng, 3 + n_outputs)
    _, network, on_softmax = loss_and_gradients(model, corpus, characters, n_outputs)
    gradients = [parameter.grad.clone() for parameter in network.parameters()]
    before = [parameter.detach().clone() for parameter in network.parameters()]
    exact = in_float64(model)
    steps = {name: rng.normal(size=a.shape) for name, a in exact.arrays.items()}
    for name in steps:
        # An identity that stands for no projection is none to be learned.
        steps[name] *= architecture.has_projection or not name.endswith("W_P_0")
    step_w, step_b = (
        rng.normal(size=exact.softmax.shape),
        rng.normal(size=n_outputs + 3),
    )

    def loss_at(size):
        arrays = {n: a + size * steps[n] for n, a in exact.arrays.items()}
        softmax, bias = exact.softmax + size * step_w, exact.bias + size * step_b
        moved = BiLMModel(arrays, model.options, softmax, bias)
        return reference_losses(moved, DOCUMENTS, vocabulary).mean()

    slope = (loss_at(1e-6) - loss_at(-1e-6)) / 2e-6
    load_arrays(network, {n: a + steps[n] for n, a in exact.arrays.items()})
    found = (on_softmax * np.column_stack([step_w, step_b])).sum()
    for gradient, old, new in zip(gradients, before, network.parameters(), strict=True):
        found += (gradient * (new.detach() - old)).double().sum().item()
    assert_allclose(found, slope, rtol=1e-3)


def test_arrays_come_back_as_they_were(rng, architecture):
    model = random_model(architecture, rng, 9)
    network = empty_network(architecture)
    load_arrays(network, model.arrays)
    again = to_arrays(network)
    assert again.keys() == model.arrays.keys()
    for name, array in again.items():
        # The forget gate's bias has had 1 added and taken off.
        assert_allclose(array, model.arrays[name], atol=2e-7, err_msg=name)
        assert array.dtype == np.float32
        assert array.flags.c_contiguous


def test_shapes_are_those_of_the_published_small_model():
    network = empty_network(BiLMArchitecture.published("small"))
    draw_weights(network, torch.Generator().manual_seed(0))
    arrays = to_arrays(network)
    cell = "RNN_1/RNN/MultiRNNCell/Cell1/LSTMCell"
    shapes = {name: array.shape for name, array in arrays.items()}
    assert shapes["char_embed"] == (261, 16)
    assert shapes["CNN/W_cnn_6"] == (1, 7, 16, 1024)
    assert shapes["CNN_high_0/W_carry"] == (2048, 2048)
    assert shapes["CNN_proj/W_proj"] == (2048, 128)
    assert shapes[f"{cell}/W_0"] == (256, 4096)
    assert shapes[f"{cell}/B"] == (4096,)
    assert shapes[f"{cell}/W_P_0"] == (1024, 128)
    # The size of the published file, 13.6 million.
    assert sum(array.size for array in arrays.values()) == 13_593_296


def test_options_say_what_the_architecture_is(architecture):
    assert BiLMArchitecture.from_options(architecture.options()) == replace(
        architecture,
        projection_clip=architecture.projection_clip,
    )


def test_without_a_projection_its_clip_is_none():
    options = replace(TINY, hidden_size=8, projection_clip=3.0).options()
    assert options["lstm"]["proj_clip"] is None


def test_a_few_sentences_are_learned_by_heart():
    documents = sentences()
    words, corpus, characters = encoded(documents)
    config = tiny_config(epochs=50, learning_rate=0.02, dropout=0.0, batch_tokens=32)
    model = train_bilm(corpus, characters, config, seed=0).model
    rows = output_rows(len(words), len(words))
    assert measure_perplexity(model, corpus, characters, rows).mean < 20


def test_a_held_out_text_is_measured_after_each_epoch():
    documents = sentences()
    words, corpus, characters = encoded(documents)
    kept, held_out = hold_out(corpus, 0.2, seed=0)
    result = train_bilm(
        kept, characters, tiny_config(epochs=4, learning_rate=0.02), seed=0,
        held_out=held_out,
    )  # fmt: skip
    assert len(result.history) == 4
    perplexities = [epoch.perplexity.mean for epoch in result.history]
    assert np.argmin(perplexities) == result.best_epoch
    assert perplexities[-1] < perplexities[0] < len(words) + 3
    rows = output_rows(len(words), len(words))
    again = measure_perplexity(result.model, held_out, characters, rows)
    assert_allclose(again, result.history[result.best_epoch].perplexity, rtol=1e-5)


def test_what_fits_into_a_place_follows_from_both_sides(rng):
    documents = [["a", "b", "c"], ["c", "a"]]
    vocabulary, corpus, characters = encoded(documents)
    model = random_model(TINY, rng, 3 + 3)
    frequencies = np.array([5, 3, 2])
    found = place_probabilities(model, corpus[0], 1, characters, frequencies)
    exact = in_float64(model)
    scores = []
    for word in vocabulary:
        forward, backward = reference.sentence_losses(
            exact, [documents[0][0], word, documents[0][2]], vocabulary
        )
        # The forward model's second target, and the backward one's.
        scores.append(-forward[1] - backward[1])
    expected = np.exp(scores) / frequencies
    assert_allclose(found, expected / expected.sum(), rtol=1e-4)


def test_a_model_without_a_softmax_predicts_nothing(rng):
    _, corpus, characters = encoded(DOCUMENTS)
    model = random_model(TINY, rng, 9)._replace(softmax=None)
    with pytest.raises(ValueError, match="no softmax"):
        measure_perplexity(model, corpus, characters, np.full(len(characters), 2))
    with pytest.raises(ValueError, match="no softmax"):
        place_probabilities(model, corpus[0], 0, characters, np.ones(9))


def test_there_must_be_a_place_and_a_text(rng):
    _, corpus, characters = encoded(DOCUMENTS)
    model = random_model(TINY, rng, 3 + len(characters))
    with pytest.raises(ValueError, match="from 0 to 2, got 3"):
        place_probabilities(model, corpus[0], 3, characters, np.ones(len(characters)))
    none = Ragged(corpus.values[:0], corpus.offsets[:1])
    with pytest.raises(ValueError, match="no text"):
        measure_perplexity(model, none, characters, np.full(len(characters), 2))


def test_empty_sentences_have_boundaries_to_predict(rng):
    _, corpus, characters = encoded(DOCUMENTS)
    empty = Ragged.from_lengths(corpus.values[:0], [0])
    model = random_model(TINY, rng, 3 + len(characters))
    rows = output_rows(len(characters), len(characters))
    losses = reference.sentence_losses(in_float64(model), [], [])
    found = measure_perplexity(model, empty, characters, rows)
    assert_allclose(found[:2], np.exp(losses[:, 0]), rtol=1e-5)


def test_a_sentence_does_not_change_another(rng):
    _, corpus, characters = encoded(sentences())
    model = random_model(TINY, rng, 3 + len(characters))
    network = empty_network(TINY)
    load_arrays(network, model.arrays)
    table = torch.from_numpy(np.column_stack(model[2:]))
    words = Words(characters, output_rows(*[len(characters)] * 2), TINY)
    framed = frame(corpus, len(characters), len(characters) + 1)
    one_by_one = network_perplexity(network, table, framed, words, batch_tokens=1)
    together = network_perplexity(network, table, framed, words, batch_tokens=999)
    assert_allclose(one_by_one, together, rtol=1e-5)


def test_dropout_scales_what_it_leaves():
    values = torch.ones(100, 100)
    dropped = Dropout(0.2, torch.Generator().manual_seed(0))(values)
    assert set(dropped.unique().tolist()) == {0.0, 1.25}
    assert_allclose(dropped.mean(), 1.0, atol=0.02)
    assert Dropout()(values) is values


def test_published_settings_are_those_of_the_original_programme():
    config = BiLMConfig.published("original")
    assert config.architecture.options()["lstm"] == {
        "dim": 4096, "projection_dim": 512, "n_layers": 2, "cell_clip": 3.0,
        "proj_clip": 3.0, "use_skip_connections": True,
    }  # fmt: skip
    assert (config.unroll, config.batch_tokens // config.unroll) == (20, 128)
    assert (config.optimizer, config.learning_rate) == ("adagrad", 0.2)
    assert (config.n_negatives, config.clip_norm) == (8192, 10.0)
