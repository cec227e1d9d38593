import pytest
import torch

from skembed._devices import DTYPES, resolve_devices


def test_auto_is_a_device_that_is_there():
    (device,) = resolve_devices("auto")
    assert torch.ones(1, device=device).sum() == 1


def test_several_devices_are_kept_in_order():
    devices = resolve_devices(["cpu", torch.device("cpu")])
    assert devices == (torch.device("cpu"), torch.device("cpu"))


@pytest.mark.parametrize("device", ["abacus", 1.5, None])
def test_what_is_no_device_is_refused(device):
    with pytest.raises(ValueError, match=r"or what torch\.device takes"):
        resolve_devices(device)


@pytest.mark.parametrize("device", ["cuda:99", "meta", ("cpu", "cuda:99")])
def test_a_device_that_is_not_there_is_refused(device):
    with pytest.raises(ValueError, match=r"is not there.*Set device=.auto."):
        resolve_devices(device)


def test_no_device_at_all_is_refused():
    with pytest.raises(ValueError, match="at least one device"):
        resolve_devices([])


def test_dtypes_are_names_of_torch():
    assert all(isinstance(getattr(torch, name), torch.dtype) for name in DTYPES)
