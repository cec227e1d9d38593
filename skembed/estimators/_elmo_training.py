"""From documents to a bidirectional language model that was trained on them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from sklearn.utils import check_random_state

from skembed.estimators._elmo_words import numbered
from skembed.estimators._network_training import (
    NetworkTraining,
    draw_seed,
    train_network,
)
from skembed.formats import ElmoArrays, elmo_options
from skembed.networks.elmo import ElmoModel, named_elmo, packed_elmo
from skembed.text import Vocabulary, character_ids
from skembed.training.bilm import (
    BiLMArchitecture,
    BiLMConfig,
    BiLMModel,
    BiLMResult,
    train_bilm,
)

PUBLISHED_SIZES = ("small", "medium", "original")


class TrainingParameters(NetworkTraining, Protocol):
    """The parameters of `ELMoFeaturizer` that say how a model is trained."""

    weights: Any
    fine_tune: bool
    size: int | str
    max_vocab_size: int
    learning_rate: float | None
    n_iter_no_change: int | None
    validation_fraction: float


def training_config(
    given: TrainingParameters, initial: BiLMModel | None = None
) -> BiLMConfig:
    """Return the settings of training, from the beginning or from a model."""
    if isinstance(given.size, str):
        config = BiLMConfig.published(given.size)
    else:
        sizes = BiLMArchitecture(hidden_size=given.size, projection_size=given.size)
        config = BiLMConfig(sizes)
    if initial is not None:
        config = config.with_architecture(initial.architecture)
    return replace(
        config,
        epochs=given.epochs,
        learning_rate=given.learning_rate or config.learning_rate,
        n_iter_no_change=given.n_iter_no_change,
        validation_fraction=given.validation_fraction,
    )


def train_elmo(
    documents: Sequence[Sequence[str]],
    vocabulary: Vocabulary,
    given: TrainingParameters,
) -> BiLMResult:
    """Train a model on documents, or find the one that was trained before.

    Parameters
    ----------
    documents : sequence of sequences of str
        The words of each document, which is read as one sentence.
    vocabulary : Vocabulary
        All of them, the most frequent first.
    given : TrainingParameters

    Returns
    -------
    result : BiLMResult

    Raises
    ------
    ValueError
        If there are no words, or no model to begin with.
    """
    if not len(vocabulary):
        msg = (
            "There are no words to train a model on. Pass documents that hold words, "
            "or the path of published weights."
        )
        raise ValueError(msg)
    initial = published_model(given.weights) if given.fine_tune else None
    config = training_config(given, initial)
    arguments = {
        "corpus": numbered(documents, vocabulary),
        "characters": character_ids(
            vocabulary.words, config.architecture.max_characters
        ),
        "config": config,
        "seed": draw_seed(given.random_state),
        "n_outputs": min(given.max_vocab_size, len(vocabulary)),
        "initial": initial,
    }
    return train_network(train_bilm, arguments, given)


def repeated(
    documents: Sequence[list[str]],
    weight: npt.NDArray[np.float64] | None,
    random_state: Any,
) -> list[list[str]]:
    """Take each document as often as its weight says, in the mean.

    Parameters
    ----------
    documents : sequence of list of str
    weight : ndarray of shape (n_documents,), float64, or None
        1.5 is once or twice, drawn at random. None is once.
    random_state : int, RandomState or None

    Returns
    -------
    documents : list of list of str

    Examples
    --------
    >>> repeated([["a"], ["b"], ["c"]], np.array([0.0, 2.0, 1.0]), random_state=0)
    [['b'], ['b'], ['c']]
    """
    if weight is None:
        return list(documents)
    draws = check_random_state(random_state).uniform(size=len(documents))
    counts = np.floor(weight + draws).astype(np.int64)
    pairs = zip(documents, counts.tolist(), strict=True)
    return [words for words, n in pairs for _ in range(n)]


def packed_result(result: BiLMResult, packing: str) -> dict[str, Any]:
    """Return a trained model as plain objects, for pickles."""
    # A stream of sentences was read without ever beginning anew.
    begun = "warm" if packing == "stream" else "zeros"
    options = replace(elmo_options(result.model.options), initial_state=begun)
    model = packed_elmo(ElmoArrays(options, result.model.arrays))
    state = packed_model(model)
    return state | {"softmax": result.model.softmax, "bias": result.model.bias}


def packed_model(model: ElmoModel) -> dict[str, Any]:
    """Return a model as plain objects, for pickles.

    See Also
    --------
    stored_elmo : The inverse.
    """
    loaded = model.load()
    return {
        "fingerprint": model.fingerprint,
        "options": loaded.options.to_json(),
        "arrays": dict(loaded.arrays),
        "words": None if loaded.words is None else list(loaded.words),
    }


def stored_elmo(state: Mapping[str, Any]) -> ElmoModel:
    """Return the model of which a pickle held the plain objects."""
    words = None if state["words"] is None else tuple(state["words"])
    model = ElmoArrays(elmo_options(state["options"]), state["arrays"], words)
    return packed_elmo(model, state["fingerprint"])


def published_model(weights: Any) -> BiLMModel:
    """Read a published model, to go on training it.

    Raises
    ------
    ValueError
        If there is none, or it reads words and not characters.
    """
    if weights is None:
        msg = "fine_tune=True needs weights to begin with, got weights=None."
        raise ValueError(msg)
    model = named_elmo(weights).load()
    if model.options.characters is None:
        msg = (
            f"The model in {weights!r} has a table of words and reads no characters: "
            "it cannot be trained further. Set fine_tune=False."
        )
        raise ValueError(msg)
    return BiLMModel(model.arrays, model.options.to_json())


def history(result: BiLMResult) -> list[dict[str, float]]:
    """Return what each epoch reached, as numbers by name.

    The perplexities are there if documents were held out.
    """
    rows = []
    for epoch in result.history:
        row = {"loss": float(epoch.loss)}
        if epoch.perplexity is not None:
            row["perplexity"] = float(epoch.perplexity.mean)
            row["perplexity_forward"] = float(epoch.perplexity.forward)
            row["perplexity_backward"] = float(epoch.perplexity.backward)
        rows.append(row)
    return rows
