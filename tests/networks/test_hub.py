"""Models by their hub id, without a network."""

import os
import traceback

import huggingface_hub
import pytest
from huggingface_hub import constants, errors

from skembed.networks.huggingface._source import find_model
from tests.networks.test_source import write_model

COMMIT = "0123456789abcdef0123456789abcdef01234567"
NAME = "someone/small-model"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache of the hub, which is to be asked offline only."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return tmp_path


def write_snapshot(cache, commit=COMMIT):
    """Write a model as a download leaves it behind."""
    root = cache / f"models--{NAME.replace('/', '--')}"
    (root / "refs").mkdir(parents=True, exist_ok=True)
    (root / "refs" / "main").write_text(commit)
    write_model(root / "snapshots" / commit)
    return root / "snapshots" / commit


@pytest.fixture
def hub(cache, monkeypatch):
    """A hub that has answers: a folder for each download, or an error."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    hub = Hub(huggingface_hub.snapshot_download)
    monkeypatch.setattr("huggingface_hub.snapshot_download", hub.snapshot_download)
    return hub


class Hub:
    def __init__(self, from_cache):
        self.from_cache = from_cache
        self.answers = []
        self.asked = []

    def snapshot_download(self, name, *, local_files_only=False, **options):
        if local_files_only:
            return self.from_cache(name, local_files_only=True, **options)
        self.asked.append(options)
        answer = self.answers[min(len(self.asked), len(self.answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return str(answer)


def test_a_model_in_the_cache_is_found_offline(cache):
    path = write_snapshot(cache)
    found = find_model(NAME)
    assert (found.name, found.path, found.revision) == (NAME, path, COMMIT)
    assert find_model(NAME, COMMIT).path == path


def test_a_model_in_the_cache_is_taken_without_asking_the_hub(cache, hub):
    write_snapshot(cache)
    find_model(NAME)
    assert hub.asked == []


def test_another_revision_is_asked_for(cache, hub):
    write_snapshot(cache)
    hub.answers = [write_snapshot(cache, "f" * 40)]
    assert find_model(NAME, "v2").revision == "f" * 40
    assert [options["revision"] for options in hub.asked] == ["v2"]


def test_only_what_is_needed_is_downloaded(cache, hub):
    from huggingface_hub.utils import filter_repo_objects

    hub.answers = [write_snapshot(cache)]
    (hub.answers[0].parents[1] / "refs" / "main").unlink()
    find_model(NAME)
    wanted = ["config.json", "model.safetensors", "model-00001-of-2.safetensors"]
    wanted += ["0_Transformer/model.safetensors", "modules.json", "vocab.txt"]
    wanted += ["sentence_bert_config.json", "spiece.model", "merges.txt"]
    other = ["README.md", "tf_model.h5", "onnx/model.onnx", "pytorch_model.bin"]
    other += ["modeling_own.py", "2_Dense/model.safetensors", "flax_model.msgpack"]
    patterns = hub.asked[0]["allow_patterns"]
    assert list(filter_repo_objects(wanted + other, allow_patterns=patterns)) == wanted


def test_weights_for_pickle_are_downloaded_if_there_are_no_others(cache, hub):
    path = write_snapshot(cache)
    bare = cache / "bare" / COMMIT
    write_model(bare)
    (bare / "model.safetensors").unlink()
    (path / "model.safetensors").rename(path / "pytorch_model.bin")
    (path.parents[1] / "refs" / "main").unlink()
    hub.answers = [bare, path]
    assert find_model(NAME).weights == ("pytorch_model.bin",)
    assert "pytorch_model*.bin" not in hub.asked[0]["allow_patterns"]
    assert "pytorch_model*.bin" in hub.asked[1]["allow_patterns"]


@pytest.mark.parametrize("lacking", ["model.safetensors", "tokenizer.json"])
def test_what_the_cache_lacks_is_downloaded(cache, hub, lacking):
    (write_snapshot(cache) / lacking).unlink()
    whole = cache / "whole" / COMMIT
    write_model(whole)
    hub.answers = [whole]
    assert find_model(NAME).path == whole


def test_without_a_tokenizer_anywhere_the_model_is_still_found(cache):
    (write_snapshot(cache) / "tokenizer.json").unlink()
    assert not find_model(NAME).has_tokenizer


def test_a_download_that_was_interrupted_serves_if_it_will_do(cache, monkeypatch):
    path = write_snapshot(cache)

    def snapshot_download(name, **options):
        msg = "vocab.txt is missing"
        raise errors.IncompleteSnapshotError(msg, str(path))

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot_download)
    assert find_model(NAME).path == path


def test_the_cache_that_lacks_weights_is_told_offline(cache):
    (write_snapshot(cache) / "model.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match=r"in the cache .* it lacks files"):
        find_model(NAME)


def refusal(**options):
    """Return the error for a model that cannot be had, as it is shown."""
    with pytest.raises(FileNotFoundError) as caught:
        find_model(NAME, **options)
    shown = traceback.format_exception(caught.value)
    assert sum("Traceback" in line for line in shown) == 1
    return str(caught.value)


def test_offline_the_hub_is_not_asked_and_the_error_says_so(cache, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    message = refusal()
    assert NAME in message
    assert str(cache) in message
    assert "HF_HUB_OFFLINE" in message
    assert f"hf download {NAME}" in message


def test_the_variable_counts_even_if_it_is_set_after_the_import(hub, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert "the network was not tried" in refusal()
    assert hub.asked == []


def test_local_files_only_leaves_the_network_alone(hub):
    assert "the network was not tried" in refusal(local_files_only=True)
    assert hub.asked == []


class ConnectError(errors.HTTPError):
    """What the library under the hub's raises, whatever its name is."""


@pytest.mark.parametrize(
    "error",
    [
        ConnectError("[Errno -2] Name or service not known"),
        ConnectionError("refused"),
        TimeoutError(),
        errors.OfflineModeIsEnabled("offline"),
        errors.LocalEntryNotFoundError("An error happened\nwhile trying"),
        OSError("proxy"),
        RuntimeError("anything"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_hub_that_cannot_be_reached_gives_one_short_error(hub, error):
    hub.answers = [error]
    message = refusal()
    assert type(error).__name__ in message
    assert "\n" not in message
    assert len(message) < 800
    assert len(hub.asked) == 1


def test_a_hub_that_refuses_to_connect_gives_one_short_error(hub, monkeypatch):
    monkeypatch.setattr(huggingface_hub, "snapshot_download", hub.from_cache)
    # Nothing listens at this port.
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    assert "ConnectError" in refusal()


def test_a_revision_that_cannot_be_had_is_named(hub):
    hub.answers = [ConnectionError("refused")]
    assert "(revision 'v9')" in refusal(revision="v9")


def test_a_model_on_the_hub_without_weights_is_told(cache, hub):
    bare = cache / "bare" / COMMIT
    write_model(bare)
    (bare / "model.safetensors").unlink()
    hub.answers = [bare]
    message = refusal()
    assert "what the hub sent lacks files" in message
    assert "model.safetensors or pytorch_model.bin is missing" in message


def test_an_interrupt_while_downloading_is_not_swallowed(hub, monkeypatch):
    def interrupted(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("skembed.networks.huggingface._hub._download", interrupted)
    with pytest.raises(KeyboardInterrupt):
        find_model(NAME)


def test_a_folder_goes_before_a_hub_model_of_the_same_name(
    cache, hub, tmp_path, monkeypatch
):
    write_snapshot(cache)
    monkeypatch.chdir(tmp_path)
    write_model(tmp_path / NAME)
    assert os.fspath(find_model(NAME).path) == NAME
