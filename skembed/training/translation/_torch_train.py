"""From pairs and a configuration to trained weights, and from weights to words."""

from hashlib import blake2b
from pathlib import Path

import numpy as np
import torch

from skembed._ragged import Ragged
from skembed.training._torch_checkpoint import CheckpointFolder
from skembed.training._torch_epochs import Progress, train_to_best
from skembed.training.translation._batches import cut, padded
from skembed.training.translation._config import (
    Arrays,
    TranslationConfig,
    TranslationResult,
)
from skembed.training.translation._torch_beam import beam_search
from skembed.training.translation._torch_model import blank_translator, keep_all
from skembed.training.translation._torch_run import Corpora, Run

# Raised by one whenever the same pairs and settings give another training.
_FORMAT = 1


def run_training(
    corpora: Corpora,
    config: TranslationConfig,
    *,
    seed: int,
    device: torch.device,
    checkpoint: Path | None,
    keep_on_interrupt: bool,
    progress: Progress | None,
) -> TranslationResult:
    """Train, or go on with a training; see `train_translation`."""
    run = Run(corpora, config, seed, device)
    folder = None
    if checkpoint is not None:
        fingerprint = _fingerprint(corpora, config, seed)
        folder = CheckpointFolder(checkpoint, fingerprint, config.checkpoint_seconds)
    was_interrupted = train_to_best(
        run, folder, device, keep_on_interrupt=keep_on_interrupt, progress=progress
    )
    return TranslationResult(
        encoder=run.translator.encoder.arrays(),
        decoder={
            name: np.array(tensor.cpu().numpy())
            for name, tensor in run.translator.decoder.state_dict().items()
        },
        history=tuple(run.history),
        best_epoch=run.best_epoch,
        was_interrupted=was_interrupted,
    )


def run_translation(
    encoder: Arrays,
    decoder: Arrays,
    source: Ragged,
    vectors: np.ndarray,
    config: TranslationConfig,
    *,
    beam_size: int,
    max_length: int,
    device: torch.device,
) -> Ragged:
    """Translate texts; see `translate`."""
    n_words = len(decoder["bias"]) - 1
    translator = blank_translator(vectors.shape[1], n_words, config, device)
    translator.encoder.load_arrays(encoder)
    translator.decoder.load_state_dict(
        {name: torch.from_numpy(np.array(x)) for name, x in decoder.items()}
    )
    translations: list[list[int]] = [[] for _ in range(len(source))]
    order = np.argsort(source.lengths, kind="stable")
    order = order[source.lengths[order] > 0]
    with torch.inference_mode():
        for rows in cut(order, config.batch_size):
            words = torch.from_numpy(vectors[padded(source, rows, 0)]).to(device)
            lengths = torch.from_numpy(source.lengths[rows]).to(device)
            memory = translator.encoder(words, lengths, keep_all)
            found = beam_search(translator.decoder, memory, beam_size, max_length)
            for row, ids in zip(rows.tolist(), found, strict=True):
                translations[row] = ids
    flat = [word for ids in translations for word in ids]
    return Ragged.from_lengths(
        np.array(flat, dtype=np.int32), [len(ids) for ids in translations]
    )


def _fingerprint(corpora: Corpora, config: TranslationConfig, seed: int) -> str:
    """Digest all that the training depends on."""
    settings = (_FORMAT, config, seed, corpora.n_target_words, corpora.vectors.shape)
    digest = blake2b(repr(settings).encode(), digest_size=16)
    digest.update(np.ascontiguousarray(corpora.vectors).data)
    for pairs in (corpora.training, corpora.held_out):
        for ids in pairs:
            digest.update(np.ascontiguousarray(ids.values, dtype=np.int32).data)
            digest.update(np.ascontiguousarray(ids.offsets, dtype=np.int64).data)
    return digest.hexdigest()
