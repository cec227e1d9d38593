"""Checks of random numbers: the same seed gives the same vectors, wherever."""

import logging
import os
import random
import sys
import warnings
from typing import Any

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
from skembed.testing._corpus import corpus, probe
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
    """Any ``n_jobs`` learns the same, bit for bit where random numbers are drawn.

    Where none are, what is learned may depend on it as features do: to rounding.
    """
    texts, y = list(corpus()[0]), corpus()[1]
    alone, together = (
        fresh(estimator).set_params(n_jobs=n_jobs).fit(texts, y) for n_jobs in (1, 2)
    )
    expect_same(
        together.set_params(n_jobs=1).transform(texts),
        alone.transform(texts),
        "fit with n_jobs=2 and with n_jobs=1 learned different features.",
        "split the work, and the random numbers, by data and not by worker.",
        exact=_has_random_state(estimator),
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
    """Neither the result depends on the global random state nor does it change.

    Neither numpy's, nor Python's, nor torch's.
    """
    texts = list(corpus()[0])
    # So that what is imported at first use, such as torch, is there.
    fitted(estimator).transform(texts)
    saved = _global_state()
    try:
        results = []
        for seed in (1, 2):
            _seed_globally(seed)
            before = _as_text(_global_state())
            results.append(fitted(estimator).transform(texts))
            mend = f"{_SEED_MEND} Never call numpy.random.seed or random.random."
            moved = [
                name
                for name, state in _as_text(_global_state()).items()
                if state != before[name]
            ]
            happened = f"fit or transform moved the global random state on: {moved}."
            expect(not moved, happened, mend)
        happened = "features depend on the global random state."
        expect_same(results[0], results[1], happened, mend, exact=True)
    finally:
        np.random.set_state(saved["numpy"])  # noqa: NPY002
        random.setstate(saved["random"])
        if "torch" in saved:
            sys.modules["torch"].set_rng_state(saved["torch"])


def _seed_globally(seed: int) -> None:
    np.random.seed(seed)  # noqa: NPY002
    random.seed(seed)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(seed)


def _global_state() -> dict[str, Any]:
    state: dict[str, Any] = {
        "numpy": np.random.get_state(),  # noqa: NPY002
        "random": random.getstate(),
    }
    if "torch" in sys.modules:
        state["torch"] = sys.modules["torch"].get_rng_state()
    return state


def _as_text(state: dict[str, Any]) -> dict[str, str]:
    """Make states of generators comparable."""
    _, keys, *rest = state["numpy"]
    text = {"numpy": f"{keys.tolist()} {rest}", "random": str(state["random"])}
    if "torch" in state:
        text["torch"] = str(state["torch"].tolist())
    return text


@contract()
def check_global_settings_are_left_alone(estimator: Estimator) -> None:
    """Warnings, logging, the environment and torch are set after use as before."""
    # What is imported at first use may have set something.
    fitted(estimator).transform(probe())
    before = _global_settings()
    model = fitted(estimator)
    model.transform(probe())
    model.transform_tokens(probe())
    changed = [
        name for name, value in _global_settings().items() if value != before[name]
    ]
    mend = "change settings of the process by a context manager, if at all."
    expect(not changed, f"fit or transform changed {changed}.", mend)


def _global_settings() -> dict[str, Any]:
    settings: dict[str, Any] = {
        "warnings.filters": list(warnings.filters),
        "logging": (logging.root.level, list(logging.root.handlers)),
        "os.environ": dict(os.environ),
        "numpy.geterr()": np.geterr(),
    }
    if "torch" in sys.modules:
        torch = sys.modules["torch"]
        settings |= {
            "torch.get_num_threads()": torch.get_num_threads(),
            "torch.get_default_dtype()": torch.get_default_dtype(),
            "torch.is_grad_enabled()": torch.is_grad_enabled(),
        }
    return settings
