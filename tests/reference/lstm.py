"""The LSTM as its equations say it, one text at a time, in float64."""

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def read(x, w_ih, w_hh, b_ih, b_hh):
    """The states after each step through a text, from zeros on."""
    size = w_hh.shape[1]
    h, c = np.zeros((2, size))
    states = []
    for vector in x.astype(np.float64):
        gates = w_ih @ vector + b_ih + w_hh @ h + b_hh
        i, f, g, o = gates.reshape(4, size)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        states.append(h)
    return np.array(states)


def layers(x, weights, n_layers):
    """All layers of one text; the backward direction reads it from its end."""
    found = [x]
    for k in range(n_layers):
        forward, backward = (
            [weights[f"{name}_l{k}{suffix}"].astype(np.float64) for name in NAMES]
            for suffix in ("", "_reverse")
        )
        both = read(found[-1], *forward), read(found[-1][::-1], *backward)[::-1]
        found.append(np.hstack(both))
    return found


NAMES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
