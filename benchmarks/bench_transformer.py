"""Features from a transformer, beside the programs that users have for it.

    python -m benchmarks.bench_transformer

All give the mean of the top layer's states over all tokens, special ones included.
"""

import logging
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

from benchmarks._report import write
from benchmarks._timing import median_times
from benchmarks._transformers import bert_base, minilm, real_texts
from skembed import BertLayerFeaturizer

N_TEXTS = {"MiniLM-L6": 160, "bert-base": 16}
N_REPETITIONS = 5
LONGEST = 512
BATCH = 32
FIRST = "sentence-transformers"
NOTES = f"""
The mean of the top layer over all tokens of {N_TEXTS["MiniLM-L6"]} texts of 2 to 400
tokens from Simple English Wikipedia ({N_TEXTS["bert-base"]} for bert-base, whose
weights are random), on the CPU with all cores, medians of {N_REPETITIONS} interleaved
runs in one process. Ratio: to sentence-transformers' `encode` of the same number
format. Deviation: the largest difference from sentence-transformers in float32,
relative to the largest feature. OpenVINO runs the model that `openvino.convert_model`
makes, in batches of {BATCH} of similar length as sentence-transformers' backend forms
them, which itself wants an older transformers.
"""
Run = Callable[[], np.ndarray]


def contenders(folder: str, texts: list[str]) -> dict[str, dict[str, Run]]:
    """Name what is compared, by number format."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    tokenizer.model_max_length = LONGEST
    model = transformers.AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    n_layers = model.config.num_hidden_layers
    half = n_layers // 2
    return {
        "float32": {
            FIRST: sentence_transformers(folder, texts, torch.float32),
            "tutorials' loop": tutorial(model, tokenizer, texts),
            "Hugging Face pipeline": pipeline(model, tokenizer, texts),
            "OpenVINO": open_vino(model, tokenizer, texts, "f32"),
            "skembed": skembed(folder, texts),
            f"skembed, layer {half} of {n_layers}": skembed(folder, texts, layers=half),
        },
        "bfloat16": {
            FIRST: sentence_transformers(folder, texts, torch.bfloat16),
            "OpenVINO": open_vino(model, tokenizer, texts, "bf16"),
            "skembed": skembed(folder, texts, dtype="bfloat16"),
            f"skembed, layer {half} of {n_layers}": skembed(
                folder, texts, layers=half, dtype="bfloat16"
            ),
        },
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


def pipeline(model: Any, tokenizer: Any, texts: list[str]) -> Run:
    extract = transformers.pipeline(
        "feature-extraction", model=model, tokenizer=tokenizer, device="cpu"
    )

    def run() -> np.ndarray:
        return np.array([np.mean(extract(text)[0], axis=0) for text in texts])

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


def measure(name: str, folder: str) -> list[dict[str, Any]]:
    texts = real_texts(N_TEXTS[name])
    rows = []
    truth = None
    for kind, cases in contenders(folder, texts).items():
        # Once for warming up, and to see that all do the same.
        features = {case: run() for case, run in cases.items()}
        truth = features[FIRST] if truth is None else truth
        times = median_times(cases, N_REPETITIONS)
        rows += [
            {
                "model": name,
                "numbers": kind,
                "case": case,
                "texts/s": len(texts) / seconds,
                "ratio": times[FIRST] / seconds,
                "deviation": ""
                if "layer" in case
                else deviation(features[case], truth),
            }
            for case, seconds in times.items()
        ]
    return rows


def deviation(features: np.ndarray, truth: np.ndarray) -> float:
    return float(np.abs(features - truth).max() / np.abs(truth).max())


def main() -> None:
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    logging.getLogger("sentence_transformers").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    rows = measure("MiniLM-L6", minilm())
    with tempfile.TemporaryDirectory() as folder:
        rows += measure("bert-base", bert_base(Path(folder)))
    print(write("transformer", rows, NOTES))


if __name__ == "__main__":
    main()
