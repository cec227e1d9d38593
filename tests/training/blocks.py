"""Random blocks of skip-gram steps."""

import numpy as np
import torch

from skembed.training.skipgram._torch.center import Vectors
from skembed.training.skipgram._torch.draws import Layout, Noise, Source

N_WORDS = 30


def random_block(rng, device, layout=None, n_shared=3, *, weighted=False, missing=2):
    """Draw the first block of a corpus of short documents.

    Parameters
    ----------
    rng : Generator
    device : torch.device
    layout : Layout, default=Layout(1, 3, 8, 2, shrink=True)
        Of one block.
    n_shared : int, default=3
        Noise words of each tile.
    weighted : bool, default=False
        Whether documents have weights.
    missing : int, default=2
        Centres of the last tile that the corpus has no words for.
    """
    layout = layout or Layout(1, 3, 8, 2, shrink=True)
    n_tokens = layout.n_tiles * layout.tile - missing
    ends = np.sort(rng.integers(0, n_tokens + 1, n_tokens // 8))
    offsets = np.concatenate([[0], ends, [n_tokens]])
    weight = rng.uniform(0.5, 2, len(offsets) - 1) if weighted else np.empty(0)
    source = Source(
        rng.integers(0, N_WORDS, n_tokens).astype(np.int32),
        offsets,
        np.full(N_WORDS, 2**31 - 1, np.uint32),
        weight.astype(np.float32),
        device,
    )
    generator = torch.Generator(device).manual_seed(int(rng.integers(1 << 32)))
    uniform = np.full(N_WORDS, 1 / N_WORDS)
    noise = Noise.from_probabilities(uniform, n_shared, device)
    sample = source.sample(generator)
    ((block,),) = source.blocks(sample, noise, layout, 1, generator)
    return block


def random_vectors(rng, block, vector_size):
    """Draw the vectors of a block's centres, and an output table.

    The vectors are rows of a table in no order, as those of fastText are.
    """
    device = block.words.device
    tables = torch.tensor(
        rng.normal(size=(2, N_WORDS + 1, vector_size)) / vector_size**0.25,
        dtype=torch.float32,
        device=device,
    )
    rows = rng.integers(0, N_WORDS, block.reach.numel())
    return Vectors(tables[0], torch.from_numpy(rows).to(device)), tables[1]
