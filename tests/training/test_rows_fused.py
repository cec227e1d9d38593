"""The Triton kernel that moves rows does what the operations of torch do."""

from importlib.metadata import PackageNotFoundError

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from skembed.training._torch import fused, moves
from skembed.training._torch.segments import FEW, find_segments
from skembed.training._torch.steps import Force
from tests.training.devices import DEVICES, KERNEL_DEVICES

# Updates of each row: few, as many as are few, and more than are read at a time.
LENGTHS = [1, 2, FEW - 1, FEW, FEW + 1, 3, fused.MANY, 150]


def random_segments(rng, device, lengths):
    rows = rng.permutation(np.repeat(rng.permutation(len(lengths)), lengths))
    (segments,) = find_segments(torch.from_numpy(rows).to(device)[None])
    # As for words of several rows, each of which counts as several steps.
    counts = rng.integers(1, 9, len(lengths)).astype(np.float32)
    return segments._replace(counts=torch.from_numpy(counts).to(device))


def random_forces(rng, device, n_forces, n, vector_size):
    """Draw forces, of which some ask for nothing."""
    forces = []
    for _ in range(n_forces):
        strength = rng.uniform(0, 2, n) * (rng.uniform(size=n) > 0.2)
        sums = strength[:, None] * rng.normal(size=(n, vector_size))
        parts = torch.tensor(sums), torch.tensor(strength)
        forces.append(Force(*(part.float().to(device) for part in parts)))
    return forces


@pytest.mark.parametrize("device", KERNEL_DEVICES)
@pytest.mark.parametrize("n_forces", [1, 2])
@pytest.mark.parametrize("vector_size", [1, 12, 100])
@pytest.mark.parametrize("lengths", [LENGTHS, [FEW + 1], [2, 1]])
def test_rows_go_where_torch_moves_them(rng, device, n_forces, vector_size, lengths):
    segments = random_segments(rng, device, lengths)
    forces = random_forces(rng, device, n_forces, sum(lengths), vector_size)
    before = rng.normal(size=(len(lengths) + 2, vector_size)).astype(np.float32)
    found, wanted = (torch.from_numpy(before).clone().to(device) for _ in range(2))
    fused.move(found, segments, forces, 0.3)
    moves.unfused_move(wanted, segments, forces, 0.3)
    assert_allclose(found.cpu(), wanted.cpu(), rtol=2e-5, atol=2e-6)
    assert_array_equal(found[-2:].cpu(), before[-2:])
    pairs = zip(
        fused.resultant(segments, forces),
        moves.unfused_resultant(segments, forces),
        strict=True,
    )
    for ours, theirs in pairs:
        assert_allclose(ours.cpu(), theirs.cpu(), rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("device", KERNEL_DEVICES)
def test_updates_may_share_what_they_ask_for(rng, device):
    segments = random_segments(rng, device, LENGTHS)
    forces = random_forces(rng, device, 1, 9, 12)
    of = torch.from_numpy(rng.integers(0, 9, sum(LENGTHS))).to(device)
    found, wanted = (torch.ones(len(LENGTHS), 12, device=device) for _ in range(2))
    fused.move(found, segments, forces, 0.3, of)
    moves.unfused_move(wanted, segments, forces, 0.3, of)
    assert_allclose(found.cpu(), wanted.cpu(), rtol=2e-5, atol=2e-6)
    assert float((wanted - 1).abs().max()) > 0.1


@pytest.mark.parametrize("device", KERNEL_DEVICES)
def test_rows_that_are_not_asked_for_anything_stay(rng, device):
    segments = random_segments(rng, device, LENGTHS)
    nothing = Force(*(torch.zeros_like(part) for part in random_forces(
        rng, device, 1, sum(LENGTHS), 7)[0]))  # fmt: skip
    table = torch.ones(len(LENGTHS), 7, device=device)
    fused.move(table, segments, [nothing], 0.3)
    assert_array_equal(table.cpu(), 1)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("n_updates", [1, FEW, 200])
def test_rows_are_told_by_how_many_updates_they_have(rng, device, n_updates):
    rows = np.minimum(rng.geometric(0.1, (3, n_updates)), 20) - 1
    for values, segments in zip(
        rows, find_segments(torch.from_numpy(rows).to(device)), strict=True
    ):
        distinct, counts = np.unique(values, return_counts=True)
        assert_array_equal(segments.rows.cpu(), distinct)
        assert_array_equal(segments.counts.cpu(), counts)
        assert_array_equal(segments.starts.cpu(), counts.cumsum() - counts)
        assert_array_equal(segments.few.cpu(), np.flatnonzero(counts <= FEW))
        assert_array_equal(segments.many.cpu(), np.flatnonzero(counts > FEW))


@pytest.mark.parametrize(
    ("kind", "capability", "vector_size", "triton", "serves"),
    [
        ("cuda", (8, 0), 256, "3.7.1", True),
        ("cuda:1", (12, 0), 100, "3.10.0+git1", True),
        ("cuda", (7, 5), 100, "3.7.1", False),
        ("cuda", (9, 0), 257, "3.7.1", False),
        ("cuda", (9, 0), 100, "3.2.0", False),
        ("cuda", (9, 0), 100, None, False),
        ("cpu", (9, 0), 100, "3.7.1", False),
        ("mps", (9, 0), 100, "3.7.1", False),
    ],
)
def test_kernels_serve_gpus_that_have_room_for_them(
    monkeypatch, kind, capability, vector_size, triton, serves
):
    def version(name):
        if triton is None:
            raise PackageNotFoundError(name)
        return triton

    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: capability)
    monkeypatch.setattr(fused, "version", version)
    # Not what it has found out before.
    answer = fused.serves.__wrapped__(torch.device(kind), vector_size)
    assert answer is serves
