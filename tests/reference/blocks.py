"""What a block of skip-gram steps is, word by word, in float64."""

from types import SimpleNamespace

import numpy as np
from scipy.special import expit

from tests.reference.skipgram import negative_sampling_loss


def centers_of(block, negative):
    """Yield each centre's word, its context words, noise words, and their weights."""
    n_tiles, tile = block.reach.shape
    window = (len(block.words) - n_tiles * tile) // 2
    for i in range(n_tiles * tile):
        place, reach = i + window, block.reach.flat[i]
        around = [
            j
            for j in range(place - reach, place + reach + 1)
            if j != place and block.documents[j] == block.documents[place]
        ]
        noise = block.noise[i // tile]
        weight = 1.0 if block.weight is None else block.weight.flat[i]
        noise_weight = negative * len(around) / len(noise)
        yield block.words[place], block.words[around], noise, weight, noise_weight


def block_loss(hidden_of, w_out, block, negative):
    """Return the loss of all pairs of a block, and how many were observed."""
    loss = n_pairs = 0.0
    for word, contexts, noise, weight, noise_weight in centers_of(block, negative):
        hidden = hidden_of(word)
        loss += weight * negative_sampling_loss(
            hidden, w_out, contexts, noise, noise_weight
        )
        n_pairs += weight * len(contexts)
    return loss, n_pairs


def forces(hidden_of, w_out, block, negative):
    """List what asks for what: a table, a row, what it is part of, its sign, e and v.

    A row is moved by sign * e * v. Parts are what pulls at a row, or pushes it, at a
    time: the contexts of a centre, its noise, and the centres of a word or of noise.
    """
    tile = block.reach.shape[1]
    window = (len(block.words) - block.reach.size) // 2
    for i, center in enumerate(centers_of(block, negative)):
        word, contexts, noise, weight, noise_weight = center
        hidden, reach = hidden_of(word), block.reach.flat[i]
        places = [
            place
            for place in range(i + window - reach, i + window + reach + 1)
            if place != i + window
            and block.documents[place] == block.documents[i + window]
        ]
        for place, row in zip(places, contexts, strict=True):
            error = weight * expit(-w_out[row] @ hidden)
            yield 0, word, (i, "contexts"), 1, error, w_out[row]
            yield 1, row, (place, "centers"), 1, error, hidden
        for k, row in enumerate(noise):
            error = weight * noise_weight * expit(w_out[row] @ hidden)
            yield 0, word, (i, "noise"), -1, error, w_out[row]
            yield 1, row, (i // tile, k), -1, error, hidden


def stiffness(forces, table, gradient):
    """Tell how a row's move along its gradient changes its gradient, part by part."""
    parts = {}
    for of, row, part, _, error, vector in forces:
        if of == table:
            sums, strength = parts.get((row, part), (0.0, 0.0))
            parts[row, part] = sums + error * vector, strength + error
    totals = np.zeros(len(gradient))
    for (row, _), (sums, strength) in parts.items():
        length = np.linalg.norm(gradient[row])
        if length > 0 and strength > 0:
            totals[row] += (sums @ gradient[row] / length) ** 2 / strength
    return totals


def touches(block, n_rows):
    """Count the updates of input rows, and of output rows."""
    window = (len(block.words) - block.reach.size) // 2
    inputs = np.bincount(block.words[window:-window], minlength=n_rows)
    rows = np.concatenate([block.words, block.noise.ravel()])
    return inputs, np.bincount(rows, minlength=n_rows)


def step_size(counts, stiffness, rate):
    """Scale the sum of the steps of rows that take several at once."""
    way = rate * stiffness
    return rate * (1 + np.minimum(way / np.maximum(counts, 1), 0.5)) / (1 + way)


def moves_of_parts(asked, stiffness, counts, rows_of, n_rows, rate):
    """Move the rows that words are the means of, by what is asked of the words.

    For each word: the sum of its steps, how stiff it is along it, how many steps it
    takes, and its rows.
    """
    pulls = [[] for _ in range(n_rows)]
    for word in np.flatnonzero(counts):
        rows = rows_of[word]
        part = len(rows) / (np.bincount(rows) ** 2).sum()
        strength = asked[word] @ asked[word] / stiffness[word]
        for row in rows:
            pulls[row].append((part * asked[word], strength, counts[word]))
    moves = np.zeros((n_rows, asked.shape[1]))
    for row, of_row in enumerate(pulls):
        if of_row:
            total = sum(pull for pull, _, _ in of_row)
            bend = sum((pull @ total) ** 2 / strength for pull, strength, _ in of_row)
            n_steps = sum(count for _, _, count in of_row)
            moves[row] = total * step_size(n_steps, bend / (total @ total), rate)
    return moves


def as_arrays(block):
    """Copy the draws of a block of tensors."""
    names = ("words", "documents", "reach", "weight", "noise")
    values = {name: getattr(block, name) for name in names}
    return SimpleNamespace(
        **{
            name: None if value is None else value.cpu().numpy()
            for name, value in values.items()
        }
    )
