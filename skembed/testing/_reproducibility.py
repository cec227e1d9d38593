"""Checks of random numbers: the same seed gives the same vectors, wherever."""

import random

import numpy as np

from skembed.testing._contract import (
    Estimator,
    contract,
    error_of,
    expect,
    expect_same,
    fitted,
    fresh,
    has_parameter,
)
from skembed.testing._corpus import corpus
from skembed.testing._fresh_process import HASH_SEED, in_fresh_process

_SEED_MEND = "draw from check_random_state(self.random_state) alone, in a fixed order."


def _has_random_state(estimator: Estimator) -> bool:
    return has_parameter(estimator, "random_state")


@contract()
def check_same_seed_gives_the_same_features(estimator: Estimator) -> None:
    """Two estimators with the same parameters learn the same, bit for bit."""
    texts = list(corpus()[0])
    expect_same(
        fitted(estimator).transform(texts),
        fitted(estimator).transform(texts),
        "two fits of equal estimators to equal documents differ.",
        _SEED_MEND,
        exact=True,
    )


@contract()
def check_other_process_gives_the_same_features(estimator: Estimator) -> None:
    """Another process, under another PYTHONHASHSEED, learns the same, bit for bit."""
    expect_same(
        in_fresh_process(estimator, "fit"),
        fitted(estimator).transform(list(corpus()[0])),
        f"fit in another process with PYTHONHASHSEED={HASH_SEED} gave other features.",
        f"{_SEED_MEND} Never iterate over a set, and never call hash() of a str.",
        exact=True,
    )


@contract(lambda estimator: has_parameter(estimator, "n_jobs"))
def check_n_jobs_of_fit_changes_nothing(estimator: Estimator) -> None:
    """Any ``n_jobs`` learns the same, bit for bit."""
    texts, y = list(corpus()[0]), corpus()[1]
    alone, together = (
        fresh(estimator).set_params(n_jobs=n_jobs).fit(texts, y) for n_jobs in (1, 2)
    )
    expect_same(
        together.set_params(n_jobs=1).transform(texts),
        alone.transform(texts),
        "fit with n_jobs=2 and with n_jobs=1 learned different features.",
        "split the work, and the random numbers, by data and not by worker.",
        exact=True,
    )


@contract(_has_random_state)
def check_random_state_may_be_a_generator(estimator: Estimator) -> None:
    """``random_state`` may be a RandomState, whose numbers are drawn, or None."""
    texts, y = list(corpus()[0]), corpus()[1]
    features = []
    for _ in range(2):
        state = np.random.RandomState(7)
        model = fresh(estimator).set_params(random_state=state)
        error = error_of(lambda model=model: model.fit(texts, y))  # type: ignore[misc]
        expect(error is None, f"a RandomState raised {error!r}.", _SEED_MEND)
        features.append(model.transform(texts))
    happened = "two RandomState of the same seed gave different features."
    expect_same(features[0], features[1], happened, _SEED_MEND, exact=True)
    error = error_of(
        lambda: fresh(estimator).set_params(random_state=None).fit(texts, y)
    )
    expect(error is None, f"random_state=None raised {error!r}.", _SEED_MEND)


@contract()
def check_global_random_state_is_left_alone(estimator: Estimator) -> None:
    """Neither the result depends on the global random state nor does it change."""
    texts = list(corpus()[0])
    saved, saved_python = np.random.get_state(), random.getstate()  # noqa: NPY002
    try:
        results = []
        for seed in (1, 2):
            np.random.seed(seed)  # noqa: NPY002
            random.seed(seed)
            before = _global_state()
            results.append(fitted(estimator).transform(texts))
            mend = f"{_SEED_MEND} Never call numpy.random.seed or random.random."
            expect(
                _global_state() == before,
                "fit or transform moved the global random state on.",
                mend,
            )
        happened = "features depend on the global random state."
        expect_same(results[0], results[1], happened, mend, exact=True)
    finally:
        np.random.set_state(saved)  # noqa: NPY002
        random.setstate(saved_python)


def _global_state() -> tuple[bytes, int, object]:
    _, keys, position, *_ = np.random.get_state()  # noqa: NPY002
    return np.asarray(keys).tobytes(), int(position), random.getstate()
