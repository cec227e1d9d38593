"""Tiny models with random weights, saved as published ones are: one of each family.

The weights are drawn so large that a wrong mask, a wrong position or a forgotten bias
changes every number. The tokenizers are of the family's own kind, trained on real text.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import AutoConfig, AutoModel, PreTrainedTokenizerFast

from skembed.datasets import load_textbooks

_N_HEADS = 4
_VOCABULARY_SIZE = 700


@dataclass(frozen=True)
class _Family:
    """What tells one family from another.

    `tokens` are the special tokens by role, in the order of their ids. `extra` holds
    the settings of the configuration that a family needs beside width and depth.
    """

    tokenizer: str
    tokens: dict[str, str]
    begin: str | None
    end: str | None
    extra: dict[str, Any]
    model_type: str | None = None
    n_reserved_positions: int = 0


def _bert_like(tokenizer: str = "wordpiece", **changes: Any) -> _Family:
    tokens = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]"}
    fields = {"tokens": tokens | {"mask": "[MASK]"}, "extra": {}}
    return _Family(tokenizer, **fields | {"begin": "[CLS]", "end": "[SEP]"} | changes)


def _roberta_like(tokenizer: str, **changes: Any) -> _Family:
    tokens = {"bos": "<s>", "pad": "<pad>", "eos": "</s>", "unk": "<unk>"}
    tokens |= {"mask": "<mask>", "cls": "<s>", "sep": "</s>"}
    # Their positions begin behind the id of the padding, 1.
    fields = {"tokens": tokens, "extra": {}, "n_reserved_positions": 2}
    return _Family(tokenizer, **fields | {"begin": "<s>", "end": "</s>"} | changes)


def _llama_like(**extra: Any) -> _Family:
    tokens = {"unk": "<unk>", "bos": "<s>", "eos": "</s>"}
    return _Family("metaspace-bpe", tokens, begin="<s>", end=None, extra=extra)


_DEBERTA = {
    "relative_attention": True,
    "pos_att_type": ["c2p", "p2c"],
    "max_relative_positions": -1,
    "position_biased_input": False,
}
_MODEL_FAMILIES = {
    "bert": _bert_like(),
    "roberta": _roberta_like("byte-bpe"),
    "mpnet": _roberta_like("wordpiece"),
    "distilbert": _bert_like(),
    "albert": _bert_like("unigram", extra={"embedding_size": 16}),
    "deberta": _bert_like("byte-bpe", extra=_DEBERTA),
    "deberta-v2": _bert_like("unigram", extra=_DEBERTA | {"conv_kernel_size": 3}),
    "deberta-v3": _bert_like(
        "unigram",
        model_type="deberta-v2",
        extra=_DEBERTA
        | {"position_buckets": 8, "share_att_key": True, "norm_rel_ebd": "layer_norm"},
    ),
    "modernbert": _bert_like(
        "byte-bpe", extra={"local_attention": 16, "global_attn_every_n_layers": 3}
    ),
    "electra": _bert_like(extra={"embedding_size": 16}),
    "xlm-roberta": _roberta_like("unigram"),
    "gpt2": _Family("byte-bpe", {"eos": "<|endoftext|>"}, None, None, {}),
    "llama": _llama_like(num_key_value_heads=2),
    "mistral": _llama_like(num_key_value_heads=2, sliding_window=12),
}

FAMILIES: tuple[str, ...] = tuple(_MODEL_FAMILIES)
"""The names that `save_tiny` knows."""


def save_tiny(
    family: str,
    folder: Path,
    *,
    seed: int = 0,
    max_length: int = 64,
    n_layers: int = 3,
    width: int = 32,
) -> Path:
    """Save configuration, weights and tokenizer of a random model into `folder`."""
    kind = _MODEL_FAMILIES[family]
    tokenizer = _wrap(kind, max_length)
    model = AutoModel.from_config(
        _configure(family, kind, tokenizer, max_length, n_layers, width)
    )
    _draw_weights(model, seed)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _configure(
    family: str,
    kind: _Family,
    tokenizer: PreTrainedTokenizerFast,
    max_length: int,
    n_layers: int,
    width: int,
) -> Any:
    # BERT's names, then those of DistilBERT; GPT-2 knows BERT's as other names of its
    # own.
    shape = {
        "hidden_size": width,
        "num_hidden_layers": n_layers,
        "num_attention_heads": _N_HEADS,
        "max_position_embeddings": max_length + kind.n_reserved_positions,
    }
    if family == "distilbert":
        shape |= {"dim": width, "n_layers": n_layers, "n_heads": _N_HEADS}
        shape |= {"hidden_dim": 2 * width}
    if family != "gpt2":
        shape["intermediate_size"] = 2 * width
    tokens = {f"{role}_token_id" for role in ("pad", "bos", "eos", "cls", "sep")}
    ids = {name: getattr(tokenizer, name) for name in tokens}
    return AutoConfig.for_model(
        kind.model_type or family,
        vocab_size=len(tokenizer),
        **shape | ids | kind.extra,
    )


def _draw_weights(model: torch.nn.Module, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            drawn = torch.randn(weight.shape, generator=generator)
            if weight.ndim == 1 and name.endswith("weight"):
                # The scale of a normalisation.
                weight.copy_(1 + 0.2 * drawn)
            else:
                weight.copy_(0.25 * drawn)


def _wrap(kind: _Family, max_length: int) -> PreTrainedTokenizerFast:
    roles = {f"{role}_token": token for role, token in kind.tokens.items()}
    return PreTrainedTokenizerFast(
        tokenizer_object=_trained_tokenizer(
            kind.tokenizer,
            tuple(dict.fromkeys(kind.tokens.values())),
            kind.tokens.get("unk"),
            kind.begin,
            kind.end,
        ),
        model_max_length=max_length,
        **roles,
    )


@lru_cache
def _trained_tokenizer(
    kind: str,
    tokens: tuple[str, ...],
    unknown: str | None,
    begin: str | None,
    end: str | None,
) -> Tokenizer:
    tokenizer, trainer = _KINDS[kind](list(tokens), unknown)
    tokenizer.train_from_iterator(_texts(), trainer)
    if begin is not None or end is not None:
        sides = [side for side in (begin, end) if side is not None]
        template = " ".join(filter(None, [begin, "$A", end]))
        tokenizer.post_processor = processors.TemplateProcessing(
            single=template,
            special_tokens=[(side, tokenizer.token_to_id(side)) for side in sides],
        )
    return tokenizer


@lru_cache
def _texts() -> list[str]:
    return load_textbooks().data[::30]


def _wordpiece(tokens: list[str], unknown: str | None) -> tuple[Tokenizer, Any]:
    tokenizer = Tokenizer(models.WordPiece(unk_token=unknown))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    return tokenizer, trainers.WordPieceTrainer(
        vocab_size=_VOCABULARY_SIZE, special_tokens=tokens, show_progress=False
    )


def _byte_bpe(tokens: list[str], unknown: str | None) -> tuple[Tokenizer, Any]:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    return tokenizer, trainers.BpeTrainer(
        vocab_size=_VOCABULARY_SIZE,
        special_tokens=tokens,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )


def _metaspace_bpe(tokens: list[str], unknown: str | None) -> tuple[Tokenizer, Any]:
    tokenizer = Tokenizer(models.BPE(unk_token=unknown, fuse_unk=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="first")
    return tokenizer, trainers.BpeTrainer(
        vocab_size=_VOCABULARY_SIZE, special_tokens=tokens, show_progress=False
    )


def _unigram(tokens: list[str], unknown: str | None) -> tuple[Tokenizer, Any]:
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    return tokenizer, trainers.UnigramTrainer(
        vocab_size=_VOCABULARY_SIZE,
        special_tokens=tokens,
        unk_token=unknown,
        show_progress=False,
    )


_KINDS: dict[str, Callable[[list[str], str | None], tuple[Tokenizer, Any]]] = {
    "wordpiece": _wordpiece,
    "byte-bpe": _byte_bpe,
    "metaspace-bpe": _metaspace_bpe,
    "unigram": _unigram,
}
