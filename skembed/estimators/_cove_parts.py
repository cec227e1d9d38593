"""What CoVe is made of: word vectors and an encoder, given as objects or as files."""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from skembed.estimators._packed_vectors import pack_vectors, unpack_vectors
from skembed.estimators._pretrained import published_vectors
from skembed.formats import LstmSizes, lstm_sizes, read_lstm_encoder
from skembed.networks._fingerprint import fingerprint_files
from skembed.networks._registry import Registry
from skembed.networks.cove import CoVeModel, fingerprint_arrays
from skembed.vectors import SubwordVectors, WordVectors

Float32Array = npt.NDArray[np.float32]
Encoder = Mapping[str, Float32Array]

_vectors: Registry[WordVectors] = Registry(n_kept=2)
_encoders: Registry[Encoder] = Registry(n_kept=2)
_digests: WeakKeyDictionary[WordVectors, tuple[int, str]] = WeakKeyDictionary()
_lock = threading.Lock()


class Parts(NamedTuple):
    """What a featurizer is made of.

    Parameters
    ----------
    vectors : object
        As for `given_vectors`.
    encoder : str, path-like, mapping of str to ndarray, or None
        As for `given_encoder`; None where there is none yet.
    fingerprint : str or None
        Of the encoder, where it is known.
    """

    vectors: Any
    encoder: Any
    fingerprint: str | None


def given_vectors(vectors: Any) -> tuple[WordVectors, str]:
    """Return the word vectors that the parameter `vectors` stands for.

    Parameters
    ----------
    vectors : estimator, WordVectors, gensim.models.KeyedVectors, str or path-like

    Returns
    -------
    word_vectors : WordVectors
        With n-grams where there are any. Those of a file are read once in a process.
    fingerprint : str
        Digest of their content.

    Raises
    ------
    TypeError
        If it is nothing of that.
    ValueError
        If the estimator is not fitted, a file is not what its format says, or a vector
        holds NaN or infinity.
    """
    if isinstance(vectors, str | PathLike):
        digest = fingerprint_files({"vectors": _existing(Path(vectors))})
        digest += Path(vectors).name
        found = _vectors.get(digest, lambda: published_vectors(vectors, ngrams=True))
        return found, digest
    if hasattr(vectors, "fit"):
        vectors = _learned(vectors)
    word_vectors = published_vectors(vectors, ngrams=True)
    return word_vectors, _digest(word_vectors)


def given_encoder(
    encoder: Any, fingerprint: str | None = None
) -> tuple[LstmSizes, Callable[[], Encoder], str]:
    """Return the encoder that is in a file or in memory.

    Parameters
    ----------
    encoder : str, path-like, or mapping of str to ndarray
    fingerprint : str or None
        Of what is in memory, where it is known.

    Returns
    -------
    sizes : LstmSizes
    weights : callable
        Returns the arrays, under the names of ``nn.LSTM``.
    fingerprint : str
        Digest of their content.

    Raises
    ------
    FormatError
        If the file holds no such encoder.
    """
    if isinstance(encoder, Mapping):
        digest = fingerprint or fingerprint_arrays(encoder)
        return lstm_sizes(encoder), lambda: encoder, digest
    path = Path(encoder)
    digest = fingerprint_files({"encoder": path})

    def load() -> Encoder:
        return _encoders.get(digest, lambda: read_lstm_encoder(path))

    return lstm_sizes(load()), load, digest


def cove_model(parts: Parts) -> CoVeModel:
    """Put word vectors and an encoder together.

    Parameters
    ----------
    parts : Parts

    Returns
    -------
    model : CoVeModel

    Raises
    ------
    ValueError
        If the encoder reads vectors of another length.
    """
    word_vectors, vectors_digest = given_vectors(parts.vectors)
    sizes, weights, weights_digest = given_encoder(parts.encoder, parts.fingerprint)
    if sizes.input_size != word_vectors.vector_size:
        msg = (
            f"The encoder reads vectors of length {sizes.input_size}, but those of "
            f"vectors are of length {word_vectors.vector_size}. Choose the vectors "
            "that it was trained with."
        )
        raise ValueError(msg)
    return CoVeModel(
        look_up=lambda words: look_up(word_vectors, words),
        vectors_fingerprint=vectors_digest,
        sizes=sizes,
        weights=weights,
        weights_fingerprint=weights_digest,
    )


