"""Attention over texts of different lengths that stand in one row, without padding.

transformers lets a model's attention be replaced by name. The model then runs on one
row of tokens, so that all else costs nothing for padding; here each text attends to
itself, all texts of one length at once. What a text's tokens may see (all, only what
came before, a sliding window) is still said by the model: its mask function is kept,
and asked for a mask of each length.

On a CPU with registers of 512 bits, compiled kernels take half the time that torch's
attention takes, in one thread, and more so the more lengths there are. Elsewhere, for
other numbers and where a mask hides some of the text, torch's is used.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.masking_utils import (
    bidirectional_mask_function,
    causal_mask_function,
)

from skembed._kernels.simd import HAS_512_BITS, LANES
from skembed.networks.huggingface._kernels import attend

NAME = "skembed_ragged"
# What changes attention in ways that are not spelled out here.
_UNKNOWN = ("softcap", "s_aux", "position_bias", "head_mask")
# The kernels have one thread each, torch's attention as many as there are.
_MOST_THREADS = 2


class Group(NamedTuple):
    """Neighboring texts of one length: `n_texts` of them, from token `start` on."""

    start: int
    n_texts: int
    length: int

    @property
    def stop(self) -> int:
        """Where the tokens end."""
        return self.start + self.n_texts * self.length


class Masks:
    """The masks of a model, one for each length of text, made when first asked for.

    Parameters
    ----------
    allows : callable
        transformers' mask function: of batch, head, query and key, whether the query
        sees the key.
    device : torch.device
    """

    def __init__(self, allows: Callable[..., Any], device: torch.device) -> None:
        self.is_causal = allows is causal_mask_function
        self._is_full = self.is_causal or allows is bidirectional_mask_function
        self._allows, self._device = allows, device
        self._made: dict[int, torch.Tensor | None] = {}

    def of(self, length: int) -> torch.Tensor | None:
        """Return a mask of shape (length, length), bool, or None if it hides nothing.

        What `is_causal` says comes on top.
        """
        if self._is_full:
            return None
        if length not in self._made:
            place = torch.arange(length, device=self._device)
            mask = self._allows(place[0], place[0], place[:, None], place[None, :])
            self._made[length] = None if bool(mask.all()) else mask
        return self._made[length]


_groups: ContextVar[tuple[Group, ...]] = ContextVar("skembed_groups")
_offsets: ContextVar[npt.NDArray[np.int64]] = ContextVar("skembed_offsets")


@contextmanager
def groups_of(lengths: npt.NDArray[np.int64]) -> Iterator[None]:
    """Tell the attention how long the texts of the row are, for the time of a run."""
    changes = np.flatnonzero(np.diff(lengths)) + 1
    firsts = np.concatenate([[0], changes])
    counts = np.diff(np.concatenate([firsts, [len(lengths)]]))
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    groups = zip(offsets[firsts], counts, lengths[firsts], strict=True)
    token = _groups.set(tuple(Group(int(s), int(n), int(m)) for s, n, m in groups))
    offsets_token = _offsets.set(offsets)
    try:
        yield
    finally:
        _offsets.reset(offsets_token)
        _groups.reset(token)


def _make_masks(*_: Any, mask_function: Any, device: Any, **__: Any) -> Masks:
    """Stand where transformers would make one mask for the whole row."""
    return Masks(mask_function, torch.device(device))


def _attend(
    _: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: Masks,
    scaling: float | None = None,
    dropout: float = 0.0,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """Attend within each text; the tensors are (1, n_heads, n_tokens, size)."""
    unknown = [name for name in _UNKNOWN if kwargs.get(name) is not None]
    if unknown or dropout:
        msg = f"Attention with {unknown or 'dropout'}."
        raise NotImplementedError(msg)
    if _suits_kernels(query, key, value, attention_mask):
        return _compiled(query, key, value, scaling, attention_mask.is_causal), None
    return _grouped(query, key, value, scaling, attention_mask), None


def _grouped(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    scaling: float | None,
    masks: Masks,
) -> torch.Tensor:
    """Let torch attend, within all texts of one length at once."""
    n_heads, n_tokens = query.shape[1:3]
    result = query.new_empty((n_tokens, n_heads, value.shape[3]))
    for group in _groups.get():
        mixed = scaled_dot_product_attention(
            _texts(query, group),
            _texts(key, group),
            _texts(value, group),
            attn_mask=masks.of(group.length),
            is_causal=masks.is_causal,
            scale=scaling,
            enable_gqa=n_heads != key.shape[1],
        )
        rows = mixed.transpose(1, 2).flatten(0, 1)
        result[group.start : group.stop] = rows
    return result[None]


def _texts(tensor: torch.Tensor, group: Group) -> torch.Tensor:
    """Cut the texts of a group out of a row: (n_texts, n_heads, length, size)."""
    part = tensor[0, :, group.start : group.stop]
    n_heads, _, size = part.shape
    return part.view(n_heads, group.n_texts, group.length, size).transpose(0, 1)


def _compiled(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    scaling: float | None,
    is_causal: bool,
) -> torch.Tensor:
    """Let the kernels attend."""
    n_heads, n_tokens, size = query.shape[1:]
    result = torch.empty((n_tokens, n_heads, value.shape[3]))
    attend(
        query[0].numpy(),
        key[0].numpy(),
        value[0].numpy(),
        _offsets.get(),
        np.float32(size**-0.5 if scaling is None else scaling),
        is_causal,
        result.numpy(),
    )
    return result[None]


def _suits_kernels(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, masks: Masks
) -> bool:
    """Whether the kernels can do what is asked, and are faster."""
    return (
        all(
            tensor.dtype == torch.float32
            and tensor.device.type == "cpu"
            and tensor.stride(3) == 1
            and tensor.shape[3] % LANES == 0
            for tensor in (query, key, value)
        )
        and torch.get_num_threads() <= _MOST_THREADS
        and all(masks.of(group.length) is None for group in _groups.get())
        and kernels_work()
    )


@cache
def kernels_work() -> bool:
    """Whether the kernels suit the processor, and give what torch gives."""
    if not HAS_512_BITS:
        return False
    generator = torch.Generator().manual_seed(0)
    shape = (3, 1, 2, 20, 2 * LANES)
    query, key, value = torch.randn(shape, generator=generator).unbind()
    masks = Masks(causal_mask_function, query.device)
    with torch.inference_mode(), groups_of(np.array([8, 9, 3])):
        expected = _grouped(query, key, value, None, masks)
        try:
            found = _compiled(query, key, value, None, masks.is_causal)
        # Whatever keeps code from being compiled, torch's attention does not need it.
        except Exception:  # noqa: BLE001
            return False
    return torch.allclose(found, expected, rtol=1e-5, atol=1e-5)


AttentionInterface.register(NAME, _attend)
AttentionMaskInterface.register(NAME, _make_masks)
