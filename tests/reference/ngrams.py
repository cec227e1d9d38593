"""Character n-grams and their hash, as in Bojanowski et al. (2017) and fastText."""


def ngrams(word, min_n, max_n):
    padded = f"<{word}>"
    n_chars = len(padded)
    return [
        padded[start : start + n]
        for start in range(n_chars)
        for n in range(max(min_n, 1), max_n + 1)
        if start + n <= n_chars
        and padded[start : start + n] not in edges(start, n, n_chars)
    ]


def edges(start, n, n_chars):
    """A single "<" or ">" at the edge of the word is no n-gram."""
    return ("<", ">") if n == 1 and start in (0, n_chars - 1) else ()


def fnv1a_of_signed_bytes(text):
    hashed = 2166136261
    for byte in text.encode("utf-8", "surrogatepass"):
        signed = byte - 256 if byte >= 128 else byte
        hashed = (hashed ^ (signed % 2**32)) * 16777619 % 2**32
    return hashed


def mean_of_ngrams(word, min_n, max_n, bucket, rows):
    """Average the rows, a dict by bucket, of the n-grams that have one; or None."""
    buckets = [fnv1a_of_signed_bytes(n) % bucket for n in ngrams(word, min_n, max_n)]
    found = [rows[b].astype(float) for b in buckets if b in rows]
    return sum(found) / len(found) if found else None
