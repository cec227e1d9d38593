"""What fastText itself wrote, and what it says about it.

See ``tests/data/make_fasttext_models.py``.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skembed import SubwordVectors
from skembed.formats import QuantizedMatrix, read_fasttext, write_fasttext

FOLDER = Path(__file__).parents[1] / "data/fasttext"
SAID = json.loads((FOLDER / "said.json").read_text(encoding="utf-8"))
BINARY = [name for name in SAID if name.endswith(".bin")]
QUANTIZED = [name for name in SAID if name.endswith(".ftz")]
UNSEEN = ["catty", "doghouse", "Ørsteds", "北京市", "московский", "y", ""]


@pytest.mark.parametrize("name", SAID)
def test_words_labels_and_counts_are_those_of_fasttext(name):
    model = read_fasttext(FOLDER / name)
    said = SAID[name]
    assert dict(zip(model.words, model.counts.tolist(), strict=True)) == said["counts"]
    assert model.words == list(said["counts"])
    assert model.labels == said["labels"]


@pytest.mark.parametrize("keep", ["all", "vocabulary"])
@pytest.mark.parametrize("name", SAID)
def test_known_words_have_the_vectors_that_fasttext_gives(name, keep):
    word_vectors = SubwordVectors.from_fasttext(FOLDER / name, keep=keep)
    said = SAID[name]["vectors"]
    expected = [said[word] for word in word_vectors.index_to_key]
    assert_allclose(word_vectors.vectors, expected, atol=1e-6)


@pytest.mark.parametrize("mmap", [True, False])
@pytest.mark.parametrize("name", SAID)
def test_unseen_words_have_the_vectors_that_fasttext_gives(name, mmap):
    word_vectors = SubwordVectors.from_fasttext(FOLDER / name, mmap=mmap)
    said = SAID[name]["vectors"]
    found = word_vectors.vectors_of(UNSEEN)
    assert_allclose(found, [said[word] for word in UNSEEN], atol=1e-6)
    # Models without n-grams know none of them.
    assert found[:-1].any(axis=1).all() == (word_vectors.ngrams.max_n > 0)


@pytest.mark.parametrize("name", SAID)
def test_ngrams_are_spelled_as_fasttext_spells_them(name):
    word_vectors = SubwordVectors.from_fasttext(FOLDER / name)
    for word, said in SAID[name]["subwords"].items():
        own = [word] if word in word_vectors else []
        # fastText has no n-grams of the end of a line.
        ngrams = [] if word == "</s>" else word_vectors.subwords(word)[0]
        assert own + ngrams == said


@pytest.mark.parametrize("name", BINARY)
def test_what_fasttext_wrote_is_written_byte_for_byte(name, tmp_path):
    write_fasttext(tmp_path / name, read_fasttext(FOLDER / name))
    assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes()


@pytest.mark.parametrize("name", QUANTIZED)
def test_quantized_files_are_what_their_names_say(name):
    model = read_fasttext(FOLDER / name)
    assert isinstance(model.inputs, QuantizedMatrix)
    assert (model.inputs.lengths is not None) == (name == "with_lengths.ftz")
    assert isinstance(model.outputs, QuantizedMatrix) == (name == "outputs_too.ftz")
    # Of pruned inputs, 260 rows of words and n-grams were to be left.
    assert (model.kept_buckets is not None) == (name == "pruned.ftz")
    assert len(model.inputs) == (
        260 if name == "pruned.ftz" else len(model.words) + 300
    )


def test_version_11_is_version_12_but_for_supervised_models(tmp_path):
    for name in ("skipgram.bin", "supervised.bin"):
        content = bytearray((FOLDER / name).read_bytes())
        content[4] = 11
        (tmp_path / name).write_bytes(content)
    old = SubwordVectors.from_fasttext(tmp_path / "skipgram.bin")
    new = SubwordVectors.from_fasttext(FOLDER / "skipgram.bin")
    assert_array_equal(old.vectors, new.vectors)
    assert_array_equal(old.vectors_of(UNSEEN), new.vectors_of(UNSEEN))
    # Those took no n-grams of characters then, whatever their settings say.
    model = read_fasttext(FOLDER / "supervised.bin")
    words = SubwordVectors.from_fasttext(tmp_path / "supervised.bin")
    assert model.settings.ngram_lengths == (2, 3)
    assert words.ngrams.max_n == 0
    assert_array_equal(words.vectors, model.inputs[: len(words)])
    assert not np.any(words.vectors_of(UNSEEN))
