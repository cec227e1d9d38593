"""Published vectors, whatever the format of their file."""

import os
from pathlib import Path

from skembed.formats import holds_native_ngrams, is_fasttext
from skembed.vectors._subword_vectors import SubwordVectors
from skembed.vectors._word_vectors import WordVectors


def load_published(path: str | os.PathLike[str], *, ngrams: bool = True) -> WordVectors:
    """Read words and vectors from a file of any format.

    Parameters
    ----------
    path : str or path-like
        A model of fastText is known by its first bytes, any other format by the
        extension, as in `WordVectors.load`.
    ngrams : bool
        Whether to keep n-grams, where the file holds them. Those of fastText stay on
        the disk.

    Returns
    -------
    word_vectors : WordVectors
        Of the subclass `SubwordVectors` if it has n-grams.

    Raises
    ------
    FormatError
        If the file is not what its format says.
    ValueError
        If its format is not clear.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     WordVectors(["a", "b"], [[1, 2], [3, 4]]).save(folder + "/two.vec")
    ...     load_published(folder + "/two.vec")
    WordVectors(n_words=2, vector_size=2)
    """
    if is_fasttext(path):
        model = SubwordVectors.from_fasttext(path)
        return model if ngrams else without_ngrams(model)
    is_native = Path(path).suffix.lower() == ".safetensors"
    if ngrams and is_native and holds_native_ngrams(path):
        return SubwordVectors.load(path)
    return WordVectors.load(path)


def without_ngrams(word_vectors: WordVectors) -> WordVectors:
    """Return the words and their vectors alone, not copied.

    Examples
    --------
    >>> cat = SubwordVectors(["cat"], [[1, 2]], [0], [[3, 4]], bucket=1)
    >>> without_ngrams(cat)
    WordVectors(n_words=1, vector_size=2)
    """
    if type(word_vectors) is WordVectors:
        return word_vectors
    return WordVectors(
        word_vectors.index_to_key, word_vectors.vectors, word_vectors.counts
    )
