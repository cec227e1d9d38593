"""The way of texts through a network that is simple enough to see through."""

import threading
import time

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from skembed._ragged import Ragged
from skembed.encoding import _batches
from skembed.encoding._encode import Encoder, pooled_texts, token_states
from skembed.encoding._pooled import Wanted
from skembed.encoding._run import TokenBudget, run_windows
from skembed.features import STATISTICS
from skembed.networks import Windows

TEXTS = ["abc", "", "z", "a long one that has several windows", "abc", "xy" * 20]


class Characters:
    """Layer j of a character is (j + its code, -its code); batches are recorded."""

    device = torch.device("cpu")
    widths = (2, 2, 2)
    pads = False

    def __init__(self, most=10**6):
        self.most, self.batches, self.lasts = most, [], set()

    def run(self, ids, last, visit):
        self.batches.append(ids.lengths.tolist())
        self.lasts.add(last)
        for layer in range(last + 1):
            if layer == 1 and len(ids.values) > self.most:
                raise torch.OutOfMemoryError
            codes = torch.from_numpy(ids.values).float()
            visit(layer, torch.stack([layer + codes, -codes], dim=1))


def tokenize(texts, numbers):
    """One token for each character, in windows of ten."""
    parts = [
        (i, text[start : start + 10])
        for i, text in enumerate(texts)
        for start in range(0, max(len(text), 1), 10)
    ]
    codes = np.array([ord(c) for _, part in parts for c in part], np.int32)
    return Windows(
        ids=Ragged.from_lengths(codes, [len(part) for _, part in parts]),
        text=np.array([i for i, _ in parts]),
        own=np.ones(len(codes), bool),
        special=np.zeros(len(codes), bool),
    )


def encoder_of(*networks, n_tokens=30, progress=lambda _: None, tokenize=tokenize):
    return Encoder(networks, tokenize, TokenBudget(n_tokens), progress)


def codes_of(text):
    return np.array([ord(c) for c in text], float)


def statistics(encoder, layers=(0, 2), texts=TEXTS):
    """Compute statistics of texts, put into their order."""
    wanted = Wanted(layers, STATISTICS, special_tokens=False)
    found = {}
    for rows, arrays in pooled_texts(encoder, texts, np.arange(len(texts)), wanted):
        for name, array in arrays.items():
            whole = found.setdefault(name, np.full((len(texts), array.shape[1]), 7.0))
            whole[rows] = array
    return found


