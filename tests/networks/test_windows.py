from itertools import pairwise

import numpy as np
import pytest

from skembed.networks.huggingface._tokenizer import WindowTokenizer, tokenize_windows


def whole(tokenizer, text):
    """The tokens of a text between its special ones, by the tokenizer itself."""
    return tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]


def prefixed(tokenizer, prefix, text):
    """The tokens of prefix and text, parted where the text begins."""
    tokens = tokenizer(
        prefix + text,
        add_special_tokens=False,
        return_offsets_mapping=True,
        verbose=False,
    )
    n_prefix = sum(stop <= len(prefix) for _, stop in tokens["offset_mapping"])
    return tokens["input_ids"][:n_prefix], tokens["input_ids"][n_prefix:]


def contents(windows):
    """The own tokens of the text in each window."""
    special = [windows.special[a:b] for a, b in pairwise(windows.ids.offsets)]
    return [ids[~hidden] for ids, hidden in zip(windows.ids, special, strict=True)]


def owned(windows, text):
    """The tokens that the windows of a text own, the special ones left out."""
    of_text = np.repeat(windows.text, windows.ids.lengths) == text
    return windows.ids.values[of_text & windows.own & ~windows.special].tolist()


@pytest.mark.parametrize("prefix", ["", "query: "])
@pytest.mark.parametrize(("max_length", "overlap"), [(12, None), (16, 5), (40, 0)])
def test_each_token_is_owned_once_and_in_order(
    tokenizer, long_texts, max_length, overlap, prefix
):
    windows = tokenize_windows(
        tokenizer, long_texts, max_length=max_length, overlap=overlap, prefix=prefix
    )
    assert windows.ids.lengths.max() <= max_length
    assert windows.n_windowed == (np.bincount(windows.text) > 1).sum() > 0
    for number, text in enumerate(long_texts):
        assert owned(windows, number) == prefixed(tokenizer, prefix, text)[1]


def test_special_tokens_are_around_each_window_and_owned_once(tokenizer, long_texts):
    read = WindowTokenizer(tokenizer, max_length=16)
    windows = read(long_texts)
    begin, end = read.begin.tolist(), read.end.tolist()
    assert begin + end == tokenizer("")["input_ids"]
    for ids in windows.ids:
        assert ids[: len(begin)].tolist() == begin
        assert ids[len(ids) - len(end) :].tolist() == end
    is_own = [windows.own[a:b] for a, b in pairwise(windows.ids.offsets)]
    ends = list(pairwise([-1, *windows.text.tolist(), -1]))
    for own, (before, _), (text, after) in zip(is_own, ends, ends[1:], strict=False):
        assert (own[: len(begin)] == (text != before)).all()
        assert (own[len(own) - len(end) :] == (text != after)).all()


@pytest.mark.parametrize("overlap", [0, 1, 4, 7])
def test_neighbors_share_the_overlap_and_own_half_of_it(
    load_tokenizer, long_texts, overlap
):
    windows = tokenize_windows(
        load_tokenizer("bert"), long_texts, max_length=15, overlap=overlap
    )
    parts, lengths = contents(windows), windows.ids.lengths
    own = [windows.own[a:b][1:-1] for a, b in pairwise(windows.ids.offsets)]
    for i in np.flatnonzero(np.diff(windows.text) == 0):
        assert (
            parts[i][len(parts[i]) - overlap :].tolist()
            == parts[i + 1][:overlap].tolist()
        )
        shared = own[i][len(own[i]) - overlap :], own[i + 1][:overlap]
        assert shared[0].tolist() == [True] * (overlap // 2) + [False] * (
            overlap - overlap // 2
        )
        assert (shared[0] != shared[1]).all()
        assert abs(lengths[i] - lengths[i + 1]) <= 1


def test_windows_are_as_few_as_can_be(load_tokenizer, long_texts):
    tokenizer = load_tokenizer("roberta")
    windows = tokenize_windows(tokenizer, long_texts, max_length=20, overlap=3)
    room = 20 - 2
    for number, text in enumerate(long_texts):
        n_tokens, n_windows = len(whole(tokenizer, text)), 1
        while n_windows * (room - 3) + 3 < n_tokens:
            n_windows += 1
        assert (windows.text == number).sum() == n_windows


