"""Features from a bidirectional language model, beside a plain implementation.

    python -m benchmarks.bench_elmo

The plain one follows the published format as one would write it in torch: batches in
the order of the texts, padded to the longest; the characters of every token convolved;
one matrix product for each step of each LSTM.
"""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812

from benchmarks._report import write
from benchmarks._timing import median_times
from skembed import ELMoFeaturizer
from skembed.datasets import load_textbooks
from skembed.formats import array_shapes, parse_elmo_options, write_elmo
from skembed.formats._elmo_options import cell_name
from skembed.networks.elmo import _registry
from skembed.text import character_ids, newswire_words
from skembed.training.bilm import BiLMArchitecture

N_TEXTS = {"small": 128, "original": 64}
N_REPETITIONS = 3
# The most that there may be, in each format of the matrix products.
DEVIATIONS = {"float32": 1e-4, "bfloat16": 0.02, "int8": 0.05}
BATCH = 32
PLAIN = "plain torch"
NOTES = f"""
The mean of all layers over the words of sentences of 5 to 40 words, in the order in
which textbooks have them: {N_TEXTS["small"]} for "small" (LSTMs of 1,024 cells, 128
wide), {N_TEXTS["original"]} for "original" (4,096, 512). Weights are random. One thread
of the CPU; medians of {N_REPETITIONS} interleaved runs in one process. The plain
implementation runs batches of {BATCH} sentences as they come, padded, with the
characters of each token. "Seen words": the vectors of the words are left from the run
before. Deviation: the largest difference from the plain one, relative to the largest
feature.
"""
Run = Callable[[], np.ndarray]
Arrays = dict[str, torch.Tensor]


def random_model(size: str, folder: Path) -> tuple[dict[str, Any], Arrays]:
    """Write a model of a published size; return its options and arrays."""
    options = BiLMArchitecture.published(size).options()
    rng = np.random.default_rng(0)
    arrays = {}
    for name, shape in array_shapes(parse_elmo_options(json.dumps(options))).items():
        n_inputs = np.prod(shape[:-1]) if len(shape) > 1 else 100
        arrays[name] = rng.normal(0, n_inputs**-0.5, shape).astype(np.float32)
    arrays["char_embed"] *= 16
    write_elmo(folder, options, arrays)
    return options, {name: torch.from_numpy(array) for name, array in arrays.items()}


def sentences(n_texts: int) -> list[list[str]]:
    """The first sentences of the bundled texts that are neither short nor long."""
    texts = load_textbooks().data
    found = [newswire_words(part)[0] for text in texts for part in text.split(". ")]
    return [words for words in found if 5 <= len(words) <= 40][:n_texts]


def token_vectors(options: dict[str, Any], arrays: Arrays, ids: torch.Tensor) -> Any:
    """The vectors of tokens, of shape (n_tokens, width), each from its characters."""
    characters = F.embedding(ids - 1, arrays["char_embed"]).transpose(1, 2)
    features = torch.cat(
        [
            F.conv1d(
                characters,
                arrays[f"CNN/W_cnn_{i}"][0].permute(2, 1, 0),
                arrays[f"CNN/b_cnn_{i}"],
            ).amax(dim=2).relu()
            for i in range(len(options["char_cnn"]["filters"]))
        ],
        dim=1,
    )  # fmt: skip
    for k in range(options["char_cnn"]["n_highway"]):
        high = {
            part: features @ arrays[f"CNN_high_{k}/W_{part}"]
            + arrays[f"CNN_high_{k}/b_{part}"]
            for part in ("transform", "carry")
        }
        gate = high["carry"].sigmoid()
        features = gate * high["transform"].relu() + (1 - gate) * features
    return features @ arrays["CNN_proj/W_proj"] + arrays["CNN_proj/b_proj"]


