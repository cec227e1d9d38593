"""Texts to windows of token ids, by the tokenizer of a Hugging Face model."""

import copy
from collections.abc import Iterator, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from skembed.networks._windows import Windows
from skembed.networks.huggingface._cut import Limits, cut_windows
from skembed.networks.huggingface._text_tokens import (
    Text,
    TextTokens,
    join,
    read_fast,
    read_slow,
)

Int32Array = npt.NDArray[np.int32]

# Encodings take some hundred bytes for each token, and these are thousands of texts.
_CHUNK = 1 << 20
"""Characters that are tokenized at once."""

# By tokenizer: its settings, and a backend that works on whole texts.
_copies: WeakKeyDictionary[Any, tuple[Any, Any]] = WeakKeyDictionary()


class WindowTokenizer:
    """Makes windows of texts, as one network reads them.

    The tokenizer is not changed: if it is set to truncate or to pad, a copy works.

    Parameters
    ----------
    tokenizer : transformers.PreTrainedTokenizerBase
        With or without a fast backend.
    max_length : int or None
        Most tokens of a window, the special ones and the prefix included; None for no
        limit.
    overlong : {"windows", "truncate", "error"}
        What becomes of a longer text: it is read in windows that overlap, cut off
        after its first tokens, or refused.
    overlap : int or None
        Tokens that neighboring windows share; None for an eighth of `max_length`. A
        window owns its half of each overlap, so that the tokens it owns have at least
        half an overlap of context on both sides.
    prefix : str
        Put before each text, and again before each of its windows, such as
        ``"query: "``. Text and prefix are tokenized in one piece.

    Raises
    ------
    ValueError
        If a parameter is out of range, or `max_length` leaves no room for text.
    """

    def __init__(
        self,
        tokenizer: Any,
        *,
        max_length: int | None,
        overlong: str = "windows",
        overlap: int | None = None,
        prefix: str = "",
    ) -> None:
        self._tokenizer = tokenizer
        self._limits = Limits(max_length, overlong, overlap)
        self._prefix = prefix
        self._copy: Any = None
        self.begin, self.end = self._special_tokens()
        prefix_alone = self._read([""], with_words=False)
        self._limits.room(len(self.begin) + len(self.end), prefix_alone.n_prefix)

    def __call__(
        self,
        texts: Sequence[Text],
        *,
        with_words: bool = False,
        numbers: Sequence[int] | None = None,
    ) -> Windows:
        """Tokenize texts.

        Parameters
        ----------
        texts : sequence of str or of sequences of str
            Texts, or their words, which are joined by spaces. Lone surrogates are read
            as U+FFFD.
        with_words : bool
            Find the offsets and the words of the tokens, too.
        numbers : sequence of int, or None
            What messages call each text; None for its place.

        Returns
        -------
        windows : Windows

        Raises
        ------
        ValueError
            If a text is too long and ``overlong="error"``; or if words are asked of a
            tokenizer that does not know where its tokens come from.
        """
        parts = [
            self._read(chunk, with_words=with_words) for chunk in _chunks(texts)
        ] or [self._read([], with_words=with_words)]
        return cut_windows(
            join(parts), self.begin, self.end, self._limits, numbers=numbers
        )

    def _read(self, texts: Sequence[Text], *, with_words: bool) -> TextTokens:
        if self._tokenizer.is_fast:
            return read_fast(
                self._backend(), texts, self._prefix, with_words=with_words
            )
        if with_words:
            msg = (
                f"Words and offsets need a tokenizer with a fast backend, got "
                f"{type(self._tokenizer).__name__}, which has none. Pass as tokenizer= "
                "one whose is_fast is true."
            )
            raise ValueError(msg)
        return read_slow(self._tokenizer, texts, self._prefix)

    def _backend(self) -> Any:
        backend = self._tokenizer.backend_tokenizer
        # Others may switch these on between two calls: every use of the tokenizer does.
        if backend.truncation is None and backend.padding is None:
            return backend
        if self._copy is None:
            self._copy = _whole_text_copy(self._tokenizer)
        return self._copy

    def _special_tokens(self) -> tuple[Int32Array, Int32Array]:
        """Return the tokens that are put before and after every text."""
        if self._tokenizer.is_fast:
            ids, content = _surrounded(self._backend())
        else:
            # No id of any token.
            ids, content = self._tokenizer.build_inputs_with_special_tokens([-1]), [-1]
        n_begin = _find(ids, content)
        begin, end = ids[:n_begin], ids[n_begin + len(content) :]
        return np.array(begin, np.int32), np.array(end, np.int32)


