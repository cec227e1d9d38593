"""Checks of `transform_tokens`: one vector per token, by document."""

import re
from itertools import pairwise
from typing import Any

import numpy as np

from skembed.testing._contract import (
    Estimator,
    contract,
    error_of,
    expect,
    expect_same,
    fitted,
    with_warnings,
)
from skembed.testing._corpus import corpus, probe

_MEND = "build a skembed.features.TokenFeatures from vectors, row_splits and tokens."


def _tokens_of(estimator: Estimator, documents: Any) -> Any:
    return fitted(estimator).transform_tokens(documents)


def _starts_and_ends(result: Any) -> list[tuple[int, int]]:
    splits = np.asarray(result.row_splits).tolist()
    return list(pairwise(splits))


@contract()
def check_token_vectors(estimator: Estimator) -> None:
    """``vectors`` is a finite float32 matrix with a row for every token of X."""
    for documents in (probe(), [], [""]):
        vectors = _tokens_of(estimator, documents).vectors
        got = f"vectors are {vectors.dtype} of shape {vectors.shape}"
        matrix = vectors.dtype == np.float32 and vectors.ndim == 2
        expect(matrix, f"{got}, not a float32 matrix.", _MEND)
        expect(np.isfinite(vectors).all(), f"{got}, not all finite.", _MEND)


@contract()
def check_token_row_splits(estimator: Estimator) -> None:
    """``row_splits`` is int64, of length documents + 1: where each one's tokens start.

    It agrees with the number of ``tokens`` of every document and of ``vectors``.
    """
    for documents in (probe(), [], [""]):
        result = _tokens_of(estimator, documents)
        splits = result.row_splits
        got = f"{len(documents)} documents gave the row_splits {splits!r}"
        expect(splits.dtype == np.int64, f"{got} of {splits.dtype}.", _MEND)
        expected = np.cumsum([0, *map(len, result.tokens)])
        happened = f"{got}, but the tokens give {expected}."
        expect(np.array_equal(splits, expected), happened, _MEND)
        happened = f"{got}, but there are {len(result.vectors)} vectors."
        expect(splits[-1] == len(result.vectors), happened, _MEND)


@contract()
def check_token_strings(estimator: Estimator) -> None:
    """``tokens`` is one list of str per document, in the order of the text."""
    documents = ["the moon", "", "moon the the"]
    tokens = _tokens_of(estimator, documents).tokens
    happened = f"the tokens of {documents} are {tokens!r}."
    lists = all(isinstance(words, list) for words in tokens)
    strings = all(isinstance(word, str) for words in tokens for word in words)
    expect(lists and strings, happened, _MEND)
    expect(not tokens[1], happened, "give an empty document no token.")
    # Tokens may be parts of words, with marks of where a word begins.
    text = "".join(tokens[2]).lower()
    mend = "keep every occurrence of a word, in the order of the text."
    expect(text.count("the") == 2, happened, mend)
    expect(text.index("moon") < text.index("the"), happened, mend)


@contract()
def check_tokens_by_document(estimator: Estimator) -> None:
    """``len``, iteration and indexing of the result go by document."""
    result = _tokens_of(estimator, probe())
    expected = [result.vectors[a:b] for a, b in _starts_and_ends(result)]
    happened = f"len of the tokens of {len(expected)} documents is {len(result)}."
    expect(len(result) == len(expected), happened, _MEND)
    listed = list(result)
    expect(len(listed) == len(expected), "iteration does not end.", _MEND)
    for i, matrix in enumerate(expected):
        for how, got in {"index": result[i], "iteration": listed[i]}.items():
            happened = f"document {i} by {how} is not its rows of vectors."
            expect_same(got, matrix, happened, _MEND, exact=True)
    expect_same(result[-1], expected[-1], "index -1 is not the last.", _MEND)
    error = error_of(lambda: result[len(expected)])
    happened = f"an index past the end gave {error!r}, not an IndexError."
    expect(isinstance(error, IndexError), happened, _MEND)


@contract()
def check_tokens_do_not_depend_on_the_batch(estimator: Estimator) -> None:
    """The token vectors of a document are those that it has alone."""
    model = fitted(estimator)
    together = model.transform_tokens(probe())
    for i, document in enumerate(probe()):
        alone = model.transform_tokens([document])
        mend = "compute tokens from their own document alone; cut padding off."
        happened = f"the token vectors of {document!r} differ in a batch and alone."
        expect_same(together[i], alone[0], happened, mend)


