"""Compiled parsing of files of word vectors, on blocks of bytes.

Numbers are read as ``numpy.float32(float(text))`` would read them, to the last bit: the
few for which a double is not accurate enough to be sure become NaN, and are left to
Python, as is everything that is not a plain decimal number.
"""

import numba
import numpy as np

from skembed._kernels.compiling import compiled

_njit = compiled()

_SPACE, _TAB, _NEWLINE, _RETURN = 32, 9, 10, 13
_ZERO, _NINE, _PLUS, _MINUS, _POINT = 48, 57, 43, 45, 46
_LOWER_E, _UPPER_E = 101, 69

# Up to 10**22 these are exact, beyond they are rounded once.
_POWERS = np.array([float(f"1e{power}") for power in range(61)])
# Integers up to 10**18 fit into int64, and up to 2**53 into the double's fraction.
_MAX_DIGITS = 18
_MAX_EXACT_MANTISSA = 2**53
_MAX_EXACT_POWER = 22
# The lower bits of a double, which float32 has no room for, and the half of them.
_LOST_BITS = 2**29 - 1
_HALF = 2**28
# At most four roundings come before the one to float32, each half a unit.
_UNSURE = 8
_SMALLEST_NORMAL = 2.0**-126
_LARGEST = 3.4e38


@numba.njit
def _is_gap(byte):
    return byte in (_SPACE, _TAB)


@_njit
def locate_fields(data, n_numbers, starts, stops, word_stops, number_starts):
    """Divide lines into the word and the `n_numbers` fields at their end.

    Parameters
    ----------
    data : ndarray of shape (n_bytes,), uint8
    n_numbers : int
    starts, stops : ndarray of shape (n_lines,), int64
        The lines without their newlines. Updated in place: `starts` to the beginning of
        the word, `stops` to the end of the last field.
    word_stops : ndarray of shape (n_lines,), int64
        Overwritten with the end of the word.
    number_starts : ndarray of shape (n_lines,), int64
        Overwritten with the beginning of the first number, or -1 where a line does not
        hold a word and `n_numbers` fields.
    """
    for i in range(len(starts)):
        start, stop = starts[i], stops[i]
        while stop > start and (_is_gap(data[stop - 1]) or data[stop - 1] == _RETURN):
            stop -= 1
        n_gaps = 0
        for position in range(start, stop):
            n_gaps += (data[position] == _SPACE) | (data[position] == _TAB)
        if n_gaps == n_numbers:
            word_stop, first = _find_first_gap(data, start)
        else:
            word_stop, first = _find_last_fields(data, start, stop, n_numbers)
        while start < word_stop and _is_gap(data[start]):
            start += 1
        # A gap at the beginning of the line is an empty word's end.
        starts[i], stops[i], word_stops[i] = start, stop, word_stop
        number_starts[i] = first


@_njit
def _find_first_gap(data, start):
    """Return the end of the word and the start of the numbers in a regular line."""
    position = start
    while not _is_gap(data[position]):
        position += 1
    return position, position + 1


@_njit
def _find_last_fields(data, start, stop, n_fields):
    """Return the end of the word and the start of `n_fields` fields after it, or -1."""
    position, first = stop, stop
    while n_fields > 0 and position > start:
        while position > start and not _is_gap(data[position - 1]):
            position -= 1
        first = position
        n_fields -= 1
        while position > start and _is_gap(data[position - 1]):
            position -= 1
    complete = n_fields == 0 and first > start
    return position, (first if complete else -1)


@_njit
def parse_numbers(data, starts, stops, out):
    """Parse one row of numbers per line.

    Parameters
    ----------
    data : ndarray of shape (n_bytes,), uint8
    starts, stops : ndarray of shape (n_lines,), int64
        Where the numbers of a line begin and end.
    out : ndarray of shape (n_lines, n_numbers), float32
        Overwritten; NaN where a field is for Python to parse.
    """
    for i in range(len(starts)):
        position, stop = starts[i], stops[i]
        for j in range(out.shape[1]):
            while position < stop and _is_gap(data[position]):
                position += 1
            out[i, j], position = _parse_number(data, position, stop)


@_njit
def _parse_number(data, position, stop):
    """Return the number at `position`, or NaN, and where the field ends."""
    negative = position < stop and data[position] == _MINUS
    if position < stop and (negative or data[position] == _PLUS):
        position += 1
    mantissa, power, position, n_digits = _parse_digits(data, position, stop)
    if position < stop and data[position] in (_LOWER_E, _UPPER_E) and n_digits > 0:
        exponent, position, n_digits = _parse_exponent(data, position + 1, stop)
        power += exponent
    if n_digits == 0 or (position < stop and not _is_gap(data[position])):
        while position < stop and not _is_gap(data[position]):
            position += 1
        return np.float32(np.nan), position
    value = _scale(mantissa, power)
    return (-value if negative else value), position


