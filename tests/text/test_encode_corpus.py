import re
from collections import Counter
from functools import partial
from itertools import chain, repeat

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skembed.text import TextAnalysis, _chunks, encode, encode_corpus, tokenize

words = st.sampled_from(["a", "b", "c", "dd", "", "two words", "\ud800", "é"])
token_lists = st.lists(words, max_size=6)
texts = st.lists(st.sampled_from(["a", "b", "c", "dd", "é"]), max_size=6).map(" ".join)
corpora = st.lists(st.one_of(texts, token_lists, token_lists.map(tuple)), max_size=12)


def reference(documents, *, min_count=1, max_vocab_size=None, stop_words=()):
    """Words, counts and ids, by obvious loops."""
    split = [
        re.findall(r"\w+", document) if isinstance(document, str) else list(document)
        for document in documents
    ]
    counts = Counter(word for document in split for word in document)
    kept = [
        (word, count)
        for word, count in counts.most_common()
        if count >= min_count and word not in stop_words
    ][:max_vocab_size]
    index = {word: i for i, (word, _) in enumerate(kept)}
    ids = [[index[word] for word in document if word in index] for document in split]
    return kept, ids


def as_lists(corpus):
    return [corpus[i].tolist() for i in range(len(corpus))]


@settings(deadline=None)
@given(corpora, st.integers(1, 3), st.integers(1, 4), st.sets(words))
def test_vocabulary_and_ids_are_those_of_a_loop(documents, min_count, size, stop_words):
    options = {"min_count": min_count, "max_vocab_size": size}
    kept, ids = reference(documents, stop_words=stop_words, **options)
    analysis = TextAnalysis(stop_words=frozenset(stop_words))
    if not kept:
        with pytest.raises(ValueError, match=r"min_count|no words"):
            encode_corpus(documents, analysis, **options)
        return
    vocabulary, corpus = encode_corpus(iter(documents), analysis, **options)
    assert list(zip(vocabulary.words, vocabulary.counts, strict=True)) == kept
    assert as_lists(corpus) == ids
    assert as_lists(encode(iter(documents), analysis, vocabulary)) == ids


@pytest.mark.parametrize("max_chars", [1, 7, 1 << 18])
def test_the_size_of_chunks_changes_nothing(rng, monkeypatch, max_chars):
    documents = [
        list(words) if i % 5 < 2 else " ".join(words)
        for i, words in enumerate(rng.choice(list("abcdefgh"), size=(40, 7)))
    ]
    kept, ids = reference(documents)
    monkeypatch.setattr(_chunks, "_MAX_CHARS", max_chars)
    monkeypatch.setattr(_chunks, "_MAX_WORDS", max_chars)
    vocabulary, corpus = encode_corpus(documents, TextAnalysis())
    assert list(zip(vocabulary.words, vocabulary.counts, strict=True)) == kept
    assert as_lists(corpus) == ids


def test_ids_counts_and_offsets_have_the_promised_types():
    vocabulary, corpus = encode_corpus(["a b a"], TextAnalysis())
    dtypes = vocabulary.counts.dtype, corpus.values.dtype, corpus.offsets.dtype
    assert dtypes == (np.int64, np.int32, np.int64)
    assert type(corpus.values) is np.ndarray
    assert {type(word) for word in vocabulary.words} == {str}


def test_a_generator_is_read_once_and_no_further_ahead_than_a_chunk(monkeypatch):
    monkeypatch.setattr(_chunks, "_MAX_CHARS", 10)
    n_read = 0

    def documents():
        nonlocal n_read
        while n_read < 100:
            n_read += 1
            yield "word"

    chunks = _chunks.read_chunks(documents(), TextAnalysis())
    assert len(next(chunks).texts) == n_read == 2
    assert sum(len(chunk.texts) for chunk in chunks) == 98


def test_a_list_that_a_generator_fills_again_is_read_as_it_was():
    def documents():
        reused = []
        for word in "abc":
            reused[:] = [word]
            yield reused

    assert tokenize(documents(), TextAnalysis()) == [["a"], ["b"], ["c"]]


@pytest.mark.slow
def test_a_million_empty_documents_are_kept():
    documents = chain(["a"], repeat("", 10**6))
    _, corpus = encode_corpus(documents, TextAnalysis())
    assert len(corpus) == 1 + 10**6
    assert corpus.values.tolist() == [0]


