"""Training a translator: its loss, its epochs, and what it learns."""

from itertools import product

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from skembed._ragged import Ragged
from skembed.training.translation import (
    Pairs,
    TranslationConfig,
    train_translation,
    translate,
)
from skembed.training.translation._batches import epoch_order, make_batch
from skembed.training.translation._torch_model import blank_translator
from tests.reference.translation import log_probabilities, pair_losses

CPU = torch.device("cpu")
N_WORDS = 6
SMALL = TranslationConfig(
    hidden_size=8, epochs=3, batch_size=8, learning_rate=0.02, precision="float32"
)


@pytest.fixture
def vectors(rng):
    return rng.normal(size=(N_WORDS, 5)).astype(np.float32)


def reversals(rng, n_pairs, longest=6):
    """Texts, and the same words of another language from the end to the begin."""
    texts = [rng.integers(N_WORDS, size=n) for n in rng.integers(1, longest, n_pairs)]
    lengths = [len(text) for text in texts]
    turned = [(text[::-1] + 1) % N_WORDS for text in texts]
    return Pairs(
        Ragged.from_lengths(np.concatenate(texts).astype(np.int32), lengths),
        Ragged.from_lengths(np.concatenate(turned).astype(np.int32), lengths),
    )


@pytest.fixture
def pairs(rng):
    return reversals(rng, 40)


@pytest.fixture
def translator():
    translator = blank_translator(5, N_WORDS, SMALL, CPU)
    translator.draw(seed=3)
    with torch.no_grad():
        for tensor in translator.parameters():
            # So large that a wrong mask or a forgotten bias changes every number.
            tensor.mul_(3.0).add_(0.1)
    return translator


def arrays_of(translator):
    state = translator.decoder.state_dict()
    return (
        translator.encoder.arrays(),
        {name: tensor.numpy() for name, tensor in state.items()},
    )


def reference_losses(pairs, vectors, encoder, decoder):
    return np.concatenate(
        [
            pair_losses(vectors[source], target.tolist(), encoder, decoder)
            for source, target in zip(*pairs, strict=True)
        ]
    )


def test_the_loss_follows_the_equations_pair_by_pair(pairs, vectors, translator):
    batch = make_batch(pairs, np.arange(40), boundary=N_WORDS)
    loss = translator.loss(torch.from_numpy(vectors[batch.source]), batch)
    expected = reference_losses(pairs, vectors, *arrays_of(translator))
    assert batch.n_outputs == len(expected)
    assert_allclose(loss.item(), expected.mean(), rtol=1e-5)


@pytest.mark.parametrize(
    "name",
    ["weight_hh_l0_reverse", "weight_ih_l1", "score.weight", "words.weight", "bias"],
)
def test_steps_follow_the_gradient_of_the_loss(name, rng, vectors, translator):
    pairs = reversals(rng, 4)
    batch = make_batch(pairs, np.arange(4), boundary=N_WORDS)
    translator.loss(torch.from_numpy(vectors[batch.source]), batch).backward()
    gradients = {key: p.grad for key, p in translator.encoder._named()}
    gradients |= {key: p.grad for key, p in translator.decoder.named_parameters()}
    encoder, decoder = arrays_of(translator)
    # Copies in float64, which the reference is differentiated in.
    encoder, decoder = (
        {key: array.astype(np.float64) for key, array in arrays.items()}
        for arrays in (encoder, decoder)
    )
    array = (encoder if name in encoder else decoder)[name]
    place = tuple(rng.integers(size) for size in array.shape)
    values = []
    for change in (1e-5, -2e-5):
        array[place] += change
        values.append(reference_losses(pairs, vectors, encoder, decoder).mean())
    expected = (values[0] - values[1]) / 2e-5
    assert_allclose(gradients[name][place], expected, rtol=1e-3, atol=1e-6)


def test_batches_of_an_epoch_hold_each_pair_once(rng, pairs):
    order = epoch_order(pairs, 7, rng)
    assert sorted(np.concatenate(order).tolist()) == list(range(40))
    assert max(map(len, order)) == 7


