import gzip
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from gensim.models import _fasttext_bin
from gensim.models.fasttext import load_facebook_model
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from skembed.formats import FormatError, QuantizedMatrix, read_fasttext, write_fasttext
from tests.formats.fasttext_files import GENSIM_FILES, pruned_model

UNSUPERVISED = ["crime-and-punishment", "toy-model", "lee_fasttext_new", "lee_fasttext"]
SUPERVISED = "pang_lee_polarity_fasttext"


def path_of(name):
    return GENSIM_FILES / f"{name}.bin"


@pytest.mark.parametrize("name", UNSUPERVISED)
def test_all_that_a_file_holds_is_what_gensim_reads(name):
    model = read_fasttext(path_of(name))
    with path_of(name).open("rb") as file:
        expected = _fasttext_bin.load(file)
    assert dict(zip(model.words, model.counts.tolist(), strict=True)) == (
        expected.raw_vocab
    )
    assert model.words == list(expected.raw_vocab)
    assert_array_equal(model.inputs, expected.vectors_ngrams)
    assert_array_equal(model.outputs, expected.hidden_output)
    settings = model.settings
    assert (settings.vector_size, settings.window) == (expected.dim, expected.ws)
    assert (settings.min_n, settings.max_n) == (expected.minn, expected.maxn)
    assert (settings.bucket, settings.sample) == (expected.bucket, expected.t)
    assert model.n_tokens == expected.ntokens


def test_words_of_another_encoding_are_read_by_its_name():
    with pytest.raises(FormatError, match=r"byte \d+: expected words in UTF-8"):
        read_fasttext(path_of("cp852_fasttext"))
    model = read_fasttext(path_of("cp852_fasttext"), encoding="cp852")
    with path_of("cp852_fasttext").open("rb") as file:
        assert model.words == list(_fasttext_bin.load(file, "cp852").raw_vocab)


def test_a_supervised_model_has_labels():
    model = read_fasttext(path_of(SUPERVISED), encoding="cp1252")
    assert model.settings.supervised
    assert len(model.labels) == 2
    assert model.inputs.shape == (1694, 100)
    assert model.outputs.shape == (2, 100)


@pytest.mark.parametrize("name", ["crime-and-punishment", "toy-model", SUPERVISED])
def test_what_is_read_is_written_byte_for_byte(name, tmp_path):
    # The words of the supervised model are not all UTF-8.
    model = read_fasttext(path_of(name), errors="surrogateescape")
    write_fasttext(tmp_path / "model.bin", model)
    assert (tmp_path / "model.bin").read_bytes() == path_of(name).read_bytes()


def test_gensim_reads_what_is_written(tmp_path, rng):
    model = read_fasttext(path_of("lee_fasttext_new"))
    inputs = rng.normal(size=model.inputs.shape).astype("f4")
    write_fasttext(tmp_path / "model.bin", replace(model, inputs=inputs))
    loaded = load_facebook_model(str(tmp_path / "model.bin"))
    assert loaded.wv.index_to_key == model.words
    assert_array_equal(loaded.wv.vectors_ngrams, inputs[len(model.words) :])


def test_rows_of_zeros_are_read_again(tmp_path):
    model = read_fasttext(path_of("toy-model"))
    # Several blocks of rows, some of them holes in the file.
    n_rows = len(model.words) + 50_000
    inputs = np.zeros((n_rows, model.settings.vector_size), dtype="f4")
    inputs[20_000] = -0.0
    inputs[-1, 0] = 1
    settings = replace(model.settings, bucket=50_000)
    large = replace(model, settings=settings, inputs=inputs)
    outputs = np.zeros_like(large.outputs)
    write_fasttext(tmp_path / "model.bin", replace(large, outputs=outputs))
    again = read_fasttext(tmp_path / "model.bin")
    assert_array_equal(again.inputs.view("u4"), inputs.view("u4"))
    assert_array_equal(again.outputs, outputs)


def test_a_compressed_file_is_read(tmp_path):
    content = path_of("toy-model").read_bytes()
    (tmp_path / "model.bin.gz").write_bytes(gzip.compress(content))
    model = read_fasttext(tmp_path / "model.bin.gz")
    assert_array_equal(model.inputs, read_fasttext(path_of("toy-model")).inputs)


