"""The texts and test sets that benchmarks run on, where they are.

They are looked for in ``../shared`` beside the repository, or in the folder that the
environment variable SKEMBED_SHARED names.
"""

import gzip
import json
import lzma
import os
import re
from functools import cache
from itertools import islice
from pathlib import Path

import numpy as np

_BESIDE = Path(__file__).resolve().parents[2] / "shared"
SHARED = Path(os.environ.get("SKEMBED_SHARED", _BESIDE))
CORPUS = "corpora/simplewiki.jsonl.xz"
_WORD = re.compile(r"\w+")


def is_here(*names: str) -> bool:
    """Whether all these files are there; print the ones that are not."""
    missing = [name for name in names if not (SHARED / name).exists()]
    for name in missing:
        print(f"skipped: {name} is not in {SHARED.name}/ (set SKEMBED_SHARED)")
    return not missing


@cache
def simple_wikipedia(n_documents: int | None = None) -> list[str]:
    """The first documents of Simple English Wikipedia."""
    with lzma.open(SHARED / CORPUS, "rt", encoding="utf-8") as lines:
        return [json.loads(line)["text"] for line in islice(lines, n_documents)]


def words_of(text: str) -> list[str]:
    """Split a text as `skembed` does by default."""
    return _WORD.findall(text.lower())


def classification(name: str) -> dict[str, tuple[list[list[str]], np.ndarray]]:
    """The words and labels of a set's train and test parts."""
    with gzip.open(SHARED / "textcls" / f"{name}.jsonl.gz", "rt") as lines:
        rows = [json.loads(line) for line in lines]
    parts = {}
    for part in ("train", "test"):
        chosen = [row for row in rows if row["split"] == part]
        # The part of a label before the colon is the coarse one.
        labels = np.array([str(row["label"]).split(":")[0] for row in chosen])
        parts[part] = [words_of(row["text"]) for row in chosen], labels
    return parts
