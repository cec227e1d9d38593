"""Features from a transformer, beside the programs that users have for it.

    python -m benchmarks.bench_transformer [MiniLM-L6/float32] [bert-base/bfloat16] ...

All give the mean of the top layer's states over all tokens, special ones included. Of
what is not asked for, the figures are those of before.
"""

import json
import logging
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openvino
import torch
import transformers
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling, Transformer

from benchmarks._report import RESULTS, write
from benchmarks._timing import median_times
from benchmarks._transformers import bert_base, minilm, real_texts
from skembed import BertLayerFeaturizer
from skembed.networks._onednn import PackedLinear

N_TEXTS = {"MiniLM-L6": 160, "bert-base": 64}
N_REPETITIONS = 5
LONGEST = 512
BATCH = 32
FIRST = "sentence-transformers"
LOOP = "tutorials' loop"
PIPELINE = "Hugging Face pipeline"
BATCHED = f"{PIPELINE}, batches of {BATCH}"
IDEAL = "matrix products alone"
# Of numbers, as OpenVINO calls them.
PRECISIONS = {"float32": "f32", "bfloat16": "bf16"}
# Several seconds each, in float32.
SLOW = {"MiniLM-L6": (), "bert-base": (FIRST, LOOP, BATCHED)}
NOTES = f"""
The mean of the top layer over all tokens of {N_TEXTS["MiniLM-L6"]} texts of 2 to 400
tokens from Simple English Wikipedia ({N_TEXTS["bert-base"]} for bert-base, whose
weights are random), on the CPU with all cores, medians of {N_REPETITIONS} interleaved
runs in one process; of 3 for what takes longest in float32 on bert-base
(sentence-transformers, the loop, the pipeline in batches). Ratio: to
sentence-transformers' `encode` of the same number format; and to the pipeline as it is
used by default, a text at a time. Deviation: the largest difference from
sentence-transformers in float32, relative to the largest feature. OpenVINO runs the
model that `openvino.convert_model` makes, in batches of {BATCH} of similar length as
sentence-transformers' backend forms them, which itself wants an older transformers.

"Matrix products alone" is what could be gained: the arithmetic of the texts' own
tokens, without padding, at the rate of oneDNN's products of the model's own sizes, of
2,048 tokens, in the same process. "Of products" is the share of that rate.
"""
Run = Callable[[], np.ndarray]


