"""Checks of what is stored: by pickle, joblib and skops, and how much of it."""

import io
import pickle
import tempfile
from pathlib import Path
from typing import Any

import joblib
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
    large_objects,
    with_warnings,
)
from skembed.testing._corpus import corpus, probe
from skembed.testing._fresh_process import in_fresh_process

_DEVICES = ("torch", "cupy", "jax", "tensorflow")
_OTHER_VERSION = "999.0"
# Parameters that name weights to be loaded; None has fit train them.
_PUBLISHED_WEIGHTS = ("weights", "encoder")


def _expect_survives(estimator: Estimator, how: str, mend: str) -> None:
    """Fail unless the estimator gives the same features loaded in a new process."""
    expect_same(
        in_fresh_process(estimator, how),
        fitted(estimator).transform(list(corpus()[0])),
        f"loaded from {how} in a new process, it gives other features.",
        mend,
        exact=True,
    )


@contract()
def check_pickle_in_a_fresh_process(estimator: Estimator) -> None:
    """A fitted estimator that is pickled works the same in a new process."""
    _expect_survives(estimator, "pickle", "keep fitted state in attributes of self.")


@contract()
def check_joblib_in_a_fresh_process(estimator: Estimator) -> None:
    """A fitted estimator that is dumped by joblib works the same in a new process."""
    _expect_survives(estimator, "joblib", "keep fitted state in attributes of self.")


@contract()
def check_memory_map_in_a_fresh_process(estimator: Estimator) -> None:
    """``joblib.load(mmap_mode="r")`` works: read-only arrays are enough."""
    _expect_survives(estimator, "mmap", "do not write to fitted arrays.")


@contract()
def check_skops_in_a_fresh_process(estimator: Estimator) -> None:
    """A fitted estimator that is dumped by skops works the same in a new process."""
    mend = "keep fitted state in arrays, containers, numbers, str and plain objects."
    _expect_survives(estimator, "skops", mend)


class _ArrayCollector(pickle.Pickler):
    """Notes every array that is part of an object, and stores nothing."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO())
        self.arrays: list[np.ndarray[Any, Any]] = []

    def persistent_id(self, value: Any) -> str | None:
        """Note `value` if it is an array, instead of storing it."""
        if not isinstance(value, np.ndarray):
            return None
        self.arrays.append(value)
        return "an array"


def _is_mapped(array: Any) -> bool:
    while array is not None and not isinstance(array, np.memmap):
        array = getattr(array, "base", None)
    return array is not None


@contract()
def check_memory_map_shares_the_vectors(estimator: Estimator) -> None:
    """After ``joblib.load(mmap_mode="r")`` the large arrays are those on the disk."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        path = Path(folder) / "model.joblib"
        joblib.dump(fitted(estimator), path)
        model = joblib.load(path, mmap_mode="r")
        model.transform(probe())
        collector = _ArrayCollector()
        collector.dump(model)
        largest = max(collector.arrays, key=lambda array: array.nbytes, default=None)
        # Files are removed below: nothing must refer to them then.
        shape = None if largest is None else largest.shape
        mapped = largest is None or largest.size < 100 or _is_mapped(largest)
        del model, largest, collector
    mend = "store it as a C-contiguous array, and make no copy of it in __setstate__."
    expect(mapped, f"the array of shape {shape} was copied into memory.", mend)


@contract()
def check_pickle_names_its_version(estimator: Estimator) -> None:
    """A pickle of another version is refused, or gives a warning; both name it."""
    state = fitted(estimator).__getstate__()
    versions = [name for name in state if "version" in name and "sklearn" not in name]
    formats = [name for name in state if "format" in name]
    mend = "put the package's version into __getstate__ and compare it in __setstate__."
    expect(versions, f"the state has no version among {sorted(state)}.", mend)
    changed = {**state, **dict.fromkeys(versions, _OTHER_VERSION)}
    # Some versions write the same format, which then has a number of its own.
    changed |= dict.fromkeys(formats, 999)
    other = fresh(estimator)
    error, messages = with_warnings(
        lambda: error_of(lambda: other.__setstate__(changed))
    )
    said = [*messages, str(error)]
    expect(
        any(_OTHER_VERSION in message for message in said),
        f"version {_OTHER_VERSION} was loaded as if it were this one; said: {said}.",
        mend,
    )


def _pickled_size(estimator: Estimator, repeat: int) -> int:
    texts, y = corpus()
    model = fresh(estimator).fit(list(texts) * repeat, [*y] * repeat)
    return len(pickle.dumps(model))


@contract()
def check_pickle_keeps_no_documents(estimator: Estimator) -> None:
    """A pickle is no larger for more documents of the same words."""
    few, many = _pickled_size(estimator, 2), _pickled_size(estimator, 20)
    expect(
        many <= 1.05 * few + 200,
        f"1600 documents made a pickle of {many} bytes, and 160 of them one of {few}.",
        "keep no training data in self, only what transform needs.",
    )


@contract()
def check_pickle_does_not_grow_by_use(estimator: Estimator) -> None:
    """A pickle is no larger after `transform` than before."""
    model = fitted(estimator)
    before = len(pickle.dumps(model))
    for _ in range(3):
        model.transform(list(corpus()[0]))
        model.transform_tokens(probe())
    after = len(pickle.dumps(model))
    mend = "leave caches out of __getstate__."
    expect(after <= before + 50, f"it grew from {before} to {after} bytes.", mend)


class _TypeCollector(pickle.Unpickler):
    """Notes the module of everything that a pickle asks for."""

    modules: set[str]

    def find_class(self, module: str, name: str) -> Any:
        """Note `module` and go on."""
        self.modules.add(module.partition(".")[0])
        return super().find_class(module, name)


@contract()
def check_pickle_is_free_of_devices(estimator: Estimator) -> None:
    """A pickle holds plain arrays, so that it loads where there is no such device."""
    model = fitted(estimator)
    # What is made at first use must not be stored either.
    model.transform(probe())
    model.transform_tokens(probe())
    collector = _TypeCollector(io.BytesIO(pickle.dumps(model)))
    collector.modules = set()
    collector.load()
    found = sorted(collector.modules.intersection(_DEVICES))
    mend = "store numpy arrays in __getstate__, and move them to the device when used."
    expect(not found, f"the pickle needs {found} to be loaded.", mend)


@contract(lambda estimator: has_parameter(estimator, "store_weights"))
def check_weights_are_stored_if_asked(estimator: Estimator) -> None:
    """A pickle refers to published weights; ``store_weights=True`` puts them in."""
    sizes, mend = {}, "leave what can be loaded again out of __getstate__."
    for stored in (False, True):
        model = fresh(estimator).set_params(store_weights=stored)
        model.fit(list(corpus()[0]), corpus()[1])
        expected, pickled = model.transform(probe()), pickle.dumps(model)
        sizes[stored] = len(pickled)
        happened = f"with store_weights={stored} a pickle gives other features."
        expect_same(pickle.loads(pickled).transform(probe()), expected, happened, mend)
    # A model that is an object, or that fit trains, is in every pickle: there is
    # nothing to refer to.
    if not list(large_objects(estimator)) and not _trains_network(estimator):
        happened = f"with and without weights a pickle has {sizes[False]} bytes."
        expect(sizes[False] < sizes[True], happened, mend)


def _trains_network(estimator: Estimator) -> bool:
    parameters = estimator.get_params(deep=False)
    return any(parameters.get(name, "") is None for name in _PUBLISHED_WEIGHTS)
