"""A training that is broken off goes on as if it had not been."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skembed._ragged import Ragged
from skembed.training.translation import (
    Pairs,
    TranslationConfig,
    train_translation,
)

ROOT = Path(__file__).parents[2]
CONFIG = TranslationConfig(
    hidden_size=4, epochs=3, batch_size=5, learning_rate=0.01, checkpoint_seconds=0.0
)


def corpus():
    rng = np.random.default_rng(0)
    texts = Ragged.from_lengths(rng.integers(4, size=60).astype(np.int32), [3] * 20)
    return Pairs(texts, texts), np.eye(4, dtype=np.float32)


def train(folder, *, n_steps=None, config=CONFIG, seed=0, **options):
    """Train, or break off when this many steps have been taken."""
    pairs, vectors = corpus()
    n_told = 0

    def progress(*_):
        nonlocal n_told
        n_told += 1
        if n_told == n_steps:
            raise KeyboardInterrupt

    options = {"held_out": pairs, **options}
    return train_translation(
        pairs, vectors, 4, config,
        seed=seed, device="cpu", checkpoint=folder, progress=progress, **options,
    )  # fmt: skip


@pytest.fixture(autouse=True)
def _tell_after_each_step(monkeypatch):
    name = "skembed.training._torch_epochs._SECONDS_BETWEEN_REPORTS"
    monkeypatch.setattr(name, -1.0)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "training"


def expect_same_result(actual, expected):
    assert actual.history == expected.history
    for name, array in expected.encoder.items():
        assert_array_equal(actual.encoder[name], array)


@pytest.mark.parametrize("n_steps", [2, 4, 5, 11])
def test_it_gives_the_same_as_without_the_interruption(n_steps, folder):
    with pytest.raises(KeyboardInterrupt):
        train(folder, n_steps=n_steps)
    assert list(folder.iterdir())
    expect_same_result(train(folder), train(None))


@pytest.mark.parametrize(("n_steps", "n_epochs"), [(2, 0), (6, 1), (11, 2)])
def test_an_interrupt_may_end_it_with_the_best_so_far(n_steps, n_epochs, folder):
    whole = train(folder)
    assert not whole.was_interrupted
    result = train(folder, n_steps=n_steps, keep_on_interrupt=True)
    assert result.was_interrupted
    assert result.history == whole.history[:n_epochs]
    assert list(folder.iterdir()) == []
    if not n_epochs:
        assert result.best_epoch is None
        return
    pairs, vectors = corpus()
    stopped = train_translation(
        pairs, vectors, 4, CONFIG, held_out=pairs, seed=0, device="cpu",
        progress=lambda epoch, done, _: (epoch + 1, done) == (n_epochs, 1.0),
    )  # fmt: skip
    assert result.best_epoch == stopped.best_epoch
    expect_same_result(result, stopped)


def test_without_held_out_pairs_the_last_whole_epoch_is_the_best(folder):
    result = train(folder, n_steps=11, keep_on_interrupt=True, held_out=None)
    assert result.best_epoch == 1
    # Both are of the third epoch, whose steps are not kept.
    earlier = train(folder, n_steps=9, keep_on_interrupt=True, held_out=None)
    expect_same_result(result, earlier)


def test_it_takes_up_where_the_checkpoint_was_made(folder):
    with pytest.raises(KeyboardInterrupt):
        train(folder, n_steps=9)
    with pytest.raises(KeyboardInterrupt):
        # Of 12 steps, 8 are in the checkpoint.
        train(folder, n_steps=4)
    assert train(folder, n_steps=2) is not None


def test_checkpoints_are_removed_at_the_end(folder):
    train(folder)
    assert list(folder.iterdir()) == []


def test_no_checkpoint_is_written_before_its_time(folder):
    late = TranslationConfig(hidden_size=4, epochs=1, checkpoint_seconds=1e6)
    train(folder, config=late)
    assert not folder.exists()


@pytest.mark.parametrize("n_bytes", [0, 100, -1])
def test_of_a_damaged_checkpoint_the_one_before_is_taken(n_bytes, folder):
    with pytest.raises(KeyboardInterrupt):
        train(folder, n_steps=6)
    newest = folder / "checkpoint.pt"
    newest.write_bytes(newest.read_bytes()[:n_bytes])
    with pytest.warns(RuntimeWarning, match="checkpoint.pt is damaged, and left out"):
        result = train(folder)
    expect_same_result(result, train(None))


def test_if_all_are_damaged_it_says_so(folder):
    with pytest.raises(KeyboardInterrupt):
        train(folder, n_steps=6)
    for path in folder.iterdir():
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 0xFF
        path.write_bytes(content)
    with (
        pytest.warns(RuntimeWarning, match="is damaged"),
        pytest.raises(ValueError, match=r"No checkpoint in .* is whole"),
    ):
        train(folder)


@pytest.mark.parametrize(
    "change",
    [{"seed": 1}, {"config": TranslationConfig(hidden_size=4, epochs=9)}],
)
def test_a_checkpoint_of_another_training_is_refused(change, folder):
    with pytest.raises(KeyboardInterrupt):
        train(folder, n_steps=6)
    with pytest.raises(ValueError, match="is of a training on other texts"):
        train(folder, **change)


@pytest.mark.slow
def test_a_killed_training_goes_on(folder):
    code = (
        "import sys, time\n"
        "from tests.training import test_translation_checkpoints as this\n"
        "import skembed.training.translation._torch_run as run\n"
        "step = run.Run._step\n"
        "def slow(self, batch):\n"
        "    time.sleep(0.2)\n"
        "    return step(self, batch)\n"
        "run.Run._step = slow\n"
        "this.train(sys.argv[1])\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(folder)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        deadline = time.monotonic() + 60
        while not (folder / "checkpoint.previous.pt").exists():
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.02)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    expect_same_result(train(folder), train(None))
