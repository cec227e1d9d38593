"""Batches side by side on a CPU: one network, several threads."""

import threading

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from transformers import AutoModel

from skembed import BertLayerFeaturizer
from skembed._devices import torch_threads
from skembed._ragged import Ragged
from skembed.encoding._batches import batches, count_lanes
from skembed.encoding._run import TokenBudget, run_windows
from skembed.networks.huggingface._network import HuggingFaceNetwork
from tests.reference.states import assert_close

TEXTS = [f"Text number {i}, " + "of a few more words, " * (i % 7) for i in range(40)]


@pytest.mark.parametrize("n_lanes", [2, 3, 8])
@pytest.mark.parametrize("n_tokens", [60, 100, 1000, 10**6])
def test_batches_of_lanes_are_about_equal(rng, n_lanes, n_tokens):
    lengths = rng.integers(0, 60, 500)
    parts = list(batches(lengths, n_tokens, n_lanes=n_lanes))
    rows = np.concatenate(parts)
    assert sorted(rows) == np.flatnonzero(lengths).tolist()
    assert rows.tolist() == sorted(rows, key=lambda row: (-lengths[row], row))
    sizes = [int(lengths[part].sum()) for part in parts]
    assert max(sizes) <= n_tokens
    assert len(parts) % n_lanes == 0
    assert max(sizes) - min(sizes) <= 60


@pytest.mark.parametrize(
    ("lengths", "n_tokens", "most", "n_lanes"),
    [
        ([], 2048, 4, 1),
        ([10] * 1000, 2048, 4, 4),
        ([10] * 1000, 2048, 1, 1),
        # Too little work, ...
        ([10] * 60, 2048, 4, 2),
        ([10] * 40, 2048, 4, 1),
        # ... most of it in one window, ...
        ([700, 300], 2048, 4, 1),
        ([500, 300, 200], 2048, 4, 2),
        # ... or no room in memory.
        ([10] * 1000, 600, 4, 2),
        ([10] * 1000, 1, 4, 1),
    ],
)
def test_lanes_are_as_many_as_there_is_work_for(lengths, n_tokens, most, n_lanes):
    assert count_lanes(np.array(lengths, dtype=np.int64), n_tokens, most) == n_lanes


class Meeting:
    """A network whose runs wait until another one is under way."""

    device, widths, pads = torch.device("cpu"), (1,), False

    def __init__(self, n_lanes):
        self.barrier, self.n_threads = threading.Barrier(n_lanes, timeout=10), []

    def run(self, ids, last, visit):
        self.n_threads.append(torch.get_num_threads())
        self.barrier.wait()


def start(batch, rows, device):
    return (lambda *_: None), lambda: None


def test_lanes_share_a_network_its_threads_and_the_budget():
    ids = Ragged.from_lengths(np.ones(120, np.int32), np.full(12, 10))
    network = Meeting(2)
    with torch_threads(4):
        done = list(run_windows([network], ids, 0, TokenBudget(40), start, n_lanes=2))
        assert torch.get_num_threads() == 4
    assert [len(rows) for rows in done] == [2] * 6
    assert network.n_threads == [2] * 6


def test_threads_are_given_back_where_a_run_ends_early():
    ids = Ragged.from_lengths(np.ones(120, np.int32), np.full(12, 10))
    with torch_threads(4):
        done = run_windows([Meeting(1)], ids, 0, TokenBudget(40), start, n_lanes=2)
        next(done)
        assert torch.get_num_threads() == 2
        done.close()
        assert torch.get_num_threads() == 4


def threads_of_runs(monkeypatch):
    """Record how many threads of torch each run of a network has."""
    seen, run = [], HuggingFaceNetwork.run

    def seeing(self, *args):
        seen.append(torch.get_num_threads())
        run(self, *args)

    monkeypatch.setattr(HuggingFaceNetwork, "run", seeing)
    return seen


@pytest.mark.parametrize("family", ["bert", "roberta", "gpt2", "llama", "modernbert"])
def test_features_do_not_depend_on_lanes(tiny_model, monkeypatch, family):
    featurizer = BertLayerFeaturizer(tiny_model(family), layers="all", n_jobs=1)
    expected = featurizer.fit_transform(TEXTS)
    seen = threads_of_runs(monkeypatch)
    featurizer.set_params(n_jobs=2)
    first, again = featurizer.transform(TEXTS), featurizer.transform(TEXTS)
    assert set(seen) == {1}
    assert_close(first, expected)
    assert_array_equal(first, again)


def test_lanes_change_no_bit_with_a_cache(tiny_model, tmp_path):
    featurizer = BertLayerFeaturizer(tiny_model("bert"), layers="all", n_jobs=2)
    expected = featurizer.fit_transform(TEXTS)
    featurizer.set_params(memory=tmp_path)
    assert_array_equal(featurizer.transform(TEXTS), expected)
    assert_array_equal(featurizer.transform(TEXTS), expected)


@pytest.mark.parametrize(
    ("family", "texts"),
    [
        # Padded by transformers, in ways of which not all are made for threads.
        ("deberta", TEXTS),
        ("mpnet", TEXTS),
        ("bert", TEXTS[:2]),
    ],
)
def test_batches_follow_each_other_where_lanes_are_of_no_use(
    tiny_model, monkeypatch, family, texts
):
    seen = threads_of_runs(monkeypatch)
    featurizer = BertLayerFeaturizer(tiny_model(family), n_jobs=2)
    featurizer.fit_transform(texts)
    assert set(seen) == {2}


@pytest.mark.parametrize("rope_type", ["dynamic", "default"])
def test_a_model_that_changes_while_it_runs_is_not_shared(tiny_model, rope_type):
    rope = {"rope_type": rope_type, "rope_theta": 10_000.0, "factor": 2.0}
    model = AutoModel.from_pretrained(tiny_model("llama"), rope_parameters=rope).eval()
    assert HuggingFaceNetwork(model).is_shareable == (rope_type == "default")
