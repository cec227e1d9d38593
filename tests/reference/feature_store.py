"""What a store of features promises, as a list of what was written."""

import zlib

import numpy as np


def features(digests, name, width=3):
    """Rows that stand for the features of texts: a function of text and name."""
    return digests[:, :width].astype(np.float32) + np.float32(zlib.crc32(name.encode()))


class ListStore:
    """Keeps every write, and looks through all of them."""

    def __init__(self):
        self.written = []

    def write(self, digests, arrays):
        for row, digest in enumerate(digests):
            values = {name: array[row].copy() for name, array in arrays.items()}
            self.written.append((digest.tobytes(), values))

    def clear(self):
        self.written = []

    def read(self, digest, name, needed):
        """Return the row of a text that has all needed arrays, or None."""
        for known, values in self.written:
            if known == digest.tobytes() and values.keys() >= set(needed):
                return values[name]
        return None

    def n_texts(self):
        return len({known for known, _ in self.written})
