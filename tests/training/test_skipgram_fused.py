"""The Triton kernels of skip-gram ask for what the operations of torch do.

Without a GPU they run in Triton's interpreter, on the CPU.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from skembed._ragged import Ragged
from skembed.training._torch import fused as fused_moves
from skembed.training.fasttext import FastTextConfig, train_fasttext
from skembed.training.skipgram import SkipGramConfig, train_skipgram
from skembed.training.skipgram._torch import fused, step, unfused
from skembed.training.skipgram._torch.draws import Layout
from tests.training.blocks import random_block, random_vectors
from tests.training.devices import HAS_TRITON, KERNEL_DEVICES

ROOT = Path(__file__).parents[2]
NEGATIVE = 5.0
SMALL = {"vector_size": 10, "window": 3, "sample": 1e-2, "epochs": 1}


def assert_same(found, wanted):
    """Compare forces, to what is noise beside the largest of their numbers."""
    names = ("pulls", "pushes", "on_outputs")
    for name in names:
        pairs = zip(getattr(found, name), getattr(wanted, name), strict=True)
        for ours, theirs in pairs:
            scale = float(theirs.abs().max())
            assert_allclose(
                ours.cpu(), theirs.cpu(), rtol=1e-5, atol=2e-6 * scale, err_msg=name
            )
    assert_allclose(found.sums.cpu(), wanted.sums.cpu(), rtol=1e-5)


@pytest.mark.parametrize("device", KERNEL_DEVICES)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("vector_size", "n_tiles", "tile", "window", "n_shared"),
    [(100, 2, 32, 5, 32), (5, 3, 23, 2, 3), (17, 9, 4, 9, 50), (256, 1, 40, 1, 16)],
)
def test_kernels_ask_for_what_torch_does(
    rng, device, weighted, vector_size, n_tiles, tile, window, n_shared
):
    layout = Layout(1, n_tiles, tile, window, shrink=True)
    block = random_block(rng, device, layout, n_shared, weighted=weighted)
    vectors, outputs = random_vectors(rng, block, vector_size)
    wanted = unfused.forces_of(vectors, outputs, block, NEGATIVE)
    assert_same(fused.forces_of(vectors, outputs, block, NEGATIVE), wanted)


@pytest.mark.parametrize("device", KERNEL_DEVICES)
def test_scores_of_any_size_have_losses_and_a_nan_is_seen(rng, device):
    block = random_block(rng, device)
    vectors, outputs = random_vectors(rng, block, 8)
    vectors.table[::2] *= 3000
    found, wanted = (
        how.forces_of(vectors, outputs, block, NEGATIVE) for how in (fused, unfused)
    )
    assert float(wanted.sums[0] / wanted.sums[1]) > 1000
    assert_allclose(found.sums.cpu(), wanted.sums.cpu(), rtol=1e-5)
    for force in (found.pulls, found.pushes, found.on_outputs):
        assert all(torch.isfinite(part).all() for part in force)
    vectors.table[vectors.rows[0]] = np.nan
    sums = fused.forces_of(vectors, outputs, block, NEGATIVE).sums
    assert torch.isnan(sums[0])
    assert torch.isfinite(sums[1])


def words_and_counts(rng):
    ids = np.minimum(rng.geometric(0.1, 1100) - 1, 29).astype(np.int32)
    corpus = Ragged.from_lengths(ids, [500, 0, 1, 599])
    return corpus, np.bincount(ids, minlength=30).clip(1)


def train_words(rng, device):
    weight = rng.uniform(0.5, 2, 4).astype(np.float32)
    result = train_skipgram(
        *words_and_counts(rng), SkipGramConfig(**SMALL), seed=0, device=device,
        document_weight=weight,
    )  # fmt: skip
    return result.input, result.output, result.losses


def train_ngrams(rng, device):
    ngrams = Ragged.from_lengths(
        rng.integers(0, 20, 90).astype(np.int32), np.full(30, 3)
    )
    result = train_fasttext(
        *words_and_counts(rng), ngrams, FastTextConfig(**SMALL), seed=0, device=device
    )
    return (*result.tables, result.losses)


@pytest.mark.slow
@pytest.mark.parametrize("device", KERNEL_DEVICES)
@pytest.mark.parametrize("train", [train_words, train_ngrams])
def test_whole_trainings_end_at_the_same_vectors(rng, monkeypatch, device, train):
    results, launched = {}, set()
    state = rng.bit_generator.state

    def watch(module, name):
        function = getattr(module, name)

        def watched(*arguments):
            launched.add(name)
            return function(*arguments)

        monkeypatch.setattr(module, name, watched)

    watch(fused, "forces_of")
    watch(fused_moves, "move")
    watch(fused_moves, "resultant")
    for answer in (False, True):
        for module in (fused_moves, step):
            monkeypatch.setattr(module, "serves", lambda *_, answer=answer: answer)
        rng.bit_generator.state = state
        assert not launched
        results[answer] = train(rng, device)
    of_words = {"resultant"} if train is train_ngrams else set()
    assert launched == {"forces_of", "move", *of_words}
    for found, wanted in zip(results[True], results[False], strict=True):
        assert_allclose(found, wanted, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("device", KERNEL_DEVICES)
def test_runs_agree_bit_for_bit(rng, device):
    block = random_block(rng, device)
    vectors, outputs = random_vectors(rng, block, 12)
    first, again = (fused.forces_of(vectors, outputs, block, 2.0) for _ in range(2))
    for name in ("pulls", "pushes", "on_outputs"):
        for part, same in zip(getattr(first, name), getattr(again, name), strict=True):
            assert_array_equal(part.cpu(), same.cpu())


@HAS_TRITON
@pytest.mark.slow
@pytest.mark.parametrize(
    ("capability", "vector_size", "weighted", "most"),
    # What a block of threads may take of a GeForce 30 and of an H100, in KiB.
    [(86, 256, 1, 99), (90, 100, 0, 227)],
)
def test_kernels_compile_and_fit_on_gpus(
    tmp_path, capability, vector_size, weighted, most
):
    arguments = [str(number) for number in (capability, vector_size, weighted)]
    environment = {"TRITON_INTERPRET": "0", "TRITON_CACHE_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "tests.training.compile_kernels", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    shared = json.loads(done.stdout)
    assert set(shared) == {"on_centers", "on_words", "settle"}
    assert max(shared.values()) <= most * 1024
