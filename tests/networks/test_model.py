import json
import shutil

import pytest

from skembed.networks.huggingface import named_model


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
