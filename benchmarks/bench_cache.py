"""How fast features of texts are kept, found and read, beside the usual stores.

python -m benchmarks.bench_cache
"""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Memory

from benchmarks._report import write
from benchmarks._timing import median_times
from skembed.encoding import FeatureCache, digest_texts
from skembed.encoding._cache_space import _index_of

N_TEXTS, BATCH = 2_048, 256
N_LAYERS, WIDTH = 7, 384
STATISTICS = ("mean", "max", "min", "first", "last", "cls")
NAMES = [f"{s}.{layer}" for s in STATISTICS for layer in range(N_LAYERS)]
N_LOOKED_UP = 10_000
N_SHARDS = 1_000
N_REPETITIONS = 5
NOTES = f"""
Each of {N_TEXTS:,} texts has {len(STATISTICS)} statistics of {N_LAYERS} layers of
{WIDTH} float32, {len(NAMES) * WIDTH * 4 / 1000:.0f} kB. skembed keeps {BATCH} texts in
a file. One `.npy` file per text is renamed when whole; one result of `joblib.Memory`
per text is written as joblib does it. Writing includes waiting for the disk (`os.sync`
at the end; skembed also waits for each file). Look-ups ask for {N_LOOKED_UP:,} texts in
random order, of which half are there. Reads are of the mean of all layers, {N_LAYERS}
rows, of all texts in random order. All read the same, which is asserted. The first read
in a process compares checksums. The ratio is to the first row of a group.

Medians of {N_REPETITIONS} interleaved runs in one process, all files in the system's
memory. Below, what a new process pays for the first look-up among {N_SHARDS:,} files of
{BATCH} texts, and how fast texts of 10 words, and lists of the words, become digests.
"""


