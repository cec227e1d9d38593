"""The loops of static pooling, over the words of one document after another.

None of them builds the vectors of the tokens: each row of the table is read where it
lies. Sums are kept in float64, so that a document of a million words is as exact as
one of ten. `ids`, `offsets` and `table` may be read-only; a document without words is
left to the caller as a row of zeros.
"""

import numpy as np

from skembed._kernels.compiling import compiled

# Not `fastmath=True`: that assumes no NaN, and a NaN in a vector must stay visible.
_njit = compiled()


@_njit
def sum_weights(ids, offsets, weights, out):
    """Add up the weights of the words of each document.

    Parameters
    ----------
    ids : ndarray of shape (n_tokens,), int32
    offsets : ndarray of shape (n_documents + 1,), int64
    weights : ndarray of shape (n_words,), float64
    out : ndarray of shape (n_documents,), float64
        Overwritten.
    """
    for i in range(len(out)):
        total = 0.0
        for t in range(offsets[i], offsets[i + 1]):
            total += weights[ids[t]]
        out[i] = total


@_njit
def add_weighted_rows(ids, offsets, weights, divisors, table, out):
    """Add up the weighted vectors of the words of each document, then divide.

    Parameters
    ----------
    ids : ndarray of shape (n_tokens,), int32
    offsets : ndarray of shape (n_documents + 1,), int64
    weights : ndarray of shape (n_words,), float64
    divisors : ndarray of shape (n_documents,), float64
        Not read where a document has no words.
    table : ndarray of shape (n_words, vector_size), float32
    out : ndarray of shape (n_documents, vector_size), float32, zeros
        Overwritten.
    """
    vector_size = table.shape[1]
    total = np.empty(vector_size, np.float64)
    for i in range(len(out)):
        if offsets[i] == offsets[i + 1]:
            continue
        total[:] = 0.0
        for t in range(offsets[i], offsets[i + 1]):
            word = ids[t]
            weight = weights[word]
            for d in range(vector_size):
                total[d] += weight * table[word, d]
        for d in range(vector_size):
            out[i, d] = total[d] / divisors[i]


@_njit
def take_largest(ids, offsets, table, out):
    """Take the largest value of each coordinate over the words of each document.

    A NaN is larger than any number. Parameters as in `add_weighted_rows`.
    """
    vector_size = table.shape[1]
    for i in range(len(out)):
        if offsets[i] == offsets[i + 1]:
            continue
        out[i] = -np.inf
        for t in range(offsets[i], offsets[i + 1]):
            word = ids[t]
            for d in range(vector_size):
                value = table[word, d]
                if value > out[i, d] or value != value:
                    out[i, d] = value


@_njit
def take_smallest(ids, offsets, table, out):
    """Take the smallest value of each coordinate over the words of each document.

    A NaN is smaller than any number. Parameters as in `add_weighted_rows`.
    """
    vector_size = table.shape[1]
    for i in range(len(out)):
        if offsets[i] == offsets[i + 1]:
            continue
        out[i] = np.inf
        for t in range(offsets[i], offsets[i + 1]):
            word = ids[t]
            for d in range(vector_size):
                value = table[word, d]
                if value < out[i, d] or value != value:
                    out[i, d] = value


@_njit
def count_documents(ids, offsets, last_seen, out):
    """Count the documents that hold each word.

    Parameters
    ----------
    ids : ndarray of shape (n_tokens,), int32
    offsets : ndarray of shape (n_documents + 1,), int64
    last_seen : ndarray of shape (n_words,), int64, all -1
        Scratch space, overwritten.
    out : ndarray of shape (n_words,), int64, zeros
        Added to.
    """
    for i in range(len(offsets) - 1):
        for t in range(offsets[i], offsets[i + 1]):
            word = ids[t]
            if last_seen[word] != i:
                last_seen[word] = i
                out[word] += 1
