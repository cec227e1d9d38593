"""Fingerprints of folders and of loaded models."""

import os
import shutil
import time

import pytest
import torch
from transformers import AutoModel, AutoTokenizer, BertForMaskedLM

from skembed.networks import _fingerprint
from skembed.networks._fingerprint import fingerprint_packed
from skembed.networks.huggingface._fingerprint import fingerprint
from skembed.networks.huggingface._pair import fingerprint_pair
from skembed.networks.huggingface._source import ModelFolder, find_model


@pytest.fixture
def folder(tmp_path, rng):
    """A model folder with random bytes for weights, in parts, the last one short."""
    files = {
        "model.safetensors": rng.bytes(1000),
        "config.json": b"{}",
        "tokenizer.json": rng.bytes(50),
        "vocab.txt": b"",
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    return find_model(tmp_path)


@pytest.fixture
def _small_parts(monkeypatch):
    monkeypatch.setattr(_fingerprint, "_PART_BYTES", 300)
    monkeypatch.setattr(_fingerprint, "_READ_BYTES", 128)


def make_old(folder):
    """Set the times of all files back, as far as that is possible."""
    for name in folder.files:
        os.utime(folder.path / name, (1e9, 1e9))


@pytest.mark.usefixtures("_small_parts")
def test_every_byte_of_every_file_matters(folder, rng):
    seen = [fingerprint(folder)]
    for name in ("model.safetensors", "config.json", "tokenizer.json"):
        path = folder.path / name
        whole = path.read_bytes()
        for place in {0, len(whole) - 1, int(rng.integers(len(whole)))}:
            changed = bytearray(whole)
            changed[place] ^= 1
            path.write_bytes(changed)
            seen.append(fingerprint(folder))
        path.write_bytes(whole)
    assert len(set(seen)) == len(seen) >= 7
    assert fingerprint(folder) == seen[0]


def test_a_longer_file_is_another(folder):
    before = fingerprint(folder)
    with (folder.path / "vocab.txt").open("ab") as file:
        file.write(b"\0")
    assert fingerprint(folder) != before


def test_a_file_of_another_name_is_another(folder):
    before = fingerprint(folder)
    (folder.path / "vocab.txt").rename(folder.path / "vocab.json")
    assert fingerprint(find_model(folder.path)) != before


def test_a_copy_elsewhere_has_the_same(folder, tmp_path_factory):
    copy = tmp_path_factory.mktemp("other") / "name"
    shutil.copytree(folder.path, copy)
    assert fingerprint(find_model(copy)) == fingerprint(folder)


def test_other_files_do_not_matter(folder):
    before = fingerprint(folder)
    (folder.path / "README.md").write_text("other words")
    assert fingerprint(find_model(folder.path)) == before


def test_links_to_one_file_count_as_files(folder, tmp_path_factory):
    linked = tmp_path_factory.mktemp("snapshot")
    for name in folder.files:
        (linked / name).symlink_to(folder.path / name)
    (linked / "added_tokens.json").symlink_to(folder.path / "config.json")
    added = find_model(linked)
    assert fingerprint(added) != fingerprint(folder)
    (linked / "added_tokens.json").unlink()
    assert fingerprint(find_model(linked)) == fingerprint(folder)


@pytest.mark.usefixtures("_small_parts")
def test_packed_files_have_the_fingerprint_of_their_folder(folder):
    files = {name: (folder.path / name).read_bytes() for name in folder.files}
    backwards = dict(reversed(files.items()))
    assert fingerprint_packed(backwards) == fingerprint(folder)


def count_reads(monkeypatch):
    """Return a list that grows with each part of a file that is read."""
    reads = []
    digest_part = _fingerprint._digest_part

    def counted(path, start):
        reads.append(path)
        return digest_part(path, start)

    monkeypatch.setattr(_fingerprint, "_digest_part", counted)
    return reads


def test_files_are_read_once_while_they_stay_as_they_are(folder, monkeypatch):
    reads = count_reads(monkeypatch)
    monkeypatch.setattr(_fingerprint, "_CLOCK_TICK_NS", 0)
    digests = {fingerprint(folder) for _ in range(3)}
    assert len(digests) == 1
    assert len(reads) == len(folder.files)
    (folder.path / "vocab.txt").write_bytes(b"more")
    assert fingerprint(folder) not in digests


def test_files_that_have_just_been_written_are_not_trusted(folder, monkeypatch):
    reads = count_reads(monkeypatch)
    monkeypatch.setattr(_fingerprint, "_CLOCK_TICK_NS", 3600 * 10**9)
    fingerprint(folder)
    fingerprint(folder)
    assert len(reads) == 2 * len(folder.files)


def test_setting_the_time_back_hides_no_change(folder, monkeypatch):
    monkeypatch.setattr(_fingerprint, "_CLOCK_TICK_NS", 0)
    make_old(folder)
    before = fingerprint(folder)
    time.sleep(0.02)
    (folder.path / "config.json").write_bytes(b"[]")
    make_old(folder)
    assert fingerprint(folder) != before


def test_a_file_that_has_gone_is_named(folder):
    (folder.path / "vocab.txt").unlink()
    with pytest.raises(FileNotFoundError, match=r"vocab\.txt"):
        fingerprint(folder)


def test_a_digest_does_not_change_with_versions_of_the_package(tmp_path):
    (tmp_path / "config.json").write_bytes(b"{}")
    (tmp_path / "model.safetensors").write_bytes(b"abc")
    folder = ModelFolder("m", tmp_path, ("model.safetensors",), ("config.json",))
    assert fingerprint(folder) == "1c5216b262dd49362c5e30a81de1532c"


@pytest.fixture
def pair(tiny_model):
    path = tiny_model("bert")
    return AutoModel.from_pretrained(path), AutoTokenizer.from_pretrained(path)


def test_pairs_of_the_same_content_have_the_same_fingerprint(pair, tiny_model):
    path = tiny_model("bert")
    other = AutoModel.from_pretrained(path), AutoTokenizer.from_pretrained(path)
    assert fingerprint_pair(*pair) == fingerprint_pair(*other)


def test_a_head_does_not_matter(pair, tmp_path):
    model, tokenizer = pair
    model.pooler = None
    with_head = BertForMaskedLM(model.config).eval()
    with_head.bert.load_state_dict(model.state_dict())
    assert fingerprint_pair(with_head, tokenizer) == fingerprint_pair(model, tokenizer)


@pytest.mark.parametrize("how", ["in place", "replaced", "by an optimiser"])
def test_a_changed_weight_changes_the_fingerprint_of_a_pair(pair, how):
    model, tokenizer = pair
    before = fingerprint_pair(model, tokenizer)
    weight = model.encoder.layer[-1].output.dense.weight
    if how == "in place":
        with torch.no_grad():
            weight[0, 0] += 1
    elif how == "replaced":
        changed = torch.nn.Parameter(weight.detach().clone())
        changed.data[0, 0] += 1
        model.encoder.layer[-1].output.dense.weight = changed
    else:
        weight.sum().backward()
        torch.optim.SGD([weight], lr=0.1).step()
    assert fingerprint_pair(model, tokenizer) != before


def test_the_weights_of_a_pair_are_read_once(pair, monkeypatch):
    from skembed.networks.huggingface import _pair

    before = fingerprint_pair(*pair)
    monkeypatch.setattr(_pair, "_bytes_of", None)
    assert fingerprint_pair(*pair) == before


def test_settings_change_the_fingerprint_of_a_pair(pair):
    model, tokenizer = pair
    before = fingerprint_pair(model, tokenizer)
    model.config.hidden_act = "relu"
    assert fingerprint_pair(model, tokenizer) != before


def test_the_dtype_changes_the_fingerprint_of_a_pair(pair):
    model, tokenizer = pair
    before = fingerprint_pair(model, tokenizer)
    assert fingerprint_pair(model.to(torch.float64), tokenizer) != before


def test_what_is_only_returned_does_not_matter(pair):
    model, tokenizer = pair
    before = fingerprint_pair(model, tokenizer)
    model.config.output_hidden_states = True
    model.config.name_or_path = "elsewhere"
    assert fingerprint_pair(model, tokenizer) == before


def test_the_tokenizer_matters_but_not_what_its_last_call_asked_for(pair):
    model, tokenizer = pair
    before = fingerprint_pair(model, tokenizer)
    tokenizer(["a b c", "d"], padding=True, truncation=True, max_length=3)
    assert fingerprint_pair(model, tokenizer) == before
    tokenizer.add_tokens(["zebrafish"])
    assert fingerprint_pair(model, tokenizer) != before


def test_a_pair_must_be_of_transformers(pair):
    model, tokenizer = pair
    with pytest.raises(TypeError, match="instead of a PreTrainedModel it holds a Lin"):
        fingerprint_pair(torch.nn.Linear(2, 2), tokenizer)
    with pytest.raises(TypeError, match="PreTrainedTokenizerBase it holds a str"):
        fingerprint_pair(model, "words")