class NpyStore:
    """One file per text, with all statistics."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, keys: list[str], features: np.ndarray) -> None:
        for key, rows in zip(keys, features, strict=True):
            temporary = self.folder / f"{key}.tmp.npy"
            np.save(temporary, rows)
            temporary.rename(self.folder / f"{key}.npy")

    def find(self, keys: list[str]) -> list[bool]:
        return [(self.folder / f"{key}.npy").exists() for key in keys]

    def read(self, keys: list[str], mmap_mode: str | None = None) -> np.ndarray:
        paths = [self.folder / f"{key}.npy" for key in keys]
        return np.array([np.load(p, mmap_mode=mmap_mode)[:N_LAYERS] for p in paths])


def features_of(key: str, features: dict[str, np.ndarray]) -> np.ndarray:
    return features[key]


class JoblibStore:
    """One result of a function per text, as tutorials do it."""

    def __init__(self, folder: Path) -> None:
        memory = Memory(folder, verbose=0)
        self.call = memory.cache(features_of, ignore=["features"])

    def write(self, keys: list[str], features: np.ndarray) -> None:
        by_key = dict(zip(keys, features, strict=True))
        for key in keys:
            self.call(key, by_key)

    def find(self, keys: list[str]) -> list[bool]:
        return [self.call.check_call_in_cache(key, {}) for key in keys]

    def read(self, keys: list[str]) -> np.ndarray:
        return np.array([self.call(key, {})[:N_LAYERS] for key in keys])


class ShardStore:
    """One file per batch."""

    def __init__(self, folder: Path) -> None:
        self.space = FeatureCache(folder, max_size=None).space("ab")

    def write(self, digests: np.ndarray, features: np.ndarray) -> None:
        for start in range(0, len(digests), BATCH):
            rows = slice(start, start + BATCH)
            arrays = {name: features[rows, i] for i, name in enumerate(NAMES)}
            self.space.write(digests[rows], arrays)

    def find(self, digests: np.ndarray) -> list[bool]:
        return (self.space.find(digests, NAMES) >= 0).tolist()

    def read(self, digests: np.ndarray) -> np.ndarray:
        places = self.space.find(digests, NAMES[:N_LAYERS])
        out = np.empty((len(digests), N_LAYERS, WIDTH), dtype=np.float32)
        for layer, name in enumerate(NAMES[:N_LAYERS]):
            _, is_read = self.space.read(places, name, out=out[:, layer])
            assert is_read.all()
        return out

    @classmethod
    def reopened(cls, folder: Path) -> "ShardStore":
        """Open it as a new process does."""
        _index_of.cache_clear()
        return cls(folder)


def group(
    name: str, unit: str, n: int, cases: dict[str, Callable[[], Any]]
) -> list[dict[str, Any]]:
    times = median_times(cases, N_REPETITIONS)
    first = next(iter(times.values()))
    return [
        row(f"{name}: {case}", unit, n / seconds, first / seconds)
        for case, seconds in times.items()
    ]


def row(case: str, unit: str, value: float, ratio: float | str = "") -> dict[str, Any]:
    return {"case": case, "unit": unit, "value": value, "ratio": ratio}


def writes(folder: Path, digests: np.ndarray, features: np.ndarray) -> list[Any]:
    keys = [digest.tobytes().hex() for digest in digests]

    def into_new(make: Callable[[Path], Any], keys: Any) -> None:
        make(Path(tempfile.mkdtemp(dir=folder))).write(keys, features)
        # Else one would wait for what another has left to be written.
        os.sync()

    cases = {
        "joblib.Memory": lambda: into_new(JoblibStore, keys),
        "one .npy per text": lambda: into_new(NpyStore, keys),
        "skembed": lambda: into_new(ShardStore, digests),
    }
    return group("write", "texts/s", len(digests), cases)


def look_ups_and_reads(
    folder: Path, digests: np.ndarray, features: np.ndarray, rng: np.random.Generator
) -> list[dict[str, Any]]:
    keys = [digest.tobytes().hex() for digest in digests]
    (folder / "npy").mkdir()
    npy, memory = NpyStore(folder / "npy"), JoblibStore(folder / "joblib")
    shards = ShardStore(folder)
    npy.write(keys, features)
    memory.write(keys, features)
    shards.write(digests, features)

    others = rng.integers(256, size=digests.shape, dtype=np.uint8)
    asked = rng.choice(np.concatenate([digests, others]), N_LOOKED_UP)
    asked_keys = [digest.tobytes().hex() for digest in asked]
    is_here = npy.find(asked_keys)
    assert is_here == memory.find(asked_keys) == shards.find(asked)
    look_ups = {
        "joblib.Memory": lambda: memory.find(asked_keys),
        "one .npy per text": lambda: npy.find(asked_keys),
        "skembed": lambda: shards.find(asked),
    }

    order = rng.permutation(len(digests))
    shuffled = [keys[i] for i in order]
    reads = {
        "joblib.Memory": lambda: memory.read(shuffled),
        "one .npy per text, mapped": lambda: npy.read(shuffled, "r"),
        "one .npy per text": lambda: npy.read(shuffled),
        "skembed, first in a process": lambda: ShardStore.reopened(folder).read(
            digests[order]
        ),
        "skembed": lambda: shards.read(digests[order]),
    }
    for read in reads.values():
        np.testing.assert_array_equal(read(), features[order, :N_LAYERS])
    return [
        *group("look up", "texts/s", N_LOOKED_UP, look_ups),
        *group("read", "texts/s", len(digests), reads),
    ]


def openings(folder: Path, rng: np.random.Generator) -> list[dict[str, Any]]:
    """Time the first look-up among many files with all names, but narrow rows."""
    store = ShardStore(folder)
    narrow = np.zeros((BATCH, len(NAMES), 1), dtype=np.float32)
    for _ in range(N_SHARDS):
        digests = rng.integers(256, size=(BATCH, 16), dtype=np.uint8)
        store.write(digests, narrow)
    cases = {"first": lambda: ShardStore.reopened(folder).find(digests)}
    times = median_times(cases, N_REPETITIONS)
    return [row(f"first look-up, {N_SHARDS:,} files", "s", times["first"])]


def digesting(rng: np.random.Generator) -> list[dict[str, Any]]:
    words = rng.integers(100_000, size=(N_LOOKED_UP, 10)).astype(str).tolist()
    texts = [" ".join(line) for line in words]
    cases = {"of str": texts, "of lists of str": words}
    times = median_times(
        {k: lambda x=x: digest_texts(x) for k, x in cases.items()}, N_REPETITIONS
    )
    return [row(f"digests {k}", "texts/s", N_LOOKED_UP / t) for k, t in times.items()]


def measure() -> list[dict[str, Any]]:
    rng = np.random.default_rng(0)
    digests = digest_texts([f"text number {i}" for i in range(N_TEXTS)])
    features = rng.normal(size=(N_TEXTS, len(NAMES), WIDTH)).astype(np.float32)
    # Not where temporary files go, which may be the memory.
    with tempfile.TemporaryDirectory(dir=Path(__file__).parent) as name:
        folder = Path(name)
        for part in ("writes", "reads", "openings"):
            (folder / part).mkdir()
        return [
            *writes(folder / "writes", digests, features),
            *look_ups_and_reads(folder / "reads", digests, features, rng),
            *openings(folder / "openings", rng),
            *digesting(rng),
        ]


def main() -> None:
    print(write("cache", measure(), NOTES))


if __name__ == "__main__":
    main()
