"""Training is repeatable, goes on after crashes, and stops when it should."""

import os
import signal
import subprocess
import sys
import time
from ast import literal_eval
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal

import skembed
from skembed._ragged import Ragged
from skembed.training.bilm import train_bilm
from tests.training.bilm_corpus import TINY, encoded, sentences, tiny_config

ROOT = Path(skembed.__file__).parents[1]
MODES = {
    "sentences, adam": {"epochs": 3},
    "stream, adagrad": {
        "epochs": 3, "packing": "stream", "unroll": 5, "optimizer": "adagrad",
        "learning_rate": 0.2, "clip_norm": 10.0, "loss_scale": 5.0,
    },
    "stream, sampled": {
        "epochs": 3, "packing": "stream", "unroll": 5, "n_negatives": 8,
    },
}  # fmt: skip


@pytest.fixture(params=MODES)
def config(request):
    return tiny_config(validation_fraction=0.2, **MODES[request.param])


def train(config, **arguments):
    _, corpus, characters = encoded(sentences())
    return train_bilm(corpus, characters, config, **{"seed": 0, **arguments})


def assert_same(result, other):
    for name, array in result.model.arrays.items():
        assert_array_equal(array, other.model.arrays[name], err_msg=name)
    assert_array_equal(result.model.softmax, other.model.softmax)
    assert_array_equal(result.model.bias, other.model.bias)
    assert result.history == other.history


class StopError(Exception):
    """Raised by progress."""


def stop_after(n_reports, error=StopError):
    reports = []

    def progress(*report):
        reports.append(report)
        if len(reports) == n_reports:
            raise error

    return progress


@pytest.fixture
def _reports_each_step(monkeypatch):
    from skembed.training import _torch_epochs

    monkeypatch.setattr(_torch_epochs, "_SECONDS_BETWEEN_REPORTS", -1.0)


def test_seeds_fix_the_weights_and_leave_other_random_numbers_alone(config):
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    first, again, other = (train(config, seed=seed) for seed in (1, 1, 2))
    assert_array_equal(torch.get_rng_state(), before[0])
    assert_array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002
    assert_same(first, again)
    assert not np.allclose(first.model.softmax, other.model.softmax)


def test_the_loss_falls(config):
    history = train(config).history
    assert history[-1].loss < history[0].loss
    perplexities = [epoch.perplexity.mean for epoch in history]
    assert perplexities[-1] < perplexities[0]


@pytest.mark.usefixtures("_reports_each_step")
@pytest.mark.parametrize("n_reports", [2, 5, 8])
def test_a_training_goes_on_as_if_it_had_not_been_cut(config, n_reports, tmp_path):
    config = replace(config, checkpoint_seconds=0.0)
    whole = train(config)
    with pytest.raises(StopError):
        train(config, checkpoint=tmp_path, progress=stop_after(n_reports))
    assert list(tmp_path.iterdir())
    reports = []
    resumed = train(
        config, checkpoint=tmp_path, progress=lambda *report: reports.append(report)
    )
    assert_same(resumed, whole)
    # The step in which it was cut is the first one again.
    total = len(reports_of(config))
    assert len(reports) == total - n_reports + 1
    assert list(tmp_path.iterdir()) == []


def reports_of(config):
    reports = []
    train(config, progress=lambda *report: reports.append(report))
    return reports


CRASH = """
import sys
from skembed.training import _torch_epochs
from tests.training.test_bilm_run import train, tiny_config
_torch_epochs._SECONDS_BETWEEN_REPORTS = -1.0

def progress(*report):
    print(report, flush=True)

config = tiny_config(epochs=2000, checkpoint_seconds=0.0)
train(config, checkpoint=sys.argv[1], progress=progress)
"""


