import pytest
from transformers import AutoTokenizer

from tests.tiny_models import FAMILIES


@pytest.fixture(scope="session")
def load_tokenizer(tiny_model):
    tokenizers = {}

    def load_once(family):
        if family not in tokenizers:
            tokenizers[family] = AutoTokenizer.from_pretrained(tiny_model(family))
        return tokenizers[family]

    return load_once


@pytest.fixture(params=FAMILIES)
def tokenizer(request, load_tokenizer):
    return load_tokenizer(request.param)


@pytest.fixture
def long_texts(rng):
    words = ["the", "of", "teacher's", "history,", "(and)", "atoms", "中文", "quickly"]
    return [" ".join(rng.choice(words, size=n)) for n in (1, 30, 0, 90, 7, 301)]
