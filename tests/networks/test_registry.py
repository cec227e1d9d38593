"""Loaded models: kept, shared between processes, taken over, packed."""

import gc
import os
import pickle
import shutil
import subprocess
import sys
import threading
import time
import weakref
from pathlib import Path

import pytest
import torch
from transformers import (
    AutoModel,
    AutoModelForMaskedLM,
    AutoTokenizer,
    T5Config,
    T5ForConditionalGeneration,
)

from skembed.networks.huggingface import _pack
from skembed.networks.huggingface._fingerprint import fingerprint
from skembed.networks.huggingface._load import load_model
from skembed.networks.huggingface._pack import pack_folder, pack_pair, unpack
from skembed.networks.huggingface._pair import adopt
from skembed.networks.huggingface._registry import (
    Registry,
    clear_loaded,
    loaded_config,
    loaded_model,
    loaded_tokenizer,
)
from skembed.networks.huggingface._source import find_model
from tests.networks.test_load import same, states
from tests.tiny_models import save_tiny

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _nothing_loaded():
    clear_loaded()
    yield
    clear_loaded()


def test_a_model_is_loaded_once(tiny_model):
    first = loaded_model(find_model(tiny_model("bert")))
    assert loaded_model(find_model(str(tiny_model("bert")))) is first
    assert loaded_model(find_model(tiny_model("bert")), device="cpu") is first


def test_a_copy_of_the_folder_is_the_same_model(tiny_model, tmp_path):
    first = find_model(tiny_model("bert"))
    copy = find_model(shutil.copytree(first.path, tmp_path / "copy"))
    assert loaded_model(copy) is loaded_model(first)
    assert loaded_tokenizer(copy) is loaded_tokenizer(first)
    assert loaded_config(copy) is loaded_config(first)
    settings = copy.path / "config.json"
    settings.write_text(settings.read_text().replace('"pad_token_id"', '"other"'))
    assert loaded_config(copy) is not loaded_config(first)


def test_a_tokenizer_saved_to_truncate_and_pad_is_loaded_without(tiny_model, tmp_path):
    folder = shutil.copytree(tiny_model("bert"), tmp_path / "cutting")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.backend_tokenizer.enable_truncation(4)
    tokenizer.backend_tokenizer.enable_padding(length=4)
    tokenizer.save_pretrained(folder)
    backend = loaded_tokenizer(find_model(folder)).backend_tokenizer
    assert backend.truncation is None
    assert backend.padding is None
    assert AutoTokenizer.from_pretrained(folder).backend_tokenizer.truncation


def test_another_dtype_is_another_model(tiny_model):
    folder = find_model(tiny_model("bert"))
    assert loaded_model(folder, dtype=torch.bfloat16).dtype == torch.bfloat16
    assert loaded_model(folder).dtype == torch.float32


def test_a_folder_that_has_changed_is_loaded_anew(tmp_path):
    save_tiny("bert", tmp_path, seed=0)
    first = loaded_model(find_model(tmp_path))
    save_tiny("bert", tmp_path, seed=1)
    second = loaded_model(find_model(tmp_path))
    assert not same(states(first), states(second))


def test_the_models_used_last_are_kept(tiny_model):
    folders = [find_model(tiny_model(family)) for family in ("bert", "gpt2", "mpnet")]
    models = [loaded_model(folder) for folder in folders[:2]]
    assert loaded_model(folders[0]) is models[0]
    loaded_model(folders[2])
    assert loaded_model(folders[0]) is models[0]
    assert loaded_model(folders[1]) is not models[1]


def test_what_is_dropped_is_freed(tiny_model):
    model = weakref.ref(loaded_model(find_model(tiny_model("bert"))))
    clear_loaded()
    gc.collect()
    assert model() is None


def test_threads_that_ask_at_once_share_one():
    registry, made = Registry(n_kept=2), []
    barrier = threading.Barrier(8)

    def make():
        time.sleep(0.05)
        made.append(object())
        return made[-1]

    results = []

    def ask():
        barrier.wait()
        results.append(registry.get("key", make))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert results == made * 8


