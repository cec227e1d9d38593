"""What a grid over layers and poolings costs, with the feature cache and without.

python -m benchmarks.bench_grid
"""

import pickle
import re
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from threadpoolctl import threadpool_limits

from benchmarks._report import write
from benchmarks._timing import median_times
from benchmarks._transformers import minilm
from skembed import BertLayerFeaturizer
from skembed.datasets import load_textbooks
from skembed.encoding import digest_texts

N_TEXTS, N_PASSAGES, N_WARM = 120, 4, 10_000
N_REPETITIONS = 5
GRID = {
    "bertlayerfeaturizer__layers": [-1, -2, -3, (-2, -1), (-4, -3, -2, -1), 0, "all"],
    "bertlayerfeaturizer__pooling": ["mean", "cls"],
}
NOTES = f"""
A grid of 7 choices of layers, 2 poolings and 5 folds, with logistic regression, on
{N_TEXTS} texts and MiniLM-L6, on the CPU. Each text is {N_PASSAGES} passages of one
textbook, together some 300 words, the length of a news story; of single passages, which
are 80 words long, the fits would take as long as the network, and with a cache they are
what is left. Medians of {N_REPETITIONS} runs, but for the grid without a cache, which
runs once; BLAS has one thread. The cache is empty at the start of each run. The grid
without a cache does not run the whole network 70 times, either: lower layers need less
of it. "Forward pass and fits" is one `transform` of all texts and the same grid
over ready features. The ratio is to the row before it in its group. Two workers of
`n_jobs=2` map one file of weights; "of their own" is what a process adds to it. Warm
features are of {N_WARM:,} short texts, most from memory after the first run.
"""


def long_texts() -> tuple[list[str], np.ndarray]:
    """Join passages of the same book."""
    data, rng = load_textbooks(), np.random.default_rng(0)
    y = rng.integers(len(data.target_names), size=N_TEXTS)
    chosen = [rng.choice(np.flatnonzero(data.target == k), N_PASSAGES) for k in y]
    return [" ".join(data.data[i] for i in rows) for rows in chosen], y


def search(featurizer: Any, texts: list[str], y: Any, n_jobs: int = 1) -> GridSearchCV:
    pipeline = make_pipeline(featurizer, LogisticRegression(max_iter=1000))
    folds = StratifiedKFold(5)
    return GridSearchCV(pipeline, GRID, cv=folds, n_jobs=n_jobs).fit(texts, y)


def fits(features: list[np.ndarray], y: Any) -> None:
    """Do what the grid does beside the features."""
    for block in features:
        model = LogisticRegression(max_iter=1000)
        GridSearchCV(model, {"C": [1.0]}, cv=StratifiedKFold(5)).fit(block, y)


def seconds(run: Callable[[], Any]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def with_empty_cache(texts: list[str], y: Any, n_jobs: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        search(BertLayerFeaturizer(minilm(), memory=folder), texts, y, n_jobs)


def grid(texts: list[str], y: Any) -> list[dict[str, Any]]:
    bare = BertLayerFeaturizer(minilm()).fit(texts)
    bare.transform(texts)
    choices = [
        clone(bare).set_params(layers=layers, pooling=pooling).fit_transform(texts)
        for layers in GRID["bertlayerfeaturizer__layers"]
        for pooling in GRID["bertlayerfeaturizer__pooling"]
    ]
    # Workers are started before, as a session has them.
    with_empty_cache(texts, y, 2)
    times = median_times(
        {
            "forward": lambda: bare.set_params(layers="all").transform(texts),
            "fits": lambda: fits(choices, y),
            "cache": lambda: with_empty_cache(texts, y, 1),
            "cache, n_jobs=2": lambda: with_empty_cache(texts, y, 2),
        },
        N_REPETITIONS,
    )
    without = seconds(lambda: search(BertLayerFeaturizer(minilm()), texts, y))
    least = times["forward"] + times["fits"]
    return [
        row("grid, no cache", "s", without, 1.0),
        row("grid, empty cache", "s", times["cache"], without / times["cache"]),
        row("forward pass and fits", "s", least, 1.0),
        row("grid, empty cache", "s", times["cache"], times["cache"] / least),
        row("grid, n_jobs=2", "s", times["cache, n_jobs=2"],
            times["cache, n_jobs=2"] / least),
    ]  # fmt: skip


def row(case: str, unit: str, value: float, ratio: float | str = "") -> dict[str, Any]:
    return {"case": case, "unit": unit, "value": float(value), "ratio": ratio}


def warm() -> list[dict[str, Any]]:
    """Time a transform that finds everything, and its parts."""
    texts = [f"text number {i} of those that are found again" for i in range(N_WARM)]
    with tempfile.TemporaryDirectory() as folder:
        featurizer = BertLayerFeaturizer(minilm(), memory=folder)
        featurizer.fit_transform(texts)
        digests = digest_texts(texts)
        space = featurizer._encoder().space(featurizer_cache(folder))
        times = median_times(
            {
                "transform": lambda: featurizer.transform(texts),
                "find": lambda: space.find(digests, ["mean.6"]),
            },
            N_REPETITIONS,
        )
    return [
        row("warm transform of 10,000 texts", "s", times["transform"]),
        row("look-ups", "texts/s", N_WARM / times["find"]),
    ]


def featurizer_cache(folder: str) -> Any:
    from skembed import FeatureCache

    return FeatureCache(folder)


def _memory_of_weights(texts: list[str], wait: float) -> dict[str, int]:
    """Run a model, and read how much memory the process shares with others."""
    featurizer = BertLayerFeaturizer(minilm())
    featurizer.fit_transform(texts)
    time.sleep(wait)
    file = re.compile(r"^Pss:\s+(\d+) kB|^Private_Dirty:\s+(\d+) kB")
    inside, totals = False, {"Pss": 0, "Private_Dirty": 0}
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if re.match(r"^[0-9a-f]+-[0-9a-f]+ ", line):
            inside = line.endswith("model.safetensors")
        match = file.match(line) if inside else None
        if match:
            name = "Pss" if match[1] else "Private_Dirty"
            totals[name] += int(match[1] or match[2])
    return totals


def workers(texts: list[str]) -> list[dict[str, Any]]:
    """Measure what two workers hold of the weights between them."""
    if not Path("/proc/self/smaps").exists():
        return []
    found = Parallel(n_jobs=2, backend="loky")(
        delayed(_memory_of_weights)(texts[:20], 5.0) for _ in range(2)
    )
    size = (Path(minilm()) / "model.safetensors").stat().st_size
    together = 1024 * sum(worker["Pss"] for worker in found)
    own = 1024 * max(worker["Private_Dirty"] for worker in found)
    task = len(pickle.dumps(BertLayerFeaturizer(minilm(), memory="cache")))
    return [
        row("weights of two workers together", "MB", together / 1e6, together / size),
        row("of their own, each", "MB", own / 1e6, own / size),
        row("pickle of an unfitted estimator", "kB", task / 1e3),
    ]


def main() -> None:
    texts, y = long_texts()
    # Threads of BLAS and of torch would wait for each other in products this small.
    with threadpool_limits(limits=1, user_api="blas"):
        rows = grid(texts, y)
    rows += [*warm(), *workers(texts)]
    print(write("grid", rows, NOTES))


if __name__ == "__main__":
    main()