def assert_right(found, layers=(0, 2), texts=TEXTS):
    counts = {"n_tokens", "n_windows", "n_cut"}
    names = {f"{name}.{layer}" for name in STATISTICS for layer in layers}
    assert found.keys() == names | counts
    for i, text in enumerate(texts):
        assert found["n_tokens"][i] == len(text)
        assert found["n_windows"][i] == max(1, -(-len(text) // 10))
        for layer in layers:
            codes = codes_of(text)
            expected = {
                "mean": [layer + codes.mean(), -codes.mean()],
                "max": [layer + codes.max(), -codes.min()],
                "min": [layer + codes.min(), -codes.max()],
                "first": [layer + codes[0], -codes[0]],
                "last": [layer + codes[-1], -codes[-1]],
                "cls": [layer + codes[0], -codes[0]],
            } if text else {name: [0, 0] for name in STATISTICS}  # fmt: skip
            for name, values in expected.items():
                assert_allclose(found[f"{name}.{layer}"][i], values, rtol=1e-6)


@pytest.mark.parametrize("n_tokens", [1, 12, 1000])
@pytest.mark.parametrize("chunk", [1, 20, 10**6])
def test_texts_get_their_own_statistics(monkeypatch, n_tokens, chunk):
    monkeypatch.setattr(_batches, "CHUNK_CHARACTERS", chunk)
    network = Characters()
    assert_right(statistics(encoder_of(network, n_tokens=n_tokens)))
    assert network.lasts == {2}
    assert all(sum(b) <= n_tokens or len(b) == 1 for b in network.batches)
    assert sum(map(sum, network.batches)) == sum(map(len, TEXTS))


def test_texts_without_tokens_do_not_run():
    network = Characters()
    assert_right(statistics(encoder_of(network), texts=["", ""]), texts=["", ""])
    assert network.batches == []


@pytest.mark.parametrize("chunk", [1, 10**6])
def test_each_text_is_reported_once(monkeypatch, chunk):
    monkeypatch.setattr(_batches, "CHUNK_CHARACTERS", chunk)
    steps = []
    statistics(encoder_of(Characters(), n_tokens=1, progress=steps.append))
    assert sum(steps) == len(TEXTS)
    assert min(steps) >= 0


def test_texts_are_tokenized_ahead_in_another_thread(monkeypatch):
    monkeypatch.setattr(_batches, "CHUNK_CHARACTERS", 1)
    events, is_new = [], threading.Condition()

    class Recording(Characters):
        def run(self, ids, last, visit):
            super().run(ids, last, visit)
            n_expected = min(len(self.batches) + 1, len(TEXTS))
            with is_new:
                assert is_new.wait_for(lambda: len(events) >= n_expected, timeout=10)

    def recorded(texts, numbers):
        with is_new:
            events.append((texts, numbers, threading.current_thread()))
            is_new.notify()
        return tokenize(texts, numbers)

    numbers = np.arange(10, 10 + len(TEXTS))
    encoder = encoder_of(Recording(), n_tokens=1000, tokenize=recorded)
    list(pooled_texts(encoder, TEXTS, numbers, Wanted((0,), ("mean",), False)))  # noqa: FBT003
    assert sorted(n for _, ns, _ in events for n in ns) == numbers.tolist()
    assert all(TEXTS[ns[0] - 10] == texts[0] for texts, ns, _ in events)
    assert threading.main_thread() not in {thread for *_, thread in events}


def test_networks_share_the_work():
    networks = [Characters(), Characters(), Characters()]
    assert_right(statistics(encoder_of(*networks, n_tokens=1)))
    assert sum(sum(map(sum, n.batches)) for n in networks) == sum(map(len, TEXTS))


def test_batches_end_in_their_order_whichever_network_is_faster(rng):
    delays = iter(rng.random(40) / 500)

    class Slow(Characters):
        def run(self, ids, last, visit):
            time.sleep(next(delays))
            super().run(ids, last, visit)

    lengths = np.arange(40, 0, -1)
    ids = Ragged.from_lengths(np.ones(lengths.sum(), np.int32), lengths)
    ended = []

    def start(batch, rows, device):
        return (lambda *_: None), lambda: ended.extend(rows)

    networks = [Slow(), Slow(), Slow()]
    done = list(run_windows(networks, ids, 0, TokenBudget(1), start))
    assert np.concatenate(done).tolist() == ended == list(range(40))


def test_tokens_keep_their_states_and_their_order():
    def mix(blocks):
        return np.hstack(blocks)

    found = {}
    for rows, windows, states in token_states(
        encoder_of(Characters(), n_tokens=12), TEXTS, (2, 0), mix
    ):
        text = np.repeat(windows.text, windows.ids.lengths)
        found |= {row: states[text == k] for k, row in enumerate(rows)}
    for i, text in enumerate(TEXTS):
        codes = codes_of(text)
        expected = np.stack([2 + codes, -codes, codes, -codes], axis=1)
        assert_array_equal(found[i], expected)


# Too little memory.


@pytest.mark.parametrize("n_networks", [1, 2])
@pytest.mark.parametrize("most", [10, 15, 25])
def test_what_does_not_fit_is_halved_which_is_said_once(most, n_networks):
    networks = [Characters(most) for _ in range(n_networks)]
    encoder = encoder_of(*networks, n_tokens=1000)
    with pytest.warns(RuntimeWarning, match=r"did not fit into the memory of cpu") as w:
        assert_right(statistics(encoder))
    assert len(w) == 1
    assert encoder.budget.n_tokens <= 2 * most


def test_what_follows_runs_in_smaller_batches(monkeypatch):
    monkeypatch.setattr(_batches, "CHUNK_CHARACTERS", 100)
    network = Characters(20)
    encoder = encoder_of(network, n_tokens=1000)
    texts = ["ten tokens"] * 100
    with pytest.warns(RuntimeWarning, match="did not fit"):
        assert_right(statistics(encoder, texts=texts), texts=texts)
    n_failed = sum(sum(lengths) > 20 for lengths in network.batches)
    assert n_failed <= 5


def test_padding_counts_where_a_network_pads():
    network = Characters()
    network.pads = True
    assert_right(statistics(encoder_of(network, n_tokens=30)))
    assert all(max(b) * len(b) <= 30 for b in network.batches)


@pytest.mark.parametrize("n_networks", [1, 2])
def test_a_window_that_does_not_fit_alone_is_too_long(n_networks):
    encoder = encoder_of(*[Characters(9)] * n_networks, n_tokens=10)
    with pytest.raises(MemoryError, match=r"A single text of 10 tokens .* Lower max_l"):
        statistics(encoder)


# What goes wrong is raised at once.


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
@pytest.mark.parametrize("n_networks", [1, 2])
@pytest.mark.parametrize("place", ["network", "tokenizer"])
def test_errors_and_interrupts_end_the_run(monkeypatch, error, n_networks, place):
    monkeypatch.setattr(_batches, "CHUNK_CHARACTERS", 1)
    calls = []

    class Failing(Characters):
        def run(self, ids, last, visit):
            calls.append(ids)
            raise error

    def failing(texts, numbers):
        calls.append(texts)
        raise error

    encoder = (
        encoder_of(*[Failing()] * n_networks)
        if place == "network"
        else encoder_of(*[Characters()] * n_networks, tokenize=failing)
    )
    n_threads = threading.active_count()
    with pytest.raises(error):
        statistics(encoder)
    assert len(calls) <= 2 + n_networks
    assert threading.active_count() == n_threads


def test_after_an_error_no_further_batch_is_begun():
    begun = threading.Semaphore(100)

    class Failing(Characters):
        def run(self, ids, last, visit):
            begun.acquire()
            time.sleep(0.01)
            raise KeyboardInterrupt

    encoder = encoder_of(Failing(), Failing(), n_tokens=1)
    with pytest.raises(KeyboardInterrupt):
        statistics(encoder, texts=["text"] * 50)
    # Of four that wait at most, two had begun, and two may just have.
    assert begun._value >= 96