@contract()
def check_token_containers(estimator: Estimator) -> None:
    """`transform_tokens` takes the containers and token lists of `transform`."""
    texts = [text.lower().rstrip(".") for text in corpus()[0][:10]]
    model = fitted(estimator)
    expected = model.transform_tokens(texts)
    for name, X in {
        "an array": np.array(texts),
        "an (n, 1) array of objects": np.array(texts, dtype=object)[:, None],
        "token lists": [text.split() for text in texts],
    }.items():
        happened = f"transform_tokens of {name} differs from that of a list."
        mend = "read X as transform does."
        expect_same(model.transform_tokens(X).vectors, expected.vectors, happened, mend)


@contract()
def check_tokens_of_long_documents(estimator: Estimator) -> None:
    """All tokens of a long document have a vector, or a warning says what was cut."""
    model, document = fitted(estimator), "the moon " * 700
    result, messages = with_warnings(lambda: model.transform_tokens([document]))
    n_found = "".join(result.tokens[0]).lower().count("moon")
    happened = f"of 700 words, {n_found} are among the tokens of a long document."
    mend = "read on by windows and give every token once, or warn."
    expect(n_found == 700 or (messages and n_found < 700), happened, mend)


@contract()
def check_tokens_in_context_have_offsets(estimator: Estimator) -> None:
    """Where a token's vector depends on its neighbors, there are ``offsets``.

    It is a vector of one place in the text, which its str does not tell.
    """
    result = _tokens_of(estimator, ["the moon", "soup moon"])
    vectors = [matrix[-1] for matrix in result]
    scale = np.abs(vectors).max()
    differ = np.abs(vectors[0] - vectors[1]).max() > 1e-3 * scale
    mend = "give the (start, end) of every token, one array per document."
    offsets = getattr(result, "offsets", None)
    happened = (
        "the vectors of 'moon' in 'the moon' and 'soup moon' differ, without any."
    )
    expect(offsets is not None or not differ, happened, mend)


@contract()
def check_token_offsets(estimator: Estimator) -> None:
    """``offsets``, if there are any, are the characters of each token in its text."""
    documents = ["The moon, the soup!", "", "a Café"]
    result = _tokens_of(estimator, documents)
    if getattr(result, "offsets", None) is None:
        return
    mend = "give the (start, end) of every token, one array per document."
    for text, tokens, offsets in zip(
        documents, result.tokens, result.offsets, strict=True
    ):
        shape, expected = np.shape(offsets), (len(tokens), 2)
        happened = f"the offsets of {tokens} have the shape {shape}, not {expected}."
        expect(shape == expected, happened, mend)
        for start, end in np.asarray(offsets).tolist():
            inside = 0 <= start <= end <= len(text)
            expect(inside, f"({start}, {end}) is not within {text!r}.", mend)


@contract()
def check_token_offsets_point_at_the_tokens(estimator: Estimator) -> None:
    """``offsets``, if there are any, cut the token out of its text, one after another.

    A token that has other letters than the text, such as [UNK], is not looked at.
    """
    # Of several windows, for many models: the second one is long.
    documents = ["  The moon,the soup! The  moon", "The soup, the moon. " * 200]
    result = _tokens_of(estimator, documents)
    if getattr(result, "offsets", None) is None:
        return
    mend = "count characters from the start of the document as it was given."
    for text, tokens, offsets in zip(
        documents, result.tokens, result.offsets, strict=True
    ):
        end_before = 0
        for token, (start, end) in zip(tokens, np.asarray(offsets), strict=True):
            letters = _letters(token)
            if not letters or letters not in _letters(text):
                continue
            cut = text[start:end]
            happened = f"the offsets ({start}, {end}) of {token!r} cut out {cut!r}."
            expect(_letters(cut) == letters, happened, mend)
            happened = f"{token!r} begins at {start}, the token before ends later."
            expect(start >= end_before, happened, mend)
            end_before = end


def _letters(text: str) -> str:
    """Drop what is no English letter: tokenizers mark with it where a word begins."""
    return re.sub("[^a-z0-9]", "", text.lower())
