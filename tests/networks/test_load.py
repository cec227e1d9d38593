"""Weights and tokenizers, read from model folders."""

import json
import logging
import pickle
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    BartConfig,
    BartModel,
    T5Config,
    T5EncoderModel,
    T5ForConditionalGeneration,
)
from transformers.utils import logging as noise

from skembed.networks.huggingface._load import load_model, load_tokenizer
from skembed.networks.huggingface._source import find_model
from tests.tiny_models import FAMILIES


@pytest.fixture
def bert(tiny_model, tmp_path):
    """The path of a BERT that the test may spoil."""
    return shutil.copytree(tiny_model("bert"), tmp_path / "bert")


def load(path, **options):
    return load_model(find_model(path), **options)


def states(model, seed=0):
    """Run a model and return its layers, for a text as long as the model allows."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(10, 600, (1, 50), generator=generator)
    with torch.inference_mode():
        return model(input_ids=ids, output_hidden_states=True).hidden_states


def same(ours, theirs):
    pairs = zip(ours, theirs, strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("family", FAMILIES)
def test_layers_are_bit_for_bit_those_of_transformers(tiny_model, family):
    path = tiny_model(family)
    theirs = AutoModel.from_pretrained(path, dtype=torch.float32)
    assert same(states(load(path)), states(theirs))


@pytest.mark.parametrize("family", FAMILIES)
def test_weights_stay_in_the_file(tiny_model, family):
    path = tiny_model(family)
    model = load(path)
    mapped = mapped_ranges(path / "model.safetensors")
    outside = [
        name
        for name, weight in model.named_parameters()
        if not any(weight.data_ptr() in addresses for addresses in mapped)
    ]
    assert outside == []


def mapped_ranges(path):
    """Return the addresses where this process has mapped a file."""
    maps = Path("/proc/self/maps")
    if not maps.exists():
        pytest.skip("only Linux says what is mapped")
    lines = [
        line.split() for line in maps.read_text().splitlines() if str(path) in line
    ]
    return [range(*(int(x, 16) for x in line[0].split("-"))) for line in lines]


def test_a_loaded_model_is_for_use_and_not_for_training(tiny_model):
    model = load(tiny_model("bert"))
    assert not any(module.training for module in model.modules())
    assert not any(weight.requires_grad for weight in model.parameters())


@pytest.mark.parametrize(
    ("family", "kind"),
    [
        ("bert", AutoModelForMaskedLM),
        ("roberta", AutoModelForMaskedLM),
        ("distilbert", AutoModelForMaskedLM),
        ("modernbert", AutoModelForMaskedLM),
        ("gpt2", AutoModelForCausalLM),
        ("llama", AutoModelForCausalLM),
    ],
)
def test_of_a_model_with_a_head_the_rest_is_loaded(tiny_model, tmp_path, family, kind):
    with_head = kind.from_pretrained(tiny_model(family), dtype=torch.float32).eval()
    with_head.save_pretrained(tmp_path)
    model = load(tmp_path)
    assert type(model) is type(with_head.base_model)
    assert same(states(model), states(with_head.base_model))


def test_a_missing_pooler_is_no_matter_and_leaves_the_random_state_alone(bert):
    rewrite(bert, lambda weights: {k: weights[k] for k in weights if "pooler" not in k})
    before = torch.get_rng_state()
    model = load(bert)
    assert torch.equal(torch.get_rng_state(), before)
    assert same(states(model), states(AutoModel.from_pretrained(bert)))


def rewrite(path, change):
    """Save the weights again as `change` makes them."""
    file = path / "model.safetensors"
    weights = {name: x.clone() for name, x in load_file(file).items()}
    save_file(change(weights), file, {"format": "pt"})


@pytest.mark.parametrize("stored", [torch.float16, torch.bfloat16, torch.float64])
def test_weights_become_float32_whatever_is_stored(bert, stored):
    rewrite(bert, lambda weights: {k: x.to(stored) for k, x in weights.items()})
    set_config(bert, dtype=str(stored).removeprefix("torch."))
    model = load(bert)
    assert {weight.dtype for weight in model.parameters()} == {torch.float32}
    saved = load_file(bert / "model.safetensors")
    for name, weight in model.named_parameters():
        assert torch.equal(weight, saved[name].float())


def set_config(path, **changes):
    file = path / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def test_another_dtype_is_had_by_asking(bert):
    model = load(bert, dtype=torch.bfloat16)
    assert {weight.dtype for weight in model.parameters()} == {torch.bfloat16}
    assert torch.get_default_dtype() == torch.float32


def test_weights_in_several_files_are_put_together(bert):
    model = AutoModel.from_pretrained(bert)
    (bert / "model.safetensors").unlink()
    model.save_pretrained(bert, max_shard_size="50KB")
    assert len(find_model(bert).weights) > 2
    assert same(states(load(bert)), states(model))


def test_weights_that_torch_saved_are_read(bert):
    model = AutoModel.from_pretrained(bert)
    (bert / "model.safetensors").unlink()
    torch.save(model.state_dict(), bert / "pytorch_model.bin")
    assert same(states(load(bert)), states(model))


class Payload:
    def __reduce__(self):
        return print, ("this must not run",)


@pytest.mark.parametrize(
    "save", [torch.save, lambda x, f: f.write_bytes(pickle.dumps(x, 2))]
)
def test_code_in_a_file_of_weights_is_not_run(bert, save, capsys):
    (bert / "model.safetensors").unlink()
    save({"weight": Payload()}, bert / "pytorch_model.bin")
    with pytest.raises(ValueError, match=r"pytorch_model\.bin holds no whole model"):
        load(bert)
    assert capsys.readouterr().out == ""


def test_missing_weights_are_named_with_their_file(bert):
    lost = ["encoder.layer.1.output.dense.bias", "embeddings.LayerNorm.weight"]
    rewrite(bert, lambda weights: {k: weights[k] for k in weights if k not in lost})
    message = r"model\.safetensors .*: 2 weights are missing: embeddings\.LayerNorm\.we"
    with pytest.raises(ValueError, match=message):
        load(bert)


def test_weights_of_another_model_are_refused(bert, tiny_model):
    shutil.copy(tiny_model("gpt2") / "model.safetensors", bert)
    with pytest.raises(ValueError, match=r"weights are missing: .*, \.\.\."):
        load(bert)


def test_a_weight_of_another_shape_is_named_with_both_shapes(bert):
    set_config(bert, intermediate_size=48)
    with pytest.raises(ValueError, match=r"has the shape \(64,\) and not \(48,\)"):
        load(bert)


def test_a_model_that_lacks_a_layer_is_refused(bert):
    set_config(bert, num_hidden_layers=4)
    with pytest.raises(ValueError, match=r"16 weights are missing: encoder\.layer\.3"):
        load(bert)


@pytest.mark.parametrize("part", [0, 4, 8, 9, 500, 0.3, 0.9, -1])
def test_a_file_of_weights_that_is_cut_off_is_named(bert, part):
    file = bert / "model.safetensors"
    whole = file.read_bytes()
    file.write_bytes(whole[: int(part * len(whole)) if 0 < part < 1 else part])
    with pytest.raises(
        ValueError, match=r"model\.safetensors holds no whole"
    ) as caught:
        load(bert)
    assert len(str(caught.value)) < 600
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("part", [0, 10, 0.5, -1])
def test_a_cut_off_file_of_torch_is_named(bert, part):
    (bert / "model.safetensors").unlink()
    file = bert / "pytorch_model.bin"
    torch.save({"weight": torch.zeros(1000)}, file)
    whole = file.read_bytes()
    file.write_bytes(whole[: int(part * len(whole)) if 0 < part < 1 else part])
    with pytest.raises(ValueError, match=r"pytorch_model\.bin holds no whole model"):
        load(bert)


def test_a_pointer_of_git_lfs_is_called_what_it_is(bert):
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"
    (bert / "model.safetensors").write_bytes(pointer)
    with pytest.raises(ValueError, match="it is a pointer of git-lfs"):
        load(bert)


def test_random_bytes_are_no_weights(bert, rng):
    (bert / "model.safetensors").write_bytes(rng.bytes(5000))
    with pytest.raises(ValueError, match="holds no whole model"):
        load(bert)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": "own", "auto_map": {"AutoModel": "m.M"}}, "code of its own"),
        ({"model_type": "own"}, "newer version of transformers"),
        ({"model_type": None}, 'Write there .* "model_type": "bert"'),
        ({"hidden_size": "many"}, "makes no configuration of a 'bert'"),
    ],
)
def test_a_configuration_that_cannot_be_used_is_refused(bert, changes, message):
    set_config(bert, **changes)
    with pytest.raises(ValueError, match=message):
        load(bert)


def test_own_code_beside_a_known_model_is_not_run(bert):
    (bert / "own.py").write_text("raise SystemExit")
    classes = {"AutoConfig": "own.Config", "AutoModel": "own.Model"}
    set_config(bert, auto_map=classes)
    assert type(load(bert)).__name__ == "BertModel"


def tiny_t5(**changes):
    shape = {"vocab_size": 700, "d_model": 32, "d_kv": 8, "d_ff": 64, "num_heads": 4}
    return T5Config(**shape, num_layers=3, decoder_start_token_id=0, **changes)


@pytest.mark.parametrize("kind", [T5ForConditionalGeneration, T5EncoderModel])
def test_of_t5_the_encoder_is_loaded(tmp_path, kind):
    whole = kind(tiny_t5()).eval()
    whole.save_pretrained(tmp_path)
    model = load(tmp_path)
    assert same(states(model), states(whole.encoder))


def test_of_bart_the_encoder_is_loaded(tmp_path):
    sides = ("encoder", "decoder")
    shape = {f"{side}_{x}": n for side in sides for x, n in LAYERS.items()}
    whole = BartModel(BartConfig(vocab_size=700, d_model=32, **shape)).eval()
    whole.save_pretrained(tmp_path)
    model = load(tmp_path)
    assert same(states(model), states(whole.encoder))


LAYERS = {"layers": 2, "attention_heads": 4, "ffn_dim": 64}


def test_loading_shows_nothing(bert, capfd, caplog):
    rewrite(bert, lambda weights: {k: weights[k] for k in weights if "pooler" not in k})
    level = noise.get_verbosity()
    noise.set_verbosity(logging.INFO)
    noise.enable_propagation()
    try:
        load(bert)
        load_tokenizer(find_model(bert))
        assert noise.get_verbosity() == logging.INFO
    finally:
        noise.set_verbosity(level)
        noise.disable_propagation()
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []


@pytest.mark.parametrize("shows", [True, False])
def test_whether_progress_is_shown_stays_as_it_was(bert, shows):
    was_shown = noise.is_progress_bar_enabled()
    switches = {True: noise.enable_progress_bar, False: noise.disable_progress_bar}
    switches[shows]()
    try:
        load(bert)
        assert noise.is_progress_bar_enabled() == shows
    finally:
        switches[was_shown]()


@pytest.mark.parametrize("family", FAMILIES)
def test_tokenizers_are_those_of_transformers(tiny_model, family):
    from transformers import AutoTokenizer

    path = tiny_model(family)
    text = "The teacher's students learn philosophy."
    tokenizer = load_tokenizer(find_model(path))
    assert tokenizer.is_fast
    expected = AutoTokenizer.from_pretrained(path)(text)["input_ids"]
    assert tokenizer(text)["input_ids"] == expected


def test_without_a_vocabulary_there_is_no_tokenizer(bert):
    (bert / "tokenizer.json").unlink()
    with pytest.raises(ValueError, match=r"holds no tokenizer .* give the `tokenizer`"):
        load_tokenizer(find_model(bert))


@pytest.mark.parametrize("content", ["", "{", "{}", '{"model": 3}'])
def test_a_damaged_tokenizer_is_told_with_its_folder(bert, content):
    (bert / "tokenizer.json").write_text(content)
    with pytest.raises(ValueError, match=r"bert cannot be loaded: \w+") as caught:
        load_tokenizer(find_model(bert))
    assert "\n" not in str(caught.value)


def test_a_model_on_another_device_is_moved_whole(tiny_model):
    device = "cuda" if torch.cuda.is_available() else "meta"
    model = load(tiny_model("llama"), device=device)
    tensors = [*model.parameters(), *model.buffers()]
    assert {tensor.device.type for tensor in tensors} == {device}