def look_up(word_vectors: WordVectors, words: Sequence[str]) -> Float32Array:
    """Return the vectors of words: zeros for unknown ones without known n-grams.

    Examples
    --------
    >>> look_up(WordVectors(["a", "b"], [[1, 2], [3, 4]]), ["b", "c"])
    array([[3., 4.],
           [0., 0.]], dtype=float32)
    """
    if isinstance(word_vectors, SubwordVectors):
        return word_vectors.vectors_of(words)
    row_of = word_vectors.key_to_index
    rows = np.array([row_of.get(word, -1) for word in words], dtype=np.int64)
    vectors = np.zeros((len(rows), word_vectors.vector_size), dtype=np.float32)
    vectors[rows >= 0] = word_vectors.vectors[rows[rows >= 0]]
    return vectors


def pack_parts(state: dict[str, Any], files: Parts | None) -> dict[str, Any]:
    """Replace the vectors in a featurizer's state by arrays.

    Parameters
    ----------
    state : dict of str to object
    files : Parts or None
        What is in files, and is to be stored, too.

    Returns
    -------
    state : dict of str to object
        Another one, without objects of ours, but for an estimator as `vectors`.
    """
    state = dict(state)
    stored: Parts | None = state.pop("_stored", None)
    stored = files or stored
    if hasattr(state["vectors"], "index_to_key"):
        state["_given_vectors"] = pack_vectors(state["vectors"], None)
        state["vectors"] = None
    if stored is not None:
        packed = None if stored.vectors is None else pack_vectors(stored.vectors, None)
        state["_stored"] = {**stored._asdict(), "vectors": packed}
    return state


def unpack_parts(state: Mapping[str, Any]) -> dict[str, Any]:
    """Undo `pack_parts`."""
    attributes = dict(state)
    if "_given_vectors" in attributes:
        packed = attributes.pop("_given_vectors")
        attributes["vectors"] = unpack_vectors(packed, None)
    if "_stored" in attributes:
        stored = Parts(**attributes["_stored"])
        if stored.vectors is not None:
            stored = stored._replace(vectors=unpack_vectors(stored.vectors, None))
        attributes["_stored"] = stored
    return attributes


def _learned(estimator: Any) -> WordVectors:
    word_vectors: WordVectors | None = getattr(estimator, "word_vectors_", None)
    if word_vectors is None:
        msg = (
            f"vectors is a {type(estimator).__name__} that has learned no word vectors."
            " Fit it first: it is used as it is."
        )
        raise ValueError(msg)
    return word_vectors


def _existing(path: Path) -> Path:
    """Return the file, or the archive that a path leads into."""
    for candidate in (path, *path.parents):
        if candidate.is_file():
            return candidate
    return path


def _digest(word_vectors: WordVectors) -> str:
    """Digest words and vectors, once for each object and its array."""
    with _lock:
        array, digest = _digests.get(word_vectors, (0, ""))
    if array != id(word_vectors.vectors):
        digest = fingerprint_arrays(_arrays_of(word_vectors))
        with _lock:
            _digests[word_vectors] = id(word_vectors.vectors), digest
    return digest


def _arrays_of(word_vectors: WordVectors) -> dict[str, npt.NDArray[Any]]:
    arrays: dict[str, npt.NDArray[Any]] = {
        "words": _letters(word_vectors.index_to_key),
        "vectors": word_vectors.vectors,
    }
    if isinstance(word_vectors, SubwordVectors):
        buckets, vectors, *settings = word_vectors.ngrams
        arrays |= {"buckets": buckets, "ngrams": vectors}
        arrays["settings"] = np.array(settings, dtype=np.int64)
    return arrays


def _letters(words: Iterable[str]) -> npt.NDArray[np.uint8]:
    ended = [word.encode("utf-8", "surrogatepass") + b"\xff" for word in words]
    return np.frombuffer(b"".join(ended), dtype=np.uint8)