@_njit
def _parse_digits(data, position, stop):
    """Return mantissa, power of ten, where they end, and the number of digits."""
    mantissa, power = np.int64(0), np.int64(0)
    n_digits, n_significant, after_point = 0, 0, False
    while position < stop:
        byte = data[position]
        if byte == _POINT and not after_point:
            after_point = True
        elif _ZERO <= byte <= _NINE:
            n_digits += 1
            if n_significant < _MAX_DIGITS:
                mantissa = mantissa * 10 + (np.int64(byte) - _ZERO)
                n_significant += mantissa > 0
                power -= after_point
            else:
                power += not after_point
        else:
            break
        position += 1
    return mantissa, power, position, n_digits


@_njit
def _parse_exponent(data, position, stop):
    """Return the exponent, where it ends, and the number of its digits."""
    negative = position < stop and data[position] == _MINUS
    if position < stop and (negative or data[position] == _PLUS):
        position += 1
    exponent, n_digits = np.int64(0), 0
    while position < stop and _ZERO <= data[position] <= _NINE:
        if exponent < 10_000:
            exponent = exponent * 10 + (np.int64(data[position]) - _ZERO)
        n_digits += 1
        position += 1
    return (-exponent if negative else exponent), position, n_digits


@_njit
def _scale(mantissa, power):
    """Return ``mantissa * 10**power`` as float32, or NaN where that is not sure.

    The product or quotient of two exact doubles is rounded once, as `float` rounds it
    (Clinger 1990, "How to read floating point numbers accurately"). In all other cases
    it is off by a few units, which does not matter to float32, except near the middle
    between two of its numbers.
    """
    if mantissa == 0:
        return np.float32(0)
    if abs(power) >= len(_POWERS):
        return np.float32(np.nan)
    if power < 0:
        value = np.float64(mantissa) / _POWERS[-power]
    else:
        value = np.float64(mantissa) * _POWERS[power]
    if not _SMALLEST_NORMAL < value < _LARGEST:
        return np.float32(np.nan)
    exact = mantissa <= _MAX_EXACT_MANTISSA and abs(power) <= _MAX_EXACT_POWER
    lost = np.float64(value).view(np.int64) & _LOST_BITS
    if not exact and abs(lost - _HALF) <= _UNSURE:
        return np.float32(np.nan)
    return np.float32(value)


@_njit
def gather_words(data, starts, stops, separator, out):
    """Lay words end to end, each followed by `separator`.

    Parameters
    ----------
    data : ndarray of shape (n_bytes,), uint8
    starts, stops : ndarray of shape (n_words,), int64
        Where the words stand in `data`.
    separator : uint8
    out : ndarray of shape (sum of lengths + n_words,), uint8
        Overwritten.
    """
    k = 0
    for i in range(len(starts)):
        for position in range(starts[i], stops[i]):
            out[k] = data[position]
            k += 1
        out[k] = separator
        k += 1


@_njit
def locate_records(data, n_bytes_per_vector, starts, stops):
    """Find the words of binary records, each a word, a space and a vector.

    Newlines before a word belong to the record before it.

    Parameters
    ----------
    data : ndarray of shape (n_bytes,), uint8
        Its last record may be incomplete.
    n_bytes_per_vector : int
    starts, stops : ndarray of shape (max_records,), int64
        Overwritten with where the words begin and end; the vector of record ``i``
        begins at ``stops[i] + 1``.

    Returns
    -------
    n_records : int
        How many records are complete.
    n_used : int
        How many bytes they take.
    """
    position, used, n_records = 0, 0, 0
    while n_records < len(starts):
        while position < len(data) and data[position] == _NEWLINE:
            position += 1
        starts[n_records] = position
        while position < len(data) and data[position] != _SPACE:
            position += 1
        stops[n_records] = position
        position += 1 + n_bytes_per_vector
        if position > len(data):
            break
        used = position
        n_records += 1
    return n_records, used


@_njit
def copy_vectors(data, starts, out):
    """Copy the bytes of vectors into rows.

    Parameters
    ----------
    data : ndarray of shape (n_bytes,), uint8
    starts : ndarray of shape (n_rows,), int64
    out : ndarray of shape (n_rows, n_bytes_per_vector), uint8
        Overwritten.
    """
    for i in range(len(starts)):
        for j in range(out.shape[1]):
            out[i, j] = data[starts[i] + j]


@_njit
def locate_entries(data, position, starts, stops, counts, types):
    """Find the entries of fastText's dictionary: a word, NUL, a count and a type.

    Parameters
    ----------
    data : ndarray of shape (n_bytes,), uint8
    position : int
        Where the first entry begins.
    starts, stops, counts : ndarray of shape (n_entries,), int64
        Overwritten with where the words begin and end, and their counts.
    types : ndarray of shape (n_entries,), uint8
        Overwritten.

    Returns
    -------
    n_complete : int
        How many entries there are before the end of the data.
    position : int
        Where they end.
    """
    for i in range(len(starts)):
        stop = position
        while stop < len(data) and data[stop] != 0:
            stop += 1
        if stop + 10 > len(data):
            return i, position
        count = np.uint64(0)
        for k in range(8):
            count |= np.uint64(data[stop + 1 + k]) << np.uint64(8 * k)
        starts[i], stops[i], counts[i] = position, stop, np.int64(count)
        types[i] = data[stop + 9]
        position = stop + 10
    return len(starts), position
