"""Steps of Adam or Adagrad on the network, and on some rows of the softmax."""

from typing import Any

import torch

from skembed.training.bilm._config import BiLMConfig
from skembed.training.bilm._torch_network import BiLM

_UNCHECKED: Any = torch.sparse.check_sparse_tensor_invariants


class Optimizer:
    """Moves the weights of a network, and those rows of a table that a step used.

    Parameters
    ----------
    network : BiLM
    table : torch.nn.Parameter of shape (n_rows, size)
    config : BiLMConfig
    n_steps : int
        How many there will be; Adam's rate is 0 after the last.
    """

    def __init__(
        self,
        network: BiLM,
        table: torch.nn.Parameter,
        config: BiLMConfig,
        n_steps: int,
    ) -> None:
        self._parameters = [p for p in network.parameters() if p.requires_grad]
        self._table, self._config, self._n_steps = table, config, n_steps
        rate = config.learning_rate
        self._optimizers: list[torch.optim.Optimizer]
        if config.optimizer == "adagrad":
            self._optimizers = [
                torch.optim.Adagrad(
                    [*self._parameters, table], lr=rate, initial_accumulator_value=1.0
                )
            ]
        else:
            self._optimizers = [
                torch.optim.Adam(self._parameters, lr=rate),
                torch.optim.SparseAdam([table], lr=rate),
            ]

    def step(self, number: int, rows: torch.Tensor, gradient: torch.Tensor) -> None:
        """Take one step along the gradients, which are reset.

        Parameters
        ----------
        number : int
            Of the step, from 0.
        rows : Tensor of shape (n,), int64
            Those of the table that were used, each once, in rising order.
        gradient : Tensor of shape (n, size)
            Of these rows. Those of the network are at its parameters.
        """
        gradients = [p.grad for p in self._parameters if p.grad is not None]
        self._clip([*gradients, gradient])
        self._table.grad = torch.sparse_coo_tensor(
            rows[None],
            gradient,
            self._table.shape,
            check_invariants=False,
            is_coalesced=True,
        )
        for optimizer in self._optimizers:
            if self._config.optimizer == "adam":
                left = 1.0 - number / self._n_steps
                optimizer.param_groups[0]["lr"] = self._config.learning_rate * left
            # Left to its default, torch warns that it checks no sparse tensors.
            with _UNCHECKED(enable=False):
                optimizer.step()
            optimizer.zero_grad()

    def _clip(self, gradients: list[torch.Tensor]) -> None:
        norm = torch.stack([g.norm() for g in gradients]).norm()
        factor = (self._config.clip_norm / (norm + 1e-6)).clamp(max=1.0)
        for gradient in gradients:
            gradient.mul_(factor)

    def state(self) -> dict[str, Any]:
        """Return all that steps have left, for a checkpoint."""
        return {str(i): o.state_dict()["state"] for i, o in enumerate(self._optimizers)}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state that `state` returned."""
        for i, optimizer in enumerate(self._optimizers):
            groups = optimizer.state_dict()["param_groups"]
            optimizer.load_state_dict({"state": state[str(i)], "param_groups": groups})
