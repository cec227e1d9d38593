import hashlib
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skembed.encoding import digest_texts

# Every code point, lone surrogates too.
TEXT = st.text(st.characters(exclude_categories=()))


def test_a_text_is_digested_by_blake2b_of_its_utf8():
    digest = digest_texts(["soup and süß"])
    expected = hashlib.blake2b("soup and süß".encode(), digest_size=16).digest()
    assert digest.tobytes() == expected
    assert digest.shape == (1, 16)
    assert digest.dtype == np.uint8


@given(st.lists(TEXT | st.lists(TEXT, max_size=4)))
def test_only_equal_texts_have_equal_digests(texts):
    digests = digest_texts(texts)
    assert digests.shape == (len(texts), 16)
    for i, j in combinations(range(len(texts)), 2):
        same = type(texts[i]) is type(texts[j]) and texts[i] == texts[j]
        assert (digests[i].tobytes() == digests[j].tobytes()) == same


def test_words_that_are_cut_elsewhere_are_another_text():
    texts = [
        *("", [], [""], ["", ""]),
        *("ab", ["ab"], ["a", "b"], ["a", "", "b"], ["ab", ""]),
        *("a b", ["a b"], ["a", " b"], ["a\x00b"], ["\xff"], ["ÿ"]),
    ]
    different = {str(text) + type(text).__name__ for text in texts}
    assert len(np.unique(digest_texts(texts), axis=0)) == len(different)


def test_a_tuple_of_words_is_a_list_of_them():
    assert (digest_texts([("a", "b")]) == digest_texts([["a", "b"]])).all()


@pytest.mark.parametrize("text", [None, 3, b"bytes", ["a", None]])
def test_what_is_no_text_is_no_text(text):
    with pytest.raises(TypeError):
        digest_texts(["a", text])
