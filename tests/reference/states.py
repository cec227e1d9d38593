"""The layers of a transformer and what is made of them, one window at a time."""

import math

import numpy as np
import torch

POOLINGS = ("mean", "cls", "max", "min", "last", "mean_sqrt_len", "first_last")


@torch.inference_mode()
def layer_states(model, ids):
    """Run one window without padding; shape (1 + n_blocks, n_tokens, width)."""
    ids = [int(i) for i in ids]
    # No model runs on nothing.
    output = model(torch.tensor([ids or [0]]), output_hidden_states=True)
    layers = [layer[0, : len(ids)].double() for layer in output.hidden_states]
    return torch.stack(layers).numpy()


def texts_of(windows):
    """Yield, for each text, the token numbers (window, place) that it owns, in order.

    Each comes with whether it is special.
    """
    texts = [[] for _ in range(windows.n_texts)]
    for window, text in enumerate(windows.text):
        start, stop = windows.ids.offsets[window : window + 2]
        texts[text] += [
            (window, token - start, bool(windows.special[token]))
            for token in range(start, stop)
            if windows.own[token]
        ]
    return texts


def token_states(model, windows):
    """Return for each text the states (n_layers, width) and specialness of tokens."""
    states = [layer_states(model, ids) for ids in windows.ids]
    return [
        [(states[window][:, place], special) for window, place, special in tokens]
        for tokens in texts_of(windows)
    ]


def pool(tokens, pooling, layer, *, special_tokens):
    """Pool one layer of one text, whose tokens are as in `token_states`."""
    counted = [
        states[layer] for states, special in tokens if special_tokens or not special
    ]
    if pooling == "first_last":
        ends = [counted[0], counted[-1]]
        return np.concatenate(ends)
    if pooling == "cls":
        return tokens[0][0][layer]
    if pooling == "last":
        return counted[-1]
    if pooling in {"max", "min"}:
        extreme = max if pooling == "max" else min
        return np.array([extreme(values) for values in zip(*counted, strict=True)])
    total = sum(counted)
    n_tokens = len(counted)
    return total / (n_tokens if pooling == "mean" else math.sqrt(n_tokens))


def features(texts, poolings, layers, *, special_tokens=False):
    """Pool texts of `token_states`: all layers of one pooling, then of the next.

    A text without tokens of its own has zeros.
    """
    width = next(len(states[0]) for tokens in texts for states, _ in tokens)
    rows = []
    for tokens in texts:
        if all(special for _, special in tokens):
            n_parts = sum(2 if name == "first_last" else 1 for name in poolings)
            rows.append(np.zeros(width * len(layers) * n_parts))
            continue
        parts = [
            pool(tokens, name, layer, special_tokens=special_tokens)
            for name in poolings
            for layer in layers
        ]
        rows.append(np.concatenate(parts))
    return np.array(rows)


def assert_close(features, expected, tolerance=1e-5):
    """Check that no number is further off than a share of the largest one."""
    expected = np.asarray(expected)
    assert features.shape == expected.shape
    assert np.abs(features - expected).max() <= tolerance * np.abs(expected).max()
