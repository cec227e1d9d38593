"""Checks of the parameter ``memory``, for estimators that keep what took long."""

import tempfile
from pathlib import Path
from typing import Any

import joblib

from skembed.testing._contract import (
    Estimator,
    contract,
    error_of,
    expect_same,
    fitted,
    fresh,
    has_parameter,
)
from skembed.testing._corpus import corpus, probe
from skembed.testing._parameters import other_settings

_MEND = "keep it by all that it depends on: documents, parameters, weights."


def _has_memory(estimator: Estimator) -> bool:
    return has_parameter(estimator, "memory")


@contract(_has_memory)
def check_memory_changes_nothing(estimator: Estimator) -> None:
    """With ``memory`` features are those without, when they are kept and when found.

    It may be a str, a path, or a `joblib.Memory`.
    """
    texts, y = list(corpus()[0]), corpus()[1]
    expected, expected_probe = (
        fitted(estimator).transform(X) for X in (texts, probe())
    )
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        for memory in (folder, Path(folder), joblib.Memory(folder, verbose=0)):
            model = fresh(estimator).set_params(memory=memory)
            happened = f"with memory={memory!r} features are others."
            expect_same(model.fit_transform(texts, y), expected, happened, _MEND)
            expect_same(model.transform(probe()), expected_probe, happened, _MEND)


@contract(_has_memory)
def check_memory_tells_settings_apart(estimator: Estimator) -> None:
    """What ``memory`` keeps is not taken for that of other documents or parameters."""
    texts, y = list(corpus()[0][:40]), corpus()[1][:40]
    settings: list[dict[str, Any]] = [{}]
    settings += [{name: value} for name, value in other_settings(estimator)]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        others = list(corpus()[0][40:])
        fresh(estimator).set_params(memory=folder).fit(texts, y).transform(others)
        for changed in settings:
            new = fresh(estimator).set_params(**changed)
            if error_of(lambda new=new: new.fit(texts, y).transform(texts)):  # type: ignore[misc]
                # Allowed alone, but not beside the other parameters.
                continue
            model = fresh(new).set_params(memory=folder)
            happened = f"with the changes {changed}, what was kept of others came."
            expected, rows = new.transform(texts), model.fit(texts, y).transform(texts)
            expect_same(rows, expected, happened, _MEND)
