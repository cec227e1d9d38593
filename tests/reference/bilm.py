"""A biLM as its file format is specified, word by word, in float64."""

import numpy as np

BEGIN, END = "<S>", "</S>"
_SIGNS = {BEGIN: 256, END: 257}


def characters_of(word, n):
    """The ids of a word's characters."""
    spelled = [_SIGNS[word]] if word in _SIGNS else list(word.encode())[: n - 2]
    ids = [258, *spelled, 259]
    return np.array(ids + [260] * (n - len(ids))) + 1


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def word_vector(arrays, options, characters):
    """The token layer: convolutions, highways, projection."""
    embedded = arrays["char_embed"][characters - 1]
    act = np.tanh if options["char_cnn"]["activation"] == "tanh" else relu
    features = []
    for i, (width, _) in enumerate(options["char_cnn"]["filters"]):
        kernel, bias = arrays[f"CNN/W_cnn_{i}"][0], arrays[f"CNN/b_cnn_{i}"]
        windows = [
            sum(embedded[start + k] @ kernel[k] for k in range(width)) + bias
            for start in range(len(embedded) - width + 1)
        ]
        features.append(act(np.max(windows, axis=0)))
    h = np.concatenate(features)
    for k in range(options["char_cnn"].get("n_highway", 0)):
        high = {name: arrays[f"CNN_high_{k}/{name}"] for name in _HIGHWAY}
        gate = sigmoid(h @ high["W_carry"] + high["b_carry"])
        transformed = relu(h @ high["W_transform"] + high["b_transform"])
        h = gate * transformed + (1 - gate) * h
    if "CNN_proj/W_proj" in arrays:
        h = h @ arrays["CNN_proj/W_proj"] + arrays["CNN_proj/b_proj"]
    return h


_HIGHWAY = ("W_transform", "b_transform", "W_carry", "b_carry")


def relu(x):
    return np.maximum(x, 0.0)


def clip(x, limit):
    return x if not limit else np.clip(x, -limit, limit)


def lstm(arrays, options, prefix, inputs, state):
    """One layer: its outputs, and its state after them."""
    weight, bias = arrays[f"{prefix}/W_0"], arrays[f"{prefix}/B"]
    projection = arrays.get(f"{prefix}/W_P_0")
    h, c = state
    outputs = []
    for x in inputs:
        i, j, f, o = np.split(np.concatenate([x, h]) @ weight + bias, 4)
        c = sigmoid(f + 1.0) * c + sigmoid(i) * np.tanh(j)
        c = clip(c, options["lstm"]["cell_clip"])
        h = sigmoid(o) * np.tanh(c)
        if projection is not None:
            h = clip(h @ projection, options["lstm"]["proj_clip"])
        outputs.append(h)
    return outputs, (h, c)


def layer_states(arrays, options, direction, inputs, states=None):
    """The outputs of each layer of one direction, and the states of all layers."""
    sizes, found, after = options["lstm"], [], []
    for layer in range(sizes["n_layers"]):
        zeros = np.zeros(sizes["projection_dim"]), np.zeros(sizes["dim"])
        prefix = f"RNN_{direction}/RNN/MultiRNNCell/Cell{layer}/LSTMCell"
        state = zeros if states is None else states[layer]
        outputs, state = lstm(arrays, options, prefix, inputs, state)
        if layer and sizes.get("use_skip_connections"):
            outputs = [y + x for x, y in zip(inputs, outputs, strict=True)]
        inputs = outputs
        found.append(outputs)
        after.append(state)
    return found, after


def log_softmax(logits):
    shifted = logits - logits.max()
    return shifted - np.log(np.exp(shifted).sum())


def sentence_losses(model, sentence, vocabulary):
    """Negative log probabilities of all targets, forward and backward.

    Rows 0, 1 and 2 of the softmax are the begin, the end, and unknown words.
    """
    arrays, options, softmax, bias = model
    n = options["char_cnn"]["max_characters_per_token"]
    words = [BEGIN, *sentence, END]
    vectors = [word_vector(arrays, options, characters_of(w, n)) for w in words]
    row_of = {word: 3 + i for i, word in enumerate(vocabulary)} | {BEGIN: 0, END: 1}
    rows = [row_of.get(word, 2) for word in words]
    losses = []
    forward = list(range(len(words)))
    for d, order in enumerate((forward, forward[::-1])):
        (*_, tops), _ = layer_states(
            arrays, options, d, [vectors[k] for k in order[:-1]]
        )
        losses.append(
            [
                -log_softmax(softmax @ top + bias)[rows[k]]
                for top, k in zip(tops, order[1:], strict=True)
            ]
        )
    return np.array(losses)


def log_uniform_share(k, n):
    """Probability of class k of n, as TensorFlow's log-uniform sampler has it."""
    return (np.log(k + 2) - np.log(k + 1)) / np.log(n + 1)


def sampled_loss(state, softmax, bias, target, noise, expected):
    """Loss of one target against noise words, by how often each is expected."""
    logit = softmax @ state + bias - np.log(expected)
    others = [logit[k] for k in noise if k != target]
    return np.logaddexp.reduce([logit[target], *others]) - logit[target]
