"""The devices of this machine that torch cores are tested on, and tables on them."""

import pytest
import torch

from skembed.training._torch.ranks import Ranks, SharedTable

DEVICES = [torch.device("cpu")]
if torch.cuda.is_available():
    DEVICES.append(pytest.param(torch.device("cuda"), marks=pytest.mark.gpu))
# Those that Triton's kernels run on: its interpreter stands in for a GPU.
KERNEL_DEVICES = DEVICES[-1:]


def table_on(device, values):
    """Copy a table to a device, for a single process."""
    table = torch.tensor(values, dtype=torch.float32, device=device)
    return SharedTable(table, Ranks())
