"""New words among known ones, and the known ones that occur."""

import numpy as np
import numpy.typing as npt

from skembed._ragged import Ragged
from skembed.text import Vocabulary
from skembed.text._kernels import renumber


def join_vocabulary(
    vocabulary: Vocabulary,
    batch_vocabulary: Vocabulary,
    batch: Ragged,
    *,
    min_count: int,
    max_vocab_size: int | None,
) -> tuple[Vocabulary, Ragged]:
    """Add the words of new documents to a vocabulary.

    Parameters
    ----------
    vocabulary : Vocabulary
        The words known so far. They all stay, under their ids.
    batch_vocabulary : Vocabulary
        The words of the new documents.
    batch : Ragged of int32
        The new documents, in ids of `batch_vocabulary`.
    min_count : int
        New words that occur less often in the new documents are left out.
    max_vocab_size : int or None
        At most so many words, of the new ones the most frequent.

    Returns
    -------
    vocabulary : Vocabulary
    batch : Ragged of int32
        The new documents in its ids, without the words left out.

    Examples
    --------
    >>> known = Vocabulary(("a", "b"), np.array([9, 8]))
    >>> new = Vocabulary(("c", "b", "d"), np.array([2, 1, 1]))
    >>> documents = Ragged.from_lengths(np.array([0, 1, 2, 0]), lengths=[3, 1])
    >>> joined, documents = join_vocabulary(
    ...     known, new, documents, min_count=2, max_vocab_size=None
    ... )
    >>> joined.words, joined.counts
    (('a', 'b', 'c'), array([9, 9, 2]))
    >>> [document.tolist() for document in documents]
    [[2, 1], [2]]
    """
    is_known = np.array(
        [word in vocabulary.index for word in batch_vocabulary.words], dtype=bool
    )
    joins = np.flatnonzero(~is_known & (batch_vocabulary.counts >= min_count))
    if max_vocab_size is not None:
        joins = joins[: max(max_vocab_size - len(vocabulary), 0)]
    kept = np.concatenate([np.flatnonzero(is_known), joins])
    words = tuple(batch_vocabulary.words[i] for i in kept)
    joined, ids = vocabulary.extended_by(
        Vocabulary(words, batch_vocabulary.counts[kept])
    )
    new_ids = np.full(len(batch_vocabulary), -1, np.int32)
    new_ids[kept] = ids
    return joined, _renumbered(batch, new_ids)


def _renumbered(corpus: Ragged, new_ids: npt.NDArray[np.int32]) -> Ragged:
    """Replace ids, and leave out those whose new id is negative."""
    ids, offsets = corpus.values.copy(), corpus.offsets.copy()
    renumber(ids, offsets, new_ids)
    return Ragged(ids[: offsets[-1]], offsets)
