"""Attention without padding, against each token's own by a loop."""

import math

import numpy as np
import pytest
import torch
from transformers.masking_utils import (
    bidirectional_mask_function,
    causal_mask_function,
    sliding_window_causal_mask_function,
)

from skembed.networks.huggingface._attention import (
    Group,
    Masks,
    _attend,
    _groups,
    _make_masks,
    groups_of,
)

SEES = {
    "all": (bidirectional_mask_function, lambda _query, _key: True),
    "what came before": (causal_mask_function, lambda query, key: key <= query),
    "a sliding window": (
        sliding_window_causal_mask_function(3),
        lambda query, key: query - 3 < key <= query,
    ),
}


def attend_by_loop(query, key, value, lengths, sees, scale):
    """Attention of each token of each text; arrays are (n_heads, n_tokens, size)."""
    n_heads, n_tokens, _ = query.shape
    result = np.zeros((n_tokens, n_heads, value.shape[2]))
    ends = np.cumsum(lengths)
    for token in range(n_tokens):
        text = int(np.searchsorted(ends, token, side="right"))
        start = ends[text] - lengths[text]
        seen = [k for k in range(start, ends[text]) if sees(token - start, k - start)]
        for head in range(n_heads):
            shared = head * key.shape[0] // n_heads
            scores = key[shared, seen] @ query[head, token] * scale
            weights = np.exp(scores) / np.exp(scores).sum()
            result[token, head] = weights @ value[shared, seen]
    return result


@pytest.mark.parametrize("n_key_heads", [1, 2, 4])
@pytest.mark.parametrize("what", SEES)
@pytest.mark.parametrize("lengths", [[1], [7], [5, 5, 3, 3, 3, 1], [2, 9, 2]])
def test_each_text_attends_to_itself_alone(rng, what, lengths, n_key_heads):
    n_tokens = sum(lengths)
    query = rng.normal(size=(4, n_tokens, 6))
    key = rng.normal(size=(n_key_heads, n_tokens, 6))
    value = rng.normal(size=(n_key_heads, n_tokens, 5))
    function, sees = SEES[what]
    masks = _make_masks(mask_function=function, device="cpu")
    tensors = [torch.from_numpy(array)[None] for array in (query, key, value)]
    for scaling in (None, 0.7):
        with groups_of(np.array(lengths)):
            mixed, nothing = _attend(None, *tensors, masks, scaling=scaling)
        expected = attend_by_loop(
            query, key, value, lengths, sees, scaling or 1 / math.sqrt(6)
        )
        assert nothing is None
        np.testing.assert_allclose(mixed[0].numpy(), expected, atol=1e-10)


def test_neighbors_of_equal_length_are_computed_together():
    with groups_of(np.array([4, 4, 2, 4])):
        assert _groups.get() == (Group(0, 2, 4), Group(8, 1, 2), Group(10, 1, 4))
    assert _groups.get(None) is None


def test_a_mask_is_made_once_for_each_length():
    masks = Masks(sliding_window_causal_mask_function(2), torch.device("cpu"))
    mask = masks.of(3)
    assert mask.tolist() == [[1, 0, 0], [1, 1, 0], [0, 1, 1]]
    assert masks.of(3) is mask
    assert masks.of(4).shape == (4, 4)


@pytest.mark.parametrize(
    "settings", [{"softcap": 50.0}, {"s_aux": torch.ones(4)}, {"dropout": 0.1}]
)
def test_attention_of_another_kind_is_refused(settings):
    states = torch.ones(1, 4, 2, 6)
    masks = Masks(causal_mask_function, torch.device("cpu"))
    with groups_of(np.array([2])), pytest.raises(NotImplementedError):
        _attend(None, states, states, states, masks, **settings)
