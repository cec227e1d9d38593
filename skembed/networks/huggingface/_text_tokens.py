"""Texts to tokens: whole texts, before anything is cut or put around them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from skembed._ragged import Ragged
from skembed.networks.huggingface._words import align_words

Text = str | Sequence[str]

_SURROGATE = re.compile(r"[\ud800-\udfff]")


@dataclass(frozen=True, eq=False)
class TextTokens:
    """The tokens of some texts.

    Parameters
    ----------
    ids : Ragged of int32
        One row for each text: the tokens of the prefix, then its own.
    n_prefix : ndarray of shape (n_texts,), int64
        How many of a text's tokens are those of the prefix.
    offsets, word, word_spans
        As in `Windows`; all None unless words were asked for.
    """

    ids: Ragged
    n_prefix: npt.NDArray[np.int64]
    offsets: npt.NDArray[np.int32] | None = None
    word: npt.NDArray[np.int32] | None = None
    word_spans: Ragged | None = None


def join(parts: Sequence[TextTokens]) -> TextTokens:
    """Lay the tokens of several lists of texts one after the other."""
    if len(parts) == 1:
        return parts[0]
    offsets = [part.offsets for part in parts if part.offsets is not None]
    words = [part.word for part in parts if part.word is not None]
    spans = [part.word_spans for part in parts if part.word_spans is not None]
    return TextTokens(
        ids=_join_rows([part.ids for part in parts]),
        n_prefix=np.concatenate([part.n_prefix for part in parts]),
        offsets=np.concatenate(offsets) if offsets else None,
        word=np.concatenate(words) if words else None,
        word_spans=_join_rows(spans) if spans else None,
    )


def _join_rows(parts: Sequence[Ragged]) -> Ragged:
    return Ragged.from_lengths(
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.lengths for part in parts]),
    )


def read_fast(
    backend: Any, texts: Sequence[Text], prefix: str, *, with_words: bool
) -> TextTokens:
    """Tokenize texts by a `tokenizers.Tokenizer` that neither cuts nor pads."""
    joined = [_join_words(text) for text in texts]
    leads = [_lead(text, prefix) for text in texts]
    prefixed = [lead + text for lead, text in zip(leads, joined, strict=True)]
    # The fast way leaves the offsets out, which tell the prefix from the text.
    located = with_words or bool(prefix)
    encode = backend.encode_batch if located else backend.encode_batch_fast
    try:
        encodings = encode(prefixed, add_special_tokens=False)
    except TypeError:
        # What it says of text that cannot be written as UTF-8.
        prefixed = [replace_surrogates(text) for text in prefixed]
        encodings = encode(prefixed, add_special_tokens=False)
    lengths = [len(encoding) for encoding in encodings]
    values = chain.from_iterable(encoding.ids for encoding in encodings)
    ids = Ragged.from_lengths(np.fromiter(values, np.int32, sum(lengths)), lengths)
    n_prefix = np.zeros(len(texts), np.int64)
    if prefix:
        n_prefix[:] = [
            _count_prefix(encoding, len(lead))
            for encoding, lead in zip(encodings, leads, strict=True)
        ]
    tokens = TextTokens(ids, n_prefix)
    if not with_words:
        return tokens
    n_lead = [len(lead) for lead in leads]
    return _with_words(backend, texts, joined, encodings, n_lead, tokens)


def read_slow(tokenizer: Any, texts: Sequence[Text], prefix: str) -> TextTokens:
    """Tokenize texts by a tokenizer that is written in Python."""

    def read(text: str) -> list[int]:
        encoding = tokenizer(
            replace_surrogates(text),
            add_special_tokens=False,
            return_attention_mask=False,
            verbose=False,
        )
        ids: list[int] = encoding["input_ids"]
        return ids

    rows, n_prefix = [], []
    for text in texts:
        lead = _lead(text, prefix)
        row = read(lead + _join_words(text))
        rows.append(row)
        n_prefix.append(_count_common(read(lead), row) if lead else 0)
    lengths = [len(row) for row in rows]
    values = np.fromiter(chain.from_iterable(rows), np.int32, sum(lengths))
    return TextTokens(
        Ragged.from_lengths(values, lengths), np.array(n_prefix, np.int64)
    )


def replace_surrogates(text: str) -> str:
    r"""Replace halves of characters, which UTF-8 cannot write, by U+FFFD.

    Examples
    --------
    >>> replace_surrogates("caf\udce9") == "caf\ufffd"
    True
    """
    return _SURROGATE.sub("\ufffd", text)


def _join_words(text: Text) -> str:
    # Not `is_pretokenized=True`: tokenizers that mark where a word begins by the space
    # before it would take all words for parts of one.
    return text if isinstance(text, str) else " ".join(text)


def _lead(text: Text, prefix: str) -> str:
    if isinstance(text, str) or not prefix or prefix[-1].isspace():
        return prefix
    return prefix + " "


def _count_prefix(encoding: Any, n_lead: int) -> int:
    """Return how many tokens end before the text begins."""
    token: int | None = encoding.char_to_token(n_lead)
    if token is not None:
        return token
    # Spaces and other characters that the tokenizer drops have no token.
    after = (i for i, (_, stop) in enumerate(encoding.offsets) if stop > n_lead)
    return next(after, len(encoding))


def _count_common(prefix: list[int], row: list[int]) -> int:
    pairs = zip(prefix, row, strict=False)
    differing = (i for i, (a, b) in enumerate(pairs) if a != b)
    return next(differing, min(len(prefix), len(row)))


def _with_words(
    backend: Any,
    texts: Sequence[Text],
    joined: Sequence[str],
    encodings: Sequence[Any],
    n_lead: Sequence[int],
    tokens: TextTokens,
) -> TextTokens:
    offsets = np.zeros((len(tokens.ids.values), 2), np.int32)
    word = np.full(len(tokens.ids.values), -1, np.int32)
    spans = []
    splits = _splits_words(backend)
    starts = tokens.ids.offsets[:-1] + tokens.n_prefix
    for i, (encoding, start) in enumerate(zip(encodings, starts, strict=True)):
        own = slice(start, tokens.ids.offsets[i + 1])
        ends = chain.from_iterable(encoding.offsets)
        located = np.fromiter(ends, np.int32, 2 * len(encoding)).reshape(-1, 2)
        offsets[own] = np.maximum(located[tokens.n_prefix[i] :] - n_lead[i], 0)
        numbers = list(_numbers(encoding))[tokens.n_prefix[i] :] if splits else None
        word[own], text_spans = align_words(texts[i], joined[i], offsets[own], numbers)
        spans.append(text_spans)
    lengths = [len(rows) for rows in spans]
    values = np.concatenate(spans) if spans else np.empty((0, 2), np.int64)
    return TextTokens(
        tokens.ids,
        tokens.n_prefix,
        offsets,
        word,
        Ragged.from_lengths(values, lengths),
    )


def _numbers(encoding: Any) -> Iterator[int]:
    return (-1 if number is None else number for number in encoding.word_ids)


def _splits_words(backend: Any) -> bool:
    """Tell whether the tokenizer splits text into words before it looks for tokens."""
    splitter = backend.pre_tokenizer
    return splitter is not None and len(splitter.pre_tokenize_str("a a")) > 1