def test_epochs_have_other_orders(pairs):
    orders = [
        np.concatenate(epoch_order(pairs, 7, np.random.default_rng(seed)))
        for seed in (0, 1)
    ]
    assert (orders[0] != orders[1]).any()


@pytest.mark.slow
def test_a_translator_learns_to_turn_texts_around(rng, vectors):
    training, held_out = reversals(rng, 700, 4), reversals(rng, 60, 4)
    config = TranslationConfig(
        hidden_size=16, epochs=10, batch_size=16, learning_rate=0.02, dropout=0.0
    )
    result = train_translation(
        training, vectors, N_WORDS, config, held_out=held_out, seed=0, device="cpu"
    )
    reached = [scores.perplexity for scores in result.history]
    assert reached[0] > 2.0 > 1.2 > min(reached)
    for beam_size in (1, 3):
        said = translate(
            result, held_out.source, vectors, config, beam_size=beam_size, device="cpu"
        )
        right = [
            np.array_equal(a, b) for a, b in zip(said, held_out.target, strict=True)
        ]
        assert np.mean(right) > 0.8


def test_perplexity_is_that_of_the_held_out_words(rng, pairs, vectors):
    held_out = reversals(rng, 11)
    result = train_translation(
        pairs, vectors, N_WORDS, SMALL, held_out=held_out, seed=0, device="cpu"
    )
    losses = reference_losses(held_out, vectors, result.encoder, result.decoder)
    reached = result.history[result.best_epoch].perplexity
    assert_allclose(reached, np.exp(losses.mean()), rtol=1e-4)
    assert reached == min(scores.perplexity for scores in result.history)


def test_training_ends_when_the_perplexity_has_ceased_to_fall(rng, pairs, vectors):
    # What it learns does not hold for the texts that are held out.
    random = reversals(rng, 20)
    shuffled = rng.permutation(random.target.values)
    held_out = Pairs(random.source, Ragged(shuffled, random.target.offsets))
    config = TranslationConfig(
        hidden_size=8, epochs=50, batch_size=4, learning_rate=0.05, n_iter_no_change=2
    )
    result = train_translation(
        pairs, vectors, N_WORDS, config, held_out=held_out, seed=0, device="cpu"
    )
    assert len(result.history) == result.best_epoch + 3 < 50


def expect_same_result(actual, expected):
    assert str(actual.history) == str(expected.history)
    for ours, theirs in zip(actual[:2], expected[:2], strict=True):
        assert list(ours) == list(theirs)
        for name, array in theirs.items():
            assert_array_equal(ours[name], array)


def run(pairs, vectors, config=SMALL, **options):
    options = {"seed": 0, "device": "cpu", **options}
    return train_translation(pairs, vectors, N_WORDS, config, **options)


def test_the_seed_fixes_the_result(pairs, vectors):
    first = run(pairs, vectors)
    torch.rand(3)
    expect_same_result(run(pairs, vectors), first)
    other = run(pairs, vectors, seed=1)
    assert (other.encoder["weight_hh_l0"] != first.encoder["weight_hh_l0"]).any()


def test_the_result_does_not_depend_on_the_number_of_threads(pairs, vectors):
    expect_same_result(
        run(pairs, vectors, n_threads=2), run(pairs, vectors, n_threads=1)
    )


def test_the_global_generator_and_the_threads_are_left_alone(pairs, vectors):
    before, n_threads = torch.get_rng_state(), torch.get_num_threads()
    run(pairs, vectors, n_threads=1)
    assert_array_equal(torch.get_rng_state(), before)
    assert torch.get_num_threads() == n_threads


def test_dropout_takes_part_in_training(pairs, vectors):
    without = TranslationConfig(hidden_size=8, epochs=1, dropout=0.0)
    with_it = TranslationConfig(hidden_size=8, epochs=1, dropout=0.5)
    losses = [run(pairs, vectors, x).history[0].loss for x in (without, with_it)]
    assert losses[0] != losses[1]


def test_progress_is_told_and_may_stop_after_the_epoch(pairs, vectors):
    told = []
    result = run(pairs, vectors, progress=lambda *args: told.append(args) or True)
    assert len(result.history) == 1
    epoch, done, loss = told[-1]
    assert (epoch, done) == (0, 1.0)
    assert loss == result.history[0].loss


