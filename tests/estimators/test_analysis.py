import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer

from skembed.estimators._analysis import count_vectorizer, text_analysis
from skembed.text import TextAnalysis, tokenize

# Accents, ligatures, digits of other scripts, CJK, right-to-left, combining marks,
# what grows when lowercased (İ), control characters, and the odd surrogate.
LETTERS = (
    "aAbBéÉßﬁǅİ\u0131Σ\u03c3ς0٣_漢字אب\u0301\u200b\u00a0 \t\n\x00\x1c-'.,!😀\ud800"
)
words = st.sampled_from(["a", "bb", "éa", "0", "A", "a-b", "cat"])
texts = st.one_of(
    st.text(st.sampled_from(LETTERS), max_size=12),
    st.text(max_size=8),
    st.lists(words).map(" ".join),
)

parameters = st.fixed_dictionaries(
    {},
    optional={
        "strip_accents": st.sampled_from([None, "ascii", "unicode", str.swapcase]),
        "lowercase": st.booleans(),
        "preprocessor": st.sampled_from([None, str.upper]),
        "tokenizer": st.sampled_from([None, str.split, iter]),
        "token_pattern": st.sampled_from(
            [
                r"(?u)\b\w+\b",
                r"\w+",
                r"(?u)\b\w\w+\b",
                r"\b\w\w+\b",
                r"(?u)\w\w+",
                r"(?a)\w+",
                r"[^\s]+",
                r"(\w)\w*",
                r"\w*",
            ]
        ),
        "analyzer": st.sampled_from(["word", "char", "char_wb", str.split]),
        "stop_words": st.sampled_from([None, ["a", "bb"], ["éa", "0"]]),
    },
)


@pytest.mark.filterwarnings("ignore:Your stop_words may be inconsistent")
@given(parameters, st.lists(texts, max_size=4))
def test_tokens_are_those_of_count_vectorizer(parameters, documents):
    analyze = CountVectorizer(**parameters).build_analyzer()
    try:
        expected = [list(analyze(document)) for document in documents]
    except UnicodeEncodeError:  # strip_accents="ascii" and a lone surrogate
        return
    analysis = text_analysis(CountVectorizer(**parameters))
    assert tokenize(documents, analysis) == expected


@given(st.lists(texts, max_size=3))
def test_english_stop_words_are_those_of_count_vectorizer(documents):
    documents = [*documents, "The cat is not on a mat"]
    vectorizer = CountVectorizer(stop_words="english", token_pattern=r"\w+")
    expected = [vectorizer.build_analyzer()(document) for document in documents]
    assert tokenize(documents, text_analysis(vectorizer)) == expected


@pytest.mark.parametrize(
    ("pattern", "min_chars"),
    [(r"(?u)\b\w+\b", 1), (r"\w+", 1), (r"(?u)\b\w\w+\b", 2), (r"\w\w+", 2)],
)
def test_the_usual_patterns_are_left_to_the_scanner(pattern, min_chars):
    analysis = text_analysis(CountVectorizer(token_pattern=pattern))
    assert analysis == TextAnalysis(prepare=str.lower, min_chars=min_chars)


def test_other_patterns_are_not():
    assert text_analysis(CountVectorizer(token_pattern=r"\w+-\w+")).split is not None


def test_files_are_read_once_and_not_by_the_analyzer():
    analysis = text_analysis(CountVectorizer(input="filename", analyzer="char"))
    assert tokenize(["ab"], analysis) == [["a", "b"]]


def test_stop_words_apply_to_word_lists():
    analysis = text_analysis(CountVectorizer(stop_words=["the"]))
    assert tokenize([["the", "The", "cat"]], analysis) == [["The", "cat"]]


class Parameters:
    """An estimator's parameters, to be changed."""

    def __init__(self, **changes):
        self.__dict__.update(CountVectorizer().get_params() | changes)


def test_a_way_to_split_is_needed():
    with pytest.raises(ValueError, match="token_pattern=None needs a tokenizer"):
        count_vectorizer(Parameters(token_pattern=None))


def test_no_pattern_is_needed_beside_a_tokenizer():
    vectorizer = count_vectorizer(Parameters(token_pattern=None, tokenizer=str.split))
    assert tokenize(["A-b c"], text_analysis(vectorizer)) == [["a-b", "c"]]


def test_two_groups_in_a_pattern_are_an_error():
    with pytest.raises(ValueError, match="More than 1 capturing group"):
        text_analysis(CountVectorizer(token_pattern=r"(a)(b)"))


def test_a_pattern_that_is_no_pattern_is_an_error():
    with pytest.raises(re.error):
        text_analysis(CountVectorizer(token_pattern=r"("))


@pytest.mark.parametrize("name", ["tokenizer", "analyzer"])
@pytest.mark.parametrize("words", ["a b", b"a", None])
@pytest.mark.filterwarnings("ignore:The parameter 'token_pattern' will not be used")
def test_what_gives_no_list_of_words_is_an_error(name, words):
    analysis = text_analysis(CountVectorizer(**{name: lambda _: words}))
    with pytest.raises(TypeError, match=r"list of words .*, got .* of type"):
        tokenize(["a b"], analysis)
