"""The loss of a translator as its equations say it, one pair at a time, in float64.

Luong, Pham and Manning (2015), section 3.1, with the score "general", without feeding
the attentional vector to the next step.
"""

import numpy as np

from tests.reference import lstm


def log_softmax(scores):
    return scores - np.logaddexp.reduce(scores)


def decoder_states(x, weights, hidden, cells):
    """The decoder's LSTM from a given state on."""
    w_ih, w_hh, b_ih, b_hh = (weights[f"lstm.{name}_l0"] for name in lstm.NAMES)
    states = []
    for vector in x:
        gates = w_ih @ vector + b_ih + w_hh @ hidden + b_hh
        i, f, g, o = gates.reshape(4, len(hidden))
        cells = lstm.sigmoid(f) * cells + lstm.sigmoid(i) * np.tanh(g)
        hidden = lstm.sigmoid(o) * np.tanh(cells)
        states.append(hidden)
    return states


def log_probabilities(vectors, said, encoder, decoder, n_layers=2):
    """Log-probabilities of all words after the boundary, and after each word said."""
    decoder = {name: array.astype(np.float64) for name, array in decoder.items()}
    boundary = len(decoder["bias"]) - 1
    memory = lstm.layers(vectors, encoder, n_layers)[-1]
    begin = decoder["begin.weight"] @ memory.mean(axis=0) + decoder["begin.bias"]
    hidden, cells = np.tanh(begin).reshape(2, -1)
    words = decoder["words.weight"]
    rows = []
    for h in decoder_states(words[[boundary, *said]], decoder, hidden, cells):
        scores = memory @ (decoder["score.weight"] @ h)
        context = np.exp(log_softmax(scores)) @ memory
        both = np.concatenate([context, h])
        z = np.tanh(decoder["combine.weight"] @ both + decoder["combine.bias"])
        rows.append(log_softmax(words @ z + decoder["bias"]))
    return np.array(rows)


def pair_losses(vectors, said, encoder, decoder):
    """The loss of each word of a translation, and of its end."""
    logs = log_probabilities(vectors, said, encoder, decoder)
    boundary = logs.shape[1] - 1
    return -logs[np.arange(len(logs)), [*said, boundary]]
