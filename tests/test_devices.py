import pytest
import torch

from skembed import _devices
from skembed._devices import (
    CPU_DTYPES,
    DTYPES,
    WORTH_A_GPU,
    check_device,
    count_gpus,
    resolve_devices,
    training_device,
    trains_together,
)


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
    assert all(isinstance(getattr(torch, name), torch.dtype)
               for name in DTYPES + CPU_DTYPES)  # fmt: skip


def test_what_is_for_the_cpu_alone_is_run_there(monkeypatch):
    monkeypatch.setattr(_devices, "_best", lambda: "cuda")
    assert resolve_devices("auto", "int8") == (torch.device("cpu"),)
    assert resolve_devices(["auto", "cpu"], "int8") == (torch.device("cpu"),) * 2
    assert resolve_devices("auto", "bfloat16") == (torch.device("cuda"),)


@pytest.mark.parametrize("device", ["cuda", "cuda:1", "mps", ["cpu", "cuda"]])
def test_what_is_for_the_cpu_alone_is_refused_elsewhere(device):
    with pytest.raises(ValueError, match=r"'int8' is for the CPU alone.*device='cpu'"):
        check_device(device, "int8")
    check_device(device, "bfloat16")


@pytest.fixture
def one_gpu(monkeypatch):
    """Let the driver count one GPU, which torch can use or cannot."""

    class Nvml:
        def nvmlInit_v2(self):  # noqa: N802
            return 0

        def nvmlDeviceGetCount_v2(self, count):  # noqa: N802
            count._obj.value = 1
            return 0

        def nvmlShutdown(self):  # noqa: N802
            return 0

    monkeypatch.setattr(_devices.ctypes, "CDLL", lambda _: Nvml())

    def torch_can_use_it(can):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: can)

    return torch_can_use_it


def test_vectors_of_words_are_trained_without_torch_where_there_is_no_gpu(monkeypatch):
    def no_library(name):
        raise OSError(name)

    monkeypatch.setattr(_devices.ctypes, "CDLL", no_library)
    assert count_gpus() == 0
    assert training_device("auto", 10**12) is None


def test_auto_takes_a_gpu_that_torch_can_use_if_the_work_is_worth_it(one_gpu):
    one_gpu(can=True)
    assert count_gpus() == 1
    assert training_device("auto", WORTH_A_GPU) == torch.device("cuda")
    assert training_device("auto", WORTH_A_GPU - 1) is None
    one_gpu(can=False)
    assert training_device("auto", WORTH_A_GPU) is None


def test_the_cpu_trains_in_compiled_code_by_every_name():
    assert training_device("cpu", 10**12) is None
    assert training_device("cpu:0", 10**12) is None


@pytest.mark.parametrize("device", ["abacus", "cuda:99", "meta"])
def test_training_refuses_devices_that_are_not_there(device):
    with pytest.raises(ValueError, match="device"):
        training_device(device, 0)


def test_one_process_does_not_train_together_with_others():
    assert not trains_together(None)
    assert not trains_together(torch.device("cpu"))
