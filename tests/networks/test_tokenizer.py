import copy
import logging
from itertools import pairwise

import numpy as np
import pytest
from transformers import AutoTokenizer, CanineTokenizer

from skembed.networks.huggingface import _tokenizer
from skembed.networks.huggingface._tokenizer import WindowTokenizer, tokenize_windows

TEXTS = [
    "The teacher's students learn philosophy.",
    "  Leading, and   inner spaces \n\n end ",
    "",
    "naïve café 中文 😀 e\u0301",
    "a\x07b \x00 c",
    " \t ",
    "x",
]
WORDS = ["The", "teacher's", "café", "", "students", " ", "philosophy."]


def test_texts_that_fit_are_tokenized_as_the_tokenizer_does(tokenizer):
    windows = tokenize_windows(tokenizer, TEXTS, max_length=None, with_words=True)
    expected = [
        tokenizer(text, return_offsets_mapping=True, return_special_tokens_mask=True)
        for text in TEXTS
    ]
    assert windows.text.tolist() == list(range(len(TEXTS)))
    assert [ids.tolist() for ids in windows.ids] == [e["input_ids"] for e in expected]
    special = np.concatenate([e["special_tokens_mask"] for e in expected])
    assert (windows.special == (special == 1)).all()
    pairs = [np.reshape(e["offset_mapping"], (-1, 2)) for e in expected]
    assert (windows.offsets == np.concatenate(pairs)).all()
    assert windows.own.all()
    assert (windows.ids.values.dtype, windows.offsets.dtype) == (np.int32, np.int32)
    assert (windows.n_windowed, windows.n_truncated) == (0, 0)


def test_words_are_found_only_if_asked_for_and_change_no_token(tokenizer):
    plain = tokenize_windows(tokenizer, TEXTS, max_length=None)
    located = tokenize_windows(tokenizer, TEXTS, max_length=None, with_words=True)
    assert plain.ids.values.tolist() == located.ids.values.tolist()
    assert plain.offsets is plain.word is plain.word_spans is None
    assert len(located.word_spans) == len(TEXTS)


def test_given_words_are_tokenized_as_the_text_that_they_make(tokenizer):
    texts = [WORDS, " ".join(WORDS), [], ["x"]]
    windows = tokenize_windows(tokenizer, texts, max_length=None, with_words=True)
    rows = [ids.tolist() for ids in windows.ids]
    assert rows == [
        tokenizer(text)["input_ids"] for text in (" ".join(WORDS),) * 2 + ("", "x")
    ]
    prefixed = tokenize_windows(tokenizer, texts, max_length=None, prefix="query:")
    for ids, text in zip(prefixed.ids, texts, strict=True):
        # A space parts the prefix from the first word, as words are parted.
        joined = (
            "query:" + text if isinstance(text, str) else f"query: {' '.join(text)}"
        )
        assert ids.tolist() == tokenizer(joined)["input_ids"]


@pytest.mark.parametrize("with_words", [False, True])
def test_texts_without_tokens_have_a_window(tokenizer, with_words):
    windows = tokenize_windows(
        tokenizer, ["", [], " \n"], max_length=8, with_words=with_words
    )
    assert windows.text.tolist() == [0, 1, 2]
    assert windows.n_texts == 3
    special = tokenizer("")["input_ids"]
    assert windows.ids[0].tolist() == windows.ids[1].tolist() == special
    assert windows.own.all()


def test_no_texts_are_no_windows(load_tokenizer):
    windows = tokenize_windows(
        load_tokenizer("bert"), [], max_length=8, with_words=True
    )
    assert (len(windows.ids), windows.n_texts, len(windows.word_spans)) == (0, 0, 0)
    assert windows.offsets.shape == (0, 2)


def test_special_tokens_that_a_text_spells_out_are_its_own(load_tokenizer):
    windows = tokenize_windows(
        load_tokenizer("bert"), ["[CLS] [SEP]"], max_length=None, with_words=True
    )
    assert windows.special.tolist() == [True, False, False, True]
    assert windows.ids[0][1] == windows.ids[0][0]
    assert windows.word.tolist() == [-1, 0, 1, -1]


def test_lone_surrogates_are_read_as_replacement_characters(tokenizer):
    broken, mended = "a \ud800 b\udc80\udc80", "a \ufffd b\ufffd\ufffd"
    windows = tokenize_windows(
        tokenizer, ["x", broken, mended], max_length=None, with_words=True
    )
    assert windows.ids[1].tolist() == windows.ids[2].tolist()
    assert (windows.word_spans[1] == windows.word_spans[2]).all()


