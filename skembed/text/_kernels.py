"""The compiled scanner: code points to words to ids, in one pass.

Words live in an open hash table. The characters of word ``i`` are
``arena[starts[i]:starts[i + 1]]``; a slot holds ``tag | i + 1``, where the tag is the
upper half of the word's hash, or 0 if it is free. A word is the one in the table only
if all its characters are, so that no two words ever share an id.
"""

import numba
import numpy as np

from skembed._kernels.compiling import compiled

_njit = compiled()
_inlined = numba.njit(inline="always")

_FREE = np.uint64(0)
_ONE = np.uint64(1)
_HALF = np.uint64(32)
_ID = np.uint64(0x00000000FFFFFFFF)
_TAG = np.uint64(0xFFFFFFFF00000000)
_HASH_OF_NOTHING = np.uint64(0xCBF29CE484222325)


@_inlined
def _add(hashed, code):
    """Add a code point to a hash.

    FNV-1a (Fowler, Noll and Vo), in steps of a code point, not of a byte.
    """
    return (hashed ^ np.uint64(code)) * np.uint64(0x100000001B3)


@_inlined
def _finish(hashed):
    """Spread a hash to all bits: its lower ones choose the slot, its upper the tag."""
    hashed = (hashed ^ (hashed >> _HALF)) * np.uint64(0x9E3779B97F4A7C15)
    return hashed ^ (hashed >> _HALF)


@_inlined
def _find_slot(slots, starts, arena, hashed, codes, begin, length):
    """Find the slot of the word ``codes[begin:begin + length]``, or a free one."""
    mask = np.uint64(len(slots) - 1)
    slot = hashed & mask
    while True:
        entry = slots[slot]
        if entry == _FREE:
            return slot
        if (entry ^ hashed) & _TAG == _FREE:
            after = entry & _ID
            start = starts[after - _ONE]
            if starts[after] - start == length:
                k = 0
                while k < length and arena[start + k] == codes[begin + k]:
                    k += 1
                if k == length:
                    return slot
        slot = (slot + _ONE) & mask


@_inlined
def _append(slots, starts, arena, state, slot, hashed, codes, begin, length):
    """Add a word to the table, and return whether there was room."""
    n_words = state[3]
    start = starts[n_words]
    # Half of the slots stay free, so that searches are short.
    if 2 * (n_words + 1) > len(slots) or start + length > len(arena):
        return False
    # A slice assignment would take a second to compile, and be slower.
    for k in range(length):
        arena[start + k] = codes[begin + k]
    n_words += 1
    starts[n_words] = start + length
    slots[slot] = hashed & _TAG | np.uint64(n_words)
    state[3] = n_words
    return True


@_inlined
def _skip(codes, position, stop, is_word):
    while position < stop and not is_word[codes[position]]:
        position += 1
    return position


@_njit
def scan(
    codes, bounds, is_word, min_chars, insert, slots, starts, arena, state, ids, ends
):
    """Replace the words of some texts by ids.

    Parameters
    ----------
    codes : ndarray of shape (n_chars,), uint32
        The texts' code points, end to end.
    bounds : ndarray of shape (n_texts + 1,), int64
        Text ``t`` is ``codes[bounds[t]:bounds[t + 1]]``.
    is_word : ndarray of shape (0x110000,), bool
        The code points that words are made of. Words are maximal runs of them within a
        text.
    min_chars : int
        Shorter words are passed over. If 0, and if `is_word` is true everywhere, each
        text is one word, also the empty text.
    insert : bool
        Give words that are not in the table the next ids. Otherwise, pass over them,
        and write to none of the table's arrays.
    slots, starts, arena : ndarrays of uint64, int64, uint32
        The table, see above. The number of slots is a power of 2, and that of starts
        more than half of it.
    state : ndarray of shape (4,), int64
        Where to go on: text, position in `codes`, number of ids written, number of
        words in the table. Updated in place.
    ids : ndarray, int32
        Overwritten with the words' ids. One longer than there can be words.
    ends : ndarray of shape (n_texts,), int64
        Overwritten: the ids of text ``t`` end before ``ids[ends[t]]``.

    Returns
    -------
    done : bool
        False if the table was full: enlarge it, and call again.
    """
    position, n_ids = state[1], state[2]
    for text in range(state[0], len(ends)):
        stop = bounds[text + 1]
        while True:
            begin = _skip(codes, position, stop, is_word)
            position = begin
            hashed = _HASH_OF_NOTHING
            while position < stop and is_word[codes[position]]:
                hashed = _add(hashed, codes[position])
                position += 1
            length = position - begin
            if length >= min_chars:
                hashed = _finish(hashed)
                slot = _find_slot(slots, starts, arena, hashed, codes, begin, length)
                if insert and slots[slot] == _FREE and not _append(
                    slots, starts, arena, state, slot, hashed, codes, begin, length
                ):  # fmt: skip
                    state[0], state[1], state[2] = text, begin, n_ids
                    return False
                # Unknown words write a -1 that the next word overwrites.
                ids[n_ids] = np.int64(slots[slot] & _ID) - 1
                n_ids += ids[n_ids] >= 0
            if position >= stop:
                break
        ends[text] = n_ids
    state[2] = n_ids
    return True


