"""fastText's model and loss, as the paper and its program have them, in float64."""

import numpy as np

from tests.reference.skipgram import negative_sampling_loss


def word_vector(rows, parts):
    """Bojanowski et al. (2017), section 3.2, as the program has it: the mean."""
    return rows[parts].mean(axis=0)


def total_loss(rows, w_out, parts, examples):
    """Sum the loss of examples (centre, contexts, noise, weight of noise, weight)."""
    return sum(
        weight
        * negative_sampling_loss(
            word_vector(rows, parts[center]), w_out, contexts, noise, noise_weight
        )
        for center, contexts, noise, noise_weight, weight in examples
    )


def step_of_rows(gradient, rows, parts, center):
    """Where the rows of a word go when its vector takes the step -gradient.

    All of the step, as ``Model::update`` of the program has it; less where a row is
    there several times, so that the vector, their mean, goes where it is to go.
    """
    moved = rows.copy()
    times = np.bincount(parts[center])
    np.add.at(moved, parts[center], -gradient * times.sum() / (times**2).sum())
    return moved


def moves_of_rows(rows, parts, words, change, ways):
    """Where rows go when words have taken steps that did not know of each other.

    `ways` are the parts of their ways, a for each touch, that words went; a word after
    which another goes leaves it 1 / (1 + a) of the way. Words get the scale at which
    they, as the mean of their rows, go as far as one after the other, rows the mean of
    their words' scales.
    """
    ways = np.asarray(ways, dtype=np.float64)[: len(words)]
    n_times = np.array([np.bincount(parts[w], minlength=len(rows)) for w in words])
    # What part of its step a word's row takes, all times that it is there together.
    shares = n_times * n_times.sum(axis=1, keepdims=True)
    shares = shares / (n_times**2).sum(axis=1, keepdims=True)
    sums = np.stack([ways, ways / (1 + ways)]) @ shares
    means = sums @ n_times.T / n_times.sum(axis=1)
    scales = np.minimum(means[0] / (1 + means[0]) / means[1], 1)
    moved = sum(step_of_rows(-change[w], rows, parts, w) - rows for w in words)
    moved[sums[0] > 0] *= ((ways * scales @ shares)[sums[0] > 0]
                           / sums[0][sums[0] > 0])[:, None]  # fmt: skip
    return moved
