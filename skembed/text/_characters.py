"""Words to the bytes that a character-aware network reads, as ELMo numbers them."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

BEGIN_SENTENCE, END_SENTENCE = "<S>", "</S>"
"""The words that stand for where a sentence begins and ends."""

N_CHARACTERS = 261
"""Rows of a table of characters: 256 bytes, and five signs."""

# In the numbering of the files; ids are greater by one, as 0 is no character at all.
_SENTENCE = {BEGIN_SENTENCE: 256, END_SENTENCE: 257}
_BEGIN_WORD, _END_WORD, _PADDING = 258, 259, 260


def character_ids(words: Sequence[str], n_characters: int) -> npt.NDArray[np.int32]:
    r"""Spell words as ELMo does.

    Parameters
    ----------
    words : sequence of str
        ``"<S>"`` and ``"</S>"`` are the begin and the end of a sentence.
    n_characters : int
        Length of a row, at least 3. The bytes of a word, in UTF-8, are cut off after
        ``n_characters - 2``, even within a character.

    Returns
    -------
    ids : ndarray of shape (n_words, n_characters), int32
        From 1 to 261: the sign of a word's begin, its bytes, that of its end, and
        those of padding. Lone surrogates have no bytes.

    References
    ----------
    .. [1] M. Peters et al., "Deep Contextualized Word Representations", NAACL 2018;
       the released ``bilm/data.py``.

    Examples
    --------
    >>> character_ids(["The", ""], 6)
    array([[259,  85, 105, 102, 260, 261],
           [259, 260, 261, 261, 261, 261]], dtype=int32)
    """
    most = n_characters - 2
    spelled = [
        word.encode("utf-8", "ignore")[:most] if word not in _SENTENCE else b"\0"
        for word in words
    ]
    lengths = np.array([len(letters) for letters in spelled], np.int64)
    ids = np.full((len(words), n_characters), _PADDING, np.int32)
    ids[:, 0] = _BEGIN_WORD
    place = np.arange(n_characters)
    is_letter = (place > 0) & (place <= lengths[:, None])
    ids[is_letter] = np.frombuffer(b"".join(spelled), np.uint8)
    ids[np.arange(len(words)), lengths + 1] = _END_WORD
    for row, word in enumerate(words):
        if word in _SENTENCE:
            ids[row, 1] = _SENTENCE[word]
    return ids + 1