@pytest.mark.slow
def test_kill_9_loses_at_most_the_last_interval(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", CRASH, str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        lines = [process.stdout.readline() for _ in range(30)]
        time.sleep(0.05)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        rest = process.communicate()[0]
    assert process.returncode == -signal.SIGKILL
    lines += [line for line in rest.splitlines() if line.endswith(")")]
    last = literal_eval(lines[-1].replace("nan", "0"))
    config = tiny_config(epochs=2000, checkpoint_seconds=0.0)
    first = []

    def progress(*report):
        first.append(report)
        raise StopError

    with pytest.raises(StopError):
        train(config, checkpoint=tmp_path, progress=progress)
    assert first[0][:2] >= last[:2]


@pytest.mark.usefixtures("_reports_each_step")
@pytest.mark.parametrize("damage", ["cut", "flipped"])
def test_a_damaged_checkpoint_is_left_out_for_the_one_before(damage, tmp_path):
    config = tiny_config(epochs=3, checkpoint_seconds=0.0)
    whole = train(config)
    with pytest.raises(StopError):
        train(config, checkpoint=tmp_path, progress=stop_after(6))
    newest = tmp_path / "checkpoint.pt"
    content = bytearray(newest.read_bytes())
    if damage == "cut":
        content = content[: len(content) // 2]
    else:
        content[len(content) // 2] ^= 1
    newest.write_bytes(content)
    with pytest.warns(RuntimeWarning, match=r"checkpoint\.pt is damaged"):
        assert_same(train(config, checkpoint=tmp_path), whole)


@pytest.mark.usefixtures("_reports_each_step")
def test_without_a_whole_checkpoint_the_folder_is_to_be_removed(tmp_path):
    config = tiny_config(epochs=3, checkpoint_seconds=0.0)
    with pytest.raises(StopError):
        train(config, checkpoint=tmp_path, progress=stop_after(6))
    for path in tmp_path.iterdir():
        path.write_bytes(path.read_bytes()[:100])
    with (
        pytest.warns(RuntimeWarning, match="damaged"),
        pytest.raises(ValueError, match="Remove the folder"),
    ):
        train(config, checkpoint=tmp_path)


@pytest.mark.usefixtures("_reports_each_step")
def test_a_checkpoint_of_another_training_is_refused(tmp_path):
    config = tiny_config(epochs=3, checkpoint_seconds=0.0)
    with pytest.raises(StopError):
        train(config, checkpoint=tmp_path, progress=stop_after(3))
    for other in ({"seed": 1}, {"n_outputs": 5}):
        with pytest.raises(ValueError, match="other settings or another seed"):
            train(config, checkpoint=tmp_path, **other)


@pytest.mark.usefixtures("_reports_each_step")
def test_an_interrupt_is_passed_on_or_ends_training_with_the_best(tmp_path):
    config = tiny_config(epochs=4, validation_fraction=0.2, learning_rate=0.02)
    whole = train(config)
    n_reports = len(reports_of(config))
    progress = stop_after(n_reports - 1, KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        train(config, progress=progress)
    progress = stop_after(n_reports - 1, KeyboardInterrupt)
    result = train(config, progress=progress, keep_on_interrupt=True)
    assert result.was_interrupted
    assert result.history == whole.history[:3]
    assert result.best_epoch == 2
    assert not whole.was_interrupted


def test_a_true_result_of_progress_stops_after_the_epoch():
    result = train(tiny_config(epochs=9), progress=lambda epoch, *_: epoch == 1)
    assert len(result.history) == 2


def test_training_stops_when_the_perplexity_has_ceased_to_fall():
    config = tiny_config(
        epochs=200, validation_fraction=0.3, learning_rate=0.05, n_iter_no_change=2
    )
    result = train(config)
    assert len(result.history) < 200
    assert len(result.history) == result.best_epoch + 3
    perplexities = [epoch.perplexity.mean for epoch in result.history]
    assert min(perplexities) == perplexities[result.best_epoch]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_diverging_run_is_stopped_and_names_the_learning_rate():
    config = tiny_config(epochs=50, learning_rate=1e4, clip_norm=1e9)
    with pytest.raises(ValueError, match=r"learning_rate=10000\.0"):
        train(config)


def test_training_goes_on_from_given_weights():
    config = tiny_config(epochs=15, learning_rate=0.02, dropout=0.0)
    first = train(config)
    kept = {name: array.copy() for name, array in first.model.arrays.items()}
    more = train(config, initial=first.model)
    assert more.history[0].loss < first.history[0].loss - 0.1
    assert more.history[-1].loss < first.history[-1].loss - 0.5
    for name, array in kept.items():
        assert_array_equal(first.model.arrays[name], array)
    published = first.model._replace(softmax=None, bias=None)
    again = train(config, initial=published)
    assert again.history[-1].loss < first.history[0].loss
    slow = tiny_config(epochs=1, learning_rate=1e-12, dropout=0.0)
    unmoved = train(slow, initial=published).model.arrays
    for name, array in kept.items():
        assert np.allclose(unmoved[name], array, atol=1e-6)


def test_a_model_to_start_from_must_fit():
    config = tiny_config(epochs=1)
    model = train(config).model
    with pytest.raises(ValueError, match="rows, but 3"):
        train(config, initial=model, n_outputs=4)
    larger = tiny_config(architecture=replace(TINY, hidden_size=17), epochs=1)
    other = train(larger).model
    with pytest.raises(ValueError, match="with_architecture"):
        train(config, initial=other)
    lacking = dict(model.arrays)
    del lacking["CNN_proj/b_proj"]
    with pytest.raises(ValueError, match="CNN_proj/b_proj"):
        train(config, initial=model._replace(arrays=lacking))
    broken = {**model.arrays, "char_embed": np.full((261, 4), np.nan, np.float32)}
    with pytest.raises(ValueError, match="char_embed' to start from holds NaN"):
        train(config, initial=model._replace(arrays=broken))


def test_ids_must_be_those_of_words():
    _, corpus, characters = encoded(sentences())
    config = tiny_config(epochs=1)
    with pytest.raises(ValueError, match="Word ids must be from 0 to 9"):
        train_bilm(corpus, characters[:10], config, seed=0)
    with pytest.raises(ValueError, match="max_characters=12"):
        train_bilm(corpus, characters[:, :10], config, seed=0)
    with pytest.raises(ValueError, match="Character ids must be from 1 to 261"):
        train_bilm(corpus, characters - 259, config, seed=0)
    none = Ragged(corpus.values[:0], corpus.offsets[:1])
    with pytest.raises(ValueError, match="no words to learn from"):
        train_bilm(none, characters, config, seed=0)


def test_threads_change_no_bit_and_torch_has_its_own_back(config):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        one, two, more = (train(config, n_threads=n) for n in (1, 2, 5))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert_same(one, two)
    assert_same(one, more)
