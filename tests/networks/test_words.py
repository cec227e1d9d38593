import numpy as np
from tokenizers import pre_tokenizers
from transformers import AutoTokenizer

from skembed.networks.huggingface._tokenizer import tokenize_windows

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


def test_each_token_is_of_the_given_word_that_it_stands_in(tokenizer):
    windows = tokenize_windows(
        tokenizer, [["other"], WORDS], max_length=None, with_words=True
    )
    joined, starts = " ".join(WORDS), np.cumsum([0, *(len(w) + 1 for w in WORDS)])
    expected = [
        [start, start + len(w)] for start, w in zip(starts, WORDS, strict=False)
    ]
    assert windows.word_spans[1].tolist() == expected
    second = slice(*windows.ids.offsets[1:3])
    for (start, stop), number, special in zip(
        windows.offsets[second], windows.word[second], windows.special[second],
        strict=True,
    ):  # fmt: skip
        if special:
            assert number == -1
        else:
            # The word of the first character that is not a space: now or next.
            place = start + len(joined[start:]) - len(joined[start:].lstrip())
            assert starts[number] <= place < starts[number + 1]
            assert stop <= starts[number] + len(WORDS[number])


def test_given_words_are_those_of_the_tokenizer(load_tokenizer):
    tokenizer = load_tokenizer("bert")
    words = [word for word in WORDS if word.strip()]
    windows = tokenize_windows(tokenizer, [words], max_length=None, with_words=True)
    expected = tokenizer(words, is_split_into_words=True)
    assert windows.ids[0].tolist() == expected["input_ids"]
    numbers = [-1 if n is None else n for n in expected.word_ids()]
    assert windows.word.tolist() == numbers


def test_words_of_a_text_are_those_of_the_tokenizer(load_tokenizer):
    text = " The teacher's  students\n"
    for family in ("bert", "gpt2", "roberta", "modernbert"):
        windows = tokenize_windows(
            load_tokenizer(family), [text], max_length=None, with_words=True
        )
        words = [text[start:stop] for start, stop in windows.word_spans[0]]
        clitic = ["'", "s"] if family == "bert" else ["'s"]
        assert words == ["The", "teacher", *clitic, "students"]


def test_words_of_a_tokenizer_that_does_not_split_are_between_spaces(
    load_tokenizer, tiny_model
):
    tokenizer = AutoTokenizer.from_pretrained(tiny_model("llama"))
    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(
        prepend_scheme="first", split=False
    )
    text = "The  teacher's students\nlearn. "
    windows = tokenize_windows(tokenizer, [text], max_length=None, with_words=True)
    words = [text[start:stop] for start, stop in windows.word_spans[0]]
    assert words == text.split()
    in_words = windows.word[windows.word >= 0]
    assert sorted(set(in_words.tolist())) == [0, 1, 2, 3]


def test_words_are_numbered_in_order_and_hold_their_tokens(tokenizer, long_texts):
    texts = long_texts + TEXTS
    windows = tokenize_windows(tokenizer, texts, max_length=20, with_words=True)
    text_of_token = np.repeat(windows.text, windows.ids.lengths)
    assert (windows.word[windows.special] == -1).all()
    for number, text in enumerate(texts):
        spans = windows.word_spans[number]
        assert all(text[a:b] == text[a:b].strip() != "" for a, b in spans)
        assert (spans[1:, 0] >= spans[:-1, 1]).all()
        kept = windows.own & (text_of_token == number) & (windows.word >= 0)
        assert (np.diff(windows.word[kept]) >= 0).all()
        assert set(windows.word[kept]) == set(range(len(spans)))
        inner = spans[windows.word[kept]]
        touches = windows.offsets[kept, 0] <= inner[:, 1]
        assert (touches & (windows.offsets[kept, 1] <= inner[:, 1])).all()