def test_parts_that_are_tokenized_apart_are_joined(
    load_tokenizer, long_texts, monkeypatch
):
    texts = [*long_texts, WORDS, *TEXTS]
    expected = tokenize_windows(
        load_tokenizer("bert"), texts, max_length=16, with_words=True
    )
    monkeypatch.setattr(_tokenizer, "_CHUNK", 40)
    windows = tokenize_windows(
        load_tokenizer("bert"), texts, max_length=16, with_words=True
    )
    for name in ("text", "own", "special", "offsets", "word"):
        assert (getattr(windows, name) == getattr(expected, name)).all()
    assert (windows.ids.values == expected.ids.values).all()
    assert (windows.word_spans.values == expected.word_spans.values).all()
    assert (windows.word_spans.offsets == expected.word_spans.offsets).all()


@pytest.mark.parametrize("family", ["bert", "llama"])
def test_a_text_of_a_hundred_thousand_words_is_read_whole(
    load_tokenizer, family, caplog
):
    text = "teacher " * 100_000
    with caplog.at_level(logging.WARNING):
        windows = tokenize_windows(
            load_tokenizer(family), ["short", text], max_length=64
        )
    assert not caplog.records
    assert windows.own.sum() > 100_000
    assert windows.n_windowed == 1
    assert windows.ids.lengths.max() <= 64


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"max_length": 2}, "at least 3, got max_length=2"),
        ({"max_length": 8, "overlap": 6}, "the overlap=6: at least 9"),
        ({"max_length": 4, "prefix": "a b "}, "the 2 of the prefix: at least 5"),
        ({"max_length": 8, "overlap": -1}, "overlap must be at least 0"),
        ({"max_length": 8, "overlong": "cut"}, "overlong must be one of"),
    ],
)
def test_what_leaves_no_room_for_text_is_refused_at_once(
    load_tokenizer, parameters, message
):
    with pytest.raises(ValueError, match=message):
        WindowTokenizer(load_tokenizer("bert"), **parameters)


def test_a_tokenizer_set_to_truncate_and_pad_is_neither_obeyed_nor_changed(tiny_model):
    tokenizer = AutoTokenizer.from_pretrained(tiny_model("bert"))
    texts = ["one", "one two three four five six"]
    expected = [tokenizer(text)["input_ids"] for text in texts]
    read = WindowTokenizer(tokenizer, max_length=None)
    tokenizer(texts, truncation=True, max_length=4, padding="max_length")
    backend = tokenizer.backend_tokenizer
    before = backend.truncation, backend.padding
    assert None not in before
    assert [ids.tolist() for ids in read(texts).ids] == expected
    assert (backend.truncation, backend.padding) == before


def test_a_tokenizer_that_truncates_is_copied_once_for_each_of_its_settings(
    tiny_model, monkeypatch
):
    tokenizer = AutoTokenizer.from_pretrained(tiny_model("bert"))
    backend = tokenizer.backend_tokenizer
    text, n_copies, deepcopy = "one newword [SEP]", [], copy.deepcopy

    def counting(original):
        n_copies.append(1)
        return deepcopy(original)

    monkeypatch.setattr(_tokenizer.copy, "deepcopy", counting)

    def read(max_length, *, split=False):
        expected = tokenizer(text, split_special_tokens=split)["input_ids"]
        backend.enable_truncation(max_length)
        windows = tokenize_windows(tokenizer, [text], max_length=None)
        assert windows.ids.values.tolist() == expected
        return len(n_copies)

    assert (read(4), read(4), read(5)) == (1, 1, 1)
    tokenizer.add_tokens(["newword"])
    assert read(4) == 2
    assert read(4, split=True) == 3


class TestWithoutFastTokens:
    @pytest.fixture
    def tokenizer(self):
        return CanineTokenizer()

    def test_texts_are_tokenized_as_the_tokenizer_does(self, tokenizer):
        texts = ["The dog.", "", "one, two", "caf\udce9"]
        windows = tokenize_windows(tokenizer, [*texts, ["a", "b"]], max_length=None)
        expected = [
            tokenizer(text.replace("\udce9", "\ufffd"))["input_ids"]
            for text in [*texts, "a b"]
        ]
        assert [ids.tolist() for ids in windows.ids] == expected
        assert [ids[~s].tolist() for ids, s in self.parts(windows)] == [
            ids[1:-1] for ids in expected
        ]

    def test_windows_and_prefix_are_those_of_fast_tokens(self, tokenizer):
        windows = tokenize_windows(
            tokenizer, ["", "abcdefghijkl"], max_length=9, overlap=2, prefix="q: "
        )
        hidden = [int(s.sum()) for _, s in self.parts(windows)]
        assert hidden == [5] * len(windows.ids)
        own = windows.ids.values[windows.own & ~windows.special]
        assert "".join(map(chr, own)) == "abcdefghijkl"
        assert windows.text.tolist() == [0, 1, 1, 1, 1, 1]

    def test_words_are_refused(self, tokenizer):
        with pytest.raises(ValueError, match=r"CanineTokenizer.*tokenizer="):
            tokenize_windows(tokenizer, ["a"], max_length=None, with_words=True)

    def parts(self, windows):
        special = [windows.special[a:b] for a, b in pairwise(windows.ids.offsets)]
        return list(zip(windows.ids, special, strict=True))
