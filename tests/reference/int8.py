"""Matrix products of numbers that are rounded to 8 bits, in float64."""

import numpy as np


def rounded(rows):
    """Round each row to multiples of its largest absolute value, divided by 127.

    What is rounded decides on whole steps, so it is done in float32, as specified.
    """
    one, half = np.float32(127), np.float32(128.5)
    found = np.zeros(rows.shape)
    for i, row in enumerate(rows.astype(np.float32)):
        largest = np.abs(row).max()
        if largest > 0:
            steps = np.floor(row * (one / largest) + half).astype(np.int64) - 128
            found[i] = steps * np.float64(largest / one)
    return found


def rounded_weight(weight):
    """Round a matrix of shape (n_out, n_in), each output with a scale of its own."""
    weight = weight.astype(np.float32)
    scales = np.abs(weight).max(axis=1, keepdims=True) / np.float32(127)
    steps = np.rint(weight / np.where(scales > 0, scales, 1)).astype(np.int64)
    return steps * scales.astype(np.float64)


def product(states, weight, bias=0.0, bound=np.inf):
    """Multiply states of shape (n_states, n_in)."""
    return np.clip(rounded(states) @ rounded_weight(weight).T + bias, -bound, bound)


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def lstm(weight, bias, projection, clips, inputs, output, cell):
    """One layer of one text: its outputs, and the state that it ends with."""
    n_in = inputs.shape[1]
    # tanh(j) = 2 sigmoid(2 j) - 1: what is rounded is 2 j.
    doubled = np.array([1, 2, 1, 1], np.float32).repeat(len(cell))
    of_input, of_output = (weight[:n_in] * doubled).T, (weight[n_in:] * doubled).T
    outputs = []
    for x in inputs:
        z = product(x[None], of_input)[0] + product(output[None], of_output)[0]
        i, j, f, o = np.split(z / doubled + bias, 4)
        cell = sigmoid(f + 1) * cell + sigmoid(i) * np.tanh(j)
        cell = np.clip(cell, -clips[0], clips[0])
        output = sigmoid(o) * np.tanh(cell)
        if projection is not None:
            output = product(output[None], projection.T, 0.0, clips[1])[0]
        outputs.append(output)
    return np.array(outputs), output, cell


def highway(weight, bias, states):
    """Highway layer of shape (2 * width, width)."""
    transform, carry = np.split(product(states, weight, bias), 2, axis=1)
    gate = sigmoid(carry)
    return gate * np.maximum(transform, 0) + (1 - gate) * states
