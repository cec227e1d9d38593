"""Which folder a model's name stands for."""

import json
from pathlib import Path

import pytest

from skembed.networks.huggingface._source import find_model


@pytest.fixture
def folder(tmp_path):
    """A folder with the files of a model, with little in them."""
    folder = tmp_path / "model"
    write_model(folder)
    return folder


def write_model(folder):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text('{"model_type": "bert"}')
    (folder / "model.safetensors").write_bytes(b"weights")
    (folder / "tokenizer.json").write_text("{}")
    (folder / "tokenizer_config.json").write_text("{}")


def write_sentence_model(root, path="", *modules, settings="{}"):
    write_model(root / path)
    (root / path / "sentence_bert_config.json").write_text(settings)
    kinds = ["Transformer", *modules]
    listed = [
        {"idx": i, "path": path if i == 0 else f"{i}_{kind}", "type": f"st.{kind}"}
        for i, kind in enumerate(kinds)
    ]
    (root / "modules.json").write_text(json.dumps(listed))


def test_a_folder_is_found_with_its_weights_and_settings(folder):
    found = find_model(folder)
    assert found.path == folder
    assert found.weights == ("model.safetensors",)
    assert found.settings == ("config.json", "tokenizer.json", "tokenizer_config.json")
    assert found.files == tuple(sorted(found.weights + found.settings))
    assert found.has_tokenizer
    assert (found.max_length, found.lowercase, found.further_modules) == (
        None,
        False,
        (),
    )


def test_a_folder_may_be_given_as_str_relative_or_from_home(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    monkeypatch.setenv("HOME", str(folder.parent))
    for name in (str(folder), "model", "./model", "~/model"):
        assert find_model(name).path.resolve() == folder.resolve()


def test_files_that_do_not_matter_are_left_out(folder):
    for name in ("README.md", "training_args.bin", "optimizer.pt", "tf_model.h5"):
        (folder / name).write_text("x")
    (folder / "vocab.d").mkdir()
    assert len(find_model(folder).files) == 4


def test_safetensors_go_before_what_pickle_reads(folder):
    (folder / "pytorch_model.bin").write_bytes(b"weights")
    assert find_model(folder).weights == ("model.safetensors",)
    (folder / "model.safetensors").unlink()
    assert find_model(folder).weights == ("pytorch_model.bin",)


def write_index(folder, *shards):
    index = {"weight_map": {f"weight{i}": name for i, name in enumerate(shards)}}
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def test_all_files_of_an_index_belong_to_the_weights(folder):
    write_index(folder, "b.safetensors", "a.safetensors", "b.safetensors")
    for name in "ab":
        (folder / f"{name}.safetensors").write_bytes(b"weights")
    found = find_model(folder)
    assert found.weights[1:] == ("a.safetensors", "b.safetensors")
    assert "model.safetensors.index.json" in found.files


def test_a_missing_file_of_an_index_is_named(folder):
    write_index(folder, "a.safetensors", "b.safetensors")
    (folder / "a.safetensors").write_bytes(b"weights")
    with pytest.raises(FileNotFoundError, match=r"^b\.safetensors is missing"):
        find_model(folder)


@pytest.mark.parametrize("shards", [[], ["../model.safetensors"]])
def test_an_index_must_name_files_of_its_folder(folder, shards):
    write_index(folder, *shards)
    with pytest.raises(ValueError, match="must name files of weights in its folder"):
        find_model(folder)


@pytest.mark.parametrize("path", ["", "0_Transformer"])
def test_the_transformer_of_a_sentence_transformers_folder_is_found(tmp_path, path):
    settings = '{"max_seq_length": 128, "do_lower_case": true}'
    write_sentence_model(tmp_path, path, "Pooling", "Dense", settings=settings)
    found = find_model(tmp_path)
    assert found.path == tmp_path / path
    assert found.max_length == 128
    assert found.lowercase
    assert found.further_modules == ("Pooling", "Dense")
    assert "sentence_bert_config.json" in found.files


def test_without_a_length_in_the_sentence_settings_there_is_none(tmp_path):
    write_sentence_model(tmp_path, settings='{"max_seq_length": null}')
    assert find_model(tmp_path).max_length is None


def test_a_first_module_that_is_no_transformer_is_named(tmp_path):
    write_sentence_model(tmp_path)
    modules = '[{"path": "0_Words", "type": "st.models.WordEmbeddings"}]'
    (tmp_path / "modules.json").write_text(modules)
    with pytest.raises(FileNotFoundError, match=r"hold a st\.models\.WordEmbeddings"):
        find_model(tmp_path)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("modules.json", "[", "modules.json must be JSON"),
        ("modules.json", "{}", "modules.json must hold a JSON list"),
        ("modules.json", '[{"path": ""}]', "a path and a type"),
        ("sentence_bert_config.json", "[]", "must hold a JSON dict"),
        ("sentence_bert_config.json", '{"max_seq_length": 0}', "must be positive"),
        ("sentence_bert_config.json", '{"max_seq_length": "9"}', "must be positive"),
        ("modules.json", "[" * 100_000, "modules.json must be JSON"),
    ],
)
def test_settings_that_make_no_sense_are_refused(tmp_path, file, content, message):
    write_sentence_model(tmp_path)
    (tmp_path / file).write_text(content)
    with pytest.raises(ValueError, match=message):
        find_model(tmp_path)


def test_settings_that_are_no_text_are_refused(tmp_path):
    write_sentence_model(tmp_path)
    (tmp_path / "modules.json").write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match=r"modules\.json must be JSON in UTF-8"):
        find_model(tmp_path)


def test_an_empty_folder_is_said_to_be_empty(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"config\.json is missing .* empty"):
        find_model(tmp_path)


def test_a_folder_without_configuration_is_told_by_what_it_holds(folder):
    (folder / "config.json").unlink()
    message = "config.json is missing .* model.safetensors, tokenizer.json"
    with pytest.raises(FileNotFoundError, match=message):
        find_model(folder)


def test_a_folder_without_weights_is_told_by_what_it_holds(folder):
    (folder / "model.safetensors").rename(folder / "flax_model.msgpack")
    message = r"model.safetensors or pytorch_model.bin is missing .* flax_model.msgpack"
    with pytest.raises(FileNotFoundError, match=message):
        find_model(folder)


def test_an_adapter_is_not_left_out_in_silence(folder):
    (folder / "adapter_config.json").write_text("{}")
    with pytest.raises(ValueError, match=r"holds an adapter.*merge_and_unload"):
        find_model(folder)


@pytest.mark.parametrize("kind", [str, Path])
def test_a_path_that_does_not_exist_is_named_in_one_short_error(tmp_path, kind):
    with pytest.raises(FileNotFoundError, match=r"There is no folder .*gone") as caught:
        find_model(kind(tmp_path / "gone"))
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert len(str(caught.value)) < 500


def test_a_file_is_no_folder(folder):
    with pytest.raises(FileNotFoundError, match=r"config\.json is a file"):
        find_model(folder / "config.json")


@pytest.mark.parametrize("name", ["", "a/b/c", "../x", "with space", "~nobody/x"])
def test_what_can_be_no_hub_id_is_not_asked_for_there(name, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("huggingface_hub.snapshot_download", None)
    with pytest.raises(FileNotFoundError, match=r"There is no folder|is missing"):
        find_model(name)


def test_a_folder_has_no_revision(folder):
    with pytest.raises(ValueError, match="revision must be None for a local folder"):
        find_model(folder, "main")