def test_a_document_of_a_million_words_is_kept_whole(rng):
    numbers = rng.integers(1000, size=10**6)
    vocabulary, corpus = encode_corpus([" ".join(map(str, numbers))], TextAnalysis())
    spelled = np.array(vocabulary.words, dtype=object)[corpus.values]
    assert spelled.tolist() == list(map(str, numbers.tolist()))


def test_min_count_that_leaves_nothing_is_named_with_the_largest_count():
    message = (
        r"min_count=4 times: .* of 3 distinct words occurs 2 times.* Lower min_count"
    )
    with pytest.raises(ValueError, match=message):
        encode_corpus(["a a b b c"], TextAnalysis(), min_count=4)


@pytest.mark.parametrize("documents", [[], ["", "!?"], [[], ()], ["the", ["the"]]])
def test_a_corpus_without_words_is_named_with_what_may_have_emptied_it(documents):
    with pytest.raises(ValueError, match=r"no words.*token_pattern.*stop_words"):
        encode_corpus(documents, TextAnalysis(stop_words=frozenset(["the"])))


def test_stop_words_apply_after_lowercasing_and_to_token_lists():
    analysis = TextAnalysis(prepare=str.lower, stop_words=frozenset(["the"]))
    documents = ["The cat", ["the", "The", "cat"]]
    vocabulary, corpus = encode_corpus(documents, analysis)
    assert vocabulary.decode(corpus) == [["cat"], ["The", "cat"]]
    assert tokenize(documents, analysis) == [["cat"], ["The", "cat"]]


def test_prepare_may_make_text_of_anything():
    analysis = TextAnalysis(prepare=partial(str, encoding="latin-1"))
    vocabulary, _ = encode_corpus([b"\xe9t\xe9"], analysis)
    assert vocabulary.words == ("été",)


@pytest.mark.parametrize("kind", [list, tuple, iter])
def test_own_split_gives_the_words_whatever_is_in_them(kind):
    analysis = TextAnalysis(
        prepare=str.upper, split=lambda text: kind(text.split(",")), min_chars=2
    )
    vocabulary, corpus = encode_corpus(["a b,,a b", ["c d"]], analysis)
    assert vocabulary.decode(corpus) == [["A B", "", "A B"], ["c d"]]


@pytest.mark.parametrize("function", [encode_corpus, tokenize])
@pytest.mark.parametrize("word", [3, None, b"x", 1.5, ["x"]])
def test_a_word_that_is_no_str_is_named_with_its_document(function, word):
    documents = ["text", ["a", "b"], ["c", word]]
    with pytest.raises(
        TypeError, match=r"words of document 2 must be str, got .* type"
    ):
        function(documents, TextAnalysis())


def test_encode_names_a_word_that_is_no_str():
    vocabulary, _ = encode_corpus(["a"], TextAnalysis())
    with pytest.raises(TypeError, match="document 1 must be str, got 7 of type int"):
        encode([["a"], ["a", 7]], TextAnalysis(), vocabulary)


@pytest.mark.parametrize("document", [3, None, b"x", {"a"}])
def test_a_document_that_is_neither_text_nor_list_is_named(document):
    with pytest.raises(
        TypeError, match=r"Document 1 must be a str or a list of str, got"
    ):
        encode_corpus(["text", document], TextAnalysis())


def test_a_split_that_returns_text_is_refused():
    # Its characters would become the words.
    with pytest.raises(
        TypeError, match=r"document 0 must be a list of str, got the str"
    ):
        encode_corpus(["text"], TextAnalysis(split=str.strip))


def test_min_chars_must_be_positive():
    with pytest.raises(ValueError, match="min_chars must be at least 1, got 0"):
        TextAnalysis(min_chars=0)


@pytest.mark.parametrize("documents", [[], ["", " "], ["a", ["a"]], ["rare"]])
def test_an_empty_vocabulary_may_be_allowed(documents):
    analysis = TextAnalysis(stop_words=frozenset({"a"}))
    vocabulary, corpus = encode_corpus(
        documents, analysis, min_count=2, allow_empty=True
    )
    assert vocabulary.words == ()
    assert vocabulary.decode(corpus) == [[] for _ in documents]
