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
