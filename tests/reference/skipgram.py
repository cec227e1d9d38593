"""The losses of skip-gram, as the papers write them, in float64."""

import numpy as np


def log_sigmoid(x):
    return -np.logaddexp(0.0, -x)


def negative_sampling_loss(hidden, w_out, contexts, noise, noise_weight):
    """Mikolov et al. (2013), equation 4, for one centre and weighted noise words."""
    observed = log_sigmoid(w_out[contexts] @ hidden).sum()
    return -observed - noise_weight * log_sigmoid(-w_out[noise] @ hidden).sum()


def hierarchical_softmax_loss(hidden, w_out, nodes, turns):
    """Mikolov et al. (2013), equation 3, for one pair: turns are 1 to the right."""
    return -log_sigmoid((1.0 - 2.0 * turns) * (w_out[nodes] @ hidden)).sum()


def softmax_loss(hidden, w_out, contexts):
    """Mikolov et al. (2013), equations 1 and 2, for one centre."""
    scores = w_out @ hidden
    return len(contexts) * np.log(np.exp(scores).sum()) - scores[contexts].sum()


def numerical_gradient(loss, *arrays, step=1e-6):
    """Central differences of ``loss()`` in every number of arrays changed in place."""
    gradients = []
    for array in arrays:
        gradient = np.empty_like(array)
        for index in np.ndindex(array.shape):
            value = array[index]
            array[index] = value + step
            up = loss()
            array[index] = value - step
            gradient[index] = (up - loss()) / (2 * step)
            array[index] = value
        gradients.append(gradient)
    return gradients
