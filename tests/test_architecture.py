"""The rules that keep the package light, its layers apart and its files short."""

import ast
import importlib
import inspect
import json
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import skembed

ROOT = Path(__file__).parents[1]
PACKAGE_FILES = sorted((ROOT / "skembed").rglob("*.py"))
TEST_FILES = sorted((ROOT / "tests").rglob("*.py"))
HEAVY = {
    "dask",
    "gensim",
    "h5py",
    "matplotlib",
    "pandas",
    "polars",
    "pyarrow",
    "tokenizers",
    "torch",
    "transformers",
    "triton",
}

# What other packages do when they are imported is not ours to judge: they come first.
IMPORT_AND_LOOK_AROUND = """
import json, logging, os, random, sys, threading, warnings
import numba, numpy, scipy.sparse, sklearn.base, sklearn.feature_extraction.text
import sklearn.utils.validation

def look():
    return {
        "root logger": [str(logging.root.handlers), logging.root.level],
        "warning filters": str(warnings.filters),
        "environment": dict(os.environ),
        "random state": str([random.getstate(), numpy.random.get_state()]),
        "threads": threading.active_count(),
        "folder": sorted(os.listdir()),
        "excepthook": str(sys.excepthook),
    }

before, modules = look(), set(sys.modules)
import skembed
after = look()
changed = [name for name in before if before[name] != after[name]]
logger = logging.getLogger("skembed")
if logger.handlers or logger.level:
    changed.append("logger")
imported = {name.partition(".")[0] for name in set(sys.modules) - modules}
print(json.dumps({"changed": changed, "imported": sorted(imported)}))
"""

FIT_AND_TRANSFORM = """
import json, sys
from skembed import SkipGramVectorizer

texts = ["the soup is hot", "the moon is far"] * 10
model = SkipGramVectorizer(vector_size=4, min_count=1, epochs=1, random_state=0)
model.fit(texts).transform(texts)
model.partial_fit(texts).transform_tokens(texts)
model.word_vectors_.most_similar("soup")
print(json.dumps(sorted(name for name in sys.modules if "." not in name)))
"""

TRAIN_IN_TORCH = """
import json, sys
import numpy, torch
from skembed._ragged import Ragged
from skembed.training.skipgram import SkipGramConfig, train_skipgram

words = Ragged.from_lengths(numpy.arange(9, dtype=numpy.int32), [9])
config, counts = SkipGramConfig(vector_size=4, epochs=1), numpy.ones(9, numpy.int64)
train_skipgram(words, counts, config, seed=0, device=torch.device("cpu"))
print(json.dumps(sorted(name for name in sys.modules if "." not in name)))
"""


def run(code, folder):
    """Run `code` in a new process, in `folder`, and return what it prints."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    return run(IMPORT_AND_LOOK_AROUND, tmp_path_factory.mktemp("import"))


@pytest.mark.slow
def test_import_leaves_heavy_packages_alone(imported):
    assert "skembed" in imported["imported"]
    assert not HEAVY.intersection(imported["imported"])


@pytest.mark.slow
def test_import_does_nothing_but_define_names(imported):
    assert imported["changed"] == []


@pytest.mark.slow
def test_static_estimators_never_import_torch_on_a_cpu(tmp_path):
    modules = run(FIT_AND_TRANSFORM, tmp_path)
    assert "numba" in modules
    unwanted = {"torch", "transformers", "triton", "matplotlib", "gensim"}
    assert not unwanted.intersection(modules)


def imports_of(path):
    """Return the top-level packages that a file imports anywhere when it runs."""
    tree = ast.parse(path.read_text())
    for branch in ast.walk(tree):
        if isinstance(branch, ast.If) and ast.unparse(branch.test) == "TYPE_CHECKING":
            branch.body = []
    packages = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            packages |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            packages.add((node.module or "").partition(".")[0])
    return packages


def importers_of(*packages):
    return [path for path in PACKAGE_FILES if imports_of(path).intersection(packages)]


def test_files_have_at_most_400_lines():
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines())
        for path in [*PACKAGE_FILES, *TEST_FILES]
    }
    assert {path: n for path, n in lengths.items() if n > 400} == {}


def test_numba_is_imported_in_kernels_only():
    importers = importers_of("numba", "llvmlite")
    assert importers
    assert [p for p in importers if "_kernels" not in (p.stem, p.parent.name)] == []


def test_torch_is_imported_by_networks_and_what_runs_them_only():
    files = [
        path.relative_to(ROOT / "skembed")
        for path in importers_of("torch", "transformers")
        if path.stem != "_devices"
        and not any(part.startswith("_torch") for part in (path.name, path.parent.name))
    ]
    assert {path.parts[0] for path in files} == {"networks", "encoding"}


def test_triton_is_imported_by_its_kernels_only():
    assert {path.stem for path in importers_of("triton")} == {"_triton"}


@pytest.mark.slow
def test_torch_cores_import_triton_on_a_gpu_only(tmp_path):
    assert "triton" not in run(TRAIN_IN_TORCH, tmp_path)


def test_scikit_learn_is_imported_by_estimators_and_above_only():
    allowed = {"estimators", "testing", "plotting", "datasets", "_sklearn_private.py"}
    stages = {
        path.relative_to(ROOT / "skembed").parts[0] for path in importers_of("sklearn")
    }
    assert stages <= allowed


def public_names():
    """Return everything that a module of ours exports, by its full name."""
    found = {"skembed": skembed}
    for info in pkgutil.walk_packages(skembed.__path__, "skembed."):
        if "._" not in info.name:
            found[info.name] = importlib.import_module(info.name)
    for name, module in list(found.items()):
        for attribute in getattr(module, "__all__", []):
            found[f"{name}.{attribute}"] = getattr(module, attribute)
    return found


def methods_of(kind):
    """Return the public methods and properties that our package defines."""
    found = {}
    for name in dir(kind):
        member = inspect.getattr_static(kind, name)
        function = getattr(member, "fget", None) or getattr(member, "__func__", member)
        module = getattr(function, "__module__", None) or ""
        if not name.startswith("_") and module.startswith("skembed"):
            found[name] = function
    return found


def test_every_public_name_has_a_docstring():
    names = public_names()
    assert "skembed.WordVectors" in names
    for name, thing in list(names.items()):
        if inspect.isclass(thing):
            methods = methods_of(thing)
            names |= {f"{name}.{method}": methods[method] for method in methods}
    lacking = [
        name
        for name, thing in names.items()
        if (inspect.ismodule(thing) or callable(thing)) and not inspect.getdoc(thing)
    ]
    assert lacking == []
