"""What an estimator does in a Python process that has only just started.

One process answers for all checks of an estimator, since starting it takes seconds.
It loads what was dumped here before it fits anything itself, so that nothing but the
dump can have told it what to return.
"""

import os
import pickle
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from typing import Any
from unittest import SkipTest

import joblib
import numpy as np
from sklearn.base import clone
from sklearn.utils import estimator_html_repr

from skembed.testing._contract import (
    Estimator,
    Features,
    error_of,
    fail,
    fitted,
    fresh,
)
from skembed.testing._corpus import corpus
from skembed.testing._optional import installed

HASH_SEED = "4321"
_HEAVY = {"torch", "transformers", "tokenizers", "tensorflow", "jax"}
_CODE = (
    "import sys; from skembed.testing._fresh_process import answer; answer(sys.argv[1])"
)


def _dump_pickle(model: Estimator, path: Path) -> None:
    path.write_bytes(pickle.dumps(model))


def _load_pickle(path: Path) -> Any:
    return pickle.loads(path.read_bytes())


def _dump_skops(model: Estimator, path: Path) -> None:
    installed("skops.io").dump(model, path)


def _load_skops(path: Path) -> Any:
    skops = installed("skops.io")
    # The types of the estimator's own package are for its users to trust.
    return skops.load(path, trusted=skops.get_untrusted_types(file=path))


_FORMATS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "pickle": (_dump_pickle, _load_pickle),
    "joblib": (joblib.dump, joblib.load),
    "mmap": (joblib.dump, partial(joblib.load, mmap_mode="r")),
    "skops": (_dump_skops, _load_skops),
}


def in_fresh_process(estimator: Estimator, task: str) -> Features:
    """Return the features of the corpus that another process computes.

    Parameters
    ----------
    estimator : estimator
        Need not be fitted.
    task : {"fit", "pickle", "joblib", "mmap", "skops"}
        Whether the other process fits the estimator itself, under another
        PYTHONHASHSEED, or loads one that was fitted and dumped here.
    """
    return np.asarray(_answer_to(estimator, task))


def imported_by_looking(estimator: Estimator) -> list[str]:
    """Return the heavy modules that another process imports to look at an estimator."""
    names: list[str] = _answer_to(estimator, "look")
    return names


def _answer_to(estimator: Estimator, task: str) -> Any:
    """Return what another process answers; raise what it could not even be asked."""
    if type(estimator).__module__ == "__main__":
        msg = "Another process cannot import a class that is defined in __main__."
        raise SkipTest(msg)
    result = _answers(pickle.dumps(fresh(estimator)))[task]
    if isinstance(result, Exception):
        raise result
    if isinstance(result, str):
        fail(f"in a new process:\n{result}", "store all that transform needs.")
    return result


@lru_cache(maxsize=8)
def _answers(pickled: bytes) -> dict[str, Any]:
    """Ask a new process for everything: a matrix, an error or a traceback per task."""
    model = fitted(pickle.loads(pickled))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "unfitted").write_bytes(pickled)
        errors: dict[str, Any] = {}
        for task, (dump, _) in _FORMATS.items():
            path = folder / task
            error = error_of(lambda dump=dump, path=path: dump(model, path))  # type: ignore[misc]
            if error is not None:
                errors[task] = error
                path.unlink(missing_ok=True)
        environment = {
            **os.environ,
            "PYTHONHASHSEED": HASH_SEED,
            "PYTHONPATH": os.pathsep.join(path or str(Path.cwd()) for path in sys.path),
        }
        command = [sys.executable, "-c", _CODE, name]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            fail(
                f"a new process ended with:\n{done.stderr}",
                "import nothing that exits.",
            )
        answers: dict[str, Any] = _load_pickle(folder / "answers")
    return answers | errors


def answer(name: str) -> None:
    """Do every task in this process; write what comes out as ``answers``."""
    folder, texts = Path(name), list(corpus()[0])
    results: dict[str, Any] = {}

    def note(task: str, action: Callable[[], Any]) -> None:
        try:
            results[task] = action()
        except Exception:  # noqa: BLE001 (sent back as text, and raised there)
            results[task] = traceback.format_exc()

    def features(load: Callable[[], Any]) -> Features:
        return np.asarray(load().transform(texts))

    # First, while nothing is imported that only `transform` needs.
    note("look", lambda: _look(folder))
    for task, (_, load) in _FORMATS.items():
        if (folder / task).exists():
            note(task, partial(features, partial(load, folder / task)))
    note("fit", lambda: features(lambda: fitted(_load_pickle(folder / "unfitted"))))
    (folder / "answers").write_bytes(pickle.dumps(results))


def _look(folder: Path) -> list[str]:
    """Look at the estimators as users and tools do; list what that imports."""
    imported: set[str] = set()
    for path in (folder / "unfitted", folder / "pickle"):
        if not path.exists():
            continue
        model = _load_pickle(path)
        before = set(sys.modules)
        for one in (model, clone(type(model)(**model.get_params(deep=False)))):
            one.__sklearn_tags__()
            for name in dir(one):
                error_of(lambda one=one, name=name: getattr(one, name))  # type: ignore[misc]
            repr(one), estimator_html_repr(one)
        imported |= sys.modules.keys() - before
    return sorted(name for name in imported if name.partition(".")[0] in _HEAVY)