def lstm(arrays: Arrays, cell: str, inputs: torch.Tensor) -> torch.Tensor:
    """Run one layer over texts of shape (n_texts, n_steps, width)."""
    weight, bias = arrays[f"{cell}/W_0"], arrays[f"{cell}/B"]
    projection = arrays[f"{cell}/W_P_0"]
    h = inputs.new_zeros(len(inputs), projection.shape[1])
    c = inputs.new_zeros(len(inputs), projection.shape[0])
    outputs = []
    for x in inputs.unbind(dim=1):
        i, j, f, o = (torch.cat([x, h], dim=1) @ weight + bias).chunk(4, dim=1)
        c = ((f + 1).sigmoid() * c + i.sigmoid() * j.tanh()).clamp(-3, 3)
        h = ((o.sigmoid() * c.tanh()) @ projection).clamp(-3, 3)
        outputs.append(h)
    return torch.stack(outputs, dim=1)


def plain(options: dict[str, Any], arrays: Arrays, texts: list[list[str]]) -> Run:
    """Return what computes features as one would write it down."""

    def batch_features(batch: list[list[str]]) -> torch.Tensor:
        framed = [["<S>", *words, "</S>"] for words in batch]
        longest = max(map(len, framed))
        words = [
            word for text in framed for word in text + [""] * (longest - len(text))
        ]
        ids = torch.from_numpy(character_ids(words, 50)).long()
        inputs = token_vectors(options, arrays, ids).view(len(batch), longest, -1)
        # Each text is reversed within its own length.
        step, lengths = torch.arange(longest), torch.tensor([len(t) for t in framed])
        back = (lengths[:, None] - 1 - step).remainder(longest)
        rows = torch.arange(len(batch))[:, None]
        layers = [torch.cat([inputs, inputs], dim=2)]
        states = [inputs, inputs[rows, back]]
        for layer in range(options["lstm"]["n_layers"]):
            for k in range(2):
                output = lstm(arrays, cell_name(k, layer), states[k])
                states[k] = output + states[k] if layer else output
            layers.append(torch.cat([states[0], states[1][rows, back]], dim=2))
        mixed = torch.stack(layers).mean(dim=0)
        inside = (step > 0) & (step < lengths[:, None] - 1)
        summed = (mixed * inside[..., None]).sum(dim=1)
        return summed / inside.sum(dim=1, keepdim=True)

    @torch.inference_mode()
    def run() -> np.ndarray:
        starts = range(0, len(texts), BATCH)
        parts = [batch_features(texts[start : start + BATCH]) for start in starts]
        return torch.cat(parts).numpy()

    return run


def skembed(
    folder: Path, texts: list[list[str]], dtype: str, *, keep_words: bool
) -> Run:
    """Return what computes the same features here."""
    model = ELMoFeaturizer(
        folder, initial_state="zeros", dtype=dtype, device="cpu", n_jobs=1
    ).fit(texts[:1])

    def run() -> np.ndarray:
        if not keep_words:
            for entry in _registry._networks._entries.values():
                entry.made[0]._words._place.clear()
        return model.transform(texts)

    return run


def measure(size: str) -> list[dict[str, Any]]:
    """Compare on a model of one size."""
    texts = sentences(N_TEXTS[size])
    n_words = sum(map(len, texts))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        options, arrays = random_model(size, folder)
        cases: dict[str, Run] = {PLAIN: plain(options, arrays, texts)}
        for dtype in DEVIATIONS:
            for label, keep_words in (("", False), (", seen words", True)):
                cases[f"skembed, {dtype}{label}"] = skembed(
                    folder, texts, dtype, keep_words=keep_words
                )
        # What is made at first use is made here.
        found = {case: run() for case, run in cases.items()}
        times = median_times(cases, N_REPETITIONS)
    truth = found[PLAIN]
    return [
        {
            "model": size,
            "program": case,
            "words/s": n_words / times[case],
            "ratio": times[PLAIN] / times[case],
            "deviation": float(np.abs(x - truth).max() / np.abs(truth).max()),
        }
        for case, x in found.items()
    ]


def main() -> None:
    """Measure all sizes, and write the table."""
    torch.set_num_threads(1)
    # Else networks would be made again in every run.
    _registry._networks.n_kept = len(DEVIATIONS)
    rows = [row for size in N_TEXTS for row in measure(size)]
    for row in rows:
        # A fast wrong answer is no result.
        named = [dtype for dtype in DEVIATIONS if dtype in row["program"]]
        assert row["deviation"] < max([DEVIATIONS[dtype] for dtype in named], default=1)
    print(write("elmo", rows, NOTES))


if __name__ == "__main__":
    main()
