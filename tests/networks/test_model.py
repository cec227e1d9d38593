import json
import shutil

import numpy as np
import pytest
import torch
from transformers import (
    AutoModel,
    AutoTokenizer,
    BertConfig,
    CLIPConfig,
    CLIPVisionConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaModel,
)

from skembed._ragged import Ragged
from skembed.networks.huggingface import named_model
from tests.reference.states import assert_close


@pytest.fixture
def sentence_model(tiny_model, tmp_path):
    """A model that sentence-transformers has saved with shorter texts than it reads."""
    folder = tmp_path / "model"
    shutil.copytree(tiny_model("bert"), folder)
    (folder / "modules.json").write_text(
        json.dumps([{"path": "", "type": "sentence_transformers.models.Transformer"}])
    )
    settings = {"max_seq_length": 20, "do_lower_case": False}
    (folder / "sentence_bert_config.json").write_text(json.dumps(settings))
    return folder


def test_windows_are_as_long_as_the_model_can_read(tiny_model):
    assert named_model(tiny_model("bert")).longest() == (64, 64)


def test_what_was_saved_is_the_default_and_no_limit(sentence_model):
    assert named_model(sentence_model).longest() == (20, 64)


def test_positions_that_are_kept_for_padding_do_not_count(tiny_model):
    model = named_model(tiny_model("roberta"))
    positions = model.config().max_position_embeddings
    assert model.longest()[1] == positions - 2


def picture_and_text_model(tokenizer):
    sizes = {"hidden_size": 32, "num_attention_heads": 2, "intermediate_size": 64}
    text = LlamaConfig(vocab_size=len(tokenizer), num_hidden_layers=3, **sizes)
    pictures = CLIPVisionConfig(
        num_hidden_layers=1, image_size=32, patch_size=16, **sizes
    )
    torch.manual_seed(0)
    return LlavaModel(LlavaConfig(text_config=text, vision_config=pictures)).eval()


def test_of_a_model_of_pictures_and_texts_the_layers_of_texts_are_taken(tiny_model):
    tokenizer = AutoTokenizer.from_pretrained(tiny_model("llama"))
    model = picture_and_text_model(tokenizer)
    named = named_model((model, tokenizer))
    assert named.config().num_hidden_layers == 3
    network = named.network(torch.device("cpu"), torch.float32)
    ids = Ragged.from_lengths(np.array([5, 6, 7, 8], np.int32), [3, 1])
    found = {}
    network.run(ids, 3, lambda layer, states: found.update({layer: states.clone()}))
    with torch.inference_mode():
        expected = model(torch.tensor([[5, 6, 7]]), output_hidden_states=True)
    assert sorted(found) == [0, 1, 2, 3]
    for layer, states in enumerate(expected.hidden_states):
        assert_close(found[layer][:3].numpy(), states[0].numpy())


def test_a_configuration_without_sizes_of_a_text_network_is_told(
    tiny_model, monkeypatch
):
    pair = [
        kind.from_pretrained(tiny_model("bert")) for kind in (AutoModel, AutoTokenizer)
    ]
    named = named_model(tuple(pair))
    assert named.config().num_hidden_layers > 0
    monkeypatch.setattr(BertConfig, "get_text_config", lambda _: CLIPConfig())
    with pytest.raises(ValueError, match=r"\(BertConfig\).*Choose the model of text"):
        named.config()
