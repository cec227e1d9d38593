"""The compiled scanner against `re`, which it replaces."""

import re
import sys
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer

from skembed.text import TextAnalysis, encode_corpus, tokenize
from skembed.text._chunks import Chunk
from skembed.text._word_table import WordTable, _word_characters

# All code points, lone surrogates too, and more often what is near a word's border.
characters = st.one_of(
    st.characters(),
    st.characters(categories=["Cs"]),
    st.sampled_from("ab_09 \t\n\r\0\x1c\x85\u00ad\u200b\u200d\u0301'-.²½Ⅷ٣"),
    st.sampled_from("ßéπ\u05d0\u0645漢ひ한\U0001f600\U00020000\U0001d7d8İςΣ"),
)
texts = st.text(characters, max_size=40)
documents_of_text = st.lists(texts, max_size=8)

AWKWARD = [
    "",
    " ",
    "\0",
    "a\0b",
    "one\x1ftwo\x7fthree\x85four",
    "\ud800 \udfff a\ud800b",
    "\ud83d\ude00",
    "שלום עולם, \u200fمرحبا بالعالم",  # noqa: RUF001
    "漢字とひらがな。한국어",
    "naïve cafe\u0301 zero\u200dwidth\u200bspace",
    "\U0001d7d8\U0001d7d9 \U0001f600x 𠀀𠀁",
    "İSTANBUL ΌΣΟΣ Σ ß ﬁ",
    "snake_case __init__ don't e-mail 3.14 x² ½ Ⅷ ٣",
    "end",
]


def words_by_id(documents, analysis):
    vocabulary, corpus = encode_corpus([*documents, "word"], analysis)
    return vocabulary.decode(corpus)[:-1]


@settings(deadline=None)
@given(documents_of_text)
def test_words_are_those_of_the_regular_expression(documents):
    expected = [re.findall(r"(?u)\b\w+\b", document) for document in documents]
    assert words_by_id(documents, TextAnalysis()) == expected


@settings(deadline=None)
@given(documents_of_text)
def test_two_characters_at_least_give_the_words_of_scikit_learns_pattern(documents):
    expected = [re.findall(r"(?u)\b\w\w+\b", document) for document in documents]
    assert words_by_id(documents, TextAnalysis(min_chars=2)) == expected


@settings(deadline=None)
@given(documents_of_text)
def test_lowercased_words_are_those_of_count_vectorizer(documents):
    analyze = CountVectorizer(token_pattern=r"(?u)\b\w+\b").build_analyzer()
    expected = [analyze(document) for document in documents]
    assert words_by_id(documents, TextAnalysis(prepare=str.lower)) == expected


@pytest.mark.parametrize("document", AWKWARD)
@pytest.mark.parametrize("prepare", [None, str.lower, str.upper])
def test_awkward_text_gives_the_words_of_the_regular_expression(document, prepare):
    analysis = TextAnalysis(prepare=prepare)
    expected = [re.findall(r"(?u)\b\w+\b", prepare(document) if prepare else document)]
    assert words_by_id([document], analysis) == expected
    assert tokenize([document], analysis) == expected


def test_every_code_point_is_classified_as_the_regular_expression_does():
    match = re.compile(r"\w").match
    expected = [match(chr(code)) is not None for code in range(sys.maxunicode + 1)]
    assert _word_characters().tolist() == expected


def test_words_end_where_documents_do():
    assert words_by_id(["to", "get", "", "her"], TextAnalysis()) == [
        ["to"],
        ["get"],
        [],
        ["her"],
    ]


def test_words_with_the_same_hash_are_told_apart():
    first, second = "xkavraca", "dsqzrcu\U00028081"
    assert fnv(first) == fnv(second)
    vocabulary, corpus = encode_corpus([f"{first} {second} {second}"], TextAnalysis())
    assert vocabulary.words == (second, first)
    assert corpus.values.tolist() == [1, 0, 0]


def fnv(word):
    hashed = 0xCBF29CE484222325
    for character in word:
        hashed = (hashed ^ ord(character)) * 0x100000001B3 % 2**64
    return hashed


def test_ids_are_right_while_the_table_grows(rng):
    words = [
        f"{'long' * rng.integers(20)}{n}" for n in rng.integers(20_000, size=90_000)
    ]
    expected = {word: i for i, word in enumerate(dict.fromkeys(words))}
    table = WordTable()
    ids = table.add(Chunk([" ".join(words)]), min_chars=1).values
    assert ids.tolist() == [expected[word] for word in words]
    assert table.words(np.arange(len(table))) == list(expected)
    counts = Counter(words)
    assert table.counts.tolist() == [counts[word] for word in expected]


def test_a_word_longer_than_the_table_is_kept():
    word = "y" * 100_000
    assert words_by_id([f"a {word} b"], TextAnalysis()) == [["a", word, "b"]]


def test_looking_words_up_changes_nothing():
    table = WordTable()
    table.add(Chunk(["a b"]), min_chars=1)
    assert table.find(Chunk(["c b a c"]), min_chars=1).values.tolist() == [1, 0]
    assert (len(table), table.counts.tolist()) == (2, [1, 1])