def test_pairs_with_an_empty_side_are_passed_over(pairs, vectors):
    def with_empty(ids, place):
        offsets = np.insert(ids.offsets, place, ids.offsets[place])
        return Ragged(ids.values, offsets)

    source, target = pairs
    more = Pairs(with_empty(source, 3), with_empty(target, 3))
    expect_same_result(run(more, vectors), run(pairs, vectors))
    empty = Ragged.from_lengths(np.empty(0, np.int32), [0])
    one = Ragged.from_lengths(np.zeros(1, np.int32), [1])
    with pytest.raises(ValueError, match="None of the 1 pairs to train on has words"):
        run(Pairs(empty, one), vectors)


def test_wrong_pairs_are_refused(pairs, vectors):
    source, target = pairs
    with pytest.raises(ValueError, match="one target for each source, got 39 for 40"):
        run(Pairs(source, Ragged(target.values, target.offsets[:-1])), vectors)
    with pytest.raises(ValueError, match="Ids must be from 0 to 2, got 0 to 5"):
        run(pairs, vectors[:3])


@pytest.mark.parametrize("change", [{"learning_rate": 1e6}, {"bad": np.nan}])
def test_a_training_that_diverges_names_the_learning_rate(change, pairs, vectors):
    vectors = vectors * change.get("bad", 1.0)
    rate = change.get("learning_rate", 0.01)
    config = TranslationConfig(hidden_size=8, epochs=5, learning_rate=rate)
    with pytest.raises(ValueError, match=rf"diverged in epoch .*learning_rate={rate}"):
        run(pairs, vectors, config)


def test_bfloat16_trains_to_about_the_same(pairs, vectors):
    config = TranslationConfig(
        hidden_size=8, epochs=3, batch_size=8, learning_rate=0.02, precision="bfloat16"
    )
    losses = [run(pairs, vectors, x).history[-1].loss for x in (SMALL, config)]
    assert losses[0] != losses[1]
    assert_allclose(losses[1], losses[0], rtol=0.05)


def test_a_wide_beam_finds_the_likeliest_translation(rng, vectors, translator):
    longest, n_words = 3, 2
    config = TranslationConfig(hidden_size=8, epochs=1, precision="float32")
    pairs = reversals(rng, 8)
    pairs = Pairs(pairs.source, Ragged(pairs.target.values % 2, pairs.target.offsets))
    result = train_translation(pairs, vectors, n_words, config, seed=0, device="cpu")
    scale = {name: 8 * array for name, array in result.decoder.items()}
    result = result._replace(decoder=scale)
    candidates = [
        said for n in range(longest + 1) for said in product(range(n_words), repeat=n)
    ]
    found = translate(
        result, pairs.source, vectors, config,
        beam_size=len(candidates), max_length=longest, device="cpu",
    )  # fmt: skip
    for source, said in zip(pairs.source, found, strict=True):
        scores = [
            -pair_losses(vectors[source], list(x), result.encoder, scale).mean()
            for x in candidates
        ]
        best = candidates[int(np.argmax(scores))]
        assert tuple(said) == best


def test_a_beam_of_one_takes_the_likeliest_word_each_time(pairs, vectors):
    result = run(pairs, vectors)
    found = translate(
        result, pairs.source, vectors, SMALL, beam_size=1, max_length=5, device="cpu"
    )
    for source, said in zip(pairs.source, found, strict=True):
        logs = log_probabilities(
            vectors[source], said.tolist(), result.encoder, result.decoder
        )
        expected = [*said.tolist(), N_WORDS][: len(logs)]
        if len(said) == 5:
            expected, logs = expected[:5], logs[:5]
        assert logs.argmax(axis=1).tolist() == expected


def test_an_empty_text_has_an_empty_translation(pairs, vectors):
    source = Ragged.from_lengths(np.array([1, 2], np.int32), [0, 2, 0])
    found = translate(run(pairs, vectors), source, vectors, SMALL, device="cpu")
    assert len(found) == 3
    assert found.lengths[0] == found.lengths[2] == 0
