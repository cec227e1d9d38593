"""The compiled kernels of attention, against the formula in float64."""

import numpy as np
import pytest
from scipy.special import softmax

from skembed.networks.huggingface._kernels import attend


def attend_by_formula(query, key, value, lengths, scale, is_causal):
    out = np.empty((query.shape[1], query.shape[0], value.shape[2]))
    ends = np.cumsum(lengths)
    for start, stop in zip(ends - lengths, ends, strict=True):
        for head in range(len(query)):
            shared = head * len(key) // len(query)
            scores = scale * query[head, start:stop] @ key[shared, start:stop].T
            if is_causal:
                scores[np.triu_indices(stop - start, 1)] = -np.inf
            weights = softmax(scores, axis=1)
            out[start:stop, head] = weights @ value[shared, start:stop]
    return out


@pytest.mark.parametrize("is_causal", [False, True])
@pytest.mark.parametrize("sizes", [(16, 16), (32, 32), (64, 64), (16, 112)])
@pytest.mark.parametrize("n_key_heads", [1, 2, 4])
@pytest.mark.parametrize("lengths", [[1], [5, 6, 7], [130, 16, 3], [2, 65, 17, 1]])
def test_attention_follows_its_formula(rng, lengths, n_key_heads, sizes, is_causal):
    n_tokens = sum(lengths)
    # Rows of all heads lie side by side, as linear layers leave them.
    query, key, value = (
        rng.normal(size=(n_tokens, n, size)).astype(np.float32).transpose(1, 0, 2)
        for n, size in ((4, sizes[0]), (n_key_heads, sizes[0]), (n_key_heads, sizes[1]))
    )
    out = np.full((n_tokens, 4, sizes[1]), np.nan, dtype=np.float32)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    attend(query, key, value, offsets, np.float32(0.3), is_causal, out)
    arrays = (array.astype(np.float64) for array in (query, key, value))
    expected = attend_by_formula(*arrays, np.array(lengths), 0.3, is_causal)
    np.testing.assert_allclose(out, expected, rtol=1e-5, atol=2e-6)


def test_a_nan_shows_in_its_text_alone(rng):
    states = rng.normal(size=(1, 40, 16)).astype(np.float32)
    states[0, 5, 3] = np.nan
    out = np.empty((40, 1, 16), dtype=np.float32)
    attend(
        states,
        states,
        states,
        np.array([0, 20, 40]),
        np.float32(1),
        is_causal=False,
        out=out,
    )
    assert np.isnan(out[:20]).all()
    assert np.isfinite(out[20:]).all()
