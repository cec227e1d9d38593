import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose

from skembed.counts import AliasTable, keep_probability, noise_distribution

counts = arrays(np.int64, st.integers(1, 60), elements=st.integers(1, 10**6))


@given(counts, st.sampled_from([-1.0, 0.0, 0.5, 0.75, 1.0]))
def test_noise_is_a_distribution_proportional_to_a_power_of_the_counts(counts, power):
    distribution = noise_distribution(counts, power)
    weights = counts.astype(float) ** power
    assert_allclose(distribution, weights / weights.sum(), rtol=1e-9)


@given(counts, st.floats(1e-6, 1.0))
def test_keeping_is_word2vecs_rule(counts, sample):
    frequency = counts / counts.sum()
    # As word2vec.c writes it, with the word's count over that of all words.
    rule = (np.sqrt(frequency / sample) + 1) * sample / frequency
    assert_allclose(keep_probability(counts, sample), np.minimum(rule, 1), rtol=1e-9)


def test_a_sample_of_zero_keeps_all():
    assert (keep_probability(np.array([9, 1]), 0) == 1).all()


@given(counts)
def test_an_alias_table_has_the_probabilities_it_was_built_from(counts):
    probabilities = counts / counts.sum()
    table = AliasTable.from_probabilities(probabilities)
    stays = table.threshold / 2.0**32
    n = len(counts)
    rebuilt = (stays + np.bincount(table.alias, 1 - stays, minlength=n)) / n
    assert_allclose(rebuilt, probabilities, atol=1e-7)


@pytest.mark.parametrize("power", [50.0, -50.0])
def test_large_powers_do_not_overflow(power):
    assert np.isfinite(noise_distribution(np.array([10**9, 1]), power)).all()