def contenders(folder: str, texts: list[str], numbers: str) -> dict[str, Run]:
    """Name what is compared in a number format."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    tokenizer.model_max_length = LONGEST
    model = transformers.AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    n_layers = model.config.num_hidden_layers
    half = n_layers // 2
    theirs = {FIRST: sentence_transformers(folder, texts, getattr(torch, numbers))}
    if numbers == "float32":
        theirs |= {
            LOOP: tutorial(model, tokenizer, texts),
            PIPELINE: pipeline(model, tokenizer, texts),
            BATCHED: pipeline(model, tokenizer, texts, batch_size=BATCH),
        }
    return theirs | {
        "OpenVINO": open_vino(model, tokenizer, texts, PRECISIONS[numbers]),
        "skembed": skembed(folder, texts, dtype=numbers),
        f"skembed, layer {half} of {n_layers}": skembed(
            folder, texts, layers=half, dtype=numbers
        ),
    }


def sentence_transformers(folder: str, texts: list[str], dtype: Any) -> Run:
    transformer = Transformer(
        folder, max_seq_length=LONGEST, model_kwargs={"dtype": dtype}
    )
    width = transformer.get_word_embedding_dimension()
    encoder = SentenceTransformer(modules=[transformer, Pooling(width)], device="cpu")

    def run() -> np.ndarray:
        return encoder.encode(texts, convert_to_tensor=True).float().numpy()

    return run


@torch.inference_mode()
def mean_of(states: torch.Tensor, mask: torch.Tensor) -> np.ndarray:
    weights = mask[..., None].to(states.dtype)
    return ((states * weights).sum(1) / weights.sum(1)).numpy()


def tutorial(model: Any, tokenizer: Any, texts: list[str]) -> Run:
    @torch.inference_mode()
    def run() -> np.ndarray:
        parts = []
        for start in range(0, len(texts), BATCH):
            batch = tokenizer(
                texts[start : start + BATCH],
                padding=True,
                truncation=True,
                max_length=LONGEST,
                return_tensors="pt",
            )
            output = model(**batch, output_hidden_states=True)
            parts.append(mean_of(output.hidden_states[-1], batch["attention_mask"]))
        return np.concatenate(parts)

    return run


def pipeline(model: Any, tokenizer: Any, texts: list[str], **options: Any) -> Run:
    extract = transformers.pipeline(
        "feature-extraction", model=model, tokenizer=tokenizer, device="cpu"
    )

    # It gives the states of padding, too.
    lengths = [len(ids) for ids in tokenizer(texts)["input_ids"]]

    def run() -> np.ndarray:
        states = extract(texts, **options)
        pairs = zip(states, lengths, strict=True)
        return np.array([np.mean(rows[0][:n], axis=0) for rows, n in pairs])

    return run


def open_vino(model: Any, tokenizer: Any, texts: list[str], precision: str) -> Run:
    example = dict(tokenizer(["an example"], return_tensors="pt"))
    converted = openvino.convert_model(model, example_input=example)
    compiled = openvino.compile_model(
        converted, "CPU", {"INFERENCE_PRECISION_HINT": precision}
    )

    def run() -> np.ndarray:
        order = sorted(range(len(texts)), key=lambda i: -len(texts[i]))
        rows = np.empty((len(texts), model.config.hidden_size), dtype=np.float32)
        for start in range(0, len(texts), BATCH):
            chosen = order[start : start + BATCH]
            batch = tokenizer(
                [texts[i] for i in chosen],
                padding=True,
                truncation=True,
                max_length=LONGEST,
                return_tensors="np",
            )
            states = torch.from_numpy(compiled(dict(batch))[0])
            rows[chosen] = mean_of(states, torch.from_numpy(batch["attention_mask"]))
        return rows

    return run


def skembed(folder: str, texts: list[str], **parameters: Any) -> Run:
    featurizer = BertLayerFeaturizer(
        folder, special_tokens=True, max_length=LONGEST, **parameters
    )
    featurizer.fit(texts[:1])
    return lambda: featurizer.transform(texts)


def arithmetic(folder: str, texts: list[str]) -> float:
    """Count the multiplications and additions that a model needs for some texts."""
    config = transformers.AutoConfig.from_pretrained(folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    lengths = np.array([len(ids) for ids in tokenizer(texts)["input_ids"]], dtype=float)
    width, inner = config.hidden_size, config.intermediate_size
    of_token = 2 * (4 * width**2 + 2 * width * inner) + 4 * width * lengths
    return float(config.num_hidden_layers * (lengths * of_token).sum())


@torch.inference_mode()
def product_rate(folder: str, dtype: torch.dtype, n_tokens: int = 2_048) -> float:
    """Measure how many multiplications and additions a second products reach."""
    config = transformers.AutoConfig.from_pretrained(folder)
    width, inner = config.hidden_size, config.intermediate_size
    sizes = [(width, 3 * width), (width, width), (width, inner), (inner, width)]
    cases = {
        str(size): (
            PackedLinear(torch.randn(size[::-1], dtype=dtype)),
            torch.randn(n_tokens, size[0], dtype=dtype),
        )
        for size in sizes
    }
    runs = {size: lambda c=case: c[0](c[1]) for size, case in cases.items()}
    median_times(runs, 3)
    seconds = sum(median_times(runs, 21).values())
    return 2 * n_tokens * sum(a * b for a, b in sizes) / seconds


def measure(name: str, numbers: str, folder: str) -> list[dict[str, Any]]:
    texts = real_texts(N_TEXTS[name])
    rates = [product_rate(folder, getattr(torch, numbers))]
    features: dict[str, np.ndarray] = {}

    def kept(case: str, run: Run) -> Callable[[], None]:
        return lambda: features.update({case: run()})

    runs = contenders(folder, texts, numbers)
    cases = {case: kept(case, run) for case, run in runs.items()}
    slow = SLOW[name] if numbers == "float32" else ()
    for case, run in cases.items():
        # Once for warming up. Of the slow ones the median leaves the first run out.
        if case not in slow:
            run()
    times = median_times(cases, N_REPETITIONS, slow=slow)
    truth = features[FIRST]
    if numbers != "float32":
        truth = sentence_transformers(folder, texts, torch.float32)()
    # What else runs at the time can only make it smaller.
    rates.append(product_rate(folder, getattr(torch, numbers)))
    times[IDEAL] = arithmetic(folder, texts) / max(rates)
    return [
        {
            "model": name,
            "numbers": numbers,
            "case": case,
            "texts/s": len(texts) / seconds,
            "ratio": times[FIRST] / seconds,
            "to pipeline": times[PIPELINE] / seconds if PIPELINE in times else "",
            "of products": "" if "layer" in case else times[IDEAL] / seconds,
            "deviation": ""
            if "layer" in case or case == IDEAL
            else deviation(features[case], truth),
        }
        for case, seconds in times.items()
    ]


def deviation(features: np.ndarray, truth: np.ndarray) -> float:
    return float(np.abs(features - truth).max() / np.abs(truth).max())


def main() -> None:
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    logging.getLogger("sentence_transformers").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    parts = [f"{name}/{numbers}" for name in N_TEXTS for numbers in PRECISIONS]
    asked = sys.argv[1:] if sys.argv[0].endswith("bench_transformer.py") else []
    path = RESULTS / "transformer.json"
    rows = json.loads(path.read_text())["rows"] if path.exists() else []
    for part in asked or parts:
        name, numbers = part.split("/")
        with tempfile.TemporaryDirectory() as temporary:
            is_real = name == "MiniLM-L6"
            folder = minilm() if is_real else bert_base(Path(temporary))
            others = [row for row in rows if part_of(row) != part]
            rows = others + measure(name, numbers, folder)
        rows.sort(key=lambda row: parts.index(part_of(row)))
        print(write("transformer", rows, NOTES))


def part_of(row: dict[str, Any]) -> str:
    return f"{row['model']}/{row['numbers']}"


if __name__ == "__main__":
    main()
