"""Where an estimator's vectors are trained."""

from typing import Any

from skembed._devices import training_device
from skembed._ragged import Ragged

_ON_GPUS = "negative_sampling"


def check_device(estimator: Any) -> None:
    """Raise if the parameter `device` names what is not there, or cannot be used.

    Parameters
    ----------
    estimator : estimator
        With the parameter `device` and, maybe, `loss`.

    Raises
    ------
    ValueError
    """
    loss = getattr(estimator, "loss", _ON_GPUS)
    if training_device(estimator.device, 0) is not None and loss != _ON_GPUS:
        msg = (
            f"loss={loss!r} is trained on the CPU only, got device="
            f"{estimator.device!r}. Set device='cpu', or loss={_ON_GPUS!r}."
        )
        raise ValueError(msg)


def device_argument(estimator: Any, epochs: int, corpus: Ragged) -> dict[str, Any]:
    """Return the argument of training that says where, if it is not compiled code.

    Parameters
    ----------
    estimator : estimator
        With the parameter `device` and, maybe, `loss`.
    epochs : int
        How often training passes over the corpus, at most.
    corpus : Ragged of int32

    Returns
    -------
    argument : dict
        Of the key "device", or empty. What is trained depends on it: a GPU draws
        windows and noise otherwise.
    """
    if getattr(estimator, "loss", _ON_GPUS) != _ON_GPUS:
        return {}
    device = training_device(estimator.device, epochs * len(corpus.values))
    return {} if device is None else {"device": device}
