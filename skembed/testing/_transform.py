"""Checks of `transform`: what it returns, and that it is a function of one document."""

import pickle
import time
from typing import Any

import joblib
import numpy as np
from joblib import Parallel, delayed

from skembed.testing._contract import (
    Estimator,
    contract,
    expect,
    expect_same,
    fitted,
    fresh,
    has_parameter,
)
from skembed.testing._corpus import corpus, probe

# scikit-learn's name, and that of models that count what runs together by tokens.
_BATCHES = ("batch_size", "batch_tokens")
_ROWS_MEND = "compute each row from its own document alone; take care of padding."


@contract()
def check_output_is_a_float32_matrix(estimator: Estimator) -> None:
    """Features are a finite, C-contiguous float32 array of two dimensions."""
    texts, y = list(corpus()[0]), corpus()[1]
    model = fitted(estimator)
    for name, result in {
        "transform": model.transform(probe()),
        "fit_transform": fresh(estimator).fit_transform(texts, y),
    }.items():
        mend = "end transform by np.ascontiguousarray(features, dtype=np.float32)."
        kind = type(result).__name__
        expect(isinstance(result, np.ndarray), f"{name} returned a {kind}.", mend)
        found = f"{name} returned {result.dtype} of shape {result.shape}"
        expect(result.dtype == np.float32 and result.ndim == 2, f"{found}.", mend)
        expect(result.flags.c_contiguous, f"{found}, not C-contiguous.", mend)
        expect(np.isfinite(result).all(), f"{found}, not all finite.", mend)


@contract()
def check_one_row_per_document(estimator: Estimator) -> None:
    """There are as many rows as documents, for none, one and many documents."""
    model = fitted(estimator)
    width = len(model.get_feature_names_out())
    for documents in ([], ["the moon"], probe()):
        shape, expected = model.transform(documents).shape, (len(documents), width)
        happened = f"{len(documents)} documents gave the shape {shape}, not {expected}."
        expect(shape == expected, happened, "return one row per document of X.")


@contract()
def check_rows_do_not_depend_on_the_batch(estimator: Estimator) -> None:
    """`transform` of many documents is what it is of each of them alone."""
    model = fitted(estimator)
    # With one that many models read in several windows.
    documents = [*probe(), "the moon and the soup " * 110 + "a distant galaxy " * 50]
    alone = np.vstack([model.transform([document]) for document in documents])
    together = model.transform(documents)
    happened = "documents together gave other features than one by one."
    expect_same(together, alone, happened, _ROWS_MEND)


@contract()
def check_rows_follow_the_order_of_documents(estimator: Estimator) -> None:
    """Documents in another order give the same rows in that order."""
    texts = [*corpus()[0][:30], "moon " * 50, *probe()]
    order = np.random.default_rng(0).permutation(len(texts))
    model = fitted(estimator)
    shuffled = model.transform([texts[i] for i in order])
    expected = np.asarray(model.transform(texts))[order]
    happened = "documents in another order gave other features."
    mend = "put rows back into the order of X after sorting documents by length."
    expect_same(shuffled, expected, happened, mend)


@contract()
def check_documents_may_repeat(estimator: Estimator) -> None:
    """A document that occurs several times in X gets the same row every time."""
    texts = corpus()[0]
    model = fitted(estimator)
    once = np.asarray(model.transform(list(texts[:3])))
    order = [0, 1, 0, 2, 2, 0]
    several = model.transform([texts[i] for i in order])
    happened = "documents that occur several times gave other features."
    mend = "copy the row of a document that is computed once to each of its places."
    expect_same(several, once[order], happened, mend)


@contract(lambda estimator: any(has_parameter(estimator, name) for name in _BATCHES))
def check_batch_size_changes_nothing(estimator: Estimator) -> None:
    """``batch_size`` and ``batch_tokens`` make features come fast, but not others."""
    model = fitted(estimator)
    expected = model.transform(probe())
    expected_tokens = model.transform_tokens(probe()).vectors
    for name in filter(lambda name: has_parameter(estimator, name), _BATCHES):
        for size in (1, 3, 20):
            model = fitted(estimator).set_params(**{name: size})
            happened = f"{name}={size} gave other features."
            expect_same(model.transform(probe()), expected, happened, _ROWS_MEND)
            tokens = model.transform_tokens(probe()).vectors
            happened = f"{name}={size} gave other token vectors."
            expect_same(tokens, expected_tokens, happened, _ROWS_MEND)


@contract(lambda estimator: has_parameter(estimator, "n_jobs"))
def check_n_jobs_of_transform_changes_nothing(estimator: Estimator) -> None:
    """``n_jobs`` decides how fast features come, not what they are."""
    texts = list(corpus()[0])
    model = fitted(estimator)
    for name, of in {
        "transform": model.transform,
        "transform_tokens": lambda X: model.transform_tokens(X).vectors,
    }.items():
        model.set_params(n_jobs=1)
        alone = of(texts)
        model.set_params(n_jobs=2)
        happened = f"{name} with n_jobs=2 and with n_jobs=1 differ."
        expect_same(of(texts), alone, happened, _ROWS_MEND)


@contract()
def check_transform_changes_nothing(estimator: Estimator) -> None:
    """What would be pickled of the estimator is the same before and after `transform`.

    Caches are allowed that are left out of pickles.
    """
    model = fitted(estimator)
    before, attributes = joblib.hash(model), _pickled_attributes(model)
    model.transform(probe())
    model.transform_tokens(probe())
    model.get_feature_names_out()
    changed = [
        name
        for name, value in _pickled_attributes(model).items()
        if attributes.get(name) != value
    ]
    expect(
        joblib.hash(model) == before,
        f"transform, transform_tokens or get_feature_names_out changed {changed}.",
        "store nothing in self outside of fit, or leave caches out of __getstate__.",
    )


@contract()
def check_transform_gives_the_same_again(estimator: Estimator) -> None:
    """`transform` draws no random numbers that it does not draw again."""
    model = fitted(estimator)
    expect_same(
        model.transform(probe()),
        model.transform(probe()),
        "two calls of transform gave different features.",
        "draw random numbers in fit only; switch dropout off.",
        exact=True,
    )


@contract()
def check_transform_is_thread_safe(estimator: Estimator) -> None:
    """Several threads may use one fitted estimator, from its first use on."""
    texts = corpus()[0]
    model = fitted(estimator)
    parts = [list(texts[i : i + 10 + i]) for i in range(0, 40, 5)]
    expected = [model.transform(part) for part in parts]
    # Loaded anew, so that what is made at first use is made by all threads at once.
    cold = pickle.loads(pickle.dumps(model))
    actual = Parallel(n_jobs=4, backend="threading")(
        delayed(_transform_after_a_pause)(cold, part) for part in parts
    )
    for one, other in zip(actual, expected, strict=True):
        expect_same(
            one,
            other,
            "threads that share an estimator got the features of other documents.",
            "keep what belongs to one call in local variables, not in self.",
        )


def _transform_after_a_pause(model: Estimator, documents: list[str]) -> Any:
    # Long enough for all threads to have started, so that their calls overlap.
    time.sleep(0.01)
    return model.transform(documents)


def _pickled_attributes(model: Estimator) -> dict[str, str]:
    state = model.__getstate__()
    return {name: joblib.hash(value) for name, value in state.items()}