@_njit
def count(ids, counts):
    """Add one to ``counts[i]`` for each i in `ids`, in place."""
    for i in ids:
        counts[i] += 1


@_njit
def fill_slots(slots, starts, arena, n_words):
    """Enter the first `n_words` words of a table into its empty slots, in place."""
    mask = np.uint64(len(slots) - 1)
    for word in range(n_words):
        hashed = _HASH_OF_NOTHING
        for k in range(starts[word], starts[word + 1]):
            hashed = _add(hashed, arena[k])
        hashed = _finish(hashed)
        slot = hashed & mask
        while slots[slot] != _FREE:
            slot = (slot + _ONE) & mask
        slots[slot] = hashed & _TAG | np.uint64(word + 1)


@_njit
def renumber(ids, offsets, new_ids):
    """Replace ids by new ones and close the gaps that dropped ones leave, in place.

    Parameters
    ----------
    ids : ndarray of shape (n_tokens,), int32
        Overwritten up to where `offsets` ends afterwards.
    offsets : ndarray of shape (n_documents + 1,), int64
        Overwritten.
    new_ids : ndarray of shape (n_words,), int32
        The new id of each word, or -1 to drop it.
    """
    read = write = offsets[0]
    for document in range(1, len(offsets)):
        stop = offsets[document]
        while read < stop:
            new_id = new_ids[ids[read]]
            read += 1
            if new_id >= 0:
                ids[write] = new_id
                write += 1
        offsets[document] = write


@_njit
def count_bytes(data, n_chars, bounds):
    """Find where each of some words ends in their text.

    Parameters
    ----------
    data : ndarray of shape (n_bytes,), uint8
        The words in UTF-8, end to end.
    n_chars : ndarray of shape (n_words,), int64
        Their lengths in code points.
    bounds : ndarray of shape (n_words + 1,), int64
        ``bounds[0]`` is 0; overwritten: word ``w`` is
        ``data[bounds[w]:bounds[w + 1]]``.

    Returns
    -------
    longest : int
        Number of bytes of the longest word.
    """
    position, longest = 0, 0
    for word in range(len(n_chars)):
        begin, n_left = position, n_chars[word]
        while n_left > 0:
            position += 1
            while position < len(data) and data[position] & 0xC0 == 0x80:
                position += 1
            n_left -= 1
        bounds[word + 1] = position
        longest = max(longest, position - begin)
    return longest


@_njit
def hash_ngrams(data, bounds, min_n, max_n, bucket, padded, ids):
    """Hash the n-grams of words as fastText's ``Dictionary::computeSubwords`` does.

    Parameters
    ----------
    data : ndarray of shape (n_bytes,), uint8
    bounds : ndarray of shape (n_words + 1,), int64
        As from `count_bytes`.
    min_n, max_n : int
        Shortest and longest n-grams in characters; `max_n` is at least 1.
    bucket : uint32
    padded : ndarray, uint8
        Room for the longest word between ``<`` and ``>``. Overwritten.
    ids : ndarray of shape (n_ngrams,), int32
        Overwritten with the hashes modulo `bucket`, word by word, by where the n-grams
        begin, then by length.
    """
    n_ids = 0
    for word in range(len(bounds) - 1):
        begin = bounds[word]
        end = bounds[word + 1] - begin + 2
        padded[0], padded[end - 1] = 60, 62
        for k in range(1, end - 1):
            padded[k] = data[begin + k - 1]
        for start in range(end):
            if padded[start] & 0xC0 == 0x80:
                continue
            hashed, n, stop = np.uint32(2166136261), 0, start
            while stop < end and n < max_n:
                byte = np.uint32(padded[stop])
                # fastText takes bytes as signed: those from 0x80 on are negative.
                if byte & np.uint32(0x80):
                    byte = np.uint32(byte | np.uint32(0xFFFFFF00))
                hashed = np.uint32((hashed ^ byte) * np.uint32(16777619))
                stop += 1
                if stop < end and padded[stop] & 0xC0 == 0x80:
                    continue
                n += 1
                alone = n == 1 and (start == 0 or stop == end)
                if n >= min_n and not alone:
                    ids[n_ids] = hashed % bucket
                    n_ids += 1