def test_the_default_overlap_is_an_eighth_of_a_window(load_tokenizer, long_texts):
    default = tokenize_windows(load_tokenizer("bert"), long_texts, max_length=64)
    eighth = tokenize_windows(
        load_tokenizer("bert"), long_texts, max_length=64, overlap=8
    )
    assert default.ids.values.tolist() == eighth.ids.values.tolist()


def test_truncation_keeps_what_the_tokenizer_keeps(tokenizer, long_texts):
    windows = tokenize_windows(
        tokenizer, long_texts, max_length=20, overlong="truncate", with_words=True
    )
    # A new one, for it would remember that it is to truncate.
    expected = type(tokenizer).from_pretrained(tokenizer.name_or_path)(
        long_texts, truncation=True, max_length=20
    )["input_ids"]
    assert [ids.tolist() for ids in windows.ids] == expected
    assert windows.own.all()
    n_longer = sum(len(tokenizer(text)["input_ids"]) > 20 for text in long_texts)
    assert (windows.n_truncated, windows.n_windowed) == (n_longer, 0)


def test_a_text_that_is_too_long_is_refused_by_number(load_tokenizer):
    read = WindowTokenizer(load_tokenizer("bert"), max_length=5, overlong="error")
    assert len(read(["a b c"]).ids) == 1
    with pytest.raises(ValueError, match=r"Document 1 has 6 tokens.*max_length=5"):
        read(["a", "a b c d"])
    with pytest.raises(ValueError, match=r"Document 7 has 8 .*overlong='windows'"):
        read(["a", "a b c d e f"], numbers=[3, 7])


def test_a_prefix_is_special_and_stands_before_every_window(tokenizer, long_texts):
    windows = tokenize_windows(tokenizer, long_texts, max_length=24, prefix="query: ")
    begin = WindowTokenizer(tokenizer, max_length=None).begin.tolist()
    special = [windows.special[a:b] for a, b in pairwise(windows.ids.offsets)]
    own = [windows.own[a:b] for a, b in pairwise(windows.ids.offsets)]
    for i, number in enumerate(windows.text):
        lead = begin + prefixed(tokenizer, "query: ", long_texts[number])[0]
        assert windows.ids[i][: len(lead)].tolist() == lead
        assert special[i][: len(lead)].all()
        is_first = i == 0 or windows.text[i - 1] != number
        assert (own[i][: len(lead)] == is_first).all()


def test_where_tokens_and_words_are_does_not_tell_of_the_prefix(tokenizer, long_texts):
    windows, alone = (
        tokenize_windows(
            tokenizer, long_texts, max_length=24, prefix=prefix, with_words=True
        )
        for prefix in ("query: ", "")
    )
    texts = np.repeat(windows.text, windows.ids.lengths)
    kept = windows.own & ~windows.special
    for number, text in enumerate(long_texts):
        spans = windows.offsets[kept & (texts == number)]
        assert (spans >= 0).all()
        places = {place for span in spans for place in range(*span)}
        assert places | {i for i in range(len(text)) if text[i] == " "} == set(
            range(len(text))
        )
        assert (windows.word_spans[number] == alone.word_spans[number]).all()
    assert (windows.offsets[windows.special] == 0).all()


@pytest.mark.parametrize("text", ["\x00\x01 dog", "   dog", "dog", "\u200b"])
def test_a_prefix_ends_where_the_text_begins_whatever_it_begins_with(tokenizer, text):
    windows = tokenize_windows(
        tokenizer, [text], max_length=None, prefix="query: ", with_words=True
    )
    offsets = tokenizer("query: " + text, return_offsets_mapping=True)["offset_mapping"]
    n_own = sum(stop > len("query: ") for _, stop in offsets)
    assert (~windows.special).sum() == n_own
    assert windows.ids.values.tolist() == tokenizer("query: " + text)["input_ids"]


def test_the_least_room_will_do(load_tokenizer):
    tokenizer = load_tokenizer("bert")
    windows = tokenize_windows(tokenizer, ["a b c"], max_length=3)
    assert [len(ids) for ids in windows.ids] == [3, 3, 3]
    assert owned(windows, 0) == whole(tokenizer, "a b c")
