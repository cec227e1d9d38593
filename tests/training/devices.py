"""The devices of this machine that torch cores are tested on."""

import pytest
import torch

DEVICES = [torch.device("cpu")]
if torch.cuda.is_available():
    DEVICES.append(pytest.param(torch.device("cuda"), marks=pytest.mark.gpu))
