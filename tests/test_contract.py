"""Every public estimator keeps the contract that `skembed.testing` checks."""

import re
from functools import cache

import numpy as np
import pytest
from sklearn.base import clone

import skembed
from skembed import (
    BertLayerFeaturizer,
    CoVeFeaturizer,
    ELMoFeaturizer,
    FastTextVectorizer,
    GloVeVectorizer,
    PPMIVectorizer,
    SkipGramVectorizer,
    SubwordVectors,
    WordVectors,
)
from skembed.formats import write_lstm_encoder
from skembed.testing import parametrize_with_text_checks
from skembed.testing._corpus import corpus
from tests.tiny_cove import SelfTaughtCoVe, tiny_encoder

_WORDS = sorted(set(re.findall(r"\w+", " ".join(corpus()[0]).lower())))
# Some words of the suite have none, and one does not occur there.
PUBLISHED = WordVectors(
    [*_WORDS[:-5], "walrus"],
    np.random.default_rng(0).normal(size=(len(_WORDS) - 4, 8)),
)
PUBLISHED_NGRAMS = SubwordVectors(
    PUBLISHED.index_to_key,
    PUBLISHED.vectors,
    np.arange(50),
    np.random.default_rng(1).normal(size=(50, 8)),
    bucket=50,
)

# Models are named by their family here; a tuple stands for one that is loaded.
ESTIMATORS = [
    SkipGramVectorizer(min_count=1, vector_size=8, epochs=2, random_state=0),
    FastTextVectorizer(min_count=1, vector_size=8, epochs=2, random_state=0),
    GloVeVectorizer(min_count=1, vector_size=8, epochs=2, random_state=0),
    PPMIVectorizer(min_count=1, vector_size=8),
    SkipGramVectorizer(pretrained=PUBLISHED),
    GloVeVectorizer(pretrained=PUBLISHED),
    *(
        Vectorizer(
            pretrained=PUBLISHED, fine_tune=True, min_count=1, epochs=2, random_state=0
        )
        for Vectorizer in (SkipGramVectorizer, GloVeVectorizer)
    ),
    FastTextVectorizer(pretrained=PUBLISHED_NGRAMS),
    FastTextVectorizer(
        pretrained=PUBLISHED_NGRAMS,
        fine_tune=True,
        min_count=1,
        epochs=2,
        random_state=0,
    ),
    BertLayerFeaturizer("bert"),
    BertLayerFeaturizer(
        ("bert", "tokenizer"),
        layers="all",
        mixing="learned",
        pooling=("mean", "mean_sqrt_len"),
    ),
    ELMoFeaturizer("usual", max_vocab_size=50),
    ELMoFeaturizer("usual", max_vocab_size=50, dtype="int8"),
    ELMoFeaturizer(size=8, epochs=1, random_state=0, layers=(0, -1), mixing="concat"),
    CoVeFeaturizer(PUBLISHED, encoder="encoder.pth"),
    SelfTaughtCoVe(
        "vectors.safetensors",
        hidden_size=4,
        epochs=1,
        batch_size=32,
        random_state=0,
        layers=(1, 2),
        include_input=True,
        mixing="learned",
    ),
]


@pytest.fixture(scope="session")
def cove_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cove")
    PUBLISHED.save(folder / "vectors.safetensors")
    encoder = tiny_encoder(PUBLISHED.vector_size, hidden_size=4)
    write_lstm_encoder(folder / "encoder.pth", encoder)
    return folder


@pytest.fixture(scope="session")
def with_model(tiny_model, tiny_elmo_folder, cove_folder):
    """Return a function that gives an estimator the tiny model it names, if it does."""

    @cache
    def load(family):
        # Here, as it loads torch, which most tests do without.
        from transformers import AutoModel, AutoTokenizer

        folder = tiny_model(family)
        model = AutoModel.from_pretrained(folder).eval()
        return model, AutoTokenizer.from_pretrained(folder)

    def give(estimator):
        if isinstance(estimator, CoVeFeaturizer):
            files = {
                name: str(cove_folder / value)
                for name, value in estimator.get_params(deep=False).items()
                if name in ("vectors", "encoder") and isinstance(value, str)
            }
            return clone(estimator).set_params(**files)
        weights = estimator.get_params().get("weights")
        if weights is not None:
            return clone(estimator).set_params(weights=str(tiny_elmo_folder(weights)))
        model = estimator.get_params().get("model")
        if model is None:
            return estimator
        given = load(model[0]) if isinstance(model, tuple) else str(tiny_model(model))
        return clone(estimator).set_params(model=given)

    return give


@parametrize_with_text_checks(ESTIMATORS)
def test_the_contract_is_kept(with_model, estimator, check):
    check(with_model(estimator))


def test_every_public_estimator_is_checked():
    public = {
        name for name in skembed.__all__ if hasattr(getattr(skembed, name), "fit")
    }
    checked = {kind.__name__ for one in ESTIMATORS for kind in type(one).__mro__}
    assert public <= checked