def tokenize_windows(
    tokenizer: Any,
    texts: Sequence[Text],
    *,
    max_length: int | None,
    overlong: str = "windows",
    overlap: int | None = None,
    prefix: str = "",
    with_words: bool = False,
) -> Windows:
    """Make windows of texts; see `WindowTokenizer`.

    Examples
    --------
    >>> from tokenizers import Tokenizer, models, pre_tokenizers
    >>> from transformers import PreTrainedTokenizerFast
    >>> words = Tokenizer(models.WordLevel({"a": 0, "b": 1, "c": 2}, unk_token="a"))
    >>> words.pre_tokenizer = pre_tokenizers.Whitespace()
    >>> tokenizer = PreTrainedTokenizerFast(tokenizer_object=words)
    >>> windows = tokenize_windows(
    ...     tokenizer, ["c b", "a b c a b c"], max_length=4, overlap=2
    ... )
    >>> [ids.tolist() for ids in windows.ids]
    [[2, 1], [0, 1, 2, 0], [2, 0, 1, 2]]
    >>> windows.text.tolist()
    [0, 1, 1]
    >>> windows.ids.values[windows.own].tolist()
    [2, 1, 0, 1, 2, 0, 1, 2]
    """
    read = WindowTokenizer(
        tokenizer,
        max_length=max_length,
        overlong=overlong,
        overlap=overlap,
        prefix=prefix,
    )
    return read(texts, with_words=with_words)


def _whole_text_copy(tokenizer: Any) -> Any:
    """Return a copy of a tokenizer's backend that does not truncate or pad.

    Made when first asked for, and again when the tokenizer has changed.
    """
    backend = tokenizer.backend_tokenizer
    # Truncation and padding stand before it, and are no change.
    settings = backend.to_str().partition('"added_tokens"')[2]
    seen = settings, backend.encode_special_tokens
    made = _copies.get(tokenizer)
    if made is None or made[0] != seen:
        whole = copy.deepcopy(backend)
        whole.no_truncation()
        whole.no_padding()
        # The one setting that a copy does not take over.
        whole.encode_special_tokens = backend.encode_special_tokens
        made = _copies[tokenizer] = seen, whole
    return made[1]


def _surrounded(backend: Any) -> tuple[list[int], list[int]]:
    """Return the ids of some text with and without its special tokens."""
    for probe in _probes(backend):
        bare = backend.encode(probe, add_special_tokens=False)
        if len(bare):
            return backend.post_process(bare).ids, bare.ids
    msg = "The tokenizer must know a token, got one that makes none of any text."
    raise ValueError(msg)


def _probes(backend: Any) -> Iterator[str]:
    yield "a"
    # A vocabulary without it.
    yield from backend.get_vocab()


def _find(ids: list[int], content: list[int]) -> int:
    """Return where `content` begins in `ids`."""
    places = range(len(ids) - len(content) + 1)
    return next(i for i in places if ids[i : i + len(content)] == content)


def _chunks(texts: Sequence[Text]) -> Iterator[list[Text]]:
    """Yield runs of texts of bounded size, and longer texts alone."""
    chunk: list[Text] = []
    size = 0
    for text in texts:
        n_chars = len(text) if isinstance(text, str) else sum(map(len, text))
        if chunk and size + n_chars > _CHUNK:
            yield chunk
            chunk, size = [], 0
        chunk.append(text)
        size += n_chars
    if chunk:
        yield chunk