def test_making_one_does_not_keep_others_waiting():
    registry = Registry(n_kept=2)
    begun, go_on = threading.Event(), threading.Event()

    def slowly():
        begun.set()
        return go_on.wait(timeout=60)

    thread = threading.Thread(target=registry.get, args=("slow", slowly))
    thread.start()
    begun.wait(timeout=60)
    assert registry.get("fast", lambda: "made") == "made"
    go_on.set()
    thread.join()
    assert registry.get("slow", lambda: "made again") is True


def test_after_a_failure_the_next_one_tries_again():
    registry = Registry(n_kept=2)
    with pytest.raises(ZeroDivisionError):
        registry.get("key", lambda: 1 // 0)
    assert registry.get("key", lambda: "made") == "made"


LOAD_AND_WAIT = """
import sys
from skembed.networks.huggingface._load import load_model
from skembed.networks.huggingface._source import find_model

def anonymous_kb():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if "RssAnon" in line)

folder = find_model(sys.argv[1])
import torch
from transformers import AutoModel, BertModel
load_model(find_model(sys.argv[2]))
before = anonymous_kb()
model = load_model(folder)
total = sum(float(weight.sum()) for weight in model.parameters())
print(anonymous_kb() - before, total, flush=True)
sys.stdin.readline()
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="needs Linux")
def test_processes_hold_one_copy_of_the_weights(tmp_path, tiny_model):
    path = save_tiny("bert", tmp_path / "large", width=512, n_layers=4)
    size_kb = (path / "model.safetensors").stat().st_size / 1024
    command = [sys.executable, "-c", LOAD_AND_WAIT, str(path), str(tiny_model("bert"))]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    processes = [subprocess.Popen(command, env=environment, **pipes) for _ in range(2)]
    try:
        own_kb = [float(process.stdout.readline().split()[0]) for process in processes]
        shares_kb = [proportional_kb(process.pid, path) for process in processes]
    finally:
        for process in processes:
            process.communicate("\n")
    assert size_kb > 20_000
    assert 0.9 * size_kb < sum(shares_kb) < 1.1 * size_kb
    assert max(shares_kb) < 0.6 * size_kb
    assert max(own_kb) < 0.2 * size_kb


def proportional_kb(pid, path):
    """Return a process' share of the memory that holds a file's content."""
    total, inside = 0, False
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        fields = line.split()
        if not fields[0].endswith(":"):
            inside = line.endswith(f"{path}/model.safetensors")
        elif inside and fields[0] == "Pss:":
            total += int(fields[1])
    return total


def test_a_loaded_model_is_taken_over_without_head_or_copy(tiny_model):
    with_head = AutoModelForMaskedLM.from_pretrained(tiny_model("bert")).train()
    base = adopt(with_head)
    expected = states(with_head.bert.eval())
    with_head.train()
    assert same(states(base), expected)
    ours = {name: x.data_ptr() for name, x in base.named_parameters()}
    theirs = {name: x.data_ptr() for name, x in with_head.bert.named_parameters()}
    assert ours == theirs


def test_taking_a_model_over_changes_nothing_in_it(tiny_model):
    given = AutoModel.from_pretrained(tiny_model("bert")).train()
    adopt(given)
    moved = adopt(given, dtype=torch.bfloat16)
    assert {x.dtype for x in moved.parameters()} == {torch.bfloat16}
    assert all(module.training for module in given.modules())
    assert all(x.requires_grad for x in given.parameters())
    assert {x.dtype for x in given.parameters()} == {torch.float32}


@pytest.mark.parametrize("family", ["llama", "deberta", "modernbert"])
def test_a_model_that_was_taken_over_gives_the_same_layers(tiny_model, family):
    given = AutoModel.from_pretrained(tiny_model(family)).eval()
    assert same(states(adopt(given)), states(given))


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "skembed" / "models"


def test_a_packed_model_comes_back_from_a_pickle(tiny_model, cache):
    folder = find_model(tiny_model("bert"))
    back = unpack(pickle.loads(pickle.dumps(pack_folder(folder))))
    assert back.path == cache / fingerprint(folder)
    assert fingerprint(back) == fingerprint(folder)
    assert loaded_model(back) is loaded_model(folder)
    assert [entry.name for entry in cache.iterdir()] == [fingerprint(folder)]


def test_a_pair_is_packed_without_its_head(tiny_model, cache):
    path = tiny_model("bert")
    with_head = AutoModelForMaskedLM.from_pretrained(path).eval()
    tokenizer = AutoTokenizer.from_pretrained(path)
    back = unpack(pack_pair(with_head, tokenizer))
    assert same(states(loaded_model(back)), states(with_head.bert))
    text = "Cells divide."
    assert loaded_tokenizer(back)(text)["input_ids"] == tokenizer(text)["input_ids"]


def test_a_packed_encoder_and_decoder_comes_back_as_its_encoder(tiny_model, cache):
    tokenizer = AutoTokenizer.from_pretrained(tiny_model("bert"))
    shape = {"vocab_size": 700, "d_model": 32, "d_kv": 8, "d_ff": 64, "num_heads": 4}
    config = T5Config(**shape, num_layers=2, decoder_start_token_id=0)
    whole = T5ForConditionalGeneration(config).eval()
    back = unpack(pack_pair(whole, tokenizer))
    assert same(states(loaded_model(back)), states(whole.encoder))
    assert same(states(adopt(whole)), states(whole.encoder))


def test_packing_a_pair_shows_nothing(tiny_model, capfd):
    path = tiny_model("bert")
    model, tokenizer = load_model(find_model(path)), AutoTokenizer.from_pretrained(path)
    capfd.readouterr()
    pack_pair(model, tokenizer)
    assert capfd.readouterr() == ("", "")


def test_what_is_unpacked_already_is_not_written_again(tiny_model, cache, monkeypatch):
    files = pack_folder(find_model(tiny_model("bert")))
    first = unpack(files)
    monkeypatch.setattr(_pack, "_put", None)
    assert unpack(files) == first


@pytest.mark.parametrize("damage", ["changed", "cut off", "missing", "empty"])
def test_a_damaged_copy_gives_way_to_a_whole_one(tiny_model, cache, damage):
    folder = find_model(tiny_model("bert"))
    file = unpack(pack_folder(folder)).path / "model.safetensors"
    content = file.read_bytes()
    if damage == "missing":
        file.unlink()
    elif damage == "empty":
        shutil.rmtree(file.parent)
        file.parent.mkdir()
    else:
        changed = content[:-1] + bytes([content[-1] ^ 1])
        file.write_bytes(changed if damage == "changed" else content[:-1])
    back = unpack(pack_folder(folder))
    assert back.path.parent == cache
    assert fingerprint(back) == fingerprint(folder)
    assert len(list(cache.iterdir())) == 1


def test_without_a_place_to_write_a_temporary_folder_serves(
    tiny_model, cache, monkeypatch, tmp_path
):
    folder = find_model(tiny_model("bert"))
    # In the way of the folder; permissions would not hold a superuser back.
    (tmp_path / "cache").write_text("a file")
    monkeypatch.setattr(_pack, "_process_cache", lambda: tmp_path / "temporary")
    back = unpack(pack_folder(folder))
    assert back.path.parent == tmp_path / "temporary"
    assert fingerprint(back) == fingerprint(folder)


@pytest.mark.slow
def test_the_temporary_folder_goes_with_the_process(tmp_path):
    code = (
        "from skembed.networks.huggingface._pack import _process_cache;"
        "(_process_cache() / 'x').mkdir(); print(_process_cache())"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(str(tmp_path))
    assert not Path(done.stdout.strip()).exists()


def test_leftovers_of_killed_processes_are_removed(tiny_model, cache):
    old, new = cache / ".old.tmp", cache / ".new.tmp"
    for folder in (old, new):
        folder.mkdir(parents=True)
    os.utime(old, (1e9, 1e9))
    unpack(pack_folder(find_model(tiny_model("bert"))))
    assert not old.exists()
    assert new.exists()


def test_threads_that_unpack_at_once_leave_one_copy(tiny_model, cache):
    folder = find_model(tiny_model("bert"))
    files, paths = pack_folder(folder), []
    threads = [
        threading.Thread(target=lambda: paths.append(unpack(files).path))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert paths == [cache / fingerprint(folder)] * 4
    assert len(list(cache.iterdir())) == 1
