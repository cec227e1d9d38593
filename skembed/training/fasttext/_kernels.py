"""What words are made of, before and after training."""

import numpy as np

from skembed._kernels.compiling import compiled
from skembed.training.skipgram._kernels.center import read_center


@compiled()
def add_own_rows(ngrams, offsets, rows):
    """Write the rows of each word: its own, then those of its n-grams.

    Parameters
    ----------
    ngrams : ndarray of shape (n,), int32
    offsets : ndarray of shape (n_words + 1,), int64
    rows : ndarray of shape (n_words + n,), int32
        Overwritten. Word w has row w, n-gram g has row n_words + g.
    """
    n_words = len(offsets) - 1
    for word in range(n_words):
        rows[offsets[word] + word] = word
        for i in range(offsets[word], offsets[word + 1]):
            rows[i + word + 1] = n_words + ngrams[i]


@compiled()
def count_squares(rows, offsets, n_rows, squares):
    """Sum the squares of how often each word has each of its rows.

    Parameters
    ----------
    rows : ndarray of shape (n,), int32
    offsets : ndarray of shape (n_words + 1,), int64
    n_rows : int
    squares : ndarray of shape (n_words,), int64
        Overwritten.
    """
    last_word = np.full(n_rows, -1, dtype=np.int64)
    times = np.zeros(n_rows, dtype=np.int64)
    for word in range(len(squares)):
        squares[word] = 0
        for i in range(offsets[word], offsets[word + 1]):
            row = rows[i]
            if last_word[row] != word:
                last_word[row] = word
                times[row] = 0
            # The square of m + 1 is that of m and so much more.
            squares[word] += 2 * times[row] + 1
            times[row] += 1


@compiled()
def write_means(table, composition, vectors):
    """Write the vectors of all words.

    Parameters
    ----------
    table : ndarray of shape (n_rows + 1, n_columns), float32
    composition : Composition
    vectors : ndarray of shape (n_words, n_columns), float32
        Overwritten.
    """
    for word in range(len(vectors)):
        read_center(table, word, composition, vectors, word)
