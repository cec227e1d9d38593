"""The devices of this machine that torch cores are tested on, and tables on them."""

import sys

import pytest
import torch

from skembed.training._torch.ranks import Ranks, SharedTable

DEVICES = [torch.device("cpu")]
HAS_TRITON = pytest.mark.skipif(sys.platform != "linux", reason="Triton needs Linux.")
# Those that Triton's kernels run on: without a GPU, its interpreter stands in for one.
KERNEL_DEVICES = [pytest.param(torch.device("cpu"), marks=HAS_TRITON)]
if torch.cuda.is_available():
    # The last one is not the current device if there are several.
    last = torch.device("cuda", torch.cuda.device_count() - 1)
    KERNEL_DEVICES = [pytest.param(last, marks=pytest.mark.gpu)]
    DEVICES = [*DEVICES, pytest.param(torch.device("cuda"), marks=pytest.mark.gpu)]


def table_on(device, values):
    """Copy a table to a device, for a single process."""
    table = torch.tensor(values, dtype=torch.float32, device=device)
    return SharedTable(table, Ranks())