def test_matrices_stay_on_the_disk():
    inputs = read_fasttext(path_of("toy-model")).inputs
    while isinstance(inputs.base, np.ndarray):
        inputs = inputs.base
    assert isinstance(inputs, np.memmap)


@pytest.mark.parametrize("has_lengths", [True, False])
@pytest.mark.parametrize("part_size", [1, 2, 5, 7])
def test_quantized_rows_are_computed(rng, tmp_path, has_lengths, part_size):
    content, rows = pruned_model(rng, has_lengths=has_lengths, part_size=part_size)
    (tmp_path / "model.ftz").write_bytes(content)
    model = read_fasttext(tmp_path / "model.ftz")
    assert isinstance(model.inputs, QuantizedMatrix)
    assert model.words == ["cat", "Ø"]
    assert model.labels == ["__label__a"]
    assert model.kept_buckets.tolist() == [[3, 0], [41, 2], [70, 1]]
    np.testing.assert_allclose(model.inputs[:], rows, rtol=1e-6)
    np.testing.assert_allclose(model.inputs[np.array([4, 1])], rows[[4, 1]], rtol=1e-6)


@pytest.fixture(scope="module", params=["toy-model", "lee_old", "pruned"])
def content(request):
    if request.param == "pruned":
        return pruned_model(np.random.default_rng(0))[0]
    name = "cp852_fasttext" if request.param == "lee_old" else request.param
    return path_of(name).read_bytes()


def read_bytes(path, content):
    path.write_bytes(content)
    model = read_fasttext(path, errors="replace")
    assert model.inputs[:].shape == model.inputs.shape
    assert model.outputs[:].shape == model.outputs.shape
    assert len(model.words) == len(model.counts)


def test_a_file_cut_off_anywhere_is_refused(content, rng, tmp_path):
    places = rng.integers(0, len(content), 300).tolist()
    for n_bytes in [*range(120), *places, len(content) - 1]:
        with pytest.raises(FormatError, match=r"byte \d+: expected"):
            read_bytes(tmp_path / "model.bin", content[:n_bytes])


def test_bytes_behind_the_end_are_refused(content, tmp_path):
    with pytest.raises(FormatError, match=r"expected the end .* found 1 more bytes"):
        read_bytes(tmp_path / "model.bin", content + b"\0")


@given(data=st.data())
def test_changed_bytes_are_refused_or_read(content, tmp_path_factory, data):
    changed = bytearray(content)
    # Most of what can lie stands at the beginning.
    end = data.draw(st.sampled_from([100, len(changed)]))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, min(end, len(changed)) - 1))
        if data.draw(st.booleans()):
            changed[place] = data.draw(st.integers(0, 255))
        else:
            del changed[place:][: data.draw(st.integers(1, 9))]
    with suppress(FormatError):
        read_bytes(tmp_path_factory.getbasetemp() / "changed.bin", bytes(changed))


@given(content=st.binary(max_size=200))
def test_any_bytes_are_refused(tmp_path_factory, content):
    with pytest.raises(FormatError):
        read_bytes(tmp_path_factory.getbasetemp() / "any.bin", content)


def test_an_unknown_version_is_named(tmp_path):
    content = bytearray(path_of("toy-model").read_bytes())
    content[4] = 13
    with pytest.raises(FormatError, match=r"byte 4: expected version 11 or 12 .* 13"):
        read_bytes(tmp_path / "model.bin", content)


def test_what_cannot_be_written_is_refused(tmp_path, rng):
    (tmp_path / "model.ftz").write_bytes(pruned_model(rng)[0])
    with pytest.raises(ValueError, match="neither pruned nor quantized"):
        write_fasttext(tmp_path / "x.bin", read_fasttext(tmp_path / "model.ftz"))
    model = read_fasttext(path_of("toy-model"))
    with pytest.raises(ValueError, match="inputs must be of shape"):
        write_fasttext(tmp_path / "x.bin", replace(model, inputs=model.inputs[1:]))
    words = ["a\0b", *model.words[1:]]
    with pytest.raises(ValueError, match="holds NUL"):
        write_fasttext(tmp_path / "x.bin", replace(model, words=words))
    words[0] = "\ud800"
    with pytest.raises(ValueError, match="cannot be encoded in UTF-8"):
        write_fasttext(tmp_path / "x.bin", replace(model, words=words))
    assert not (tmp_path / "x.bin").exists()
